"""Xero's Account → unified account. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, flag, moment, record_id, text, updated_at, word

TYPES = {
    "current": "current_asset",
    "currliab": "current_liability",
    "depreciatn": "depreciation",
    "directcosts": "direct_costs",
    "fixed": "fixed_asset",
    "noncurrent": "non_current_asset",
    "otherincome": "other_income",
    "payg": "payg_liability",
    "termliab": "non_current_liability",
}
"""Our word for an account's type, where it is another."""


def unify(raw: Raw) -> dict[str, Any]:
    """The unified account, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``Accounts`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    kind = word(raw, "Type", TYPES)
    return {
        "id": record_id(raw, "AccountID"),
        "updated_at": updated_at(raw),
        "created_at": moment(raw, "CreatedDateUTC"),
        "status": word(raw, "Status", {}),
        "code": text(raw, "Code"),
        "name": text(raw, "Name"),
        "description": text(raw, "Description"),
        "classification": word(raw, "Class", {}),
        "type": kind,
        "currency": text(raw, "CurrencyCode"),
        "tax_rate": text(raw, "TaxType"),
        "is_bank_account": kind == "bank",
        "bank_account_number": text(raw, "BankAccountNumber"),
        "bank_account_type": word(raw, "BankAccountType", {"creditcard": "credit_card"}),
        "system_account": word(raw, "SystemAccount", {}),
        "accepts_payments": flag(raw, "EnablePaymentsToAccount"),
        "in_expense_claims": flag(raw, "ShowInExpenseClaims"),
        "on_watchlist": flag(raw, "AddToWatchlist"),
        "reporting_code": text(raw, "ReportingCode"),
        "reporting_name": text(raw, "ReportingCodeName"),
        "has_attachments": flag(raw, "HasAttachments"),
    }
