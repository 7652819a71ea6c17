"""An answer for which our code raised an exception, read record by record: what one of them spoils is lost for that one only. Pure.

The document is taken apart without decoding it, by brackets and strings, so that nothing in a record can do harm here.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from xero_api.answers import Answer, Unreadable, answer_of
from xero_api.decode import decode
from xero_api.errors import UnforeseenError
from xero_api.meta import read_meta
from xero_api.requests import Request
from xero_stream.contracts.names import RecordId
from xero_stream.unforeseen import described

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:]', re.DOTALL)
_BLANKS = b" \t\r\n"
_PAUSE_EVERY = 20


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object or a list, as its bytes."""

    name: bytes | None
    value: bytes


def salvage(
    request: Request, status: int, headers: Mapping[str, str], body: bytes, failure: Exception
) -> Generator[None, None, Answer]:
    """Read an answer record by record; those on which our code fails are among the unreadable, with their bytes.

    Args:
        headers: response headers, names in lower case.
        failure: what the whole answer led to.

    Yields:
        Nothing, at each pause.

    Returns:
        The answer.

    Raises:
        UnforeseenError: it can't be taken apart.
        XeroError: as for any other answer.
    """
    meta = read_meta(headers)
    if status != HTTPStatus.OK or not body.lstrip(_BLANKS).startswith(b"{"):
        raise UnforeseenError(f"{request.endpoint}: {described(failure)}", status=status, meta=meta, body=body)
    document: dict[str, Any] = {}
    broken: list[Unreadable] = []
    for member in _members(body):
        name = _decoded(member.name or b"")
        if name == request.entity.list_key and member.value.startswith(b"["):
            document[name] = yield from _records(request, member.value, broken)
        elif isinstance(name, str):
            document[name] = _decoded(member.value)
    try:
        return answer_of(request, meta, document, body, broken)
    except (ArithmeticError, ValueError, TypeError, LookupError, RecursionError, AttributeError) as error:
        raise UnforeseenError(f"{request.endpoint}: {described(error)}", status=status, meta=meta, body=body) from error


def _records(request: Request, text: bytes, broken: list[Unreadable]) -> Generator[None, None, list[Any]]:
    found = []
    for index, member in enumerate(_members(text)):
        if index % _PAUSE_EVERY == _PAUSE_EVERY - 1:
            yield
        try:
            item = decode(member.value)
            if isinstance(item, dict):
                request.entity.id_of(item)
                request.entity.version(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
            broken.append(
                Unreadable(
                    index=index,
                    reason="our code failed on it",
                    value=member.value,
                    broke=described(error),
                    record_id=_id_of(request, member.value),
                )
            )
        else:
            found.append(item)
    return found


def _id_of(request: Request, text: bytes) -> RecordId | None:
    if not text.startswith(b"{"):
        return None
    for member in _members(text):
        if _decoded(member.name or b"") == request.entity.id_field:
            value = _decoded(member.value)
            return RecordId(value.lower()) if isinstance(value, str) and value else None
    return None


def _decoded(text: bytes) -> Any:
    """A small value; None where our code fails on it."""
    try:
        return decode(text)
    except Exception:  # noqa: BLE001 - what can't be read here is left out
        return None


def _members(text: bytes) -> Iterator[_Member]:
    """The members of the object or list that the text begins with."""
    start = len(text) - len(text.lstrip(_BLANKS))
    depth, begin, name = 0, start + 1, None
    for token in _TOKEN.finditer(text, start + 1):
        sign = text[token.start() : token.start() + 1]
        if sign in b"{[":
            depth += 1
        elif sign in b"}]" and depth:
            depth -= 1
        elif depth or sign == b'"':
            continue
        elif sign == b":":
            name, begin = text[begin : token.start()].strip(_BLANKS), token.end()
        else:
            value = text[begin : token.start()].strip(_BLANKS)
            if value:
                yield _Member(name, value)
            if sign in b"}]":
                return
            begin, name = token.end(), None
