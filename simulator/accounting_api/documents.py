"""Fields of invoices and credit notes as Xero spells them."""

from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import quote

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
from simulator.books.amounts import half_up
from simulator.books.credit_note import CreditNote
from simulator.books.document import Allocation, Attachment, LineItem, Payment, Tracking
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.kinds import Document
from simulator.books.organisation import Organisation
from simulator.books.words import Endpoint, LineAmountTypes


def invoice_core(invoice: Invoice, *, rounded: bool = False) -> dict[str, Any]:
    """Members that every form of an invoice has.

    Args:
        rounded: with its rounding, and with totals that reflect it. Source: release notes of Xero's OpenAPI 19.0.0; that
            SubTotal and TotalTax keep their values is unconfirmed.
    """
    rounding = invoice.rounding if rounded else 0
    core: dict[str, Any] = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Reference": invoice.reference,
        "AmountDue": money(invoice.amount_due + (rounding if invoice.amount_due else 0)),
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
        "Total": money(invoice.total + rounding),
        "UpdatedDateUTC": ms_date(invoice.updated_ms),
        "UpdatedDateUTCString": second_string(invoice.updated_ms),
        "CurrencyCode": invoice.currency,
    }
    if rounded:
        core["RoundingAmount"] = money(rounding)
        if invoice.entered_total is not None:
            core["EnteredTotal"] = money(invoice.entered_total)
    if invoice.type is InvoiceType.ACCREC:
        core["SentToContact"] = invoice.sent_to_contact
    if invoice.total_discount:
        core["TotalDiscount"] = money(invoice.total_discount)
    if invoice.branding_theme_id:
        core["BrandingThemeID"] = invoice.branding_theme_id
    if invoice.fully_paid_on is not None:
        core["FullyPaidOnDate"] = day_date(invoice.fully_paid_on)
    return core


def invoice_extras(invoice: Invoice, organisation: Organisation) -> dict[str, Any]:
    """Members that ``summaryOnly`` drops."""
    return {
        "HasAttachments": bool(invoice.attachments),
        "Payments": payment_rows(invoice.payments, invoice.currency_rate),
        "CreditNotes": [
            _applied(one, organisation) for one in invoice.allocations if one.source is Endpoint.CREDIT_NOTES
        ],
        "Prepayments": [
            _advanced(one, "PrepaymentID", organisation)
            for one in invoice.allocations
            if one.source is Endpoint.PREPAYMENTS
        ],
        "Overpayments": [
            _advanced(one, "OverpaymentID", organisation)
            for one in invoice.allocations
            if one.source is Endpoint.OVERPAYMENTS
        ],
    }


def payment_rows(payments: Iterable[Payment], rate: int) -> list[dict[str, Any]]:
    """Payments as their document, of that currency rate, shows them."""
    return [
        {
            "PaymentID": payment.payment_id,
            "Date": day_date(payment.date),
            "Amount": money(payment.amount),
            "Reference": payment.reference,
            "CurrencyRate": currency_rate(payment.currency_rate or rate),
            "HasAccount": False,
            "HasValidationErrors": False,
        }
        for payment in payments
    ]


def _advanced(allocation: Allocation, id_field: str, organisation: Organisation) -> dict[str, Any]:
    advance = organisation.shelf(allocation.source).get(allocation.credit_note_id)
    assert advance is not None
    return {
        id_field: allocation.credit_note_id,
        "ID": allocation.credit_note_id,
        "AppliedAmount": money(allocation.amount),
        "DateString": day_string(allocation.date),
        "Date": day_date(allocation.date),
        "LineItems": [],
        "Total": money(advance.total),
        "HasErrors": False,
    }


def _applied(allocation: Allocation, organisation: Organisation) -> dict[str, Any]:
    note = organisation.must_have(CreditNote, allocation.credit_note_id)
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


def credit_note_core(note: CreditNote) -> dict[str, Any]:
    """Members that every form of a credit note has."""
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


def credit_note_extras(note: CreditNote, organisation: Organisation) -> dict[str, Any]:
    """Members beside its lines."""
    return {
        "HasAttachments": bool(note.attachments),
        "Payments": payment_rows(note.payments, note.currency_rate),
        "Allocations": [allocation_row(allocation, organisation) for allocation in note.allocations],
    }


def allocation_row(allocation: Allocation, organisation: Organisation) -> dict[str, Any]:
    """Credit applied to an invoice, as the credit shows it."""
    return {
        "AllocationID": allocation.allocation_id,
        "Amount": money(allocation.amount),
        "Date": day_date(allocation.date),
        "IsDeleted": False,
        "Invoice": allocated_invoice(allocation, organisation),
    }


def allocated_invoice(allocation: Allocation, organisation: Organisation) -> dict[str, Any]:
    """The invoice that credit went to, in short."""
    invoice = organisation.must_have(Invoice, allocation.invoice_id)
    return {
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "LineItems": [],
        "HasErrors": False,
        "IsDiscounted": False,
    }


class Taxed(Protocol):
    """A record with lines."""

    @property
    def line_amount_types(self) -> LineAmountTypes:
        """Whether their amounts include tax."""


def tracking_fields(tracked: Iterable[Tracking]) -> list[dict[str, Any]]:
    """Options of tracking categories."""
    return [
        {
            "Name": tracking.name,
            "Option": tracking.option,
            "TrackingCategoryID": tracking.category_id,
            "TrackingOptionID": tracking.option_id,
        }
        for tracking in tracked
    ]


def without_option_ids(fields: dict[str, Any]) -> dict[str, Any]:
    """The members of a record, its lines' tracking without ``TrackingOptionID``: what some lists were reported to give."""
    lines = [
        {**line, "Tracking": [{k: v for k, v in one.items() if k != "TrackingOptionID"} for one in line["Tracking"]]}
        if "Tracking" in line
        else line
        for line in fields.get("LineItems", ())
    ]
    return {**fields, "LineItems": lines} if lines else fields


def line_fields(line: LineItem, document: Taxed, four_decimals: bool) -> dict[str, Any]:
    """One line; without ``unitdp=4`` its price is rounded to cents. What it lacks is left out (unconfirmed)."""
    if line.is_text:
        return {
            "Description": line.description,
            "TaxAmount": money(0),
            "LineAmount": money(0),
            "Tracking": [],
            "LineItemID": line.line_item_id,
            "ValidationErrors": [],
        }
    price = line.unit_amount if four_decimals else half_up(line.unit_amount, 100) * 100
    encoded: dict[str, Any] = {
        "Description": line.description,
        "UnitAmount": unit_amount(price),
        "TaxType": line.tax_type if document.line_amount_types is not LineAmountTypes.NO_TAX else "NONE",
        "TaxAmount": money(line.tax_amount),
        "LineAmount": money(line.line_amount),
        "Tracking": tracking_fields(line.tracking),
        "Quantity": quantity(line.quantity),
        "LineItemID": line.line_item_id,
        "ValidationErrors": [],
    }
    if line.account_code:
        encoded |= {"AccountCode": line.account_code, "AccountID": line.account_id}
    if line.item_code:
        encoded["ItemCode"] = line.item_code
    if line.discount_rate:
        encoded["DiscountRate"] = percent(line.discount_rate)
    if line.discount_amount:
        encoded["DiscountAmount"] = money(line.discount_amount)
    return encoded


def attachments(document: Document) -> dict[str, Any]:
    """What only a single GET has: the list behind ``HasAttachments``."""
    if not document.attachments:
        return {}
    path = "Invoices" if isinstance(document, Invoice) else "CreditNotes"
    return {"Attachments": [attachment_row(one, f"{path}/{document.id}") for one in document.attachments]}


def attachment_row(attachment: Attachment, path: str) -> dict[str, Any]:
    """A file as Xero lists it; ``path`` is its record's. Only what customers see online tells whether they see the file."""
    shown = {"IncludeOnline": attachment.online} if path.startswith(("Invoices/", "CreditNotes/")) else {}
    return {
        "AttachmentID": attachment.attachment_id,
        "FileName": attachment.file_name,
        "Url": f"https://api.xero.com/api.xro/2.0/{path}/Attachments/{quote(attachment.file_name)}",
        "MimeType": attachment.mime_type,
        "ContentLength": attachment.size,
        **shown,
    }
