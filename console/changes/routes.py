"""``GET /v1/changes``: a page, a wait for the next change, or a stream of server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse

from console.access.caller import Caller, Reader
from console.changes.cursor import LONGEST, Cursor
from console.changes.feed import Feed, MissingError, Taken
from console.changes.wish import Wish, narrowed
from console.problem import ProblemError, invalid
from console.store import Store
from xero_stream.contracts.ids import tenant_id_of
from xero_stream.contracts.names import EntityName
from xero_stream.store.pool import STORE_ERRORS, StoreUnreachableError
from xero_stream.store.tenants import tenants

_STREAM = "text/event-stream"
_PAGE_BYTES = 4 * 1024 * 1024
_CHUNK, _CHUNK_BYTES = 200, 256 * 1024
"""A stream holds no more than this for a reader that is slow, and one change."""
_RENEWED_EVERY = 5.0
_TOLD_EVERY = 15.0
_SEND_SECONDS = 60.0
_AFTER_ERROR = 1.0


class Op(StrEnum):
    """What happened to a record."""

    CREATED = "c"
    UPDATED = "u"
    DELETED = "d"
    READ = "r"


class From(StrEnum):
    """Where a reader without a cursor begins."""

    EARLIEST = "earliest"
    LATEST = "latest"


class Changes(BaseModel):
    """Changes in order: each partition's in the order of its positions."""

    changes: Sequence[dict[str, Any]] = Field(description="Change events, byte for byte as on Kafka.")
    cursor: str = Field(description="Where to go on.", examples=["0:152,1:98,2:0"])
    more: bool = Field(description="Whether there is more at once.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """What was asked for, before it is known which organisations that is now."""

    tenants: frozenset[str] | None
    customer_ref: str | None
    entities: frozenset[EntityName] | None
    ops: frozenset[str] | None


Cursors = Annotated[
    str | None, Query(max_length=LONGEST, description="Where to go on: `cursor` of the answer before. Default: `from`.")
]
Froms = Annotated[
    From, Query(alias="from", description="Without a cursor: from the oldest change, or after the newest.")
]
Waits = Annotated[float, Query(ge=0, le=20, description="Seconds to wait for a change where there is none yet.")]
Limits = Annotated[int, Query(ge=1, le=1000, description="Changes of a page at most; fewer where they are large.")]
TenantIds = Annotated[list[str] | None, Query(max_length=100, description="Only these organisations; may be repeated.")]
Customer = Annotated[str | None, Query(max_length=200, description="Only the organisations of this customer.")]
Entities = Annotated[list[EntityName] | None, Query(max_length=100, description="Only these; may be repeated.")]
Ops = Annotated[
    list[Op] | None,
    Query(max_length=10, description="Only these: c created, u updated, d deleted, r read; may be repeated."),
]
LastId = Annotated[
    str | None, Header(max_length=LONGEST, description="Of a stream: where to go on; wins over `cursor`.")
]


class ChangeRoutes:
    """The feed over HTTP."""

    def __init__(self, store: Store, feed: Feed) -> None:
        """Nothing is read yet.

        Args:
            store: where organisations are.
            feed: the changes.
        """
        self._store, self._feed = store, feed

    def add_to(self, router: APIRouter) -> None:
        """Declare the route.

        Args:
            router: of the API.
        """
        gone = "Changes behind the cursor are gone, or the store was rolled back; continue at `resume`."
        router.add_api_route(
            "/v1/changes",
            self.changes,
            tags=["changes"],
            responses={
                200: {"model": Changes, "content": {_STREAM: {"schema": {"type": "string"}}}},
                410: {
                    "description": gone,
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
        )

    async def changes(
        self,
        request: Request,
        caller: Reader,
        cursor: Cursors = None,
        start: Froms = From.EARLIEST,
        wait: Waits = 0,
        limit: Limits = 100,
        tenant: TenantIds = None,
        customer_ref: Customer = None,
        entity: Entities = None,
        op: Ops = None,
        last_event_id: LastId = None,
    ) -> Response:
        """Read changes: a page, or with `Accept: text/event-stream` a stream that goes on.

        Only what is on Kafka is shown. Filters may change from page to page: the cursor counts every change. A stream's events have the
        cursor as `id` and the change event as `data`; an `id` alone only moves the cursor.
        """
        wanted = _Filter(
            tenants=_tenant_ids(caller, tenant),
            customer_ref=customer_ref,
            entities=frozenset(entity) if entity else None,
            ops=frozenset(op) if op else None,
        )
        streams = _STREAM in request.headers.get("Accept", "")
        text = last_event_id if streams and last_event_id else cursor
        begun, found = await self._feed.begin(text, latest=start is From.LATEST)
        wish = await self._wish(caller, wanted)
        if streams:
            events = self._events(begun, caller, wanted, wish)
            return EventSourceResponse(events, ping=int(_TOLD_EVERY), send_timeout=_SEND_SECONDS)
        marks = {partition: end.mark for partition, end in found.items()}
        taken = await self._feed.page(begun, wish, marks, most=limit, most_bytes=_PAGE_BYTES)
        if not taken.changes and wait:
            taken, marks = await self._waited(taken, wish, marks, limit, wait)
        return _page(taken, marks)

    async def _wish(self, caller: Caller, wanted: _Filter) -> Wish:
        of_customer = None
        if wanted.customer_ref is not None:
            of_customer = frozenset(
                one.tenant_id for one in await tenants(self._store.pool) if one.customer_ref == wanted.customer_ref
            )
        return Wish(
            tenants=narrowed(caller.tenant_ids, wanted.tenants, of_customer), entities=wanted.entities, ops=wanted.ops
        )

    async def _waited(
        self, taken: Taken, wish: Wish, marks: dict[int, int], limit: int, wait: float
    ) -> tuple[Taken, dict[int, int]]:
        """The next changes, or none when the time is over."""
        tail, until = self._feed.tail, time.monotonic() + wait
        with tail.reader():
            resets = tail.resets
            while not taken.changes and not tail.closed and (left := until - time.monotonic()) > 0:
                grown = tail.grown()
                marks = {partition: max(mark, tail.mark(partition)) for partition, mark in marks.items()}
                taken = await self._feed.page(taken.cursor, wish, marks, most=limit, most_bytes=_PAGE_BYTES)
                if not taken.progressed and not await _within(grown, left):
                    break
                if tail.resets != resets:
                    await self._feed.check(taken.cursor)
                    resets = tail.resets
        return taken, marks

    async def _events(self, cursor: Cursor, caller: Caller, wanted: _Filter, wish: Wish) -> AsyncIterator[bytes]:
        """Events until the caller leaves, its key ends, the console stops, or the log is not what it was."""
        tail = self._feed.tail
        told, renewed = cursor, time.monotonic()
        told_at = renewed
        yield _moved(cursor)
        with tail.reader():
            resets = tail.resets
            while not tail.closed and tail.resets == resets:
                grown, now = tail.grown(), time.monotonic()
                try:
                    if now - renewed >= _RENEWED_EVERY:
                        caller = await caller.renew()
                        wish, renewed = await self._wish(caller, wanted), now
                    marks = {partition: tail.mark(partition) for partition in cursor.positions}
                    taken = await self._feed.take(cursor, wish, marks, most=_CHUNK, most_bytes=_CHUNK_BYTES)
                except (ProblemError, MissingError):
                    return  # the next request is told why
                except (StoreUnreachableError, *STORE_ERRORS):
                    await asyncio.sleep(_AFTER_ERROR)
                    continue
                cursor = taken.cursor
                if taken.changes:
                    told, told_at = taken.changes[-1][0], now
                    yield b"".join(_event(at, value) for at, value in taken.changes)
                if str(cursor) != str(told) and now - told_at >= _TOLD_EVERY:
                    told, told_at = cursor, now
                    yield _moved(cursor)
                if not taken.progressed:
                    await _within(grown, _RENEWED_EVERY)


def _tenant_ids(caller: Caller, named: Sequence[str] | None) -> frozenset[str] | None:
    if not named:
        return None
    found = frozenset(tenant_id for one in named if (tenant_id := tenant_id_of(one)) is not None)
    if len(found) != len({one.lower().strip("{}") for one in named}):
        raise invalid("tenant: not a tenant id of Xero's (a GUID).")
    for one in found:
        caller.require(one)
    return found


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _page(taken: Taken, marks: dict[int, int]) -> Response:
    more = any(position < marks[partition] for partition, position in taken.cursor.positions.items())
    body = b'{"changes":[%b],"cursor":"%b","more":%b}' % (
        b",".join(value for _, value in taken.changes),
        str(taken.cursor).encode(),
        b"true" if more else b"false",
    )
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _event(cursor: Cursor, value: bytes) -> bytes:
    # JSON has no line break inside; one between its parts would end the field (HTML standard, 9.2.6).
    data = value if b"\n" not in value and b"\r" not in value else b" ".join(value.splitlines())
    return b"id: %b\nevent: change\ndata: %b\n\n" % (str(cursor).encode(), data)


def _moved(cursor: Cursor) -> bytes:
    """An id without data: the reader's cursor moves, and it sees no event."""
    return b"id: %b\n\n" % str(cursor).encode()
