"""Reading one field of Xero's JSON: text, amounts, dates, words, parts. Pure.

The rules, the same for every entity:

* missing, null and the empty string are the same (lists and single reads differ in which they use): null, or false;
* amounts are floats, exact ``Decimal`` beyond 15 significant digits, whether Xero wrote ``1150``, ``1150.0`` or ``"1150"``;
* a date we can't read is null (one typing error must not cost the record); a value of the wrong kind is an error;
* ids are in lower case, the all-zero GUID is none;
* words of a closed set are mapped, unknown ones carried in lower case.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from xero_api.dates import iso_ms, parse_day, parse_moment
from xero_api.errors import InvalidRecordError

Raw = Mapping[str, Any]
"""A JSON object as Xero sent it."""

T = TypeVar("T")

_NIL = "00000000-0000-0000-0000-000000000000"
_EXACT_DIGITS = 15
_EXACT_INT = 10**_EXACT_DIGITS


def text(raw: Raw, key: str) -> str | None:
    """A string; a number in its place is written out."""
    value = raw.get(key)
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidRecordError(key, "expected a string")


def amount(raw: Raw, key: str) -> float | Decimal | None:
    """A number, exact."""
    value = raw.get(key)
    if type(value) is float and value - value == 0:
        return value + 0.0  # turns -0.0 into 0.0
    if value is None or value == "":
        return None
    if type(value) is int and -_EXACT_INT < value < _EXACT_INT:
        return float(value)
    if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
        try:
            return canonical(Decimal(value))
        except (InvalidOperation, ValueError):
            raise InvalidRecordError(key, "expected a number") from None
    raise InvalidRecordError(key, "expected a number")


def canonical(value: Decimal) -> float | Decimal:
    """The one form of a number: float where that is exact at 15 digits, else Decimal without trailing zeros.

    Args:
        value: any finite decimal.

    Raises:
        ValueError: it is not finite.
    """
    if not value.is_finite():
        raise ValueError("not finite")
    sign, digits, exponent = value.as_tuple()
    figures = "".join(map(str, digits)).lstrip("0")
    kept = figures.rstrip("0")
    if not kept:
        return 0.0
    if len(kept) <= _EXACT_DIGITS:
        nearest = float(value)
        if Decimal(repr(nearest)) == value:
            return nearest
    exponent = int(exponent) + len(figures) - len(kept)
    return Decimal((sign, tuple(map(int, kept)), exponent))


def amount_or_zero(raw: Raw, key: str) -> float | Decimal:
    """A number, 0 when missing."""
    value = amount(raw, key)
    return 0.0 if value is None else value


def exchange_rate(raw: Raw) -> float | Decimal | None:
    """CurrencyRate, null where it is 1: single reads give it then, lists leave it out.

    Only where lists do so; invoices, credit notes and payments carry it always.
    """
    rate = amount(raw, "CurrencyRate")
    return None if rate == 1 else rate


def whole(raw: Raw, key: str) -> int | None:
    """An integer."""
    value = amount(raw, key)
    if value is None:
        return None
    if value != int(value):
        raise InvalidRecordError(key, "expected a whole number")
    return int(value)


def flag(raw: Raw, key: str) -> bool:
    """A boolean, also as the string ``true`` or ``false``; missing is false."""
    value = raw.get(key)
    if value is True or value is False:
        return value
    if value is None or value == "":
        return False
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise InvalidRecordError(key, "expected true or false")


def identifier(raw: Raw, key: str) -> str | None:
    """An id, in lower case."""
    value = raw.get(key)
    if isinstance(value, str):
        lowered = value.lower()
        return None if lowered == _NIL else lowered or None
    if value is None:
        return None
    raise InvalidRecordError(key, "expected an id")


def record_id(raw: Raw, key: str) -> str:
    """The id of the record itself.

    Raises:
        InvalidRecordError: there is none.
    """
    value = identifier(raw, key)
    if value is None:
        raise InvalidRecordError(key, "missing")
    return value


def word(raw: Raw, key: str, known: Mapping[str, str]) -> str | None:
    """A word of a closed set.

    Args:
        raw: the object.
        key: the field.
        known: our word by Xero's, which is in lower case here.
    """
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidRecordError(key, "expected a word")
    lowered = value.lower()
    return known.get(lowered, lowered)


def day(raw: Raw, key: str) -> str | None:
    """A calendar date; ``<key>String`` helps where ``<key>`` can't be read."""
    return _date_text(raw, key, parse_day) or _date_text(raw, f"{key}String", parse_day)


def moment(raw: Raw, key: str) -> str | None:
    """A moment; ``<key>String``, which lacks the milliseconds, helps where ``<key>`` can't be read."""
    return _date_text(raw, key, _moment_text) or _date_text(raw, f"{key}String", _moment_text)


def updated_at(raw: Raw) -> str | None:
    """UpdatedDateUTC, or UpdatedDateUTCString (which lacks the milliseconds) where that can't be read."""
    return moment(raw, "UpdatedDateUTC")


def _moment_text(value: str) -> str | None:
    parsed = parse_moment(value)
    return None if parsed is None else iso_ms(parsed)


def _date_text(raw: Raw, key: str, parse: Callable[[str], str | None]) -> str | None:
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidRecordError(key, "expected a date")
    return parse(value)


def part(raw: Raw, key: str, read: Callable[[Raw], T]) -> T | None:
    """A nested object; null when missing.

    Args:
        raw: the enclosing object.
        key: the field.
        read: how to map the nested object.
    """
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        raise InvalidRecordError(key, "expected an object")
    try:
        return read(value)
    except InvalidRecordError as error:
        raise error.under(key) from None


def parts(raw: Raw, key: str, read: Callable[[Raw], T]) -> list[T]:
    """A list of nested objects, in Xero's order; empty when missing.

    Args:
        raw: the enclosing object.
        key: the field.
        read: how to map one of them.
    """
    value = raw.get(key)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise InvalidRecordError(key, "expected a list")
    found: list[T] = []
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise InvalidRecordError(f"{key}[{index}]", "expected an object")
        try:
            found.append(read(item))
        except InvalidRecordError as error:
            raise error.under(f"{key}[{index}]") from None
    return found


def filled(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The object, or null when it holds nothing.

    Args:
        fields: a mapped object.
    """
    for value in fields.values():
        if value is not None:
            return fields
    return None
