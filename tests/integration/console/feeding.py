"""Changes as recorder and relay leave them in the store."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from tests.integration.console.conftest import PARTITION, A
from xero_stream.contracts.names import EntityName
from xero_stream.store.changes import ChangeRow, add


def value_of(partition: int, position: int, tenant_id: str, entity: str, op: str, pad: int = 0) -> bytes:
    """A change event, as far as readers look at it."""
    source = {"tenant_id": tenant_id, "entity": entity, "partition": partition, "position": position}
    return json.dumps({"op": op, "after": {"note": "ü" + "x" * pad}, "source": source}, ensure_ascii=False).encode()


@dataclass(slots=True)
class Log:
    """Writes changes."""

    pool: "asyncpg.Pool[Any]"

    async def record(
        self,
        *tenants: str,
        partition: int | None = None,
        entity: EntityName = EntityName.INVOICES,
        op: str = "u",
        pad: int = 0,
        days_ago: int = 0,
        connection: Any = None,
    ) -> list[bytes]:
        """Record a change of each organisation; in one transaction, or in that of a connection."""
        async with contextlib.AsyncExitStack() as stack:
            if connection is None:
                connection = await stack.enter_async_context(self.pool.acquire())
                await stack.enter_async_context(connection.transaction())
            rows = []
            now = await connection.fetchval("SELECT now() - make_interval(days => $1)", days_ago)
            for tenant_id in tenants:
                place = PARTITION[tenant_id] if partition is None else partition
                position = await connection.fetchval(
                    "UPDATE positions SET position = position + 1 WHERE partition = $1 RETURNING position", place
                )
                value = value_of(place, position, tenant_id, entity.value, op, pad)
                rows.append(
                    ChangeRow(
                        partition=place,
                        position=position,
                        recorded_at=now,
                        topic=f"test.changes.{entity.value}",
                        tenant_id=tenant_id,
                        entity=entity.value,
                        record_id="r",
                        op=op,
                        key=b"{}",
                        value=value,
                        headers=b"{}",
                        record=b"{}",
                        size=len(value),
                    )
                )
            await add(connection, rows)
            return [row.value for row in rows]

    async def relay(self, partition: int | None = None, position: int | None = None) -> None:
        """Everything recorded, or up to a position, is on Kafka."""
        await self.pool.execute(
            "UPDATE relay_marks m SET position = coalesce($2, p.position) FROM positions p "
            "WHERE p.partition = m.partition AND ($1::int IS NULL OR m.partition = $1)",
            partition,
            position,
        )


@dataclass(slots=True)
class Event:
    """An event of a stream; without data it only moves the cursor."""

    id: str
    data: bytes | None


async def events(answer: httpx.Response) -> AsyncIterator[Event]:
    """The events of a stream, pings left out."""
    identity, data = "", None
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            identity = line[4:]
        elif line.startswith("data: "):
            data = line[6:].encode()
        elif not line and identity:
            yield Event(identity, data)
            identity, data = "", None


async def read(client: httpx.AsyncClient, count: int, *, cursor: str | None = None, **params: Any) -> list[Event]:
    """The next events with data of a stream, which is left then."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": cursor} if cursor else {})}
    found: list[Event] = []
    async with client.stream("GET", "/v1/changes", headers=headers, params=params) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for event in events(answer):
            if event.data is not None:
                found.append(event)
            if len(found) == count:
                return found
    return found


async def read_all(client: httpx.AsyncClient, cursor: str | None = None, **params: Any) -> tuple[list[Any], str]:
    """Every change by pages, from a cursor to the end."""
    changes: list[Any] = []
    while True:
        given = {**params, **({} if cursor is None else {"cursor": cursor})}
        answer = await client.get("/v1/changes", params=given)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        changes += page["changes"]
        cursor = page["cursor"]
        if not page["more"]:
            return changes, page["cursor"]


def places(changes: Iterable[Any]) -> list[tuple[int, int]]:
    """Partition and position of each change."""
    return [(one["source"]["partition"], one["source"]["position"]) for one in changes]


def in_order(found: Sequence[tuple[int, int]]) -> bool:
    """Whether each partition's positions follow each other without gap or repetition, from their first on."""
    last: dict[int, int] = {}
    for partition, position in found:
        if last.setdefault(partition, position - 1) != position - 1:
            return False
        last[partition] = position
    return True


SOMEBODY = A
