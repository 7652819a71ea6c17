"""Reading one field of Xero's JSON: text, amounts, dates, words, parts. Pure.

The rules, the same for every entity:

* missing, null and the empty string are the same (lists and single reads differ in which they use): null, or false;
* amounts are floats, exact ``Decimal`` beyond 15 significant digits, whether Xero wrote ``1150``, ``1150.0`` or ``"1150"``;
* a scalar of another kind is read where its meaning is clear (a number as text, ``1`` and ``"true"`` as a flag);
* a scalar that can't be read is null (a flag: false) and noticed, see :mod:`xero_api.unify.oddities`: one wrong field
  must not cost the record. Errors are only the record's id, its version, and an object or a list that is none;
* a document date is taken from its ``...String`` twin, where there is one; two that differ are noticed;
* ids have one spelling (GUIDs in lower case with hyphens), the all-zero GUID is none;
* words of a closed set are mapped, unknown ones carried in lower case.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, TypeVar

from xero_api.dates import iso_ms, parse_day, parse_moment
from xero_api.entity import NO_ID
from xero_api.errors import InvalidRecordError
from xero_api.unify.oddities import OddityKind, collected, notice
from xero_stream.contracts.ids import canonical_id

Raw = Mapping[str, Any]
"""A JSON object as Xero sent it."""

T = TypeVar("T")

_EXACT_DIGITS = 15
_EXACT_INT = 10**_EXACT_DIGITS
_MOST_DIGITS = 100
_MOST_EXPONENT = 307
"""An amount has no more digits, and no exponent beyond this one on either side: a double could not hold it, and arithmetic
with it could overflow."""
_LARGEST = 1e307
_NUMERAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)
_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_TWIN_TOLERANCE = timedelta(seconds=1)
"""``UpdatedDateUTCString`` is cut to the second (XeroAPI/Xero-OpenAPI#823)."""


def _odd(key: str) -> None:
    notice(OddityKind.UNREADABLE, key)


def text(raw: Raw, key: str) -> str | None:
    """A string; a number in its place is written out."""
    value = raw.get(key)
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(value)
    _odd(key)
    return None


def amount(raw: Raw, key: str) -> float | Decimal | None:
    """A number, exact, also as a string."""
    value = raw.get(key)
    if type(value) is float and -_LARGEST < value < _LARGEST:
        return value + 0.0  # turns -0.0 into 0.0
    if value is None or value == "":
        return None
    if type(value) is int and -_EXACT_INT < value < _EXACT_INT:
        return float(value)
    exact = _exact_number(value)
    if exact is None:
        _odd(key)
        return None
    return canonical(exact)


def _exact_number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        value = value.strip()
        if not _NUMERAL.fullmatch(value):
            return None
        value = Decimal(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    digits = value.as_tuple().digits
    within = not value or (len(digits) <= _MOST_DIGITS and abs(value.adjusted()) <= _MOST_EXPONENT)
    return value if within else None


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
        _odd(key)
        return None
    return int(value)


def flag(raw: Raw, key: str) -> bool:
    """A boolean, also as the string ``true`` or ``false``, as 1 or 0; missing is false."""
    value = raw.get(key)
    if value is True or value is False:
        return value
    if value is None or value == "":
        return False
    if isinstance(value, str):
        known = _FLAGS.get(value.strip().lower())
        if known is not None:
            return known
    elif isinstance(value, (int, float)) and value in {0, 1}:
        return value == 1
    _odd(key)
    return False


def identifier(raw: Raw, key: str) -> str | None:
    """An id in its one spelling."""
    value = raw.get(key)
    if isinstance(value, str):
        spelled = canonical_id(value)
        return None if spelled == NO_ID else spelled or None
    if value is not None:
        _odd(key)
    return None


def record_id(raw: Raw, key: str) -> str:
    """The id of the record itself.

    Raises:
        InvalidRecordError: there is none.
    """
    value = raw.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidRecordError(key, "expected an id")
    found = identifier(raw, key)
    if found is None:
        raise InvalidRecordError(key, "missing")
    return found


def word(raw: Raw, key: str, known: Mapping[str, str]) -> str | None:
    """A word of a closed set.

    Args:
        known: our word by Xero's, which is in lower case here.
    """
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _odd(key)
        return None
    lowered = value.lower()
    return known.get(lowered, lowered)


def day(raw: Raw, key: str) -> str | None:
    """A calendar date: what ``<key>String`` says, which is a plain date, else ``<key>``."""
    own = _date(raw, key, parse_day)
    twin = raw.get(f"{key}String")
    if twin is None or twin == "":
        return own
    named = _date(raw, f"{key}String", parse_day)
    if named is None:
        return own
    if own is not None and own != named:
        notice(OddityKind.CONTRADICTION, key)
    return named


def moment(raw: Raw, key: str) -> str | None:
    """A moment; ``<key>String``, which lacks the milliseconds, helps where ``<key>`` can't be read."""
    own = _date(raw, key, parse_moment)
    twin = raw.get(f"{key}String")
    named = None if twin is None or twin == "" else _date(raw, f"{key}String", parse_moment)
    if own is not None and named is not None and abs(own - named) > _TWIN_TOLERANCE:
        notice(OddityKind.CONTRADICTION, key)
    found = named if own is None else own
    return None if found is None else iso_ms(found)


def updated_at(raw: Raw, key: str = "UpdatedDateUTC") -> str | None:
    """The record's version: its stamp, or the stamp's ``...String`` (which lacks the milliseconds) where that can't be read.

    Raises:
        InvalidRecordError: the stamp is no text at all.
    """
    found = moment(raw, key)
    if found is None and not isinstance(raw.get(key), (str, NoneType)):
        raise InvalidRecordError(key, "expected a date")
    return found


def _date(raw: Raw, key: str, parse: Callable[[str], T | None]) -> T | None:
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _odd(key)
        return None
    return parse(value)


def part(raw: Raw, key: str, read: Callable[[Raw], T]) -> T | None:
    """A nested object; null when missing.

    Args:
        raw: the enclosing object.
        read: how to map the nested object.
    """
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        if value == []:  # how some languages write an empty object
            _odd(key)
            return None
        raise InvalidRecordError(key, "expected an object")
    oddities = collected()
    before = len(oddities) if oddities is not None else 0
    try:
        return read(value)
    except InvalidRecordError as error:
        raise error.under(key) from None
    finally:
        if oddities is not None and len(oddities) > before:
            oddities[before:] = [oddity.under(key) for oddity in oddities[before:]]


def parts(raw: Raw, key: str, read: Callable[[Raw], T]) -> list[T]:
    """A list of nested objects, in Xero's order; empty when missing. Elements that are null are left out.

    Args:
        raw: the enclosing object.
        read: how to map one of them.
    """
    value = raw.get(key)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        if value == {}:
            _odd(key)
            return []
        raise InvalidRecordError(key, "expected a list")
    found: list[T] = []
    oddities = collected()
    before = len(oddities) if oddities is not None else 0
    for index, item in enumerate(value):
        if item is None:
            continue
        if not isinstance(item, dict):
            raise InvalidRecordError(f"{key}[{index}]", "expected an object")
        try:
            found.append(read(item))
        except InvalidRecordError as error:
            raise error.under(f"{key}[{index}]") from None
    if oddities is not None and len(oddities) > before:
        oddities[before:] = [oddity.under(key) for oddity in oddities[before:]]
    if len(found) < len(value):
        _odd(key)
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
