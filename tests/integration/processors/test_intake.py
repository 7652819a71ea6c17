"""Intake on the real PostgreSQL: marks and offsets in one transaction."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from processors.intake.fold import Arrived, Mark, Refusal, Refused
from processors.intake.store import take_in
from processors.partitions.store import FencedError, Lease, take
from xero_stream.contracts.names import EntityName, RecordId, TenantId

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")


def mark(record: str = "r1", *, at: datetime = T, delivery: str = "d1") -> Mark:
    """What an event comes to."""
    return Mark(
        tenant_id=TENANT,
        entity=EntityName.INVOICES,
        record_id=RecordId(record),
        event_at=at,
        received_at=at,
        deliveries=[delivery],
    )


async def intake(
    pool: "asyncpg.Pool[Any]", lease: Lease, *marks: Mark, offset: int = 1, refused: tuple[Refused, ...] = ()
) -> int:
    """Take marks in."""
    return await take_in(
        pool,
        partition=lease.partition,
        epoch=lease.epoch,
        next_offset=offset,
        newest=T,
        marks=marks,
        refused=refused,
        topic="test.webhook-events",
    )


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
