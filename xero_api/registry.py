"""The facts: one row per kind of record. Pure. Checked against Xero's published OpenAPI by ``tests/registry``."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from xero_api.entity import (
    ByIds,
    Entity,
    Form,
    Full,
    Gone,
    Key,
    LeftOut,
    Offset,
    Pages,
    Part,
    Scope,
    Stamp,
    UpdateAt,
    View,
    Whole,
    Writes,
)
from xero_api.unify import (
    account,
    bank_transaction,
    bank_transfer,
    batch_payment,
    contact,
    credit_note,
    invoice,
    item,
    journal,
    manual_journal,
    organisation,
    overpayment,
    payment,
    prepayment,
    purchase_order,
    quote,
    repeating_invoice,
    tax_rate,
    tracking_category,
)
from xero_api.unify.raw_record import enveloped
from xero_stream.contracts.names import EntityName
from xero_stream.contracts.records.account import Account
from xero_stream.contracts.records.bank_transaction import BankTransaction
from xero_stream.contracts.records.bank_transfer import BankTransfer
from xero_stream.contracts.records.batch_payment import BatchPayment
from xero_stream.contracts.records.contact import Contact
from xero_stream.contracts.records.credit_note import CreditNote
from xero_stream.contracts.records.invoice import Invoice
from xero_stream.contracts.records.item import Item
from xero_stream.contracts.records.journal import Journal
from xero_stream.contracts.records.manual_journal import ManualJournal
from xero_stream.contracts.records.organisation import Organisation
from xero_stream.contracts.records.overpayment import Overpayment
from xero_stream.contracts.records.payment import Payment
from xero_stream.contracts.records.prepayment import Prepayment
from xero_stream.contracts.records.purchase_order import PurchaseOrder
from xero_stream.contracts.records.quote import Quote
from xero_stream.contracts.records.raw_record import (
    BrandingTheme,
    Budget,
    ContactGroup,
    Currency,
    LinkedTransaction,
    PaymentService,
    User,
)
from xero_stream.contracts.records.repeating_invoice import RepeatingInvoice
from xero_stream.contracts.records.tax_rate import TaxRate
from xero_stream.contracts.records.tracking_category import TrackingCategory

V = TypeVar("V")


def _words(**words: V) -> Mapping[str, V]:
    return MappingProxyType(words)


_NONE: Mapping[str, str] = _words()
_DELETED = _words(DELETED=Gone.DELETED)
_FOUR_DECIMALS = _words(unitdp="4")
_GRANULAR = "the file names only the old broad scopes, which end 2027-09-13 (developer.xero.com, OAuth 2.0 scopes)"
_UNIT_DECIMALS = (
    "the file has unitdp for the list only; without it a single read would round prices that lists give in full"
)
_BY_REFERENCE = "the file is older than References here (Xero's own SDK, xero-python from 15.2 on)"
_NEW_WEBHOOK = "the file is older than this category (developer.xero.com, changelog of August and September 2026)"
_UNCONFIRMED_WEBHOOK = (
    "the file is older than this category (OpenAPI 20.0.0 of 2 November 2026); the word itself is unconfirmed: it "
    "follows the pattern of the others, and an event with another word is recognised by its `resourceUrl`"
)
_OPTION_IDS = LeftOut(
    xeros="LineItems.Tracking.TrackingOptionID",
    ours="line_items.tracking.option_id",
    same=(("id",), ("category_id", "option_name")),
)
"""Lists were reported without it, though Xero could not reproduce that (XeroAPI/Xero-NetStandard#267, Xero-Java#298)."""
_ROUNDING = LeftOut(
    xeros="RoundingAmount",
    ours="rounding_amount",
    skews=frozenset({"sub_total", "total_tax", "total", "amount_due", "status"}),
)
"""Totals of lists do not reflect the rounding either (release notes of Xero's OpenAPI 19.0.0). Ours are too: what is due, which
follows from the total, and the status, which is ``partially_paid`` by comparison with it."""
_ENTERED_TOTAL = LeftOut(xeros="EnteredTotal", ours="entered_total")
_LISTS_OF_LINES: Mapping[Form, tuple[LeftOut, ...]] = MappingProxyType(
    {
        Form.IDS: (_OPTION_IDS,),
        Form.PAGE: (_OPTION_IDS,),
    }
)
_LISTS_OF_INVOICES: Mapping[Form, tuple[LeftOut, ...]] = MappingProxyType(
    {
        Form.IDS: (_ROUNDING, _ENTERED_TOTAL, _OPTION_IDS),  # that IDs= counts as a list is unconfirmed
        Form.PAGE: (_ROUNDING, _ENTERED_TOTAL, _OPTION_IDS),
    }
)
_AS_BANK_TRANSACTION = Writes(create=None, update=None, many=1, delete=_NONE, natural_key=None)
"""Made and deleted as bank transactions; only its allocations are written (developer.xero.com, Prepayments)."""

INVOICES = Entity(
    name=EntityName.INVOICES,
    path="Invoices",
    list_key="Invoices",
    id_field="InvoiceID",
    model=Invoice,
    unify=invoice.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="IDs", limit=50),
    leaves_out=_LISTS_OF_INVOICES,
    always=_words(includeArchived="true", unitdp="4"),
    on_single=_FOUR_DECIMALS,
    filters=frozenset({"where", "InvoiceNumbers", "ContactIDs", "Statuses", "createdByMyApp", "searchTerm"}),
    status_field="Status",
    gone=_DELETED,
    webhook="INVOICE",
    scope=Scope.INVOICES,
    parts=frozenset({Part.ATTACHMENTS, Part.EMAIL, Part.HISTORY, Part.PDF}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(DRAFT="DELETED", SUBMITTED="DELETED", AUTHORISED="VOIDED"),
        natural_key="InvoiceNumber",
        include_online=True,
        backorders=True,
    ),
    differs=_words(scope=_GRANULAR),
)

CONTACTS = Entity(
    name=EntityName.CONTACTS,
    path="Contacts",
    list_key="Contacts",
    id_field="ContactID",
    model=Contact,
    unify=contact.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="IDs", limit=50),
    always=_words(includeArchived="true"),
    filters=frozenset({"where", "searchTerm"}),
    status_field="ContactStatus",
    gone=_words(GDPRREQUEST=Gone.ERASED),
    merged_into="MergedToContactID",
    webhook="CONTACT",
    scope=Scope.CONTACTS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(ACTIVE="ARCHIVED"),
        natural_key="ContactNumber",
    ),
)

CREDIT_NOTES = Entity(
    name=EntityName.CREDIT_NOTES,
    path="CreditNotes",
    list_key="CreditNotes",
    id_field="CreditNoteID",
    model=CreditNote,
    unify=credit_note.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),
    leaves_out=_LISTS_OF_LINES,
    always=_FOUR_DECIMALS,
    on_single=_FOUR_DECIMALS,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    webhook="CREDITNOTE",
    scope=Scope.INVOICES,
    parts=frozenset({Part.ALLOCATIONS, Part.ATTACHMENTS, Part.HISTORY, Part.PDF}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(DRAFT="DELETED", SUBMITTED="DELETED", AUTHORISED="VOIDED"),
        natural_key="CreditNoteNumber",
        include_online=True,
    ),
    differs=_words(scope=_GRANULAR),
)

PAYMENTS = Entity(
    name=EntityName.PAYMENTS,
    path="Payments",
    list_key="Payments",
    id_field="PaymentID",
    model=Payment,
    unify=payment.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # IDs= is ignored here: everything comes back (calcinai/xero-php#775)
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    webhook="PAYMENT",
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update=None,  # POST creates too; a payment is deleted and recreated
        many=50,
        delete=_words(AUTHORISED="DELETED"),
        natural_key=None,
        update_at=UpdateAt.RECORD,
        summarizes=frozenset({"PUT"}),
    ),
    differs=_words(scope=_GRANULAR, webhook=_UNCONFIRMED_WEBHOOK),
)

BATCH_PAYMENTS = Entity(
    name=EntityName.BATCH_PAYMENTS,
    path="BatchPayments",
    list_key="BatchPayments",
    id_field="BatchPaymentID",
    model=BatchPayment,
    unify=batch_payment.unify,
    stamp=Stamp.UPDATED,
    paging=Whole(),
    modified_since=True,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update=None,
        many=50,
        delete=_words(AUTHORISED="DELETED"),
        natural_key=None,
        update_at=UpdateAt.RECORD,
        summarizes=frozenset({"PUT"}),
    ),
    differs=_words(scope=_GRANULAR),
)

PREPAYMENTS = Entity(
    name=EntityName.PREPAYMENTS,
    path="Prepayments",
    list_key="Prepayments",
    id_field="PrepaymentID",
    model=Prepayment,
    unify=prepayment.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # seen with payments; here it is unconfirmed
    leaves_out=_LISTS_OF_LINES,
    always=_FOUR_DECIMALS,
    on_single=_FOUR_DECIMALS,
    filters=frozenset({"where", "InvoiceNumbers", "References"}),
    status_field="Status",
    webhook="PREPAYMENT",
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.ALLOCATIONS, Part.HISTORY}),
    writes=_AS_BANK_TRANSACTION,
    differs=_words(scope=_GRANULAR, on_single=_UNIT_DECIMALS, filters=_BY_REFERENCE, webhook=_NEW_WEBHOOK),
)

OVERPAYMENTS = Entity(
    name=EntityName.OVERPAYMENTS,
    path="Overpayments",
    list_key="Overpayments",
    id_field="OverpaymentID",
    model=Overpayment,
    unify=overpayment.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # seen with payments; here it is unconfirmed
    leaves_out=_LISTS_OF_LINES,
    always=_FOUR_DECIMALS,
    on_single=_FOUR_DECIMALS,
    filters=frozenset({"where", "References"}),
    status_field="Status",
    webhook="OVERPAYMENT",
    scope=Scope.PAYMENTS,
    parts=frozenset({Part.ALLOCATIONS, Part.HISTORY}),
    writes=_AS_BANK_TRANSACTION,
    differs=_words(scope=_GRANULAR, on_single=_UNIT_DECIMALS, webhook=_NEW_WEBHOOK),
)

BANK_TRANSACTIONS = Entity(
    name=EntityName.BANK_TRANSACTIONS,
    path="BankTransactions",
    list_key="BankTransactions",
    id_field="BankTransactionID",
    model=BankTransaction,
    unify=bank_transaction.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),  # seen with payments; here it is unconfirmed
    leaves_out=_LISTS_OF_LINES,
    always=_FOUR_DECIMALS,
    on_single=_FOUR_DECIMALS,
    filters=frozenset({"where", "References"}),
    status_field="Status",
    gone=_DELETED,
    scope=Scope.BANK_TRANSACTIONS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(AUTHORISED="DELETED"),
        natural_key=None,
    ),
    differs=_words(scope=_GRANULAR, filters=_BY_REFERENCE),
)

BANK_TRANSFERS = Entity(
    name=EntityName.BANK_TRANSFERS,
    path="BankTransfers",
    list_key="BankTransfers",
    id_field="BankTransferID",
    model=BankTransfer,
    unify=bank_transfer.unify,
    stamp=Stamp.CREATED,  # a deletion doesn't move it: whether If-Modified-Since shows one is unconfirmed
    paging=Whole(),
    modified_since=True,
    always=_words(includeDeleted="true"),
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    scope=Scope.BANK_TRANSACTIONS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update=None,
        many=1,  # creating takes no summarizeErrors
        delete=_words(AUTHORISED="DELETED"),
        natural_key=None,
        update_at=UpdateAt.RECORD,
        summarizes=frozenset({"POST"}),
    ),
    differs=_words(scope=_GRANULAR),
)

ACCOUNTS = Entity(
    name=EntityName.ACCOUNTS,
    path="Accounts",
    list_key="Accounts",
    id_field="AccountID",
    model=Account,
    unify=account.unify,
    stamp=Stamp.UPDATED,
    paging=Whole(),
    modified_since=True,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    vanishes=True,
    scope=Scope.SETTINGS,
    parts=frozenset({Part.ATTACHMENTS}),
    writes=Writes(
        create="PUT",
        update="POST",
        update_at=UpdateAt.RECORD,
        many=1,
        delete=_NONE,
        removed=True,
        natural_key="Code",
        summarizes=frozenset(),
    ),
)

ITEMS = Entity(
    name=EntityName.ITEMS,
    path="Items",
    list_key="Items",
    id_field="ItemID",
    model=Item,
    unify=item.unify,
    stamp=Stamp.UPDATED,
    paging=Whole(),
    modified_since=True,
    always=_FOUR_DECIMALS,
    on_single=_FOUR_DECIMALS,
    filters=frozenset({"where"}),
    vanishes=True,
    scope=Scope.SETTINGS,
    parts=frozenset({Part.HISTORY}),
    writes=Writes(create="PUT", update="POST", many=50, delete=_NONE, removed=True, natural_key="Code"),
)

TAX_RATES = Entity(
    name=EntityName.TAX_RATES,
    path="TaxRates",
    list_key="TaxRates",
    id_field="TaxType",
    key=Key.WORD,
    model=TaxRate,
    unify=tax_rate.unify,
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    vanishes=True,
    scope=Scope.SETTINGS,
    writes=Writes(
        create="PUT",
        update="POST",
        update_at=UpdateAt.COLLECTION,
        many=1,
        delete=_words(ACTIVE="DELETED"),
        natural_key="Name",
        summarizes=frozenset(),
    ),
)

TRACKING_CATEGORIES = Entity(
    name=EntityName.TRACKING_CATEGORIES,
    path="TrackingCategories",
    list_key="TrackingCategories",
    id_field="TrackingCategoryID",
    model=TrackingCategory,
    unify=tracking_category.unify,
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    full=Full.LISTS,
    always=_words(includeArchived="true"),
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    vanishes=True,
    scope=Scope.SETTINGS,
    writes=Writes(
        create="PUT",
        update="POST",
        update_at=UpdateAt.RECORD,
        many=1,
        delete=_NONE,
        removed=True,
        natural_key="Name",
        summarizes=frozenset(),
    ),
    differs=_words(
        full="single reads take no includeArchived: a category without its archived options is not the same"
    ),
)

ORGANISATIONS = Entity(
    name=EntityName.ORGANISATIONS,
    path="Organisation",
    list_key="Organisations",
    id_field="OrganisationID",
    model=Organisation,
    unify=organisation.unify,
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    full=Full.LISTS,
    status_field="OrganisationStatus",
    scope=Scope.SETTINGS,
    billed=False,
)

PURCHASE_ORDERS = Entity(
    name=EntityName.PURCHASE_ORDERS,
    path="PurchaseOrders",
    list_key="PurchaseOrders",
    id_field="PurchaseOrderID",
    model=PurchaseOrder,
    unify=purchase_order.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True),
    modified_since=True,
    leaves_out=_LISTS_OF_LINES,
    filters=frozenset({"Status", "DateFrom", "DateTo"}),
    status_field="Status",
    gone=_DELETED,
    scope=Scope.INVOICES,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY, Part.PDF}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(DRAFT="DELETED", SUBMITTED="DELETED", AUTHORISED="DELETED"),
        natural_key="PurchaseOrderNumber",
    ),
    differs=_words(scope=_GRANULAR),
)

QUOTES = Entity(
    name=EntityName.QUOTES,
    path="Quotes",
    list_key="Quotes",
    id_field="QuoteID",
    model=Quote,
    unify=quote.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=False),
    modified_since=True,
    leaves_out=_LISTS_OF_LINES,
    filters=frozenset({"DateFrom", "DateTo", "ExpiryDateFrom", "ExpiryDateTo", "ContactID", "Status", "QuoteNumber"}),
    status_field="Status",
    gone=_DELETED,
    scope=Scope.INVOICES,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY, Part.PDF}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(**{"*": "DELETED"}),
        natural_key="QuoteNumber",
    ),
    differs=_words(scope=_GRANULAR),
)

REPEATING_INVOICES = Entity(
    name=EntityName.REPEATING_INVOICES,
    path="RepeatingInvoices",
    list_key="RepeatingInvoices",
    id_field="RepeatingInvoiceID",
    model=RepeatingInvoice,
    unify=repeating_invoice.unify,
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    vanishes=True,
    scope=Scope.INVOICES,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(DRAFT="DELETED", AUTHORISED="DELETED"),
        natural_key=None,
    ),
    differs=_words(scope=_GRANULAR),
)

MANUAL_JOURNALS = Entity(
    name=EntityName.MANUAL_JOURNALS,
    path="ManualJournals",
    list_key="ManualJournals",
    id_field="ManualJournalID",
    model=ManualJournal,
    unify=manual_journal.unify,
    stamp=Stamp.UPDATED,
    paging=Pages(sized=True, drop_order=True),
    modified_since=True,
    by_ids=ByIds(parameter="where", limit=20),
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    scope=Scope.MANUAL_JOURNALS,
    parts=frozenset({Part.ATTACHMENTS, Part.HISTORY}),
    writes=Writes(
        create="PUT",
        update="POST",
        many=50,
        delete=_words(DRAFT="DELETED", POSTED="VOIDED"),
        natural_key=None,
    ),
    differs=_words(
        scope=_GRANULAR,
        paging="with order, page is ignored and everything comes at once (singer-io/tap-xero, changelog 2.2.3)",
    ),
)

JOURNALS = Entity(
    name=EntityName.JOURNALS,
    path="Journals",
    list_key="Journals",
    id_field="JournalID",
    model=Journal,
    unify=journal.unify,
    stamp=Stamp.CREATED,
    paging=Offset(number_field="JournalNumber"),
    modified_since=True,
    full=Full.LISTS,
    filters=frozenset({"paymentsOnly"}),
    scope=Scope.JOURNALS,
    differs=_words(
        full="single reads lack SourceID and SourceType (developer.xero.com, Journals; the file's own example)"
    ),
)

BRANDING_THEMES = Entity(
    name=EntityName.BRANDING_THEMES,
    path="BrandingThemes",
    list_key="BrandingThemes",
    id_field="BrandingThemeID",
    model=BrandingTheme,
    unify=enveloped("BrandingThemeID", name="Name"),
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    vanishes=True,
    scope=Scope.SETTINGS,
)

BUDGETS = Entity(
    name=EntityName.BUDGETS,
    path="Budgets",
    list_key="Budgets",
    id_field="BudgetID",
    model=Budget,
    unify=enveloped("BudgetID", name="Description", stamped=True),
    stamp=Stamp.UPDATED,
    paging=Whole(),
    modified_since=False,
    full=Full.SINGLY,
    filters=frozenset({"DateFrom", "DateTo"}),
    vanishes=True,
    scope=Scope.BUDGETS,
    differs=_words(
        by_ids="several budgets at once come without their lines (developer.xero.com, Budgets)",
        full="only single reads carry the lines (developer.xero.com, Budgets)",
    ),
)

CONTACT_GROUPS = Entity(
    name=EntityName.CONTACT_GROUPS,
    path="ContactGroups",
    list_key="ContactGroups",
    id_field="ContactGroupID",
    model=ContactGroup,
    unify=enveloped("ContactGroupID", name="Name", status="Status"),
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    full=Full.SINGLY,
    filters=frozenset({"where"}),
    status_field="Status",
    gone=_DELETED,
    vanishes=True,
    scope=Scope.CONTACTS,
    writes=Writes(
        create="PUT",
        update="POST",
        update_at=UpdateAt.RECORD,
        many=1,
        delete=_words(ACTIVE="DELETED"),
        natural_key="Name",
        summarizes=frozenset(),
    ),
    differs=_words(full="only single reads name the contacts (the file's own description of Contacts)"),
)

CURRENCIES = Entity(
    name=EntityName.CURRENCIES,
    path="Currencies",
    list_key="Currencies",
    id_field="Code",
    key=Key.WORD,
    model=Currency,
    unify=enveloped("Code", name="Description"),
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    full=Full.LISTS,
    filters=frozenset({"where"}),
    vanishes=True,
    scope=Scope.SETTINGS,
    writes=Writes(create="PUT", update=None, many=1, delete=_NONE, natural_key="Code", summarizes=frozenset()),
)

LINKED_TRANSACTIONS = Entity(
    name=EntityName.LINKED_TRANSACTIONS,
    path="LinkedTransactions",
    list_key="LinkedTransactions",
    id_field="LinkedTransactionID",
    model=LinkedTransaction,
    unify=enveloped("LinkedTransactionID", status="Status", stamped=True),
    stamp=Stamp.UPDATED,
    paging=Pages(sized=False, drop_order=True),
    modified_since=False,
    filters=frozenset({"LinkedTransactionID", "SourceTransactionID", "TargetTransactionID", "ContactID", "Status"}),
    status_field="Status",
    vanishes=True,
    scope=Scope.INVOICES,
    writes=Writes(
        create="PUT",
        update="POST",
        update_at=UpdateAt.RECORD,
        many=1,
        delete=_NONE,
        removed=True,
        natural_key=None,
        summarizes=frozenset(),
    ),
    differs=_words(scope=_GRANULAR),
)

PAYMENT_SERVICES = Entity(
    name=EntityName.PAYMENT_SERVICES,
    path="PaymentServices",
    list_key="PaymentServices",
    id_field="PaymentServiceID",
    model=PaymentService,
    unify=enveloped("PaymentServiceID", name="PaymentServiceName"),
    stamp=Stamp.NONE,
    paging=Whole(),
    modified_since=False,
    full=Full.LISTS,
    vanishes=True,
    scope=Scope.PAYMENT_SERVICES,
    writes=Writes(
        create="PUT",
        update=None,
        many=1,
        delete=_NONE,
        natural_key="PaymentServiceName",
        summarizes=frozenset(),
    ),
)

USERS = Entity(
    name=EntityName.USERS,
    path="Users",
    list_key="Users",
    id_field="UserID",
    model=User,
    unify=enveloped("UserID", name="EmailAddress", status="OrganisationRole", stamped=True),
    stamp=Stamp.UPDATED,
    paging=Whole(),
    modified_since=True,
    filters=frozenset({"where"}),
    status_field="OrganisationRole",
    gone=_words(REMOVED=Gone.DELETED),
    vanishes=True,
    scope=Scope.SETTINGS,
)

ENTITIES: tuple[Entity[Any], ...] = (
    INVOICES,
    CONTACTS,
    CREDIT_NOTES,
    PAYMENTS,
    BATCH_PAYMENTS,
    PREPAYMENTS,
    OVERPAYMENTS,
    BANK_TRANSACTIONS,
    BANK_TRANSFERS,
    ACCOUNTS,
    ITEMS,
    TAX_RATES,
    TRACKING_CATEGORIES,
    ORGANISATIONS,
    PURCHASE_ORDERS,
    QUOTES,
    REPEATING_INVOICES,
    MANUAL_JOURNALS,
    JOURNALS,
    BRANDING_THEMES,
    BUDGETS,
    CONTACT_GROUPS,
    CURRENCIES,
    LINKED_TRANSACTIONS,
    PAYMENT_SERVICES,
    USERS,
)
"""Every row."""

BILLS = View(
    name="bills",
    entity=INVOICES,
    filters=_words(where='Type=="ACCPAY"'),
    only=_words(Type="ACCPAY"),
)
"""Invoices from suppliers."""

VIEWS: tuple[View[Any], ...] = (BILLS,)
"""Every view."""


def by_name(name: EntityName) -> Entity[Any]:
    """The row of an entity."""
    return _BY_NAME[name]


_BY_NAME = {entity.name: entity for entity in ENTITIES}
