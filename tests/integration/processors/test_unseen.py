"""Records that no read ever gave, on the real PostgreSQL: the hour's budget, and what becomes of the records beyond it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from processors.jobs.refresh.unseen import count, set_aside
from processors.tenants.unseen import UnseenCalls, limit_of
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.settings.xero import AppTier
from xero_stream.store.leases import Lease
from xero_stream.store.quarantine import entries
from xero_stream.store.tenants import load

T = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")
INVOICES = EntityName.INVOICES


@pytest.fixture
async def connected(pool: "asyncpg.Pool[Any]", lease: Lease) -> "asyncpg.Pool[Any]":
    """An organisation."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", UUID(int=1)
    )
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, $3)",
        TENANT,
        UUID(int=1),
        lease.partition,
    )
    return pool


async def marked(
    pool: "asyncpg.Pool[Any]", record: str, *, at: datetime = T, mode: str = "alone", attempts: int = 0, **columns: Any
) -> None:
    """A record that an event named."""
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, mode, attempts, not_before) "
        "VALUES ($1, 'invoices', $2, 1, $3, $4, $5, $6, to_timestamp(0))",
        TENANT,
        record,
        at,
        columns.get("received", at),
        mode,
        attempts,
    )


async def rows(pool: "asyncpg.Pool[Any]") -> dict[str, datetime]:
    """What is marked, and from when on it is due."""
    return {row["record_id"]: row["not_before"] for row in await pool.fetch("SELECT record_id, not_before FROM dirty")}


async def test_calls_are_counted_by_hour_and_outlive_a_process(connected: "asyncpg.Pool[Any]") -> None:
    """Whoever takes over goes on with the count; the next hour begins with none."""
    for _ in range(49):
        await count(connected, TENANT, T)
    assert not (await count(connected, TENANT, T - MINUTE)).spent(T, AppTier.STARTER) or limit_of(AppTier.STARTER) == 10
    tenant = await load(connected, TENANT)
    assert tenant is not None

    found = UnseenCalls(hour=tenant.unseen_hour, calls=tenant.unseen_calls)

    assert (found.calls, found.spent(T, AppTier.CORE), found.spent(T + 60 * MINUTE, AppTier.CORE)) == (50, True, False)
    assert (await count(connected, TENANT, T + 60 * MINUTE)).calls == 1
    assert (limit_of(AppTier.STARTER), limit_of(AppTier.CORE)) == (10, 50)


async def test_what_is_beyond_the_budget_waits_for_its_last_try_and_is_then_put_aside(
    connected: "asyncpg.Pool[Any]",
) -> None:
    """Only what a first read did not bring, and what no read ever gave; an event dated ahead counts from its receipt."""
    await connected.execute(
        "INSERT INTO records (tenant_id, entity, record_id, partition, position, read_at, recorded_at) "
        "VALUES ($1, 'invoices', 'known', 1, 1, $2, $2)",
        TENANT,
        T,
    )
    await marked(connected, "known")
    await marked(connected, "not yet read", mode="any")
    await marked(connected, "tried", mode="ids", attempts=1)
    await marked(connected, "alone")
    await marked(connected, "ahead", at=T + timedelta(days=1), received=T)
    due = datetime.fromtimestamp(0, UTC)

    assert await set_aside(connected, TENANT, INVOICES, T + MINUTE, 10 * MINUTE) == (3, 0)
    waiting = {name: T + 10 * MINUTE + timedelta(seconds=2) for name in ("tried", "alone", "ahead")}
    assert await rows(connected) == {"known": due, "not yet read": due, **waiting}
    assert await set_aside(connected, TENANT, INVOICES, T + 2 * MINUTE, 10 * MINUTE) == (0, 0)

    assert await set_aside(connected, TENANT, INVOICES, T + 11 * MINUTE, 10 * MINUTE) == (0, 3)
    assert await rows(connected) == {"known": due, "not yet read": due}
    kept = await entries(connected)
    assert {(one.record_id, one.reason, one.state) for one in kept} == {
        (name, "never_seen", "open") for name in waiting
    }
    assert all("not asked for again" in one.error for one in kept)
