"""What Xero answered to a write: what became of each row, or a typed error. Pure.

A 200 proves nothing by itself: with ``summarizeErrors=false`` each row says for itself whether it was written. Rows come
back in the order they were sent; where their number or an id says otherwise, nothing is guessed.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from xero_api.answers import Timing, error_of
from xero_api.dates import parse_moment
from xero_api.decode import decode
from xero_api.entity import NO_ID
from xero_api.envelope import open_envelope
from xero_api.errors import (
    InvalidRowsError,
    KeyReusedError,
    Problem,
    RowsMismatchError,
    XeroError,
)
from xero_api.meta import Meta, read_meta
from xero_api.verdicts import Good, Subject, mark_of, meaning
from xero_api.writes.requests import WriteRequest
from xero_stream.contracts.ids import canonical_id
from xero_stream.contracts.names import RecordId

_KEY_REUSED = b"used with a different request"
_LISTS = {"ValidationErrors", "Warnings"}


class RowStatus(StrEnum):
    """What became of a row. Source: published OpenAPI, ``StatusAttributeString``; its pages also say WARN."""

    OK = "OK"  # written
    WARNING = "WARNING"  # written, with remarks
    ERROR = "ERROR"  # not written


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one row.

    Attributes:
        index: its place among the rows sent.
        status: see :class:`RowStatus`.
        id: the record's id; of a row that was refused only the one sent with it (Xero answers ids that don't exist).
        record: the row as Xero answered it: the whole record if it was written, an echo if not.
        problems: why it was refused.
        warnings: what Xero remarks.
    """

    index: int
    status: RowStatus
    id: RecordId | None
    record: dict[str, Any] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def written(self) -> bool:
        """Whether Xero wrote it."""
        return self.status is not RowStatus.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAnswer:
    """An answer that says what became of every row.

    Attributes:
        request: what was sent.
        rows: one for each row sent, in that order; none where Xero answers nothing (an email, a removal).
        meta: what the headers say.
        server_time: Xero's clock to the millisecond.
        timing: when; None when deciphered without a call.
    """

    request: WriteRequest
    rows: tuple[Row, ...] = ()
    meta: Meta
    server_time: datetime | None = None
    timing: Timing | None = field(default=None, compare=False)


def decipher(request: WriteRequest, status: int, headers: Mapping[str, str], body: bytes) -> WriteAnswer:
    """Make sense of an answer.

    Args:
        headers: response headers, names in lower case.

    Raises:
        XeroError: one of ``xero_api.errors``; what it means for the write says ``xero_api.writes.again``.
    """
    meta = read_meta(headers)
    if status == HTTPStatus.BAD_REQUEST:
        return _refused(request, meta, headers, body)
    if meaning(status, mark_of(meta, body), Subject.WRITE) is not Good.TAKEN:
        raise error_of(request.endpoint, status, headers, body, Subject.WRITE)
    if request.list_key is None:
        return WriteAnswer(request=request, meta=meta)
    document = open_envelope(request.endpoint, request.list_key, body, meta, status)
    items = document[request.list_key]
    return _answer(request, status, meta, items, document.get("DateTimeUTC"), body)


def problems_of(element: Mapping[str, Any], name: str = "ValidationErrors") -> tuple[Problem, ...]:
    """The messages in an element, outermost first; one that Xero repeats further out is told once, where it belongs.

    Args:
        element: an element of an answer.
        name: which list: ``ValidationErrors`` or ``Warnings``.
    """
    found = tuple(dict.fromkeys(_messages(element, name)))
    deeper = {problem.message for problem in found if problem.path}
    return tuple(problem for problem in found if problem.path or problem.message not in deeper)


def _messages(element: Mapping[str, Any], name: str) -> Iterator[Problem]:
    waiting: deque[tuple[str, Any]] = deque([("", element)])  # an answer may nest deeper than Python can recurse
    while waiting:
        path, value = waiting.popleft()
        if isinstance(value, list):
            waiting.extend((f"{path}[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, Mapping):
            for one in value.get(name) or () if isinstance(value.get(name), list) else ():
                message = one.get("Message") if isinstance(one, Mapping) else one
                yield Problem(path=path, message=message if isinstance(message, str) else "Xero gives no message")
            inside = ((key, child) for key, child in value.items() if key not in _LISTS)
            waiting.extend((f"{path}.{key}" if path else key, child) for key, child in inside)


def _answer(
    request: WriteRequest, status: int, meta: Meta, items: list[dict[str, Any]], moment: Any, body: bytes
) -> WriteAnswer:
    if len(items) != request.rows:
        message = f"{request.endpoint}: {request.rows} rows sent, {len(items)} in the answer"
        raise RowsMismatchError(message, status=status, meta=meta, body=body)
    try:
        rows = tuple(_row(request, index, item) for index, item in enumerate(items))
    except XeroError as error:
        error.status, error.meta, error.body = status, meta, body
        raise
    server_time = parse_moment(moment) if isinstance(moment, str) else None
    return WriteAnswer(request=request, rows=rows, meta=meta, server_time=server_time)


def _row(request: WriteRequest, index: int, item: dict[str, Any]) -> Row:
    sent = request.ids[index]
    problems, warnings = problems_of(item), problems_of(item, "Warnings")
    status = _status(item, problems, warnings)
    record_id = sent
    if status is not RowStatus.ERROR and request.id_field is not None:
        record_id = _id(item, request.id_field)
        if record_id == NO_ID:  # the endpoint that forgets to say so (XeroAPI/Xero-Net#285)
            problems += (Problem(path=request.id_field, message="Xero says OK, but gives no id: it was not written"),)
            status, record_id = RowStatus.ERROR, sent
        elif record_id is None or sent not in {None, record_id}:
            raise RowsMismatchError(f"{request.endpoint}: row {index} came back under another id, or none")
    return Row(index=index, status=status, id=record_id, record=item, problems=problems, warnings=warnings)


def _status(item: Mapping[str, Any], problems: tuple[Problem, ...], warnings: tuple[Problem, ...]) -> RowStatus:
    """Endpoints without ``summarizeErrors`` leave the word out; then the lists and flags say it."""
    word = item.get("StatusAttributeString")
    if problems or word == "ERROR" or item.get("HasErrors") is True or item.get("HasValidationErrors") is True:
        return RowStatus.ERROR
    return RowStatus.WARNING if warnings or word in ("WARNING", "WARN") else RowStatus.OK


def _id(item: Mapping[str, Any], id_field: str) -> RecordId | None:
    value = item.get(id_field)
    return RecordId(canonical_id(value)) if isinstance(value, str) and value else None


def _refused(request: WriteRequest, meta: Meta, headers: Mapping[str, str], body: bytes) -> WriteAnswer:
    """A 400: the one row, if only one was sent and answered; else an error."""
    status = HTTPStatus.BAD_REQUEST
    if _KEY_REUSED in body.lower():
        raise KeyReusedError(
            f"{request.endpoint}: {status} the key was used before", status=status, meta=meta, body=body
        )
    elements = _elements(body)
    if not elements:
        raise error_of(request.endpoint, status, headers, body, Subject.WRITE)
    told = tuple(problems_of(element) for element in elements)
    if request.rows == len(elements) == 1:
        row = Row(index=0, status=RowStatus.ERROR, id=request.ids[0], record=elements[0], problems=told[0])
        return WriteAnswer(request=request, rows=(row,), meta=meta)
    message = f"{request.endpoint}: {status} {len(elements)} elements refused"
    raise InvalidRowsError(message, elements=told, status=status, meta=meta, body=body)


def _elements(body: bytes) -> list[dict[str, Any]]:
    try:
        document = decode(body)
    except ValueError:
        return []
    elements = document.get("Elements") if isinstance(document, dict) else None
    return [one for one in elements if isinstance(one, dict)] if isinstance(elements, list) else []
