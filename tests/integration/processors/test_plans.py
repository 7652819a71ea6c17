"""The plans of the statements that run all the time, on a store that has grown: indexes, no reading of whole tables.

Every statement is taken from the functions as they run, and explained twice: for its parameters and as the generic plan
that PostgreSQL may switch to. Times are bounded too, generously: a wrong plan is slower by orders of magnitude.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from processors.intake.fold import Mark
from processors.intake.transaction import take_in
from processors.jobs.refresh.kind import Swept
from processors.maintenance.gauges import survey
from processors.metrics import ProcessorMetrics
from processors.recorder import loading
from processors.relay import outbox
from processors.tenants import agenda as agendas
from tests.support.jobs import kinds_of
from tests.support.servers import SharedServers
from xero_stream.contracts.names import DEFAULT_APP, STREAMED, EntityName, RecordId, TenantId
from xero_stream.contracts.topics import Topics
from xero_stream.settings.xero import AppTier
from xero_stream.store import calls, dirty, positions, records, tenants
from xero_stream.store.days import make_days
from xero_stream.store.deployment import claim
from xero_stream.store.dirty import Again, Settled
from xero_stream.store.leases import Lease
from xero_stream.store.ownership import take
from xero_stream.store.pool import open_pool
from xero_stream.store.quarantine import entries, resolve, unpublished
from xero_stream.store.queries.tenants import with_work
from xero_stream.store.records import Touched

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTITION = 1
DAYS = 30
LARGE = TenantId(str(UUID(int=1)))
"""An organisation with 100,000 records, all of them marked."""
NOW = datetime.now(UTC)
BIG = {"dirty", "records", "changes", "calls", "quarantine", "tenants", "passes"}

FILL = f"""
INSERT INTO apps (app, tier) VALUES ('default', 'core');
INSERT INTO grants (grant_id, app, kind) VALUES ('{UUID(int=0)}', 'default', 'authorization_code');
INSERT INTO tenants (tenant_id, app, grant_id, partition)
    SELECT lpad(to_hex(n), 32, '0')::uuid::text, 'default', '{UUID(int=0)}', n % 3 FROM generate_series(1, 2000) AS n;
INSERT INTO passes (tenant_id, entity, kind, partition, finished_at)
    SELECT tenant_id, e, 'backfill', partition, now() FROM tenants, unnest(ARRAY['invoices','contacts','credit-notes']) e;
INSERT INTO records (tenant_id, entity, record_id, partition, position, version_at, read_at, body, recorded_at)
    SELECT '{LARGE}', 'invoices', lpad(to_hex(n), 32, '0')::uuid::text, 1, n, now() - interval '1 day', now(), 'body', now()
    FROM generate_series(1, 100000) AS n;
INSERT INTO records (tenant_id, entity, record_id, partition, position, version_at, read_at, body, recorded_at)
    SELECT tenant_id, 'invoices', lpad(to_hex(n), 32, '0')::uuid::text, partition, n, now(), now(), 'body', now()
    FROM tenants, generate_series(1, 20) AS n WHERE tenant_id <> '{LARGE}';
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at)
    SELECT tenant_id, entity, record_id, partition, now(), now() FROM records WHERE tenant_id = '{LARGE}';
INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before)
    SELECT tenant_id, entity, record_id, partition, now(), now(), now() + interval '1 hour'
    FROM records WHERE tenant_id <> '{LARGE}' AND record_id < lpad('3', 32, '0')::uuid::text;
INSERT INTO calls (tenant_id, call_id, started_at, finished_at)
    SELECT tenant_id, n, now() - n * interval '3 seconds', now() FROM tenants, generate_series(1, 60) AS n;
INSERT INTO quarantine (id, partition, tenant_id, entity, record_id, stage, reason, error, source, value, state, published_at)
    SELECT gen_random_uuid(), 1, '{LARGE}', 'invoices', n::text, 'fetch', 'invalid_record', '', '', '', 'resolved', now()
    FROM generate_series(1, 20000) AS n;
INSERT INTO changes (partition, position, recorded_at, topic, tenant_id, entity, record_id, op, key, value, headers,
                     record, size)
    SELECT p, d * 1000 + n, now() - ({DAYS} - d) * interval '1 day', 'test.changes.invoices', '{LARGE}', 'invoices',
           n::text, 'u', 'key', 'value',
           convert_to('{{"ce_id": "' || gen_random_uuid() || '", "ce_type": "io.xerostream.invoice.updated"}}', 'UTF8'), 'record', 4000
    FROM generate_series(0, 2) AS p, generate_series(1, {DAYS}) AS d, generate_series(1, 1000) AS n;
UPDATE positions SET position = {DAYS + 1} * 1000;
ANALYZE
"""


class Watched:
    """A pool of one connection whose statements are noted."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self.pool = pool
        self._noted: list[tuple[str, tuple[Any, ...]]] = []

    async def run(self, work: Callable[["asyncpg.Pool[Any]"], Awaitable[Any]], *, within: float) -> Any:
        """Run something, and look at the plan of every statement it made.

        Args:
            work: what to run.
            within: seconds that it may take, a large multiple of what it does.
        """
        self._noted.clear()
        async with self.pool.acquire() as connection:
            connection.add_query_logger(self._note)
        started = time.monotonic()
        result = await work(self.pool)
        took = time.monotonic() - started
        noted = [(query, args) for query, args in self._noted if _explainable(query)]
        assert noted, "no statement was seen"
        for query, args in noted:
            await self._look(query, args)
        # Ten times more on a busy machine; a scan of everything takes longer still, and the plan is checked besides.
        assert took < within * 10, f"{took:.2f} s for {noted[0][0]}"
        return result

    def _note(self, logged: Any) -> None:
        self._noted.append((logged.query, tuple(logged.args or ())))

    async def _look(self, query: str, args: tuple[Any, ...]) -> None:
        async with self.pool.acquire() as connection:
            connection.remove_query_logger(self._note)
            for options in ("FORMAT JSON", "FORMAT JSON, GENERIC_PLAN"):
                row = await connection.fetchval(f"EXPLAIN ({options}) {query}", *args)
                for scan in scans(orjson.loads(row)[0]["Plan"]):
                    assert scan not in BIG, f"reads all of {scan} ({options}): {query}\n{row}"


def _explainable(query: str) -> bool:
    """Whether it is one of ours: the pool resets its connections by several statements in one."""
    return query.split(maxsplit=1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"} and ";" not in query


def scans(plan: dict[str, Any]) -> list[str]:
    """Tables that a plan reads from one end to the other."""
    found = [table_of(plan)] if plan["Node Type"] in ("Seq Scan", "Parallel Seq Scan") else []
    return found + [name for part in plan.get("Plans", ()) for name in scans(part)]


def table_of(plan: dict[str, Any]) -> str:
    """The table, a day of changes counting as changes; an empty day may be read as it likes."""
    name: str = plan["Relation Name"]
    return "changes" if name.startswith("changes_") and name != "changes_default" and plan["Plan Rows"] > 50 else name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(shared_servers: SharedServers) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """A store as after a month, statistics gathered."""
    name = shared_servers.create_database(migrated=True)
    opened = await open_pool(shared_servers.url(name), size=1)
    await claim(opened, topic_prefix="test", partitions=3)
    await make_days(opened, (NOW - timedelta(days=DAYS)).date(), ahead=DAYS + 3)
    for statement in FILL.split(";\n"):
        await opened.execute(statement, timeout=60)
    yield opened
    await opened.close()
    shared_servers.drop_database(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lease(pool: "asyncpg.Pool[Any]") -> Lease:
    """Ours, on the large organisation's partition."""
    return await take(pool, PARTITION, "test")


@pytest.fixture
def watched(pool: "asyncpg.Pool[Any]") -> Watched:
    """Watches statements."""
    return Watched(pool)


async def test_intake_of_a_full_poll(watched: Watched, lease: Lease) -> None:
    """5,000 events on 5,000 records: each is looked up by key, in the records and among the marks."""
    marks = [
        Mark(
            app=DEFAULT_APP,
            tenant_id=LARGE,
            entity=EntityName.INVOICES,
            record_id=RecordId(str(UUID(int=number))),
            event_at=NOW + timedelta(seconds=10),
            received_at=NOW,
            deliveries=["d"],
        )
        for number in range(1, 5_001)
    ]

    async def work(pool: "asyncpg.Pool[Any]") -> int:
        taken_in = await take_in(
            pool,
            partition=PARTITION,
            epoch=lease.epoch,
            next_offset=1,
            newest=NOW,
            marks=marks,
            refused=(),
            topic="t",
            owners={LARGE},
            unconnected_limit=0,
        )
        return taken_in.marked

    assert await watched.run(work, within=5) == 5_000


async def test_who_has_work(watched: Watched) -> None:
    """Among hundreds of organisations of a partition, once a second; a backlog of 100,000 costs no more than one row."""
    found = await watched.run(lambda pool: with_work(pool, PARTITION, STREAMED, NOW), within=0.5)

    assert found == [LARGE]


async def test_what_an_organisation_with_a_large_backlog_has_to_do(watched: Watched) -> None:
    """Before every call: the oldest few due rows, not the backlog."""
    agenda = await watched.run(
        lambda pool: agendas.agenda(
            pool, PARTITION, LARGE, STREAMED, datetime.now(UTC), kinds=kinds_of(pool, LARGE, PARTITION)
        ),
        within=0.3,
    )

    (job,) = agenda.jobs
    assert (job.entity, isinstance(job, Swept)) == (EntityName.INVOICES, True)
    async with watched.pool.acquire() as connection:
        seen = await dirty.waiting(connection, PARTITION, LARGE, [EntityName.INVOICES])
    assert len(seen) == dirty.SEEN_PER_ENTITY


async def test_the_next_changes_among_thirty_days(watched: Watched) -> None:
    """Wherever the relay stands: at the end, where there is nothing, or a week behind."""
    topics = Topics(prefix="test")
    last = DAYS * 1_000 + 1_000

    for after, count in ((last, 0), (last - 3, 3), (last - 7_000, 500)):

        async def work(pool: "asyncpg.Pool[Any]", after: int = after) -> outbox.Ready | None:
            return await outbox.next_changes(pool, PARTITION, after, topics)

        ready = await watched.run(work, within=0.5)
        assert (ready.count if ready else 0) == count


async def test_records_of_a_page_with_their_marks(watched: Watched) -> None:
    """A slice of a page: by key."""
    ids = [str(UUID(int=number)) for number in range(1, 101)]

    async def work(pool: "asyncpg.Pool[Any]") -> dict[str, loading.Loaded]:
        async with pool.acquire() as connection:
            return await loading.load(connection, LARGE, "invoices", ids)

    loaded = await watched.run(work, within=0.3)
    assert all(one.stored and one.waiting for one in loaded.values())


async def test_settling_and_postponing(watched: Watched, lease: Lease) -> None:
    """What ends a slice: marks removed or moved on by key, records touched by key."""
    ids = [str(UUID(int=number)) for number in range(90_000, 90_100)]
    settled = [Settled(record_id=one, marks=2**62) for one in ids]
    postponed = [
        Again(record_id=one, marks=2**62, not_before=NOW, attempts=1, equal_reads=1, alone=False) for one in ids
    ]
    touched = [Touched(record_id=one, version_at=NOW) for one in ids]

    async def work(pool: "asyncpg.Pool[Any]") -> None:
        async with pool.acquire() as connection:
            await positions.lock(connection, lease)
            await dirty.settle(connection, LARGE, "invoices", settled)
            await dirty.again(connection, LARGE, "invoices", postponed)
            await records.touch(connection, LARGE, "invoices", NOW, touched)
            await resolve(connection, LARGE, "invoices", ids)

    await watched.run(work, within=0.5)


async def test_the_ledger_of_calls(watched: Watched, lease: Lease) -> None:
    """Before and after every call; and at a takeover."""

    async def work(pool: "asyncpg.Pool[Any]") -> list[calls.PastCall]:
        await calls.started(pool, lease, LARGE, 1_000, NOW)
        await calls.finished(pool, LARGE, 1_000, NOW)
        await tenants.day_seen(pool, LARGE, 4_000, NOW)
        return await calls.past(pool, LARGE, NOW)

    assert await watched.run(work, within=0.5)


async def test_dead_letters_and_the_list_of_the_quarantine(watched: Watched) -> None:
    """The relay asks once a second whether there is a new one."""
    assert await watched.run(lambda pool: unpublished(pool, PARTITION), within=0.3) == []
    assert len(await watched.run(lambda pool: entries(pool, state=None), within=0.5)) == 100


async def test_a_sweep_of_a_large_backlog_begins_and_ends_in_time(pool: "asyncpg.Pool[Any]") -> None:
    """These two look at the whole backlog, once per sweep: inside the store's own time limits, else they would raise."""
    oldest = await dirty.oldest_event(pool, PARTITION, LARGE, EntityName.INVOICES, datetime.now(UTC))
    assert oldest is not None
    assert await dirty.ask_by_id(pool, PARTITION, LARGE, EntityName.INVOICES, 2**62) > 90_000


async def test_the_gauges_of_a_large_backlog(pool: "asyncpg.Pool[Any]") -> None:
    """Every five seconds in every process: they may count, but not for long."""
    registry = CollectorRegistry()
    started = time.monotonic()
    await survey(pool, ProcessorMetrics(registry).maintenance, lambda _: AppTier.CORE)
    assert time.monotonic() - started < 20
