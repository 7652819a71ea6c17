"""The deployment's row: written once, compared by all, changed by one at a time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from xero_stream.contracts.names import EntityName
from xero_stream.settings.shared import API_URL, ENTITIES, KEEP_DELIVERIES
from xero_stream.settings.shared import KEEP_RAW as RAW
from xero_stream.store.deployment import (
    Deployment,
    DeploymentMismatchError,
    Effects,
    change,
    claim,
    drop_leftovers,
    forget,
    keep_same,
    read,
)
from xero_stream.store.ownership import take
from xero_stream.store.pool import open_pool

DAYS = "XERO_STREAM_CHANGE_DAYS"
PLACE: dict[str, Any] = {"topic_prefix": "test", "partitions": 3}


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Connections to a fresh store."""
    opened = await open_pool(database_url, size=10)
    yield opened
    await opened.close()


async def changed(pool: "asyncpg.Pool[Any]", before: Deployment, after: dict[str, str | None]) -> Deployment:
    """Change the row and nothing else."""
    done = await change(pool, before=before.shared, after=after, effects=Effects(), left_out={})
    return done.deployment


async def test_of_those_that_start_at_once_one_decides(pool: "asyncpg.Pool[Any]") -> None:
    """Whoever is first writes its values; all with other values are refused, and have written nothing."""
    starts = [claim(pool, **PLACE, settings={ENTITIES: f"e{number % 4}"}) for number in range(12)]
    done = await asyncio.gather(*starts, return_exceptions=True)

    accepted = [one for one in done if isinstance(one, Deployment)]
    refused = [one for one in done if isinstance(one, DeploymentMismatchError)]
    assert (len(accepted), len(refused)) == (3, 9)
    assert len({one.settings[ENTITIES] for one in accepted}) == 1
    row = await read(pool)
    assert row is not None
    assert row.settings == accepted[0].settings


async def test_what_the_row_does_not_know_yet_is_added(pool: "asyncpg.Pool[Any]") -> None:
    """At a start and while running; what only receivers use is kept and never refused."""
    await claim(pool, **PLACE, settings={DAYS: "1"})
    await claim(pool, **PLACE, settings={DAYS: "1", RAW: "2", KEEP_DELIVERIES: "true"})
    found = await keep_same(pool, {DAYS: "1", API_URL: "3", KEEP_DELIVERIES: "false"})

    assert found.settings == {DAYS: "1", RAW: "2", API_URL: "3", KEEP_DELIVERIES: "true"}
    with pytest.raises(DeploymentMismatchError, match="XERO_STREAM_KEEP_RAW=2, here it is 9"):
        await keep_same(pool, {RAW: "9"})


async def test_two_changes_at_once(pool: "asyncpg.Pool[Any]") -> None:
    """The second one was decided over a row that is no more: nothing of it is done."""
    before = await claim(pool, **PLACE, settings={DAYS: "1"})

    await changed(pool, before, {DAYS: "2"})
    with pytest.raises(DeploymentMismatchError, match="at the same time"):
        await changed(pool, before, {DAYS: "3"})

    row = await read(pool)
    assert row is not None
    assert row.settings == {DAYS: "2"}


async def test_a_former_setting_takes_no_partition(pool: "asyncpg.Pool[Any]") -> None:
    """From the moment of the change on: a change that is under way is waited for."""
    before = await claim(pool, **PLACE, settings={DAYS: "1"})
    await take(pool, 0, "former", {DAYS: "1"})
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("""UPDATE deployment SET settings = '{"XERO_STREAM_CHANGE_DAYS": "2"}'""")
        taking = asyncio.create_task(take(pool, 1, "former", {DAYS: "1"}))
        await asyncio.sleep(0.2)
        assert not taking.done()

    with pytest.raises(DeploymentMismatchError, match="XERO_STREAM_CHANGE_DAYS=2, here it is 1"):
        await taking
    assert (await pool.fetchval("SELECT epoch FROM leases WHERE partition = 1")) == 0
    assert (await take(pool, 1, "new", {DAYS: "2"})).epoch == 1
    assert before.settings == {DAYS: "1"}


async def test_forgotten_settings_are_the_next_ones(pool: "asyncpg.Pool[Any]") -> None:
    """For whoever starts all processes itself."""
    await claim(pool, **PLACE, settings={DAYS: "1", RAW: "2"})
    await forget(pool, [DAYS])
    found = await claim(pool, **PLACE, settings={DAYS: "9", RAW: "2"})

    assert found.settings == {DAYS: "9", RAW: "2"}


async def waiting(pool: "asyncpg.Pool[Any]") -> None:
    """A record of invoices and one of contacts wait to be read, and so does a load of contacts."""
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at) "
        "VALUES ('t', 'invoices', 'r', 0, now(), now()), ('t', 'contacts', 'r', 0, now(), now())"
    )
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES (gen_random_uuid(), 'default', 'authorization_code')"
    )
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) SELECT 't', 'default', grant_id, 0 FROM grants"
    )
    await pool.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition) VALUES ('t', 'contacts', 'backfill', 0)"
    )


async def test_leftovers_of_what_is_not_read_are_dropped(pool: "asyncpg.Pool[Any]") -> None:
    """A process with the former entities may have marked some after the change."""
    await claim(pool, **PLACE, settings={ENTITIES: "invoices"})
    await waiting(pool)

    assert await drop_leftovers(pool, [EntityName.INVOICES], {ENTITIES: "invoices"}) == 1
    assert await pool.fetchval("SELECT entity FROM dirty") == "invoices"
    assert await pool.fetchval("SELECT count(*) FROM passes") == 0


async def test_a_process_with_former_entities_drops_nothing(pool: "asyncpg.Pool[Any]") -> None:
    """It goes on for a moment after the change: what it takes for leftovers are the first loads of what was enabled."""
    before = await claim(pool, **PLACE, settings={ENTITIES: "invoices"})
    await changed(pool, before, {ENTITIES: "contacts,invoices"})
    await waiting(pool)

    with pytest.raises(DeploymentMismatchError):
        await drop_leftovers(pool, [EntityName.INVOICES], {ENTITIES: "invoices"})
    assert await pool.fetchval("SELECT count(*) FROM dirty") == 2
    assert await pool.fetchval("SELECT count(*) FROM passes") == 1
