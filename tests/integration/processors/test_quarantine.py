"""The quarantine on the real PostgreSQL: nothing is dropped, nothing is there twice, anything can go round again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from processors.intake.fold import Arrived, Refusal, Refused
from processors.partitions.store import Lease
from processors.quarantine.store import (
    LARGEST_LETTER,
    Kept,
    entries,
    entry,
    keep,
    keep_refused,
    published,
    resolve,
    retry,
    unpublished,
)
from xero_stream.contracts.dead_letter import Stage

TENANT = "11111111-1111-1111-1111-111111111111"


def kept(record: str = "r1", **fields: Any) -> Kept:
    """An invalid record."""
    given: dict[str, Any] = {
        "identity": f"{TENANT}/invoices/{record}",
        "stage": Stage.FETCH,
        "reason": "invalid_record",
        "error": "LineItems: expected a list",
        "source": f"invoices/{record}",
        "value": b'{"a":1}',
        "tenant_id": TENANT,
        "entity": "invoices",
        "record_id": record,
        **fields,
    }
    return Kept(**given)


async def put(pool: "asyncpg.Pool[Any]", one: Kept, partition: int = 1) -> UUID:
    """Keep something."""
    async with pool.acquire() as connection:
        return await keep(connection, partition, one)


async def test_the_same_failure_is_one_entry_with_its_last_bytes(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Counted, and open again if it was resolved meanwhile."""
    assert lease.partition == 1
    first = await put(pool, kept())
    await pool.execute("UPDATE quarantine SET state = 'resolved'")
    second = await put(pool, kept(value=b"later", error="Contact: expected an object"))

    assert first == second
    (found,) = await entries(pool)
    assert (found.attempts, found.state, found.value) == (2, "open", b"later")
    assert found.error == "Contact: expected an object"
    assert found.last_at >= found.first_at


async def test_text_that_postgres_refuses_is_kept_all_the_same(pool: "asyncpg.Pool[Any]") -> None:
    """A NUL, and words too long for an index; the bytes are untouched."""
    await put(pool, kept("r\x001", error="e\x00" * 2_000, source="s" * 5_000, value=b"\x00\xff"))

    (found,) = await entries(pool)
    assert found.record_id == "r\ufffd1"
    assert found.value == b"\x00\xff"
    assert len(found.error) == len(found.source) == 1_000


async def test_a_record_is_sent_round_again_and_resolved(pool: "asyncpg.Pool[Any]") -> None:
    """It is marked to be read alone, at once; whoever asks twice changes nothing."""
    identity = await put(pool, kept())

    assert await retry(pool, identity)
    assert not await retry(pool, identity)
    row = await pool.fetchrow("SELECT record_id, mode, partition, not_before < now() AS due FROM dirty")
    assert tuple(row) == ("r1", "alone", 1, True)
    found = await entry(pool, identity)
    assert found is not None
    assert found.state == "retrying"

    async with pool.acquire() as connection:
        await resolve(connection, TENANT, "invoices", ["r1", "another"])
    assert [one.id for one in await entries(pool, state="resolved")] == [identity]
    assert await entries(pool) == []


async def test_a_record_that_waits_for_its_time_is_read_at_once_when_asked(pool: "asyncpg.Pool[Any]") -> None:
    """Its mark is brought forward, not doubled."""
    identity = await put(pool, kept())
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before) "
        "VALUES ($1, 'invoices', 'r1', 1, now(), now(), now() + interval '1 hour')",
        TENANT,
    )

    assert await retry(pool, identity)

    assert await pool.fetchval("SELECT array_agg(not_before < now()) FROM dirty") == [True]


async def test_an_unreadable_event_names_no_record_to_read_again(pool: "asyncpg.Pool[Any]") -> None:
    """It is kept for a human."""
    arrived = Arrived(offset=3, key=b"k", value=b"\x00", appended_at=datetime(2026, 11, 22, tzinfo=UTC))
    async with pool.acquire() as connection:
        await keep_refused(connection, 1, [Refused(arrived=arrived, reason=Refusal.UNREADABLE_EVENT, error="E")], "t")

    (found,) = await entries(pool)
    assert found.source == "t/1@3"
    assert not await retry(pool, found.id)
    assert not await retry(pool, UUID(int=5))


async def test_letters_come_oldest_first_and_a_transaction_full_at_a_time(pool: "asyncpg.Pool[Any]") -> None:
    """The first always, however large; after it what fits; each once; of one partition."""
    sizes = [100, 1_500_000, 1_500_000, LARGEST_LETTER + 5, 100]
    names = [await put(pool, kept(f"r{place}", value=bytes(size))) for place, size in enumerate(sizes)]
    await put(pool, kept("other"), partition=2)
    for place, name in enumerate(names):
        await pool.execute("UPDATE quarantine SET first_at = now() + $2 WHERE id = $1", name, timedelta(seconds=place))

    got: list[list[int]] = []
    while letters := await unpublished(pool, 1):
        got.append([names.index(identity) for identity, _ in letters])
        await published(pool, [identity for identity, _ in letters])

    assert got == [[0, 1], [2], [3], [4]]
    assert await unpublished(pool, 1) == []
    assert len(await unpublished(pool, 2)) == 1
