"""Xero's Invoice → unified invoice. Pure."""

from decimal import Context, Decimal
from functools import reduce
from typing import Any

from xero_api.unify.documents import DIRECTIONS, TAX_INCLUSIONS, contact, date_and_id, line_items, payments
from xero_api.unify.fields import (
    Raw,
    amount,
    amount_or_zero,
    canonical,
    day,
    flag,
    identifier,
    parts,
    record_id,
    text,
    updated_at,
    word,
)

_EXACTLY = Context(prec=1000)
"""Digits that no sum of amounts exceeds; Python's own context rounds to 28."""


def unify(raw: Raw) -> dict[str, Any]:
    """The unified invoice, as JSON-able data in a fixed order of keys.

    Single read, ``IDs=`` and page give equal results: only what all three carry is used.

    Args:
        raw: an element of ``Invoices`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    credit_notes = _applied(raw, "CreditNotes", "CreditNoteID", "CreditNoteNumber")
    prepayments = _applied(raw, "Prepayments", "PrepaymentID")
    overpayments = _applied(raw, "Overpayments", "OverpaymentID")
    total, paid = amount(raw, "Total"), amount_or_zero(raw, "AmountPaid")
    credited = amount(raw, "AmountCredited")
    if credited is None:  # single reads may leave it out
        credited = _sum(credit_notes + prepayments + overpayments)
    return {
        "id": record_id(raw, "InvoiceID"),
        "updated_at": updated_at(raw),
        "type": word(raw, "Type", DIRECTIONS),
        "status": _status(word(raw, "Status", {}), paid, credited, total),
        "number": text(raw, "InvoiceNumber"),
        "reference": text(raw, "Reference"),
        "contact": contact(raw),
        "issue_date": day(raw, "Date"),
        "due_date": day(raw, "DueDate"),
        "expected_payment_date": day(raw, "ExpectedPaymentDate"),
        "planned_payment_date": day(raw, "PlannedPaymentDate"),
        "paid_on_date": day(raw, "FullyPaidOnDate"),
        "currency": text(raw, "CurrencyCode"),
        "exchange_rate": amount(raw, "CurrencyRate"),
        "tax_inclusion": word(raw, "LineAmountTypes", TAX_INCLUSIONS),
        "sub_total": amount(raw, "SubTotal"),
        "total_tax": amount(raw, "TotalTax"),
        "total_discount": amount_or_zero(raw, "TotalDiscount"),
        "total": total,
        "rounding_amount": amount(raw, "RoundingAmount") or None,
        "entered_total": amount(raw, "EnteredTotal"),
        "amount_paid": paid,
        "amount_credited": credited,
        "amount_due": amount(raw, "AmountDue"),
        "cis_deduction": amount(raw, "CISDeduction"),
        "cis_rate": amount(raw, "CISRate"),
        "line_items": line_items(raw),
        "payments": payments(raw),
        "credit_notes": credit_notes,
        "prepayments": prepayments,
        "overpayments": overpayments,
        "sent_to_contact": flag(raw, "SentToContact"),
        "has_attachments": flag(raw, "HasAttachments"),
        "url": text(raw, "Url"),
        "branding_theme_id": identifier(raw, "BrandingThemeID"),
        "repeating_invoice_id": identifier(raw, "RepeatingInvoiceID"),
    }


def _status(
    status: str | None, paid: float | Decimal, credited: float | Decimal, total: float | Decimal | None
) -> str | None:
    if status != "authorised" or total is None or not (paid or credited):
        return status
    settled = _EXACTLY.add(_exact(paid), _exact(credited))
    return "partially_paid" if 0 < settled < _exact(total) else status


def _applied(raw: Raw, key: str, id_key: str, number_key: str | None = None) -> list[dict[str, Any]]:
    def read(item: Raw) -> dict[str, Any]:
        return {
            "id": identifier(item, id_key),
            "number": text(item, number_key) if number_key else None,
            "date": day(item, "Date"),
            "amount": amount(item, "AppliedAmount"),
        }

    return sorted(parts(raw, key, read), key=date_and_id)


def _sum(applied: list[dict[str, Any]]) -> float | Decimal:
    amounts = (_exact(item["amount"]) for item in applied if item["amount"] is not None)
    return canonical(reduce(_EXACTLY.add, amounts, Decimal(0)))


def _exact(value: float | Decimal) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else value
