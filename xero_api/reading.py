"""Reading as a library does it: records by id, and lists, typed by the row: ``get(INVOICES, id)`` gives an ``Invoice``.

The shell over ``requests`` and ``passes``. It sends one call at a time and repeats none, but for a page that took too
long, which is asked for again in halves. Limits are the caller's: ``XeroError`` says what to do about each.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from xero_api.answers import Answer
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.entity import Entity, Full, Whole
from xero_api.errors import InvalidRecordError, TimedOutError
from xero_api.paging import Done
from xero_api.passes import Place, begin, go_on, smaller
from xero_api.requests import PAGE_SIZE, Request, get_all, get_ids, get_one, xeros_id
from xero_stream.contracts.names import AppName, RecordId, TenantId
from xero_stream.contracts.records.common import Record

R = TypeVar("R", bound=Record)
_AT_ONCE = 20
"""Records mapped between two turns of the loop."""


class Send(Protocol):
    """Whoever makes the calls: the client, or the client behind a budget."""

    async def __call__(self, request: Request) -> Answer:
        """Make a call.

        Raises:
            XeroError: see ``xero_api.errors``.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[R]):
    """A record.

    Attributes:
        record: as we write it.
        raw: as Xero sent it; nothing is left out.
    """

    record: R
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """A record that can't be mapped; the others can.

    Attributes:
        raw: as Xero sent it.
        error: what is wrong with it.
    """

    raw: Any
    error: InvalidRecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[R]):
    """A part of a list.

    Attributes:
        found: its records, in Xero's order.
        unmapped: what can't be mapped.
        then: where the pass goes on, or what it reached. Begin there to take it up again.
    """

    found: tuple[Found[R], ...]
    unmapped: tuple[Unmapped, ...]
    then: Place | Done

    @property
    def records(self) -> tuple[R, ...]:
        """The records alone."""
        return tuple(one.record for one in self.found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Many(Generic[R]):
    """Records asked for by id.

    Attributes:
        found: those that came, by id.
        absent: those that didn't. That proves nothing unless they were read one by one or with the whole list.
        unmapped: what can't be mapped.
    """

    found: Mapping[RecordId, Found[R]]
    absent: frozenset[RecordId]
    unmapped: tuple[Unmapped, ...]


class Reader:
    """Reads the records of one organisation."""

    def __init__(self, send: Send, tenant_id: TenantId) -> None:
        """Read through a client or a budget.

        Args:
            send: makes the calls, for this organisation.
            tenant_id: the organisation: part of every record.
        """
        self._send = send
        self._tenant_id = tenant_id

    async def get(self, entity: Entity[R], record_id: RecordId, **filters: str) -> R | None:
        """One record, or None if Xero has none of this id.

        Args:
            record_id: its id, in lower case.
            filters: the months of a budget (``DateFrom``, ``DateTo``).

        Raises:
            ValueError: the entity can't be read so.
            InvalidRecordError: the record can't be mapped.
            XeroError: see ``xero_api.errors``.
        """
        if _listed(entity):
            many = await self._from_list(entity, (record_id,))
            if many.unmapped:
                raise many.unmapped[0].error
            return many.found[record_id].record if record_id in many.found else None
        answer = await self._send(get_one(entity, record_id, filters))
        if answer.missing:
            return None
        return self._found(entity, answer.records[0]).record

    async def get_many(self, entity: Entity[R], record_ids: Iterable[RecordId]) -> Many[R]:
        """Records by id, in as few calls as Xero allows.

        Args:
            record_ids: their ids, in lower case.

        Raises:
            TypeError: one id instead of several.
            ValueError: the entity can't be read so, or an id is none.
            XeroError: see ``xero_api.errors``.
        """
        if isinstance(record_ids, str):
            raise TypeError("record_ids is one str: give a list, [record_id], or use get(…)")
        ids = tuple(dict.fromkeys(record_ids))
        if _listed(entity) or (isinstance(entity.paging, Whole) and entity.full is not Full.SINGLY and len(ids) > 1):
            return await self._from_list(entity, ids)
        by_ids = entity.by_ids
        ask: Callable[[Sequence[RecordId]], Request] = (
            partial(get_ids, entity) if by_ids else lambda few: get_one(entity, few[0])
        )
        answers = [await self._send(ask(few)) for few in _batches(ids, by_ids.limit if by_ids else 1)]
        return await self._many(
            entity, ids, [raw for answer in answers for raw in answer.records], _unreadable(answers)
        )

    async def pages(
        self,
        entity: Entity[R],
        *,
        since: datetime | None = None,
        filters: Mapping[str, str] | None = None,
        start: Place | Done | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Page[R], None]:
        """All records, or all that changed, whole ones always; oldest change first where Xero can.

        Nothing is missed while records change; one that changes meanwhile may come twice, or with the next pass only.

        Args:
            since: only what changed at or after this aware moment; where Xero can't tell, that is refused.
            filters: which records, in Xero's parameters: some of ``entity.filters``.
            start: where an earlier pass was left (``Page.then``); instead of ``since``.
            page_size: most records a call.

        Yields:
            One page a call.

        Raises:
            ValueError: the entity has no such filter, or can't be read since a moment; ``since`` has no time zone, or
                ``start`` is the end of a pass.
            PagingError: Xero ignored a parameter.
            XeroError: see ``xero_api.errors``.
        """
        if type(start) is Done:
            raise ValueError("start is the end of a pass that is done; the next one begins with since=done.reached")
        filters = filters or {}
        place: Place | Done = start or begin(entity, since)
        while not isinstance(place, Done):
            try:
                answer = await self._send(place.request(entity, page_size, filters))
            except TimedOutError:
                less = smaller(entity, place, page_size)
                if less is None:
                    raise
                place, page_size = less
                continue
            place = go_on(place, answer)
            raws = await self._whole(entity, answer, filters)
            found, unmapped = await self._mapped(entity, raws, _unreadable([answer]))
            yield Page(found=found, unmapped=unmapped, then=place)

    async def _whole(self, entity: Entity[Any], answer: Answer, filters: Mapping[str, str]) -> Sequence[dict[str, Any]]:
        """The records of a list; where it gives summaries, each read by itself."""
        if entity.full is not Full.SINGLY:
            return answer.records
        months = {name: value for name, value in filters.items() if name != "where"}
        ids = [record_id for raw in answer.records if (record_id := entity.id_of(raw))]
        answers = [await self._send(get_one(entity, record_id, months)) for record_id in ids]
        return [raw for one in answers for raw in one.records]

    async def _from_list(self, entity: Entity[R], ids: Sequence[RecordId]) -> Many[R]:
        wanted = {record_id for record_id in ids if xeros_id(entity.key, record_id, entity.name)}
        answer = await self._send(get_all(entity))
        return await self._many(entity, ids, [raw for raw in answer.records if entity.id_of(raw) in wanted], ())

    def _found(self, entity: Entity[R], raw: dict[str, Any]) -> Found[R]:
        return Found(record=entity.model.model_validate(entity.unified(self._tenant_id, raw)), raw=raw)

    async def _mapped(
        self, entity: Entity[R], raws: Iterable[dict[str, Any]], unmapped: tuple[Unmapped, ...]
    ) -> tuple[tuple[Found[R], ...], tuple[Unmapped, ...]]:
        found: list[Found[R]] = []
        bad = list(unmapped)
        rest = iter(raws)
        while few := list(islice(rest, _AT_ONCE)):
            for raw in few:
                try:
                    found.append(self._found(entity, raw))
                except InvalidRecordError as error:
                    bad.append(Unmapped(raw=raw, error=error))
            await asyncio.sleep(0)  # a page of a thousand must not hold up everybody else
        return tuple(found), tuple(bad)

    async def _many(
        self,
        entity: Entity[R],
        ids: Sequence[RecordId],
        raws: Sequence[dict[str, Any]],
        unreadable: tuple[Unmapped, ...],
    ) -> Many[R]:
        found, unmapped = await self._mapped(entity, raws, unreadable)
        by_id = {record_id: one for one in found if (record_id := entity.id_of(one.raw))}
        came = {entity.id_of(raw) for raw in raws}
        return Many(found=by_id, absent=frozenset(ids) - came, unmapped=unmapped)


def reader(client: XeroClient, app: AppName, tenant_id: TenantId, *, priority: Priority = Priority.COMMAND) -> Reader:
    """A reader that calls Xero at once, without a budget.

    Args:
        priority: why; for the call records.
    """
    return Reader(partial(client.send, CallContext(app, tenant_id, priority)), tenant_id)


def _listed(entity: Entity[Any]) -> bool:
    """Whether records are only to be had with the whole list."""
    return entity.full is Full.LISTS and isinstance(entity.paging, Whole)


def _batches(ids: Sequence[RecordId], limit: int) -> list[Sequence[RecordId]]:
    return [ids[start : start + limit] for start in range(0, len(ids), limit)]


def _unreadable(answers: Sequence[Answer]) -> tuple[Unmapped, ...]:
    return tuple(
        Unmapped(raw=item.value, error=InvalidRecordError(answer.request.entity.id_field, item.reason))
        for answer in answers
        for item in answer.unreadable
    )
