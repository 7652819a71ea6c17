"""Records as Xero's JSON, in the three forms it answers: single, page, summary.

A record is encoded once per change, in pieces that all forms share; a form is the pieces joined. The embedded contact
is the contact as it is now: renaming one changes its documents without a stamp, as in Xero.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from orjson import Fragment

from simulator.accounting_api.wire import (
    currency_rate,
    day_date,
    day_string,
    money,
    ms_date,
    percent,
    quantity,
    second_string,
    unit_amount,
)
from simulator.books.amounts import DAY_MS, half_up
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote
from simulator.books.document import Allocation, LineItem
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.organisation import AnyRecord, Balance, Document, Organisation
from simulator.books.words import LineAmountTypes

REMOVED = ""
"""An override's text that takes the field away; no JSON value is empty."""


class Form(StrEnum):
    """What an answer shows of a record."""

    SINGLE = "single"  # GET by id: everything
    PAGE = "page"  # with page=: line items, but the contact in short
    SUMMARY = "summary"  # without page=: no line items, fewer fields of contacts
    SUMMARY_ONLY = "summaryOnly"  # summaryOnly=true: as page, without lines, payments and HasAttachments


@dataclass(frozen=True, slots=True)
class _Pieces:
    """JSON members without braces; ``lines`` and ``contact`` are members too, empty where they don't stand."""

    record: AnyRecord
    core: bytes
    extras: bytes
    lines: bytes
    contact: bytes | None
    mark: tuple[int, int] = (0, 0)


class Encoder:
    """Encodes one organisation's records; remembers the pieces of each until it changes."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._pieces: dict[str, _Pieces] = {}
        self._briefs: dict[str, tuple[Contact, bytes, bytes]] = {}

    def encode(self, record: AnyRecord, form: Form, *, four_decimals: bool, now_ms: int) -> bytes:
        """One record.

        Args:
            record: the record, or an earlier version of it.
            form: how much of it.
            four_decimals: ``unitdp=4``: unit amounts aren't rounded to cents.
            now_ms: the time; contacts' overdue balances depend on the day.
        """
        if isinstance(record, Contact):
            return self._contact(record, form, now_ms)
        pieces = self._document_pieces(record, four_decimals=four_decimals)
        if form is Form.SUMMARY_ONLY:
            members = [pieces.core]
        elif form is Form.SUMMARY:
            members = [pieces.core, pieces.extras, b'"LineItems":[]']
        else:
            members = [pieces.core, pieces.extras, pieces.lines]
        members.append(self._embedded(record, form) if pieces.contact is None else pieces.contact)
        return b"{" + b",".join(filter(None, members)) + b"}"

    # -- documents --------------------------------------------------------------------------------------------------

    def _document_pieces(self, record: Document, *, four_decimals: bool) -> _Pieces:
        if not four_decimals and any(line.unit_amount % 100 for line in record.lines):
            return self._cut(record, four_decimals=False)
        pieces = self._pieces.get(record.id)
        if pieces is None or pieces.record is not record:
            pieces = self._cut(record, four_decimals=True)
            if self._organisation.shelf_of(record).get(record.id) is record:
                self._pieces[record.id] = pieces
        return pieces

    def _cut(self, record: Document, *, four_decimals: bool) -> _Pieces:
        if isinstance(record, Invoice):
            core, extras = _invoice_core(record), _invoice_extras(record, self._organisation)
        else:
            core, extras = _credit_note_core(record), _credit_note_extras(record, self._organisation)
        lines: dict[str, Any] = {"LineItems": [_line(line, record, four_decimals) for line in record.lines]}
        contact: dict[str, Any] = {}
        for name, text in record.overrides.items():
            group = next((group for group in (core, extras, lines) if name in group), core)
            group = contact if name == "Contact" else group
            if text == REMOVED:
                group.pop(name, None)
            else:
                group[name] = Fragment(text.encode())
        return _Pieces(
            record=record,
            core=_members(core),
            extras=_members(extras),
            lines=_members(lines),
            contact=_members(contact) if "Contact" in record.overrides else None,
        )

    def _embedded(self, record: Document, form: Form) -> bytes:
        contact = self._organisation.contacts.get(record.contact_id)
        if contact is None:
            return b'"Contact":{}'
        brief = self._briefs.get(contact.id)
        if brief is None or brief[0] is not contact:
            short = {
                "ContactID": contact.id,
                "Name": contact.name,
                "Addresses": [],
                "Phones": [],
                "ContactGroups": [],
                "ContactPersons": [],
                "HasValidationErrors": False,
            }
            full = _contact_core(contact) | _contact_roles(contact) | _contact_persons(contact)
            brief = (contact, b'"Contact":' + orjson.dumps(short), b'"Contact":' + orjson.dumps(full))
            self._briefs[contact.id] = brief
        return brief[2] if form is Form.SINGLE else brief[1]

    # -- contacts ---------------------------------------------------------------------------------------------------

    def _contact(self, record: Contact, form: Form, now_ms: int) -> bytes:
        mark = (self._organisation.balance_mark(record.id), now_ms // DAY_MS)
        pieces = self._pieces.get(record.id)
        if pieces is None or pieces.record is not record or pieces.mark != mark:
            core, roles = _contact_core(record), _contact_roles(record)
            details = _contact_details(record, self._organisation.balances(record.id, now_ms))
            for name, text in record.overrides.items():
                group = next((group for group in (core, roles, details) if name in group), core)
                if text == REMOVED:
                    group.pop(name, None)
                else:
                    group[name] = Fragment(text.encode())
            pieces = _Pieces(
                record=record, core=_members(core), extras=_members(roles), lines=_members(details), contact=None,
                mark=mark,
            )  # fmt: skip
            if self._organisation.contacts.get(record.id) is record:
                self._pieces[record.id] = pieces
        if form is Form.SUMMARY_ONLY:
            members = [pieces.core]
        elif form is Form.SUMMARY:
            members = [pieces.core, pieces.extras]
        else:
            members = [pieces.core, pieces.extras, pieces.lines]
        return b"{" + b",".join(filter(None, members)) + b"}"


def _members(values: dict[str, Any]) -> bytes:
    return orjson.dumps(values)[1:-1]


def _invoice_core(invoice: Invoice) -> dict[str, Any]:
    core: dict[str, Any] = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Reference": invoice.reference,
        "AmountDue": money(invoice.amount_due),
        "AmountPaid": money(invoice.amount_paid),
        "AmountCredited": money(invoice.amount_credited),
        "CurrencyRate": currency_rate(invoice.currency_rate),
        "IsDiscounted": invoice.total_discount != 0,
        "HasErrors": False,
        "DateString": day_string(invoice.date),
        "Date": day_date(invoice.date),
        "DueDateString": day_string(invoice.due_date),
        "DueDate": day_date(invoice.due_date),
        "Status": invoice.status,
        "LineAmountTypes": invoice.line_amount_types,
        "SubTotal": money(invoice.sub_total),
        "TotalTax": money(invoice.total_tax),
        "Total": money(invoice.total),
        "UpdatedDateUTC": ms_date(invoice.updated_ms),
        "UpdatedDateUTCString": second_string(invoice.updated_ms),
        "CurrencyCode": invoice.currency,
    }
    if invoice.type is InvoiceType.ACCREC:
        core["SentToContact"] = invoice.sent_to_contact
    if invoice.total_discount:
        core["TotalDiscount"] = money(invoice.total_discount)
    if invoice.branding_theme_id:
        core["BrandingThemeID"] = invoice.branding_theme_id
    if invoice.fully_paid_on is not None:
        core["FullyPaidOnDate"] = day_date(invoice.fully_paid_on)
    return core


def _invoice_extras(invoice: Invoice, organisation: Organisation) -> dict[str, Any]:
    return {
        "HasAttachments": False,
        "Payments": [
            {
                "PaymentID": payment.payment_id,
                "Date": day_date(payment.date),
                "Amount": money(payment.amount),
                "Reference": payment.reference,
                "CurrencyRate": currency_rate(invoice.currency_rate),
                "HasAccount": False,
                "HasValidationErrors": False,
            }
            for payment in invoice.payments
        ],
        "CreditNotes": [_applied(allocation, organisation) for allocation in invoice.allocations],
        "Prepayments": [],
        "Overpayments": [],
    }


def _applied(allocation: Allocation, organisation: Organisation) -> dict[str, Any]:
    note = organisation.credit_notes.get(allocation.credit_note_id)
    assert note is not None
    return {
        "CreditNoteID": note.id,
        "CreditNoteNumber": note.number,
        "ID": note.id,
        "AppliedAmount": money(allocation.amount),
        "DateString": day_string(allocation.date),
        "Date": day_date(allocation.date),
        "LineItems": [],
        "Total": money(note.total),
        "HasErrors": False,
    }


def _credit_note_core(note: CreditNote) -> dict[str, Any]:
    core: dict[str, Any] = {
        "CreditNoteID": note.id,
        "CreditNoteNumber": note.number,
        "ID": note.id,
        "CurrencyRate": currency_rate(note.currency_rate),
        "Type": note.type,
        "Reference": note.reference,
        "RemainingCredit": money(note.remaining_credit),
        "SentToContact": note.sent_to_contact,
        "HasErrors": False,
        "DateString": day_string(note.date),
        "Date": day_date(note.date),
        "Status": note.status,
        "LineAmountTypes": note.line_amount_types,
        "SubTotal": money(note.sub_total),
        "TotalTax": money(note.total_tax),
        "Total": money(note.total),
        "UpdatedDateUTC": ms_date(note.updated_ms),
        "UpdatedDateUTCString": second_string(note.updated_ms),
        "CurrencyCode": note.currency,
    }
    if note.branding_theme_id:
        core["BrandingThemeID"] = note.branding_theme_id
    if note.fully_paid_on is not None:
        core["FullyPaidOnDate"] = day_date(note.fully_paid_on)
    return core


def _credit_note_extras(note: CreditNote, organisation: Organisation) -> dict[str, Any]:
    allocations = []
    for allocation in note.allocations:
        invoice = organisation.invoices.get(allocation.invoice_id)
        assert invoice is not None
        allocations.append(
            {
                "AllocationID": allocation.allocation_id,
                "Amount": money(allocation.amount),
                "Date": day_date(allocation.date),
                "IsDeleted": False,
                "Invoice": {
                    "InvoiceID": invoice.id,
                    "InvoiceNumber": invoice.number,
                    "Payments": [],
                    "CreditNotes": [],
                    "Prepayments": [],
                    "Overpayments": [],
                    "LineItems": [],
                    "HasErrors": False,
                    "IsDiscounted": False,
                },
            }
        )
    return {"HasAttachments": False, "Payments": [], "Allocations": allocations}


def _line(line: LineItem, document: Document, four_decimals: bool) -> dict[str, Any]:
    price = line.unit_amount if four_decimals else half_up(line.unit_amount, 100) * 100
    encoded: dict[str, Any] = {
        "Description": line.description,
        "UnitAmount": unit_amount(price),
        "TaxType": line.tax_type if document.line_amount_types is not LineAmountTypes.NO_TAX else "NONE",
        "TaxAmount": money(line.tax_amount),
        "LineAmount": money(line.line_amount),
        "AccountCode": line.account_code,
        "AccountID": line.account_id,
        "Tracking": [
            {
                "Name": tracking.name,
                "Option": tracking.option,
                "TrackingCategoryID": tracking.category_id,
                "TrackingOptionID": tracking.option_id,
            }
            for tracking in line.tracking
        ],
        "Quantity": quantity(line.quantity),
        "LineItemID": line.line_item_id,
        "ValidationErrors": [],
    }
    if line.item_code:
        encoded["ItemCode"] = line.item_code
    if line.discount_rate:
        encoded["DiscountRate"] = percent(line.discount_rate)
    return encoded


_ADDRESS_TYPES = ("STREET", "POBOX")
_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


def _contact_core(contact: Contact) -> dict[str, Any]:
    addresses = {address.type: address for address in contact.addresses}
    phones = {phone.type: phone for phone in contact.phones}
    core: dict[str, Any] = {
        "ContactID": contact.id,
        "ContactStatus": contact.status,
        "Name": contact.name,
        "FirstName": contact.first_name,
        "LastName": contact.last_name,
        "EmailAddress": contact.email,
        "BankAccountDetails": contact.bank_account,
        "Addresses": [
            {
                "AddressType": kind,
                "AddressLine1": address.line1,
                "City": address.city,
                "Region": address.region,
                "PostalCode": address.postal_code,
                "Country": address.country,
            }
            if (address := addresses.get(kind))
            else {"AddressType": kind, "City": "", "Region": "", "PostalCode": "", "Country": ""}
            for kind in _ADDRESS_TYPES
        ],
        "Phones": [
            {
                "PhoneType": kind,
                "PhoneNumber": phone.number if (phone := phones.get(kind)) else "",
                "PhoneAreaCode": phone.area_code if phone else "",
                "PhoneCountryCode": phone.country_code if phone else "",
            }
            for kind in _PHONE_TYPES
        ],
        "UpdatedDateUTC": ms_date(contact.updated_ms),
        "ContactGroups": [],
        "HasValidationErrors": False,
    }
    optional = {
        "ContactNumber": contact.number,
        "AccountNumber": contact.account_number,
        "TaxNumber": contact.tax_number,
        "CompanyNumber": contact.company_number,
        "DefaultCurrency": contact.currency,
    }
    return core | {name: value for name, value in optional.items() if value}


def _contact_roles(contact: Contact) -> dict[str, Any]:
    return {"IsSupplier": contact.is_supplier, "IsCustomer": contact.is_customer}


def _contact_persons(contact: Contact) -> dict[str, Any]:
    return {
        "ContactPersons": [
            {
                "FirstName": person.first_name,
                "LastName": person.last_name,
                "EmailAddress": person.email,
                "IncludeInEmails": person.include_in_emails,
            }
            for person in contact.persons
        ]
    }


def _contact_details(contact: Contact, balances: tuple[Balance, Balance]) -> dict[str, Any]:
    """Fields that only a single GET and paged lists have."""
    receivable, payable = balances
    details: dict[str, Any] = _contact_persons(contact) | {
        "SalesTrackingCategories": [],
        "PurchasesTrackingCategories": [],
        "Balances": {
            "AccountsReceivable": {"Outstanding": money(receivable.outstanding), "Overdue": money(receivable.overdue)},
            "AccountsPayable": {"Outstanding": money(payable.outstanding), "Overdue": money(payable.overdue)},
        },
        "HasAttachments": False,
    }
    if contact.website:
        details["Website"] = contact.website
    if contact.payment_days is not None:
        terms = {"Day": contact.payment_days, "Type": "DAYSAFTERBILLDATE"}
        details["PaymentTerms"] = {"Sales": terms, "Bills": terms}
    if contact.merged_to:
        details["MergedToContactID"] = contact.merged_to
    return details
