"""What Xero does at each endpoint: how lists are paged, what they take, what they hide. The simulator's own table.

It is written from Xero's documentation and field reports, never from what our client believes, so that a wrong fact
can't agree with itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from simulator.accounting_api.filters import Filter, contains, equals, from_day, id_is, one_of, to_day
from simulator.books.words import ContactStatus, Endpoint
from simulator.spelling import folded


class Paging(StrEnum):
    """How a list is cut."""

    WHOLE = "everything at once"  # page is ignored
    PAGES = "`page`, `pageSize`"  # with a pagination object; without page everything in short
    ALWAYS = "`page`, `pageSize`, paged even without"  # PurchaseOrders
    HUNDREDS = "`page`, 100 each, paged even without"  # no pageSize, no pagination object
    OFFSET = "`offset` by number, 100 each"  # Journals


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One endpoint.

    Attributes:
        id_field: as Xero spells it.
        list_key: key of the list in answers.
        scopes: granular and old broad ones that open it, without ``.read``.
        paging: how lists are cut.
        modified_since: whether ``If-Modified-Since`` is honoured.
        where: whether ``where`` is honoured; else ignored.
        order: the same of ``order``.
        order_unpages: a list that is ordered ignores ``page``.
        by_ids: ``IDs=``.
        summary_only: ``summaryOnly=``.
        filters: parameters that choose records, by lower-case name.
        hides: records that lists leave out; None: none.
        unhide: the parameter, lower case, that shows them.
        also_by: field that a single GET takes in place of the id.
        fold: how ids are spelled in the books.
    """

    id_field: str
    list_key: str
    scopes: frozenset[str]
    paging: Paging = Paging.WHOLE
    modified_since: bool = True
    where: bool = True
    order: bool = True
    order_unpages: bool = False
    by_ids: bool = False
    summary_only: bool = False
    filters: Mapping[str, Filter] = field(default_factory=lambda: MappingProxyType({}))
    hides: Callable[[Any], bool] | None = None
    unhide: str | None = None
    also_by: str | None = None
    fold: Callable[[str], str] = folded


def _opened_by(*scopes: str) -> frozenset[str]:
    return frozenset(f"accounting.{scope}" for scope in scopes)


_INVOICES = _opened_by("invoices", "transactions")
_PAYMENTS = _opened_by("payments", "transactions")
_BANK = _opened_by("banktransactions", "transactions")
_SETTINGS = _opened_by("settings")
_CONTACTS = _opened_by("contacts")

FACTS: Mapping[Endpoint, Facts] = {
    Endpoint.INVOICES: Facts(
        id_field="InvoiceID",
        list_key="Invoices",
        scopes=_INVOICES,
        paging=Paging.PAGES,
        by_ids=True,
        summary_only=True,
        filters={"searchterm": contains("number", "reference")},
        also_by="number",
    ),
    Endpoint.CONTACTS: Facts(
        id_field="ContactID",
        list_key="Contacts",
        scopes=_CONTACTS,
        paging=Paging.PAGES,
        by_ids=True,
        summary_only=True,
        filters={
            "searchterm": contains("name", "first_name", "last_name", "number", "company_number", "email"),
        },
        hides=lambda contact: contact.status is not ContactStatus.ACTIVE,
        unhide="includearchived",
        also_by="number",
    ),
    Endpoint.CREDIT_NOTES: Facts(
        id_field="CreditNoteID", list_key="CreditNotes", scopes=_INVOICES, paging=Paging.PAGES, also_by="number"
    ),
    Endpoint.ACCOUNTS: Facts(
        id_field="AccountID",
        list_key="Accounts",
        scopes=_SETTINGS,
        hides=lambda account: account.status == "DELETED",  # unconfirmed: whether lists show deleted accounts
    ),
    Endpoint.BANK_TRANSACTIONS: Facts(
        id_field="BankTransactionID",
        list_key="BankTransactions",
        scopes=_BANK,
        paging=Paging.PAGES,
        filters={"references": one_of("reference")},  # OpenAPI 19.0.0, as Xero's SDK of 2026 has it
    ),
    Endpoint.BANK_TRANSFERS: Facts(
        id_field="BankTransferID",
        list_key="BankTransfers",
        scopes=_BANK,
        hides=lambda transfer: transfer.status == "DELETED",
        unhide="includedeleted",
    ),
    Endpoint.BATCH_PAYMENTS: Facts(id_field="BatchPaymentID", list_key="BatchPayments", scopes=_PAYMENTS),
    Endpoint.BRANDING_THEMES: Facts(
        id_field="BrandingThemeID",
        list_key="BrandingThemes",
        scopes=_SETTINGS,
        modified_since=False,
        where=False,
        order=False,
    ),
    Endpoint.BUDGETS: Facts(
        id_field="BudgetID",
        list_key="Budgets",
        scopes=_opened_by("budgets"),
        modified_since=False,
        where=False,
        order=False,
        by_ids=True,
    ),
    Endpoint.CONTACT_GROUPS: Facts(
        id_field="ContactGroupID", list_key="ContactGroups", scopes=_CONTACTS, modified_since=False
    ),
    Endpoint.CURRENCIES: Facts(
        id_field="Code", list_key="Currencies", scopes=_SETTINGS, modified_since=False, fold=str.upper
    ),
    Endpoint.ITEMS: Facts(id_field="ItemID", list_key="Items", scopes=_SETTINGS | _INVOICES, also_by="code"),
    Endpoint.JOURNALS: Facts(
        id_field="JournalID",
        list_key="Journals",
        scopes=_opened_by("journals"),
        paging=Paging.OFFSET,
        where=False,
        order=False,
        also_by="number",
    ),
    Endpoint.LINKED_TRANSACTIONS: Facts(
        id_field="LinkedTransactionID",
        list_key="LinkedTransactions",
        scopes=_INVOICES,
        paging=Paging.HUNDREDS,
        modified_since=False,
        where=False,
        order=False,
        filters={
            "linkedtransactionid": id_is("id", "LinkedTransactionID"),
            "sourcetransactionid": id_is("source_id", "SourceTransactionID"),
            "targettransactionid": id_is("target_id", "TargetTransactionID"),
            "contactid": id_is("contact_id", "ContactID"),
            "status": equals("status"),
        },
    ),
    Endpoint.MANUAL_JOURNALS: Facts(
        id_field="ManualJournalID",
        list_key="ManualJournals",
        scopes=_opened_by("manualjournals", "transactions"),
        paging=Paging.PAGES,
        order_unpages=True,
    ),
    Endpoint.ORGANISATION: Facts(
        id_field="OrganisationID",
        list_key="Organisations",
        scopes=_SETTINGS,
        modified_since=False,
        where=False,
        order=False,
    ),
    Endpoint.OVERPAYMENTS: Facts(
        id_field="OverpaymentID",
        list_key="Overpayments",
        scopes=_PAYMENTS,
        paging=Paging.PAGES,
        filters={"references": one_of("reference")},
    ),
    Endpoint.PAYMENT_SERVICES: Facts(
        id_field="PaymentServiceID",
        list_key="PaymentServices",
        scopes=_opened_by("settings") | {"paymentservices"},
        modified_since=False,
        where=False,
        order=False,
    ),
    Endpoint.PAYMENTS: Facts(id_field="PaymentID", list_key="Payments", scopes=_PAYMENTS, paging=Paging.PAGES),
    Endpoint.PREPAYMENTS: Facts(
        id_field="PrepaymentID",
        list_key="Prepayments",
        scopes=_PAYMENTS,
        paging=Paging.PAGES,
        filters={"invoicenumbers": one_of("number"), "references": one_of("reference")},  # the same
    ),
    Endpoint.PURCHASE_ORDERS: Facts(
        id_field="PurchaseOrderID",
        list_key="PurchaseOrders",
        scopes=_INVOICES,
        paging=Paging.ALWAYS,
        where=False,
        filters={
            "status": equals("status"),
            "datefrom": from_day("date", "DateFrom"),
            "dateto": to_day("date", "DateTo"),
        },
        also_by="number",
    ),
    Endpoint.QUOTES: Facts(
        id_field="QuoteID",
        list_key="Quotes",
        scopes=_INVOICES,
        paging=Paging.HUNDREDS,
        where=False,
        filters={
            "status": equals("status"),
            "contactid": id_is("contact_id", "ContactID"),
            "quotenumber": equals("number"),
            "datefrom": from_day("date", "DateFrom"),
            "dateto": to_day("date", "DateTo"),
            "expirydatefrom": from_day("expiry_date", "ExpiryDateFrom"),
            "expirydateto": to_day("expiry_date", "ExpiryDateTo"),
        },
    ),
    Endpoint.REPEATING_INVOICES: Facts(
        id_field="RepeatingInvoiceID", list_key="RepeatingInvoices", scopes=_INVOICES, modified_since=False
    ),
    Endpoint.TAX_RATES: Facts(
        id_field="TaxType", list_key="TaxRates", scopes=_SETTINGS, modified_since=False, fold=str.upper
    ),
    Endpoint.TRACKING_CATEGORIES: Facts(
        id_field="TrackingCategoryID",
        list_key="TrackingCategories",
        scopes=_SETTINGS,
        modified_since=False,
        hides=lambda category: category.status != "ACTIVE",
        unhide="includearchived",
    ),
    Endpoint.USERS: Facts(id_field="UserID", list_key="Users", scopes=_SETTINGS),
}
"""Every endpoint. Source: published OpenAPI and xero-platform fact sheets, section 4."""

PATHS: Mapping[str, Endpoint] = {endpoint.value.lower(): endpoint for endpoint in Endpoint} | {
    "organisations": Endpoint.ORGANISATION
}
"""Path segment in lower case → endpoint."""
