"""The schema is the sum of its steps, and steps can be taken while everything runs."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from processors.intake.fold import Mark
from processors.intake.transaction import take_in
from processors.recorder.decide import Read
from processors.recorder.envelope import Fetch
from processors.recorder.recorder import Batch, Recorder
from tests.support.next_release import upgrade_in_a_process, with_step, without_steps_from
from xero_stream.contracts.change_event import Trigger
from xero_stream.contracts.names import DEFAULT_APP, EntityName, RecordId, TenantId
from xero_stream.contracts.topics import Topics
from xero_stream.store import migrate
from xero_stream.store.days import make_days
from xero_stream.store.deployment import claim
from xero_stream.store.leases import Lease
from xero_stream.store.migrate import MigrationError, newest, upgrade
from xero_stream.store.ownership import take
from xero_stream.store.pool import open_pool
from xero_stream.store.revision import NEEDED, current
from xero_stream.store.tenants import load as load_tenant

TENANT = TenantId("11111111-1111-1111-1111-111111111111")

CATALOGUE = """
SELECT 'column' AS kind, table_name || '.' || column_name AS name,
       concat_ws(' ', data_type, is_nullable, column_default) AS what
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'sequence', sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'
ORDER BY 1, 2, 3
"""


async def catalogue(url: str) -> list[tuple[str, str, str]]:
    """Everything that makes up a schema."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(CATALOGUE)]
    finally:
        await connection.close()


async def test_the_schema_is_the_sum_of_its_steps(
    empty_database_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step by step, or all at once after another start: the same tables, columns, indexes, constraints."""
    await upgrade(empty_database_url)
    assert await current(empty_database_url) == newest()
    assert await catalogue(empty_database_url) == await catalogue(database_url)

    monkeypatch.setattr(migrate, "_HERE", with_step(tmp_path))
    await upgrade(empty_database_url)
    assert await current(empty_database_url) == newest() == "9001"
    added = set(await catalogue(empty_database_url)) - set(await catalogue(database_url))
    assert {name for kind, name, _ in added if kind == "column"} >= {"records.reviewed", "changes.note", "reviews.at"}
    await upgrade(empty_database_url)
    assert await current(empty_database_url) == "9001"


async def test_organisations_connected_before_the_fifth_step_stay_as_they_are(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows how old their connections are; the release before goes on connecting others meanwhile."""
    monkeypatch.setattr(migrate, "_HERE", without_steps_from(tmp_path, "0005"))
    await upgrade(empty_database_url)
    assert await current(empty_database_url) == "0004"
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("INSERT INTO apps (app, tier) VALUES ('default', 'plus')")
    await connection.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES (gen_random_uuid(), 'default', 'authorization_code')"
    )
    connect_as_before = (
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) SELECT $1, app, grant_id, 1 FROM grants"
    )
    await connection.execute(connect_as_before, "before")
    monkeypatch.undo()

    await upgrade(empty_database_url)

    await connection.execute(connect_as_before, "after")
    await connection.close()
    pool = await open_pool(empty_database_url, size=1)
    for name in ("before", "after"):
        tenant = await load_tenant(pool, TenantId(name))
        assert tenant is not None
        assert (tenant.state, tenant.connection_created_at) == ("connected", None)
    await pool.close()


class Load:
    """Intake and recorder at work on a store, as fast as they can, one round after another."""

    def __init__(self, pool: "asyncpg.Pool[Any]", lease: Lease, recorder: Recorder) -> None:
        self._pool = pool
        self._lease = lease
        self._recorder = recorder
        self._turned = asyncio.Event()
        self.rounds = 0
        self.slowest = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            started = time.monotonic()
            await self._round(self.rounds + 1)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.rounds += 1
            self._turned.set()

    async def rounds_more(self, count: int, within: float = 10.0) -> None:
        """Wait for so many more rounds."""
        goal = self.rounds + count
        async with asyncio.timeout(within):
            while self.rounds < goal:
                self._turned.clear()
                await self._turned.wait()

    async def _round(self, number: int) -> None:
        now = datetime.now(UTC)
        ids = [RecordId(f"record-{place}") for place in range(20)]
        marks = [
            Mark(
                app=DEFAULT_APP,
                tenant_id=TENANT,
                entity=EntityName.INVOICES,
                record_id=one,
                event_at=now,
                received_at=now,
                deliveries=["d"],
            )
            for one in ids
        ]
        await take_in(
            self._pool,
            partition=self._lease.partition,
            epoch=self._lease.epoch,
            next_offset=number,
            newest=now,
            marks=marks,
            refused=(),
            topic="t",
            owners={TENANT},
            unconnected_limit=0,
        )
        reads = [
            Read(record_id=one, body=b'{"id":"%d","value":%d}' % (place, number), status="draft", updated_at=now)
            for place, one in enumerate(ids)
        ]
        batch = Batch(
            tenant_id=TENANT,
            entity=EntityName.INVOICES,
            customer_ref=None,
            reads=reads,
            read_at=now + timedelta(milliseconds=1),
            marks=2**62,
            trigger=Trigger.POLL,
            fetch=Fetch(correlation_id=None, fetched_at=now),
        )
        await self._recorder.record(batch, now)


@pytest.fixture
async def load(database_url: str) -> AsyncIterator[Load]:
    """The previous release at work."""
    pool = await open_pool(database_url, size=4)
    await claim(pool, topic_prefix="test", partitions=3)
    await make_days(pool, datetime.now(UTC).date())
    lease = await take(pool, 1, "test")
    recorder = Recorder(pool=pool, lease=lease, topics=Topics(prefix="test"))
    yield Load(pool, lease, recorder)
    await pool.close()


async def test_many_processes_migrate_under_load(database_url: str, load: Load, tmp_path: Path) -> None:
    """Three hosts take the same step at once: one does, nobody fails, and the work beside it never errs or stops."""
    steps = with_step(tmp_path)
    working = asyncio.create_task(load.run())
    try:
        await load.rounds_more(10)
        before = load.rounds

        hosts = [await upgrade_in_a_process(database_url, steps) for _ in range(3)]
        outputs = [await host.communicate() for host in hosts]

        assert [host.returncode for host in hosts] == [0, 0, 0], outputs
        assert await current(database_url) == "9001"
        during = load.rounds - before
        await load.rounds_more(10)
    finally:
        working.cancel()
        await asyncio.wait([working])
    assert working.cancelled(), "the work broke off"
    assert during >= 5, "no load while the steps were taken"
    assert load.slowest < 5
    connection = await asyncpg.connect(database_url)
    positions = await connection.fetch("SELECT position FROM changes WHERE partition = 1 ORDER BY position")
    await connection.close()
    assert [row["position"] for row in positions] == list(range(1, len(positions) + 1))
    assert len(positions) in (
        20 * load.rounds,
        20 * (load.rounds + 1),
    )  # the last may have been cut off after its commit


async def test_a_step_does_not_queue_behind_a_long_reader(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives up after its lock time-out, so that nobody queues behind it for long; what was there is unharmed."""
    monkeypatch.setattr(migrate, "_HERE", with_step(tmp_path))
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "300ms")
    reader = await asyncpg.connect(database_url)
    try:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch("SELECT 1 FROM records LIMIT 1")

        with pytest.raises(MigrationError, match="lock"):
            await upgrade(database_url)

        await transaction.rollback()
    finally:
        await reader.close()
    assert await current(database_url) != "9001"
    await upgrade(database_url)
    assert await current(database_url) == "9001"


def test_the_revision_that_is_needed_is_the_newest() -> None:
    """The processors compare with a constant, so that they need not load the migrations."""
    assert newest() == NEEDED
