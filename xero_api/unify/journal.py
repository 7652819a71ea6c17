"""Xero's Journal → unified journal. Pure.

Only lists carry the source of a journal, so journals are never read one by one.
"""

from typing import Any

from xero_api.unify.account import TYPES
from xero_api.unify.documents import tracking
from xero_api.unify.fields import Raw, amount, day, filled, identifier, parts, record_id, text, updated_at, whole, word

_SOURCES = {
    "accrec": "receivable_invoice",
    "accpay": "payable_invoice",
    "accreccredit": "receivable_credit_note",
    "accpaycredit": "payable_credit_note",
    "accrecpayment": "receivable_payment",
    "accpaypayment": "payable_payment",
    "arcreditpayment": "receivable_credit_note_refund",
    "apcreditpayment": "payable_credit_note_refund",
    "cashrec": "money_received",
    "cashpaid": "money_spent",
    "transfer": "bank_transfer",
    "arprepayment": "receivable_prepayment",
    "apprepayment": "payable_prepayment",
    "aroverpayment": "receivable_overpayment",
    "apoverpayment": "payable_overpayment",
    "expclaim": "expense_claim",
    "exppayment": "expense_payment",
    "manjournal": "manual_journal",
    "wagepayable": "wages_payable",
    "integratedpayrollpe": "payroll_expense",
    "integratedpayrollpt": "payroll_tax",
    "integratedpayrollptpayment": "payroll_tax_payment",
    "integratedpayrollcn": "payroll_credit_note",
    "externalspendmoney": "external_money_spent",
}


def unify(raw: Raw) -> dict[str, Any]:
    """The unified journal, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``Journals`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "JournalID"),
        "updated_at": updated_at(raw, "CreatedDateUTC"),
        "number": whole(raw, "JournalNumber"),
        "date": day(raw, "JournalDate"),
        "reference": text(raw, "Reference"),
        "source_type": word(raw, "SourceType", _SOURCES),
        "source_id": identifier(raw, "SourceID"),
        "lines": parts(raw, "JournalLines", _line),
    }


def _line(raw: Raw) -> dict[str, Any]:
    return {
        "id": identifier(raw, "JournalLineID"),
        "account": filled({"id": identifier(raw, "AccountID"), "code": text(raw, "AccountCode")}),
        "account_name": text(raw, "AccountName"),
        "account_type": word(raw, "AccountType", TYPES),
        "description": text(raw, "Description"),
        "net_amount": amount(raw, "NetAmount"),
        "tax_amount": amount(raw, "TaxAmount"),
        "gross_amount": amount(raw, "GrossAmount"),
        "tax_rate": text(raw, "TaxType"),
        "tax_name": text(raw, "TaxName"),
        "tracking": tracking(raw, "TrackingCategories"),
    }
