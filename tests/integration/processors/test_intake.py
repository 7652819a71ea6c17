"""Intake on the real PostgreSQL: marks and offsets in one transaction."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from prometheus_client import CollectorRegistry

from processors.intake.fold import Arrived, Folded, Mark, Refusal, Refused, fold
from processors.intake.subject import Subjects
from processors.intake.transaction import take_in
from processors.intake.unconnected import MOST_ORGANISATIONS
from processors.metrics import ProcessorMetrics
from processors.partitions.worker import PartitionWorker
from xero_api.registry import INVOICES
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName, RecordId, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.settings.apps import App
from xero_stream.settings.xero import AppTier
from xero_stream.store.connections import Connected, Organisation, connect
from xero_stream.store.grants import SealedTokens
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.ownership import take
from xero_stream.store.unconnected import expire, take_over, unconnected

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")


def mark(record: str = "r1", *, at: datetime = T, delivery: str = "d1") -> Mark:
    """What an event comes to."""
    return Mark(
        app=DEFAULT_APP,
        tenant_id=TENANT,
        entity=EntityName.INVOICES,
        record_id=RecordId(record),
        event_at=at,
        received_at=at,
        deliveries=[delivery],
    )


async def intake(
    pool: "asyncpg.Pool[Any]",
    lease: Lease,
    *marks: Mark,
    offset: int = 1,
    refused: tuple[Refused, ...] = (),
    owners: Collection[TenantId] = (TENANT,),
    limit: int = 100,
) -> int:
    """Take marks in."""
    taken_in = await take_in(
        pool,
        partition=lease.partition,
        epoch=lease.epoch,
        next_offset=offset,
        newest=T,
        marks=marks,
        refused=refused,
        topic="test.webhook-events",
        owners=owners,
        unconnected_limit=limit,
    )
    return taken_in.marked


async def test_events_of_one_record_are_one_row(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """The latest date wins, marks move on, deliveries add up, an old event postpones nothing."""
    await intake(pool, lease, mark(at=T, delivery="d1"))
    before = await pool.fetchrow("SELECT * FROM dirty")
    await intake(pool, lease, mark(at=T + timedelta(seconds=5), delivery="d2"), offset=2)
    await intake(pool, lease, mark(at=T - timedelta(seconds=5), delivery="d3"), offset=3)

    (row,) = await pool.fetch("SELECT * FROM dirty")

    assert row["event_at"] == T + timedelta(seconds=5)
    assert row["first_received_at"] == T
    assert row["deliveries"] == ["d1", "d2", "d3"]
    assert row["marks"] > before["marks"]
    assert await pool.fetchval("SELECT next_offset FROM intake_offsets WHERE partition = 1") == 3


async def test_a_newer_event_ends_a_wait_and_an_older_one_does_not(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """A stale record waits for its next read; news are a reason to read at once, replays are not."""
    await intake(pool, lease, mark())
    later = datetime(2100, 1, 1, tzinfo=UTC)
    await pool.execute("UPDATE dirty SET not_before = $1, attempts = 4, mode = 'alone'", later)

    await intake(pool, lease, mark(), offset=2)
    row = await pool.fetchrow("SELECT not_before, attempts, mode FROM dirty")
    assert tuple(row) == (later, 4, "alone")

    await intake(pool, lease, mark(at=T + timedelta(seconds=1)), offset=3)
    row = await pool.fetchrow("SELECT not_before < now() AS due, attempts, mode FROM dirty")
    assert tuple(row) == (True, 0, "any")


@pytest.mark.parametrize(
    ("version", "read", "marked"),
    [
        (timedelta(0), timedelta(seconds=3), 0),
        (timedelta(seconds=-2), timedelta(seconds=3), 0),
        (timedelta(seconds=-3), timedelta(seconds=3), 1),
        (timedelta(0), timedelta(seconds=2), 1),
    ],
)
async def test_what_a_stored_read_has_seen_already_is_not_marked(
    pool: "asyncpg.Pool[Any]", lease: Lease, version: timedelta, read: timedelta, marked: int
) -> None:
    """Skip if V >= E - 2 s and S > E + 2 s: a replay in bulk costs no call."""
    await pool.execute(
        "INSERT INTO records (tenant_id, entity, record_id, partition, position, version_at, read_at, recorded_at) "
        "VALUES ($1, 'invoices', 'r1', 1, 1, $2, $3, now())",
        TENANT,
        T + version,
        T + read,
    )

    assert await intake(pool, lease, mark()) == marked
    assert await pool.fetchval("SELECT count(*) FROM dirty") == marked


async def test_an_event_of_no_believable_date_is_never_taken_for_known(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """A receiver whose clock is more than a day behind believes no date: its events are read all the same."""
    await pool.execute(
        "INSERT INTO records (tenant_id, entity, record_id, partition, position, version_at, read_at, recorded_at) "
        "VALUES ($1, 'invoices', 'r1', 1, 1, $2, $2, now())",
        TENANT,
        T + timedelta(days=2),
    )

    assert await intake(pool, lease, mark()) == 0
    assert await intake(pool, lease, replace(mark(), dated=False), offset=2) == 1


async def test_a_previous_owner_takes_nothing_in(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Neither its marks nor its offset: the new owner reads them again."""
    await take(pool, lease.partition, "another")

    with pytest.raises(FencedError):
        await intake(pool, lease, mark())

    assert await pool.fetchval("SELECT count(*) FROM dirty") == 0
    assert await pool.fetchval("SELECT next_offset FROM intake_offsets WHERE partition = 1") is None


async def test_what_can_not_be_read_is_quarantined_once(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """With its bytes; read again after a crash it is the same entry."""
    bad = Refused(
        arrived=Arrived(offset=7, key=b"k", value=b"\x00{", appended_at=T),
        reason=Refusal.UNREADABLE_EVENT,
        error="JSONDecodeError",
    )
    await intake(pool, lease, refused=(bad,))
    await intake(pool, lease, refused=(bad,), offset=2)

    (row,) = await pool.fetch("SELECT * FROM quarantine")

    assert (row["value"], row["key"], row["source"]) == (b"\x00{", b"k", "test.webhook-events/1@7")
    assert (row["attempts"], row["state"]) == (2, "open")


async def test_offsets_of_a_topic_created_again_are_other_entries(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Its offsets begin at 0 again: the bytes of two records must not share an entry."""
    bad = Refused(
        arrived=Arrived(offset=7, key=b"k", value=b"{", appended_at=T), reason=Refusal.UNREADABLE_EVENT, error="invalid"
    )
    await intake(pool, lease, refused=(bad,))
    await intake(pool, lease, refused=(replace(bad, arrived=replace(bad.arrived, value=b"[")),), offset=2)

    rows = await pool.fetch("SELECT value, source, attempts FROM quarantine ORDER BY value")

    assert [tuple(row) for row in rows] == [(value, "test.webhook-events/1@7", 1) for value in (b"[", b"{")]


OWN = next(
    tenant_id
    for tenant_id in (TenantId(f"11111111-1111-1111-1111-{number:012}") for number in range(100))
    if partition_of(tenant_id, 3) == 1
)
"""An organisation of partition 1 of 3."""


def event(record_id: str, offset: int) -> Arrived:
    """A record of webhook-events."""
    envelope = {
        "app": "default",
        "delivery_id": "d1",
        "event": {
            "tenantId": OWN,
            "resourceId": record_id,
            "eventCategory": "INVOICE",
            "eventType": "UPDATE",
            "eventDateUtc": "2026-11-22T10:00:00.000",
        },
    }
    return Arrived(offset=offset, key=OWN.encode(), value=orjson.dumps(envelope), appended_at=T)


def worker_on(pool: "asyncpg.Pool[Any]", lease: Lease, registry: CollectorRegistry) -> PartitionWorker:
    """A worker that has the lease, with nothing behind intake."""
    services = SimpleNamespace(
        pool=pool,
        kafka=SimpleNamespace(partitions=3, topics=SimpleNamespace(webhook_events="test.webhook-events")),
        subjects=Subjects.of([INVOICES]),
        disabled=Subjects.of([]),
        unconnected_limit=100,
        metrics=ProcessorMetrics(registry).partitions,
    )
    worker = PartitionWorker(
        partition=lease.partition, services=cast("Any", services), source=cast("Any", None), on_fatal=print
    )
    worker._lease, worker.next_offset = lease, 0
    return worker


def reasons(registry: CollectorRegistry) -> float | None:
    """How many events were refused because they can't be stored."""
    return registry.get_sample_value("xero_stream_events_refused_total", {"reason": "unstorable_event"})


async def test_an_event_that_the_store_refuses_does_not_stop_the_others(
    pool: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """It goes into quarantine with its bytes; a poll of it and others is never delivered again indefinitely."""
    refused_id = str(uuid4())
    await pool.execute(f"ALTER TABLE dirty ADD CONSTRAINT test_refusal CHECK (record_id <> '{refused_id}')")
    await pool.execute("UPDATE tenants SET partition = 1")
    records = [event(str(uuid4()), offset) for offset in range(9)]
    records[5] = event(refused_id, 5)
    registry = CollectorRegistry()
    worker = worker_on(pool, lease, registry)
    await connected(pool, OWN)

    await worker.arrived(records)

    (entry,) = await pool.fetch("SELECT * FROM quarantine")
    assert (entry["reason"], entry["value"]) == ("unstorable_event", records[5].value)
    assert (entry["tenant_id"], entry["source"]) == (OWN, "test.webhook-events/1@5")
    assert refused_id not in entry["error"]
    assert await pool.fetchval("SELECT count(*) FROM dirty") == 8
    assert await pool.fetchval("SELECT next_offset FROM intake_offsets WHERE partition = 1") == worker.next_offset == 9
    assert reasons(registry) == 1


async def test_a_missing_right_is_held_against_no_event(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """It would refuse all of them: they are delivered again until an operator has given the right back."""
    worker = worker_on(pool, lease, CollectorRegistry())
    await connected(pool, OWN)
    await pool.execute("ALTER TABLE dirty RENAME TO dirty_elsewhere")

    with pytest.raises(asyncpg.UndefinedTableError):
        await worker.arrived([event(str(uuid4()), offset) for offset in range(2)])

    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 0
    assert worker.next_offset == 0


async def test_a_fault_of_ours_on_an_event_does_not_stop_the_others(
    pool: "asyncpg.Pool[Any]", lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised: else the process would rebuild its consumer indefinitely."""

    def broken(records: Sequence[Arrived], *rest: Any) -> Folded:
        if any(record.offset == 1 for record in records):
            raise RecursionError(f"with what was read: {records[0].value!r}")
        return fold(records, *rest)

    monkeypatch.setattr("processors.partitions.worker.fold", broken)
    worker = worker_on(pool, lease, CollectorRegistry())
    await connected(pool, OWN)

    await worker.arrived([event(str(uuid4()), offset) for offset in range(3)])

    (entry,) = await pool.fetch("SELECT * FROM quarantine")
    assert (entry["reason"], entry["source"]) == ("unstorable_event", "test.webhook-events/1@1")
    assert "resourceId" not in entry["error"]
    assert await pool.fetchval("SELECT count(*) FROM dirty") == 2


STRANGER = TenantId("99999999-9999-9999-9999-999999999999")


async def noted(pool: "asyncpg.Pool[Any]", tenant_id: TenantId = STRANGER) -> Any:
    """What is noted of an organisation that is not connected."""
    return await pool.fetchrow("SELECT * FROM unconnected WHERE tenant_id = $1", tenant_id)


async def connected(
    pool: "asyncpg.Pool[Any]", tenant_id: TenantId = STRANGER, state: str = "connected"
) -> list[Connected]:
    """Connect an organisation; or have it wait for an operator."""
    now = datetime.now(UTC)
    done = await connect(
        pool,
        app=App(name=DEFAULT_APP, client_id="c", client_secret=None, tier=AppTier.CORE),
        kind="authorization_code",
        tokens=SealedTokens(grant_id=uuid4(), access_token=b"a", refresh_token=b"r", refreshed_at=now, expires_at=now),
        tenants=[Organisation(tenant_id=tenant_id)],
        entities=[EntityName.INVOICES],
        partitions=3,
    )
    await pool.execute("UPDATE tenants SET state = $2 WHERE tenant_id = $1", tenant_id, state)
    return done


def strange(record: str, tenant_id: TenantId = STRANGER, *, at: datetime = T) -> Mark:
    """A mark of an organisation that is not connected."""
    return replace(mark(record, at=at), tenant_id=tenant_id, app=AppName("shop"))


async def test_records_of_organisations_that_are_not_connected_are_bounded(
    pool: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """A flood of ids for one organisation: so many wait, the rest is counted; neighbours that are connected lose nothing."""
    flood = [strange(f"r{number}") for number in range(250)]

    first = await intake(pool, lease, *flood, mark("own"), limit=100)
    again = await intake(pool, lease, *flood[:50], limit=100, offset=2)
    other = await intake(
        pool, lease, strange("x", TenantId("99999999-9999-9999-9999-999999999998")), limit=100, offset=3
    )

    assert (first, again, other) == (101, 0, 0)
    assert await pool.fetchval("SELECT count(*) FROM dirty WHERE tenant_id = $1", STRANGER) == 100
    assert await pool.fetchval("SELECT count(*) FROM dirty WHERE tenant_id = $1", TENANT) == 1
    row = await noted(pool)
    assert (row["app"], row["events"], row["kept"], row["dropped"]) == ("shop", 300, 100, 200)
    assert [one.tenant_id for one in await unconnected(pool)] == ["99999999-9999-9999-9999-999999999998", STRANGER]


async def test_made_up_organisations_are_bounded(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Whoever has a signing key can name any number of them."""
    marks = [strange("r", TenantId(str(UUID(int=number)))) for number in range(1, MOST_ORGANISATIONS + 51)]

    await intake(pool, lease, *marks, limit=100_000)
    await intake(pool, lease, *marks[-50:], limit=100_000, offset=2)

    assert await pool.fetchval("SELECT count(*) FROM unconnected") == MOST_ORGANISATIONS
    assert await pool.fetchval("SELECT count(*) FROM dirty") == MOST_ORGANISATIONS


async def test_marks_of_organisations_that_are_not_connected_expire(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """After so many days; those of connected organisations and of those that wait for an operator never do."""
    suspended = TenantId("99999999-9999-9999-9999-999999999997")
    await connected(pool, suspended, "disconnected")
    await connected(pool, TENANT)
    now = datetime.now(UTC)
    old, young, ahead = now - timedelta(days=8), now - timedelta(days=6), now + timedelta(days=3)
    await intake(pool, lease, *(strange(str(at), at=at) for at in (old, young, ahead)))
    await intake(
        pool, lease, mark("own", at=old), strange("waits", suspended, at=old), owners=(TENANT, suspended), offset=2
    )

    assert await expire(pool, 7) == 2

    rows = await pool.fetch("SELECT record_id FROM dirty ORDER BY record_id")
    assert [row["record_id"] for row in rows] == sorted([str(young), "own", "waits"])
    row = await noted(pool)
    assert (row["events"], row["kept"], row["expired"]) == (3, 1, 2)


async def test_an_organisation_that_is_silent_for_so_long_is_forgotten(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """The alert ends by itself; what waits is counted again, whatever took it away."""
    await intake(pool, lease, strange("r1"), strange("r2"))
    await pool.execute("DELETE FROM dirty WHERE record_id = 'r2'")
    await expire(pool, 365)
    recounted = (await noted(pool))["kept"]
    await pool.execute("UPDATE unconnected SET last_at = now() - interval '8 days'")

    assert await expire(pool, 7) == 1

    assert recounted == 1
    assert await noted(pool) is None


async def test_connecting_ends_the_wait_and_reads_what_was_dropped(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Its first load reads everything; if an event was dropped just before, once more when Xero must know it."""
    neighbour = TenantId("99999999-9999-9999-9999-999999999996")
    await intake(pool, lease, strange("r1"), strange("r2"), strange("r1", neighbour), limit=1)
    await pool.execute(
        "UPDATE unconnected SET dropped_at = now() - interval '11 minutes' WHERE tenant_id = $1", neighbour
    )

    (one,), (other,) = await connected(pool), await connected(pool, neighbour)

    assert (one.passes, other.passes) == (1, 1)
    assert await pool.fetchval("SELECT count(*) FROM unconnected") == 0
    passes = await pool.fetch(
        "SELECT tenant_id, kind, since < now() - interval '23 hours' AS since, not_before > now() AS later FROM passes ORDER BY 1, 2"
    )
    assert [tuple(row) for row in passes] == [
        (neighbour, "backfill", None, False),
        (STRANGER, "backfill", None, False),
        (STRANGER, "catch_up", True, True),
    ]


async def test_an_organisation_that_is_being_connected_loses_no_event(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Intake saw no organisation and no room; by the time it marks there is one, and the event counts as any other."""
    async with pool.acquire() as connection, connection.transaction():
        await take_over(connection, {STRANGER: 1})
        under_way = asyncio.create_task(intake(pool, lease, strange("r1"), limit=0))
        await waiting_for_a_lock(pool)
        await connection.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
        await connection.execute(
            "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", UUID(int=1)
        )
        await connection.execute(
            "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, 1)",
            STRANGER,
            UUID(int=1),
        )

    assert await under_way == 1
    await expire(pool, 7)
    assert await noted(pool) is None


async def waiting_for_a_lock(pool: "asyncpg.Pool[Any]") -> None:
    """Until somebody does."""
    waiting = (
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    async with asyncio.timeout(10):
        while not await pool.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL does not tell
            await asyncio.sleep(0.01)
