"""JSON in and out without losing a digit. Pure.

orjson reads numbers as doubles, which carry 15 significant digits. A body that may hold more takes a slower, exact path:
numbers of more than 15 significant digits, or too small for a double, become ``Decimal`` there, all others the same
float or int as on the fast path. What most readers of JSON choke on (``NaN``, ``1e999999999``, five thousand digits) becomes
its text: it costs the field that can't use it, not the document.
"""

import json
import re
from collections.abc import Generator
from decimal import Decimal, InvalidOperation
from typing import Any

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
_LONGEST_NUMBER = 1_000
"""Digits of a number, and of one written without an exponent: Python itself refuses integers of more than 4,300."""
_SMALLEST_NORMAL = Decimal("2.3e-308")
_LARGEST = Decimal("1e308")
_STRICTLY = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
"""What orjson would write in a form of its own is not valid JSON here: it says so."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DEEPEST = 260
"""Levels that are read, where a document is nested deeper than a decoder goes: more than :func:`encode` takes (254)."""
_TOO_DEEP_TO_CUT = 100_000
_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class _Written(bytes):
    """JSON text among values."""


_COMMA = _Written(b",")


def decode(body: bytes) -> Any:
    """A JSON document, every number equal in value to what was sent.

    Text that no UTF-8 can carry (a lone surrogate, from a string cut in the middle of an emoji) gets U+FFFD instead. Of a key
    that occurs twice in an object, the last value counts. Where the document is nested deeper than the decoder goes (about
    1,000 levels), objects and lists below level 260 become null.

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
        parse_constant=str,
        strict=False,
    )
    try:
        document = yield from _object_in_steps(decoder, body.decode(), list_key, sliced=not exact)
        return _mended(document) if mend else document
    except (ValueError, IndexError, RecursionError):
        return decode(body)  # which knows what is wrong, if anything is


def encode(data: Any) -> bytes:
    """JSON text; ``Decimal`` as a number of the same value.

    Args:
        data: what :func:`decode` or a mapping of ``xero_api.unify`` returned, or anything built of those.

    Raises:
        TypeError: it holds something that is not valid JSON, or is nested deeper than 254 levels.
    """
    return orjson.dumps(data, default=_number, option=_STRICTLY)


def encode_at_any_depth(data: Any) -> bytes:
    """The same as :func:`encode`, slower, and however deep it is nested.

    Args:
        data: as for :func:`encode`.

    Raises:
        TypeError: it holds something that is not valid JSON.
    """
    pieces: list[bytes] = []
    waiting: list[Any] = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Written):
            pieces.append(value)
        elif isinstance(value, dict):
            members = [one for key, item in value.items() for one in (_COMMA, _Written(encode(key) + b":"), item)]
            waiting += reversed([_Written(b"{"), *members[1:], _Written(b"}")])
        elif isinstance(value, list):
            elements = [one for item in value for one in (_COMMA, item)]
            waiting += reversed([_Written(b"["), *elements[1:], _Written(b"]")])
        else:
            pieces.append(encode(value))
    return b"".join(pieces)


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
        return _decoded(body)
    except RecursionError:
        return _decoded(_shallow(body))


def _decoded(body: bytes) -> Any:
    document = json.loads(
        body.decode(), parse_float=_exact_float, parse_int=_exact_int, parse_constant=str, strict=False
    )
    return _mended(document) if _has_surrogates(body) else document


def _shallow(body: bytes) -> bytes:
    """The document with null in place of every object and list that is nested too deeply.

    Raises:
        ValueError: it is absurdly deep, or ends in the middle.
    """
    kept: list[bytes] = []
    depth = copied = 0
    cut = -1
    for found in _BRACKETS.finditer(body):
        sign = found[0]
        if sign in (b"{", b"["):
            depth += 1
            if depth == _DEEPEST + 1:
                cut = found.start()
            elif depth > _TOO_DEEP_TO_CUT:
                raise ValueError("nested too deeply")
        elif sign in (b"}", b"]"):
            if depth == _DEEPEST + 1:
                kept += (body[copied:cut], b"null")
                copied = found.end()
            depth -= 1
    if depth != 0:
        raise ValueError("ends in the middle")
    return b"".join((*kept, body[copied:]))


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


def _exact_float(literal: str) -> float | Decimal | str:
    if len(literal) <= _EXACT_DIGITS + 1 and "e" not in literal and "E" not in literal:
        return float(literal)
    try:
        exact = Decimal(literal)
    except InvalidOperation:
        return literal  # an exponent beyond Python's bounds
    if not exact:
        return float(literal)
    if len(literal) > _LONGEST_NUMBER or abs(exact.adjusted()) > _LONGEST_NUMBER:
        return literal
    figures = len(bytes(exact.as_tuple().digits).rstrip(b"\0"))
    # copy_abs: abs() rounds to the context, and overflows.
    return float(literal) if figures <= _EXACT_DIGITS and _SMALLEST_NORMAL < exact.copy_abs() < _LARGEST else exact


def _exact_int(literal: str) -> int | Decimal | str:
    if len(literal) > _LONGEST_NUMBER:
        return literal
    return int(literal) if len(literal.lstrip("-")) <= _EXACT_DIGITS else Decimal(literal)


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
