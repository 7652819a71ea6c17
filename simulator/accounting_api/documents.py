"""Fields of invoices and credit notes as Xero spells them."""

from typing import Any

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
from simulator.books.document import Allocation, Attachment, LineItem
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.organisation import Document, Organisation
from simulator.books.words import LineAmountTypes


def invoice_core(invoice: Invoice) -> dict[str, Any]:
    """Members that every form of an invoice has."""
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


def invoice_extras(invoice: Invoice, organisation: Organisation) -> dict[str, Any]:
    """Members that ``summaryOnly`` drops."""
    return {
        "HasAttachments": bool(invoice.attachments),
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
    return {"HasAttachments": bool(note.attachments), "Payments": [], "Allocations": allocations}


def line_fields(line: LineItem, document: Document, four_decimals: bool) -> dict[str, Any]:
    """One line; without ``unitdp=4`` its price is rounded to cents."""
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


def attachments(document: Document) -> dict[str, Any]:
    """What only a single GET has: the list behind ``HasAttachments``."""
    if not document.attachments:
        return {}
    path = "Invoices" if isinstance(document, Invoice) else "CreditNotes"
    return {"Attachments": [_attachment(one, f"{path}/{document.id}") for one in document.attachments]}


def _attachment(attachment: Attachment, path: str) -> dict[str, Any]:
    return {
        "AttachmentID": attachment.attachment_id,
        "FileName": attachment.file_name,
        "Url": f"https://api.xero.com/api.xro/2.0/{path}/Attachments/{attachment.file_name}",
        "MimeType": "application/pdf",
        "ContentLength": attachment.size,
    }
