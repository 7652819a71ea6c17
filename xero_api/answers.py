"""What Xero answered: records, pages and limits, or a typed error. Pure.

The status is judged before the body is read, by the table of ``xero_api.verdicts``: anything but a 200 may be JSON, HTML, XML
or empty.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from xero_api.dates import parse_moment
from xero_api.decode import decode, decode_in_steps
from xero_api.entity import Form
from xero_api.errors import (
    GarbledAnswerError,
    InterceptedError,
    LimitKind,
    RateLimitedError,
    RejectedError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.meta import NO_META, Meta, read_meta
from xero_api.requests import Request
from xero_api.verdicts import Good, Subject, error_class, error_fields, mark_of, meaning
from xero_stream.contracts.names import RecordId

_BIG = 128 * 1024
"""Bytes from which a body is read in steps."""

SUBJECTS: Mapping[Form, Subject] = MappingProxyType(
    {Form.ONE: Subject.RECORD, Form.IDS: Subject.BATCH, Form.PAGE: Subject.LIST}
)
"""What each form of a read asks for."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 ]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """The ``pagination`` object of an answer.

    Attributes:
        page: which page this is, from 1.
        page_size: records per page, which Xero may have cut to its bounds.
        page_count: how many pages there are.
        item_count: how many records there are.
    """

    page: int
    page_size: int
    page_count: int
    item_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An element of the list that is no record.

    Attributes:
        index: its place in the list.
        reason: what is wrong.
        value: the element; its bytes where our code failed on it.
        broke: the class and place of the exception, where our code failed on it.
        record_id: of that element, if it has one.
    """

    index: int
    reason: str
    value: Any
    broke: str | None = None
    record_id: RecordId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When the call was made, on our clocks.

    Attributes:
        sent: monotonic seconds when it was sent.
        received: monotonic seconds when the answer's headers were there.
        sent_at: wall clock when it was sent.
        fetched_at: wall clock when the answer was complete.
        server_sent_at: a moment on Xero's clock that is certainly not after the sending: DESIGN's S.
    """

    sent: float
    received: float
    sent_at: datetime
    fetched_at: datetime
    server_sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A good answer.

    Attributes:
        request: what was asked.
        records: the records, as Xero sent them, each with an id; those asked for only.
        unreadable: elements that are no records.
        strangers: ids that came although they were not asked for (their records are dropped).
        absent: ids asked for that did not come. That alone proves nothing.
        missing: the one record asked for is not there: a 404 to a single read, the only proof there is.
        pagination: the page's place, if Xero says.
        meta: what the headers say.
        server_time: the document's DateTimeUTC: Xero's clock to the millisecond.
        timing: when; None when deciphered without a call.
    """

    request: Request
    records: tuple[dict[str, Any], ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    strangers: frozenset[RecordId] = frozenset()
    absent: frozenset[RecordId] = frozenset()
    missing: bool = False
    pagination: Pagination | None = None
    meta: Meta
    server_time: datetime | None = None
    timing: Timing | None = field(default=None, compare=False)


def decipher(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Make sense of an answer.

    Args:
        headers: response headers, names in lower case.

    Raises:
        XeroError: one of ``xero_api.errors``, by status and body. A single read that brings something else than its record
            is an error too: it proves nothing, and says nothing that could be recorded.
    """
    meta, subject = read_meta(headers), SUBJECTS[request.form]
    match meaning(status, mark_of(meta, b"" if status == HTTPStatus.OK else body), subject):
        case Good.TAKEN:
            try:
                document = decode(body)
            except ValueError as error:
                raise _garbled(meta, body) from error
            return answer_of(request, meta, document, body)
        case Good.EMPTY:
            return Answer(request=request, meta=meta)
        case Good.ABSENT:
            return Answer(request=request, meta=meta, absent=request.asked or frozenset(), missing=True)
        case _:
            raise error_of(request.endpoint, status, headers, body, subject)


def decipher_in_steps(
    request: Request, status: int, headers: Mapping[str, str], body: bytes
) -> Generator[None, None, Answer]:
    """The same as :func:`decipher`, with pauses while a big body is read.

    Args:
        headers: response headers, names in lower case.

    Yields:
        Nothing, at each pause.

    Returns:
        The answer.

    Raises:
        XeroError: as :func:`decipher`.
    """
    if status != HTTPStatus.OK or len(body) < _BIG:
        return decipher(request, status, headers, body)
    meta = read_meta(headers)
    try:
        document = yield from decode_in_steps(body, request.entity.list_key)
    except ValueError as error:
        raise _garbled(meta, body) from error
    return answer_of(request, meta, document, body)


def _garbled(meta: Meta, body: bytes) -> GarbledAnswerError:
    return GarbledAnswerError(f"the answer is not valid JSON ({len(body)} bytes)", status=200, meta=meta)


def answer_of(request: Request, meta: Meta, document: Any, body: bytes, broken: Sequence[Unreadable] = ()) -> Answer:
    """The answer that a document is.

    Args:
        meta: what the headers say.
        document: the body, decoded.
        body: the body, for the error.
        broken: elements that are not in the document because our code failed on them.

    Raises:
        XeroError: it has not the promised shape.
    """
    items = document.get(request.entity.list_key) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise other_shape(f"{request.endpoint}: no list {request.entity.list_key} in the answer", 200, meta, body)
    records, unreadable, seen = [], [], set()
    strangers: set[RecordId] = set()
    for index, item in enumerate(items):
        record_id = request.entity.id_of(item) if isinstance(item, dict) else None
        if record_id is None:
            reason = "no id" if isinstance(item, dict) else "no object"
            unreadable.append(Unreadable(index=index, reason=reason, value=item))
        elif request.asked is not None and record_id not in request.asked:
            strangers.add(record_id)
        else:
            seen.add(record_id)
            records.append(item)
    seen |= {one.record_id for one in broken if one.record_id is not None}
    if request.form is Form.ONE and not records and not broken:
        if not items:
            raise GarbledAnswerError(f"{request.endpoint}: the answer is an empty list", status=200, meta=meta)
        message = f"{request.endpoint}: the answer does not hold the record that was asked for"
        raise other_shape(message, 200, meta, body)
    return Answer(
        request=request,
        records=tuple(records),
        unreadable=(*unreadable, *broken),
        strangers=frozenset(strangers),
        absent=(request.asked or frozenset()) - seen,
        pagination=_pagination(document.get("pagination")),
        meta=meta,
        server_time=_moment(document.get("DateTimeUTC")),
    )


def error_of(
    endpoint: str, status: int, headers: Mapping[str, str], body: bytes, subject: Subject = Subject.LIST
) -> XeroError:
    """The error an answer stands for.

    Args:
        endpoint: what was asked, for the message.
        status: HTTP status, not a good one.
        headers: response headers, names in lower case.
        body: the body, of any kind.
    """
    meta = read_meta(headers)
    kind = error_class(status, mark_of(meta, body), subject)
    if issubclass(kind, RateLimitedError):
        limit = limit_kind(headers.get("x-rate-limit-problem"), meta)
        return kind(f"{endpoint}: {limit} limit", limit=limit, status=status, meta=meta)
    word = problem_word(body)
    told = f"{endpoint}: {status}" + (f" {word}" if word else "")
    if issubclass(kind, InterceptedError):
        told += ", answered by something between here and Xero"
    return kind(told, status=status, meta=meta, body=body if issubclass(kind, RejectedError) else b"")


def other_shape(message: str, status: int, meta: Meta, body: bytes) -> XeroError:
    """The error for JSON that has not the promised shape: Xero's, if the answer has its mark, else a stranger's.

    Args:
        status: HTTP status, a good one.
        meta: what the headers say.
    """
    if meta.xeros:
        return UnmappableAnswerError(message, status=status, meta=meta, body=body)
    return InterceptedError(f"{message}, nor a mark of Xero's", status=status, meta=meta)


def limit_kind(problem: str | None, meta: Meta = NO_META) -> LimitKind:
    """Which limit a 429 is about.

    Where the header has no word that is known, the other headers decide: a limit with nothing left of it, else a wait that is
    longer than a minute (only a day lasts so long), else whether there is a ``Retry-After`` at all (Xero sends it for minute and
    day only: https://developer.xero.com/documentation/guides/oauth2/limits).

    Args:
        problem: ``X-Rate-Limit-Problem``; its spelling varies (``minute``, ``Minute``, ``day``, ``Daily``).
        meta: what the other headers say.
    """
    lowered = (problem or "").strip().lower()
    for prefix, kind in _LIMIT_WORDS:
        if lowered.startswith(prefix):
            return kind
    limits, wait = meta.limits, meta.retry_after
    if limits.day == 0 or (wait is not None and wait > _LONGEST_MINUTE):
        return LimitKind.DAY
    if limits.app_minute == 0:
        return LimitKind.APP
    return LimitKind.CONCURRENT if wait is None and limits.minute != 0 else LimitKind.MINUTE


_LIMIT_WORDS = (
    ("min", LimitKind.MINUTE),
    ("da", LimitKind.DAY),
    ("app", LimitKind.APP),
    ("con", LimitKind.CONCURRENT),
)
_LONGEST_MINUTE = 60.0


def problem_word(body: bytes) -> str | None:
    """The problem's name in an error body, if it is one of a kind that holds nothing private.

    Args:
        body: the body, of any kind.
    """
    fields = error_fields(body)
    for key in ("detail", "type", "title"):
        value = fields.get(key)
        if isinstance(value, str) and _WORD.fullmatch(value):
            return value
    return None


def _pagination(value: Any) -> Pagination | None:
    if not isinstance(value, dict):
        return None
    numbers = [value.get(key) for key in ("page", "pageSize", "pageCount", "itemCount")]
    counts = [number for number in numbers if isinstance(number, int) and number >= 0]
    if len(counts) < len(numbers):
        return None
    page, page_size, page_count, item_count = counts
    return Pagination(page=page, page_size=page_size, page_count=page_count, item_count=item_count)


def _moment(value: Any) -> datetime | None:
    return parse_moment(value) if isinstance(value, str) else None
