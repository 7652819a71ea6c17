"""Values that can go to Xero without becoming others on the way. Pure.

Xero takes much without a word and keeps something else: an aware datetime is stored as the day in UTC
(calcinai/xero-php#177, XeroAPI/Xero-NetStandard#269), prices are rounded to four decimals and amounts to two. So whatever
would not come back as it was given is refused here, with the field's path and what to give instead.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from xero_api.entity import Json
from xero_api.errors import UnfitFieldError

PRICES = frozenset({"UnitAmount", "UnitPrice", "Quantity"})
"""Four decimals, with ``unitdp=4`` (https://developer.xero.com/documentation/guides/how-to-guides/rounding-in-xero)."""

AMOUNTS = frozenset({
    "Amount", "AmountCredited", "AmountDue", "AmountPaid", "AppliedAmount", "Balance", "BankAmount", "CISDeduction",
    "DiscountAmount", "EnteredTotal", "GrossAmount", "LineAmount", "NetAmount", "RemainingCredit", "RoundingAmount",
    "SubTotal", "TaxAmount", "Total", "TotalAmount", "TotalDiscount", "TotalTax",
})  # fmt: skip
"""Two decimals (the same source)."""

RATES = frozenset({"CISRate", "CurrencyRate", "Discount", "DiscountRate", "DisplayTaxRate", "EffectiveRate", "Rate"})
"""Ten decimals at most (singer-io/tap-xero 2.1.0, of CurrencyRate; the others have fewer)."""

COUNTS = frozenset({"Day", "Month", "Period", "SortOrder", "Year"})
"""Whole numbers; also ``DueDate`` in a ``Schedule``."""

FLAGS = frozenset({
    "AddToWatchlist", "ApprovedForSending", "CanApplyToAssets", "CanApplyToEquity", "CanApplyToExpenses",
    "CanApplyToLiabilities", "CanApplyToRevenue", "EnablePaymentsToAccount", "FromIsReconciled", "HasAccount",
    "HasAttachments", "IncludeInEmails", "IncludeOnline", "IncludePDF", "IsBlank", "IsCompound", "IsCustomer", "IsDeleted",
    "IsDiscounted", "IsNonRecoverable", "IsPurchased", "IsReconciled", "IsSold", "IsSupplier", "IsTrackedAsInventory",
    "MarkAsSent", "SendCopy", "SentToContact", "ShowInExpenseClaims", "ShowOnCashBasisReports", "ToIsReconciled",
})  # fmt: skip

DATES = frozenset({
    "Date", "DeliveryDate", "DueDate", "EndDate", "ExpectedArrivalDate", "ExpectedPaymentDate", "ExpiryDate",
    "NextScheduledDate", "PlannedPaymentDate", "StartDate",
})  # fmt: skip
"""Calendar dates. The names of this module are checked against Xero's published OpenAPI by ``tests/registry``."""

_DECIMALS = {
    **dict.fromkeys(PRICES, 4),
    **dict.fromkeys(AMOUNTS, 2),
    **dict.fromkeys(RATES, 10),
    **dict.fromkeys(COUNTS, 0),
}
_MOST_DIGITS = 28
"""What .NET's decimal holds."""
_SURE_DIGITS = 15
"""Of a float; more of them come from binary arithmetic: ``0.1 + 0.2`` has seventeen."""
_DEEPEST = 20
_NUMERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T00:00:00(?:\.0+)?)?", re.ASCII)
_XEROS_DAY = re.compile(r"/Date\((-?[0-9]{1,15})(?:\+0000)?\)/", re.ASCII)
_DAY_MS = 86_400_000
_SMALLEST_INT, _LARGEST_INT = -(2**63), 2**64 - 1
"""What orjson writes; an integer beyond goes as a Decimal, which is written with every digit."""


def sendable(record: Json, path: str) -> dict[str, Any]:
    """The record as plain JSON of the same values: dates as ``YYYY-MM-DD``, all else as it was given.

    Args:
        record: in Xero's own fields.
        path: where it stands in the body, for the error.

    Raises:
        UnfitFieldError: Xero would take a value for another one, or it is not valid JSON.
    """
    return _object(record, path, "", 1)


def _object(value: Mapping[Any, Any], path: str, name: str, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise UnfitFieldError(path, f"nested deeper than {_DEEPEST} levels, or within itself")
    found = {}
    for key, item in value.items():
        if type(key) is not str:
            raise UnfitFieldError(path, f"a name that is {_kind(key)}: give a str")
        below = f"{path}.{_text(key, path)}"
        found[key] = _value(item, below, key if key != "DueDate" or name != "Schedule" else "Day", depth)
    return found


def _value(value: Any, path: str, name: str, depth: int) -> Any:
    """A value of a field.

    Args:
        value: what it is to be.
        name: the field's, which says what it takes.
        depth: levels above it.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _object(value, path, name, depth + 1)
    if isinstance(value, (list, tuple)):
        if depth >= _DEEPEST:
            raise UnfitFieldError(path, f"nested deeper than {_DEEPEST} levels, or within itself")
        return [_value(item, f"{path}[{index}]", name, depth + 1) for index, item in enumerate(value)]
    if isinstance(value, Enum):
        raise UnfitFieldError(path, f"a member of {type(value).__name__}: give the word as Xero writes it, a str")
    if name in DATES:
        return _day(value, path)
    if isinstance(value, (date, datetime)):
        raise UnfitFieldError(
            path, f"{_kind(value)} in a field that is no calendar date: give it as Xero writes it, a str"
        )
    return _scalar(value, path, name)


def _scalar(value: Any, path: str, name: str) -> Any:
    if name in FLAGS:
        if not isinstance(value, bool):
            raise UnfitFieldError(path, f"{_kind(value)}: give True or False")
        return value
    if isinstance(value, str):
        if name in _DECIMALS:
            if not _NUMERAL.fullmatch(value):
                raise UnfitFieldError(path, "a str that is no plain number: give a Decimal or an int")
            _number(Decimal(value), path, name)
        return _text(value, path)
    if isinstance(value, bool):
        if name in _DECIMALS:
            raise UnfitFieldError(path, "a bool: give a Decimal or an int")
        return value
    if isinstance(value, (int, float, Decimal)):
        return _number(value, path, name)
    raise UnfitFieldError(path, f"{_kind(value)}, which is not valid JSON")


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UnfitFieldError(path, "text with half of a surrogate pair, which no UTF-8 can carry") from None
    return str(value)


def _number(value: Any, path: str, name: str) -> int | float | Decimal:
    """The number itself, of a plain type.

    Args:
        value: an int, a float or a Decimal, and no bool.
        name: the field's.
    """
    exact = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise UnfitFieldError(path, "no finite number")
    digits = "".join(map(str, exact.as_tuple().digits))
    kept = digits.rstrip("0").lstrip("0")
    decimals = -int(exact.as_tuple().exponent) - (len(digits) - len(digits.rstrip("0")))
    if isinstance(value, float) and len(kept) > _SURE_DIGITS:
        raise UnfitFieldError(path, f"a float of {len(kept)} digits: give a Decimal rounded to what you mean")
    if kept and (len(kept) > _MOST_DIGITS or abs(exact.adjusted()) > _MOST_DIGITS):
        raise UnfitFieldError(path, f"a number beyond {_MOST_DIGITS} digits")
    most = _DECIMALS.get(name)
    if kept and most is not None and decimals > most:
        raise UnfitFieldError(path, f"a number with {decimals} decimals: Xero keeps {most} here, so round it")
    if isinstance(value, float):
        return float(value)
    return int(value) if isinstance(value, int) and _SMALLEST_INT <= value <= _LARGEST_INT else exact


def _day(value: Any, path: str) -> str:
    if isinstance(value, datetime):
        zone = "with a time zone" if value.tzinfo is not None else "with a time"
        raise UnfitFieldError(
            path, f"a datetime {zone}: Xero's dates are calendar dates, give a date (or its YYYY-MM-DD)"
        )
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise UnfitFieldError(path, f"{_kind(value)}: give a date, or its YYYY-MM-DD")
    written = _XEROS_DAY.fullmatch(value)
    if written and int(written[1]) % _DAY_MS == 0:
        return value
    named = _DAY.fullmatch(value)
    try:
        if named:
            date.fromisoformat(named[1])
            return value
    except ValueError:
        pass
    raise UnfitFieldError(path, "a str that is no calendar date: give a date, or its YYYY-MM-DD without time and zone")


def _kind(value: Any) -> str:
    """What a value is, in words."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"
