"""What Xero answered: records, pages and limits, or a typed error. Pure.

The status is judged before the body is read: anything but a 200 may be JSON, HTML, XML or empty.
"""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from xero_api.dates import parse_moment
from xero_api.decode import decode, decode_in_steps
from xero_api.entity import Form
from xero_api.errors import (
    BadRequestError,
    DisconnectedError,
    GarbledAnswerError,
    LimitKind,
    MisdirectedError,
    OfflineError,
    RateLimitedError,
    RejectedError,
    ServerError,
    UnauthorisedError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.meta import NO_META, Meta, read_meta
from xero_api.requests import Request
from xero_stream.contracts.names import RecordId

_BIG = 128 * 1024
"""Bytes from which a body is read in steps."""

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
        value: the element.
    """

    index: int
    reason: str
    value: Any


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
        request: what was asked.
        status: HTTP status.
        headers: response headers, names in lower case.
        body: the whole body.

    Raises:
        XeroError: one of ``xero_api.errors``, by status and body. A single read that brings something else than its record
            is an error too: it proves nothing, and says nothing that could be recorded.
    """
    meta = read_meta(headers)
    if status == HTTPStatus.OK:
        try:
            document = decode(body)
        except ValueError as error:
            raise _garbled(meta, body) from error
        return _answer(request, meta, document, body)
    if status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED} and request.form is Form.PAGE:
        return Answer(request=request, meta=meta)
    if status == HTTPStatus.NOT_FOUND and request.form is Form.ONE and meta.xeros:
        return Answer(request=request, meta=meta, absent=request.asked or frozenset(), missing=True)
    raise error_of(request.endpoint, status, headers, body)


def decipher_in_steps(
    request: Request, status: int, headers: Mapping[str, str], body: bytes
) -> Generator[None, None, Answer]:
    """The same as :func:`decipher`, with pauses while a big body is read.

    Args:
        request: what was asked.
        status: HTTP status.
        headers: response headers, names in lower case.
        body: the whole body.

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
    return _answer(request, meta, document, body)


def _garbled(meta: Meta, body: bytes) -> GarbledAnswerError:
    return GarbledAnswerError(f"the answer is no JSON ({len(body)} bytes)", status=200, meta=meta)


def _answer(request: Request, meta: Meta, document: Any, body: bytes) -> Answer:
    items = document.get(request.entity.list_key) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise UnmappableAnswerError(
            f"{request.endpoint}: no list {request.entity.list_key} in the answer", status=200, meta=meta, body=body
        )
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
    if request.form is Form.ONE and not records:
        if not items:
            raise GarbledAnswerError(f"{request.endpoint}: the answer is an empty list", status=200, meta=meta)
        message = f"{request.endpoint}: the answer does not hold the record that was asked for"
        raise UnmappableAnswerError(message, status=200, meta=meta, body=body)
    return Answer(
        request=request,
        records=tuple(records),
        unreadable=tuple(unreadable),
        strangers=frozenset(strangers),
        absent=(request.asked or frozenset()) - seen,
        pagination=_pagination(document.get("pagination")),
        meta=meta,
        server_time=_moment(document.get("DateTimeUTC")),
    )


def error_of(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> XeroError:
    """The error an answer stands for.

    Args:
        endpoint: what was asked, for the message.
        status: HTTP status, not a good one.
        headers: response headers, names in lower case.
        body: the body, of any kind.
    """
    meta = read_meta(headers)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = limit_kind(headers.get("x-rate-limit-problem"), meta)
        return RateLimitedError(f"{endpoint}: {kind} limit", limit=kind, status=status, meta=meta)
    word = problem_word(body)
    kind_of_error = _class_for(status, meta)
    kept = body if issubclass(kind_of_error, RejectedError) else b""
    return kind_of_error(f"{endpoint}: {status}" + (f" {word}" if word else ""), status=status, meta=meta, body=kept)


_BY_STATUS: dict[int, type[XeroError]] = {
    401: UnauthorisedError,
    403: DisconnectedError,
    408: ServerError,
    501: BadRequestError,
    503: OfflineError,
}


def _class_for(status: int, meta: Meta) -> type[XeroError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == HTTPStatus.NOT_FOUND and not meta.xeros:
        return MisdirectedError  # Xero's own 404 to a list means a query it finds too long; this one is somebody else's
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return BadRequestError if status >= HTTPStatus.BAD_REQUEST else MisdirectedError


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
    try:
        document = decode(body[:100_000])
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    fields = {key.lower(): value for key, value in document.items()}
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
