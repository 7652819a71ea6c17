"""JSON in and out without losing a digit. Pure.

orjson reads numbers as doubles, which carry 15 significant digits. A body that may hold more takes a slower, exact path:
numbers of more than 15 significant digits, or too small for a double, become ``Decimal`` there, all others the same
float or int as on the fast path.
"""

import json
import re
from collections.abc import Generator
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_TOO_LONG = b"0" * 16
_TINY = re.compile(rb"e-000+(?:[,}\]\s]|\Z)")
_TINY_OR_HUGE = re.compile(rb"e[-+]?000+(?:[,}\]\s]|\Z)")
_BLANKS = " \t\n\r"
_BLANK = re.compile(rf"[{_BLANKS}]*")
_STEP = 128 * 1024
"""Characters read between two pauses: one millisecond, three where they are read record by record."""
_LONGEST_OPENING = 80
"""Characters in which a record's first key must end, for slices of records to be told by it."""
_SCANNED = 512 * 1024
_LONGEST_SIGN = 64
"""Bytes by which scanned pieces overlap, so that no number that matters is cut in two."""

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
    if _needs_exactness(_alike(body)):
        return _decode_exactly(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # also a valid document may get here: a huge number, a lone surrogate
        return _decode_exactly(body)


def decode_in_steps(body: bytes, list_key: str) -> Generator[None, None, Any]:
    """The same as :func:`decode`, with pauses: a page of megabytes must not hold up everybody else.

    Slower in all than :func:`decode` (by a quarter), but never long at a time unless a single record is big.

    Args:
        body: the document in UTF-8; an object.
        list_key: the key whose list is read element by element.

    Yields:
        Nothing, at each pause.

    Returns:
        The document.

    Raises:
        ValueError: it is not JSON.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    exact = mend = False
    for start in range(0, len(body), _SCANNED):
        piece = body[start : start + _SCANNED + _LONGEST_SIGN]
        alike = _alike(piece)
        exact = exact or _TOO_LONG in alike or _may_be_extreme(alike)
        mend = mend or _has_surrogates(piece)
        yield
    decoder = json.JSONDecoder(
        parse_float=_exact_float if exact else None,
        parse_int=_exact_int if exact else None,
        parse_constant=_refuse,
        strict=False,
    )
    try:
        document = yield from _object_in_steps(decoder, body.decode(), list_key, sliced=not exact)
    except (ValueError, IndexError, RecursionError):
        return decode(body)  # which knows what is wrong, if anything is
    return _mended(document) if mend else document


def encode(data: Any) -> bytes:
    """JSON text; ``Decimal`` as a number of the same value.

    Args:
        data: what :func:`decode` or a mapping of ``xero_api.unify`` returned, or anything built of those.

    Raises:
        TypeError: it holds something that is no JSON.
    """
    return orjson.dumps(data, default=_number)


def _alike(body: bytes) -> bytes:
    """The body with every digit a zero, every E an e and no point: what numbers look like."""
    return body.translate(_DIGITS_ALIKE, b".")


def _needs_exactness(alike: bytes) -> bool:
    """Whether a number may have over 15 digits or be tiny; digits in strings may raise a false alarm, none is missed."""
    return _TOO_LONG in alike or _TINY.search(alike) is not None


def _may_be_extreme(alike: bytes) -> bool:
    """Whether a number may be tiny, or beyond a double; where orjson isn't asked, nobody else would notice the latter."""
    return _TINY_OR_HUGE.search(alike) is not None


def _has_surrogates(body: bytes) -> bool:
    return b"\\" in body and (b"\\ud" in body or b"\\uD" in body)


def _decode_exactly(body: bytes) -> Any:
    try:
        document = json.loads(
            body.decode(), parse_float=_exact_float, parse_int=_exact_int, parse_constant=_refuse, strict=False
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _mended(document) if _has_surrogates(body) else document


def _object_in_steps(
    decoder: json.JSONDecoder, text: str, list_key: str, *, sliced: bool
) -> Generator[None, None, dict[str, Any]]:
    document: dict[str, Any] = {}
    index = _expected(text, 0, "{")
    while True:
        name, index = decoder.raw_decode(text, _expected(text, index, '"') - 1)
        index = _blank_until(text, _expected(text, index, ":"))
        if name == list_key and text[index] == "[":
            document[name], index = yield from _list_in_steps(decoder, text, index, sliced=sliced)
        else:
            document[name], index = decoder.raw_decode(text, index)
        index = _blank_until(text, index)
        if text[index] == "}":
            if _blank_until(text, index + 1) != len(text):
                raise ValueError("something follows the document")
            return document
        index = _expected(text, index, ",")


def _list_in_steps(
    decoder: json.JSONDecoder, text: str, index: int, *, sliced: bool
) -> Generator[None, None, tuple[list[Any], int]]:
    found: list[Any] = []
    paused = index
    index = _blank_until(text, index + 1)
    if text[index] == "]":
        return found, index + 1
    opening = _opening(text, index) if sliced else ""
    while True:
        end = text.rfind(opening, index + 1, index + _STEP) if opening else -1
        if end > 0 and (items := _slice(text[index:end])) is not None:
            found += items
            paused = index = end
            yield
            continue
        item, index = decoder.raw_decode(text, index)
        found.append(item)
        index = _blank_until(text, index)
        if text[index] == "]":
            return found, index + 1
        index = _blank_until(text, _expected(text, index, ","))
        if index - paused > _STEP:
            paused = index
            yield


def _opening(text: str, index: int) -> str:
    """What the first record of a list begins with, its first key included: most likely what each of them begins with."""
    end = text.find(":", index, index + _LONGEST_OPENING)
    return text[index : end + 1] if text[index] == "{" and end > 0 else ""


def _slice(text: str) -> list[Any] | None:
    """The records of a list's slice, or None if it isn't one: an opening was in a string, or deeper in a record.

    What is valid as a list of its own, up to a comma, is so within the document.
    """
    text = text.rstrip(_BLANKS)
    if not text.endswith(","):
        return None
    try:
        items: list[Any] = orjson.loads(f"[{text[:-1]}]")
    except orjson.JSONDecodeError:
        return None
    return items


def _blank_until(text: str, index: int) -> int:
    blank = _BLANK.match(text, index)
    return blank.end() if blank else index


def _expected(text: str, index: int, sign: str) -> int:
    index = _blank_until(text, index)
    if text[index] != sign:
        raise ValueError(f"expected {sign}")
    return index + 1


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
