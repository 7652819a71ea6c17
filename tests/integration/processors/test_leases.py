"""Leases on the real PostgreSQL: one owner, and what a new one finds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from processors.partitions.store import FencedError, Lease, events_lost, holds, release, store_went_back, take

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT = "11111111-1111-1111-1111-111111111111"


async def test_a_new_owner_raises_the_epoch_everywhere(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Four rows, one epoch: whoever names an older one is turned away at each."""
    taken = await take(pool, lease.partition, "another")

    assert taken.epoch == lease.epoch + 1
    assert not taken.clean
    assert not await holds(pool, lease)
    for table in ("leases", "intake_offsets", "positions", "relay_marks"):
        assert await pool.fetchval(f"SELECT epoch FROM {table} WHERE partition = 1") == taken.epoch


async def test_a_release_is_only_ones_own(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """A late release of the previous owner leaves the new one alone."""
    taken = await take(pool, lease.partition, "another")
    await release(pool, lease)
    assert await holds(pool, taken)
    assert await pool.fetchval("SELECT owner FROM leases WHERE partition = 1") == "another"

    await release(pool, taken)
    assert (await take(pool, lease.partition, "third")).clean


async def connect(pool: "asyncpg.Pool[Any]") -> None:
    """A loaded tenant of partition 1."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    grant = await pool.fetchval(
        "INSERT INTO grants (grant_id, app, kind) VALUES (gen_random_uuid(), 'default', 'client_credentials') "
        "RETURNING grant_id"
    )
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, 1)", TENANT, grant
    )
    await pool.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition, finished_at) "
        "VALUES ($1, 'invoices', 'backfill', 1, now())",
        TENANT,
    )


async def test_a_store_that_went_back_jumps_and_reads_everything_again(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Positions are never given out twice; no position is skipped silently."""
    await connect(pool)
    assert await store_went_back(pool, lease, 500) == 1

    assert await pool.fetchval("SELECT position FROM positions WHERE partition = 1") == 500
    assert await pool.fetchval("SELECT position FROM relay_marks WHERE partition = 1") == 500
    row = await pool.fetchrow("SELECT kind, since FROM passes WHERE finished_at IS NULL")
    assert tuple(row) == ("catch_up", None)

    await take(pool, lease.partition, "another")
    with pytest.raises(FencedError):
        await store_went_back(pool, lease, 900)


async def test_passes_that_join_begin_at_the_earlier_moment(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Everything is the earliest of all; a finished pass begins anew."""
    await connect(pool)

    async def since() -> datetime | None:
        found: datetime | None = await pool.fetchval("SELECT since FROM passes WHERE kind = 'catch_up'")
        return found

    await events_lost(pool, lease, T)
    await events_lost(pool, lease, T + timedelta(days=1))
    assert await since() == T
    await events_lost(pool, lease, None)
    assert await since() is None
    await events_lost(pool, lease, T)
    assert await since() is None
    await pool.execute("UPDATE passes SET finished_at = now()")
    await events_lost(pool, lease, T)
    assert await since() == T
