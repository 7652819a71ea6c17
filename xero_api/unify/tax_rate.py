"""Xero's TaxRate → unified tax rate. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, amount, flag, parts, record_id, text, word


def unify(raw: Raw) -> dict[str, Any]:
    """The unified tax rate, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``TaxRates`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    return {
        "id": record_id(raw, "TaxType"),
        "updated_at": None,
        "status": word(raw, "Status", {}),
        "code": text(raw, "TaxType"),
        "name": text(raw, "Name"),
        "effective_rate": amount(raw, "EffectiveRate"),
        "total_rate": amount(raw, "DisplayTaxRate"),
        "components": parts(raw, "TaxComponents", _component),
        "report_tax_type": word(raw, "ReportTaxType", {}),
        "applies_to": {
            "assets": flag(raw, "CanApplyToAssets"),
            "equity": flag(raw, "CanApplyToEquity"),
            "expenses": flag(raw, "CanApplyToExpenses"),
            "liabilities": flag(raw, "CanApplyToLiabilities"),
            "revenue": flag(raw, "CanApplyToRevenue"),
        },
    }


def _component(raw: Raw) -> dict[str, Any]:
    return {
        "name": text(raw, "Name"),
        "rate": amount(raw, "Rate"),
        "is_compound": flag(raw, "IsCompound"),
        "is_non_recoverable": flag(raw, "IsNonRecoverable"),
    }
