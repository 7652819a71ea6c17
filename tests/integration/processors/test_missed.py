"""Events that Xero never delivered, on the real PostgreSQL: numbers noted at intake, gaps healed by passes."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from processors.intake.transaction import take_in
from processors.metrics import ProcessorMetrics
from processors.sync.missed import APART, heal_missed
from xero_stream.contracts.names import AppName
from xero_stream.store.deployment import Deployment
from xero_stream.store.leases import Lease
from xero_stream.store.ownership import take
from xero_stream.store.passes import CATCH_UP_OVERLAP

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=20)
APP, OTHER = AppName("default"), AppName("other")


@pytest.fixture
async def connected(pool: "asyncpg.Pool[Any]", deployment: Deployment) -> None:
    """Two organisations of one app on two partitions, one of another; each loaded once."""
    assert deployment.partitions == 3
    for app in (APP, OTHER):
        await pool.execute("INSERT INTO apps (app, tier) VALUES ($1, 'core')", app)
    for tenant, app, partition in (("a", APP, 1), ("b", APP, 2), ("c", OTHER, 1)):
        grant = uuid.uuid4()
        await pool.execute("INSERT INTO grants (grant_id, app, kind) VALUES ($1, $2, 'authorization_code')", grant, app)
        await pool.execute(
            "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, $2, $3, $4)",
            tenant, app, grant, partition,
        )  # fmt: skip
        await pool.execute(
            "INSERT INTO passes (tenant_id, entity, kind, partition, finished_at) "
            "VALUES ($1, 'invoices', 'backfill', $2, now())",
            tenant, partition,
        )  # fmt: skip


async def came(pool: "asyncpg.Pool[Any]", lease: Lease, *numbers: tuple[int, int], at: datetime = T) -> None:
    """Deliveries with these numbers are taken in."""
    await take_in(
        pool,
        partition=lease.partition,
        epoch=lease.epoch,
        next_offset=1,
        newest=at,
        marks=(),
        refused=(),
        topic="test.webhook-events",
        owners=(),
        unconnected_limit=0,
        ranges={(APP, first, last): at for first, last in numbers},
    )


async def heal(pool: "asyncpg.Pool[Any]", after: timedelta) -> float:
    """Do the sums that long from now; answers how many events were found missing."""
    registry = CollectorRegistry()
    await heal_missed(pool, ProcessorMetrics(registry).sync, now=datetime.now(UTC) + after, patience=PATIENCE)
    return registry.get_sample_value("xero_stream_events_missed_total") or 0.0


async def passes(pool: "asyncpg.Pool[Any]") -> dict[str, datetime]:
    """Open catch-up passes: whose, and since when."""
    rows = await pool.fetch("SELECT tenant_id, since FROM passes WHERE kind = 'catch_up' AND finished_at IS NULL")
    return {row["tenant_id"]: row["since"] for row in rows}


@pytest.mark.usefixtures("connected")
async def test_a_gap_that_stays_is_healed_for_all_organisations_of_the_app(
    pool: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """Whichever partitions saw its neighbours: read again from a day before it; another app is left alone."""
    other = await take(pool, 2, "test")
    await came(pool, lease, (1, 3), (8, 9))
    await came(pool, other, (4, 5), at=T + timedelta(minutes=1))

    assert await heal(pool, timedelta()) == 0
    assert await passes(pool) == {}
    assert await heal(pool, PATIENCE) == 2
    since = T + timedelta(minutes=1) - CATCH_UP_OVERLAP
    assert await passes(pool) == {"a": since, "b": since}
    assert await heal(pool, 2 * PATIENCE) == 0


@pytest.mark.usefixtures("connected")
async def test_a_gap_that_closes_is_none(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Late by a retry of Xero's, or by a partition that lags."""
    await came(pool, lease, (1, 3), (8, 9))
    await heal(pool, timedelta())
    await came(pool, await take(pool, 2, "test"), (4, 7))

    assert await heal(pool, 2 * PATIENCE) == 0
    assert await passes(pool) == {}
    assert await pool.fetchval("SELECT settled FROM sequences WHERE app = 'default'") == 9
    assert not await pool.fetchval("SELECT count(*) FROM delivered_ranges")


@pytest.mark.usefixtures("connected")
async def test_numbers_that_mean_something_else_cost_little(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """However many gaps: healed once, then not before three times the patience; then from the earliest of them."""
    for number in range(1, 100, 10):
        await came(pool, lease, (number, number), at=T + timedelta(seconds=number))
    await heal(pool, PATIENCE)
    await pool.execute("UPDATE passes SET finished_at = now() WHERE kind = 'catch_up'")

    await came(pool, lease, (201, 201), at=T + timedelta(hours=1))
    await came(pool, lease, (301, 301), at=T + timedelta(hours=2))
    await heal(pool, 2 * PATIENCE)
    assert await passes(pool) == {}
    await heal(pool, (1 + APART) * PATIENCE)

    assert set((await passes(pool)).values()) == {T + timedelta(seconds=91) - CATCH_UP_OVERLAP}


@pytest.mark.usefixtures("connected")
async def test_one_process_at_a_time(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """All may try; no gap is told twice, none is forgotten."""
    await came(pool, lease, (1, 1), (3, 3))

    found = await asyncio.gather(*(heal(pool, PATIENCE) for _ in range(4)))
    found.append(await heal(pool, PATIENCE))

    assert sum(found) == 1
