"""JSON in and out without losing a digit. Pure.

orjson reads numbers as doubles, which carry 15 significant digits. A body that may hold more takes a slower, exact path:
numbers of more than 15 significant digits, or too small for a double, become ``Decimal`` there, all others the same
float or int as on the fast path.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_TOO_LONG = b"0" * 16
_TINY = re.compile(rb"e-000+(?:[,}\]\s]|\Z)")
_EXACT_DIGITS = 15
_SMALLEST_NORMAL = Decimal("2.3e-308")
_LARGEST = Decimal("1e308")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(body: bytes) -> Any:
    """A JSON document, every number equal in value to what was sent.

    Text that no UTF-8 can carry (a lone surrogate, from a string cut in the middle of an emoji) is mended with U+FFFD.

    Args:
        body: the document in UTF-8.

    Returns:
        dicts, lists, strings, ints, floats, bools and None; ``Decimal`` for numbers a double can't carry.

    Raises:
        ValueError: it is not JSON.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if _needs_exactness(body):
        return _decode_exactly(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # also a valid document may get here: a huge number, a lone surrogate
        return _decode_exactly(body)


def encode(data: Any) -> bytes:
    """JSON text; ``Decimal`` as a number of the same value.

    Args:
        data: what :func:`decode` or a mapping of ``xero_api.unify`` returned, or anything built of those.

    Raises:
        TypeError: it holds something that is no JSON.
    """
    return orjson.dumps(data, default=_number)


def _needs_exactness(body: bytes) -> bool:
    """Whether a number may have over 15 digits or be tiny; digits in strings may raise a false alarm, none is missed."""
    alike = body.translate(_DIGITS_ALIKE, b".")
    return _TOO_LONG in alike or _TINY.search(alike) is not None


def _decode_exactly(body: bytes) -> Any:
    try:
        document = json.loads(
            body.decode(), parse_float=_exact_float, parse_int=_exact_int, parse_constant=_refuse, strict=False
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _mended(document) if b"\\ud" in body or b"\\uD" in body else document


def _exact_float(literal: str) -> float | Decimal:
    if len(literal) <= _EXACT_DIGITS + 1 and "e" not in literal and "E" not in literal:
        return float(literal)
    try:
        exact = Decimal(literal)
    except InvalidOperation:
        raise ValueError("an exponent beyond all bounds") from None
    if not exact:
        return float(literal)
    figures = len(bytes(exact.as_tuple().digits).rstrip(b"\0"))
    return float(literal) if figures <= _EXACT_DIGITS and _SMALLEST_NORMAL < abs(exact) < _LARGEST else exact


def _exact_int(literal: str) -> int | Decimal:
    return int(literal) if len(literal.lstrip("-")) <= _EXACT_DIGITS else Decimal(literal)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} is not JSON")
