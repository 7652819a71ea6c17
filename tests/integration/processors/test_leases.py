"""Leases on the real PostgreSQL: who owns a partition, and what a new owner finds or opens."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from processors.intake.transaction import events_lost
from processors.relay.recover import store_rolled_back
from xero_stream.contracts.names import STREAMED, TenantId
from xero_stream.store import calls, intake_offsets, positions, tenants
from xero_stream.store.leases import FencedError, Lease, holds, release
from xero_stream.store.ownership import take
from xero_stream.store.queries.tenants import with_work

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")


@pytest.fixture
async def loaded(pool: "asyncpg.Pool[Any]", lease: Lease) -> Lease:
    """The lease, and one organisation of its partition that was loaded, one of another partition."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", UUID(int=1)
    )
    for tenant, partition in ((TENANT, lease.partition), ("elsewhere", 2)):
        await pool.execute(
            "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, $3)",
            tenant,
            UUID(int=1),
            partition,
        )
        await pool.execute(
            "INSERT INTO passes (tenant_id, entity, kind, partition, finished_at) VALUES ($1, 'invoices', 'backfill', $2, now())",
            tenant,
            partition,
        )
    return lease


async def passes(pool: "asyncpg.Pool[Any]") -> list[tuple[str, datetime | None, bool]]:
    """Catch-ups: whose, since when, whether they are to be done."""
    rows = await pool.fetch("SELECT * FROM passes WHERE kind = 'catch_up'")
    return [(row["tenant_id"], row["since"], row["finished_at"] is None) for row in rows]


async def test_a_new_owner_finds_where_the_last_one_stood(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Offset, receipt, position and mark; whether it was given up or taken away."""
    await pool.execute("UPDATE intake_offsets SET next_offset = 42, received_at = $1 WHERE partition = 1", T)
    await pool.execute("UPDATE positions SET position = 9 WHERE partition = 1")
    await pool.execute("UPDATE relay_marks SET position = 7 WHERE partition = 1")

    taken = await take(pool, 1, "second")
    assert (taken.next_offset, taken.received_at, taken.position, taken.mark) == (42, T, 9, 7)
    assert taken.epoch == lease.epoch + 1
    assert not taken.clean

    await release(pool, taken)
    assert (await take(pool, 1, "third")).clean


async def test_the_previous_owner_gives_up_nothing_of_the_next(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """It holds nothing any more, and its release is about its own epoch."""
    new = await take(pool, lease.partition, "second")

    assert not await holds(pool, lease)
    await release(pool, lease)

    assert await holds(pool, new)
    row = await pool.fetchrow("SELECT owner, released FROM leases WHERE partition = 1")
    assert tuple(row) == ("second", False)


async def test_the_previous_owner_moves_no_offset_and_makes_no_call(pool: "asyncpg.Pool[Any]", loaded: Lease) -> None:
    """Calls are written down under the lease before they are sent: a zombie spends no quota."""
    await calls.started(pool, loaded, TENANT, 1, T)
    await take(pool, loaded.partition, "second")

    with pytest.raises(FencedError):
        await intake_offsets.reset(pool, loaded, 5)
    with pytest.raises(FencedError):
        await store_rolled_back(pool, loaded, 5, {})
    with pytest.raises(FencedError):
        await calls.started(pool, loaded, TENANT, 2, T)

    assert await pool.fetchval("SELECT count(*) FROM calls") == 1
    assert await passes(pool) == []


async def test_a_store_rollback_jumps_and_reads_everything_again(pool: "asyncpg.Pool[Any]", loaded: Lease) -> None:
    """Of its own partition only: position, mark and last positions are Kafka's; ids will be others than before."""
    before = await pool.fetch("SELECT partition, incarnation FROM positions ORDER BY partition")
    stored = b'{"xero.changes.a": 4, "xero.changes.b": 5, "xero.changes.c": 14}'
    await pool.execute("UPDATE positions SET position = 5, heads = $1 WHERE partition = 1", stored)

    assert await store_rolled_back(pool, loaded, 12, {"xero.changes.b": 12}) == 1

    after = await pool.fetch("SELECT partition, incarnation FROM positions ORDER BY partition")
    assert [one["incarnation"] != other["incarnation"] for one, other in zip(before, after, strict=True)] == [
        False,
        True,
        False,
    ]
    row = await pool.fetchrow("SELECT position, heads FROM positions WHERE partition = 1")
    assert row["position"] == 12
    # The store's own where Kafka has none any more, but never one that Kafka can't have seen.
    assert await positions.by_topic(pool, 1) == {"xero.changes.a": 4, "xero.changes.b": 12}
    assert await pool.fetchval("SELECT position FROM relay_marks WHERE partition = 1") == 12
    assert await passes(pool) == [(TENANT, None, True)]


async def test_lost_events_open_a_catch_up_from_the_earliest_moment(pool: "asyncpg.Pool[Any]", loaded: Lease) -> None:
    """Joined to one that is not done it begins where the earlier of both does; a finished one starts again."""
    day = timedelta(days=1)
    await events_lost(pool, loaded, T)
    await events_lost(pool, loaded, T + day)
    assert await passes(pool) == [(TENANT, T, True)]

    await events_lost(pool, loaded, T - day)
    assert await passes(pool) == [(TENANT, T - day, True)]

    await events_lost(pool, loaded, None)
    await events_lost(pool, loaded, T)
    assert await passes(pool) == [(TENANT, None, True)], "everything is more than since a moment"

    await pool.execute("UPDATE passes SET finished_at = now() WHERE kind = 'catch_up'")
    await events_lost(pool, loaded, T)
    assert await passes(pool) == [(TENANT, T, True)]


async def test_a_parked_organisation_has_no_work_before_its_time(pool: "asyncpg.Pool[Any]", loaded: Lease) -> None:
    """Nor has one that is not connected; a longer wait is not shortened by a shorter one."""
    await pool.execute("UPDATE passes SET finished_at = NULL")
    assert await with_work(pool, loaded.partition, STREAMED, T) == [TENANT]

    await tenants.park(pool, TENANT, T + timedelta(hours=2), "day")
    await tenants.park(pool, TENANT, T + timedelta(hours=1), "offline")
    assert await with_work(pool, loaded.partition, STREAMED, T + timedelta(minutes=119)) == []
    assert await with_work(pool, loaded.partition, STREAMED, T + timedelta(hours=2)) == [TENANT]

    assert await tenants.suspend(pool, TENANT, "needs_reauth", 0)
    assert await with_work(pool, loaded.partition, STREAMED, T + timedelta(hours=2)) == []


@pytest.mark.parametrize("half_said", [False, True])
async def test_a_frozen_owners_transaction_is_ended(pool: "asyncpg.Pool[Any]", lease: Lease, half_said: bool) -> None:
    """Whether it is idle or in the middle of a statement, it keeps the next owner waiting for seconds, not for its time-out."""
    frozen = await pool.acquire()
    transaction = frozen.transaction()
    await transaction.start()
    await frozen.fetch("SELECT 1 FROM positions WHERE partition = 1 FOR UPDATE")
    if half_said:
        # As asyncpg does for a statement it does not know yet: Parse, Describe, Flush. Then nothing more comes.
        statement = b"\0SELECT 1\0\0\0"
        message = b"P" + (len(statement) + 4).to_bytes(4, "big") + statement + b"H\0\0\0\4"
        frozen._con._transport.write(message)

    async with asyncio.timeout(8):
        taken = await take(pool, 1, "second")

    assert taken.epoch == lease.epoch + 1
