"""Values at the edge of what PostgreSQL and Kafka take: their neighbours are recorded all the same."""

import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from processors.recorder.decide import Read
from processors.recorder.envelope import Fetch
from processors.recorder.recorder import Batch, Recorded, Recorder
from xero_api.entity import Form
from xero_stream.contracts.change_event import Op, Trigger
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.topics import Topics
from xero_stream.store.leases import Lease

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")


class Also:
    """What else belongs to a batch; counts how often it was done, and undone."""

    def __init__(self) -> None:
        self.done = 0

    async def __call__(self, connection: Any) -> None:
        """Move a pass on, say."""
        await connection.execute("UPDATE leases SET owner = coalesce(owner, '') || '+' WHERE partition = 1")
        self.done += 1


async def record(pool: "asyncpg.Pool[Any]", lease: Lease, *reads: Read, also: Also | None = None) -> Recorded:
    """Record a batch."""
    recorder = Recorder(pool=pool, lease=lease, topics=Topics(prefix="test"))
    batch = Batch(
        tenant_id=TENANT,
        entity=EntityName.INVOICES,
        customer_ref=None,
        reads=reads,
        read_at=T,
        marks=2**62,
        trigger=Trigger.POLL,
        fetch=Fetch(correlation_id=None, fetched_at=T),
        also=also,
    )
    return await recorder.record(batch, datetime.now(UTC))


def read(record_id: str, *, status: str = "draft", raw: bytes | None = None) -> Read:
    """A record as read."""
    body = b'{"id":"%s"}' % record_id.encode()[:50]
    return Read(record_id=record_id, body=body, status=status, updated_at=T, raw=raw, form=Form.ONE)


@pytest.mark.parametrize(
    "refused",
    [read("bad", status="a\x00b"), read("b\x00ad"), read(random.Random(1).randbytes(8_000).hex())],
    ids=["NUL in a word", "NUL in an id", "an id too long for the index"],
)
async def test_what_the_store_refuses_is_quarantined_and_its_neighbours_go_on(
    pool: "asyncpg.Pool[Any]", lease: Lease, refused: Read
) -> None:
    """Once each, without a gap, and what belongs to the batch is done once."""
    also = Also()

    recorded = await record(pool, lease, read("one"), refused, read("two"), also=also)

    assert recorded.changes == {Op.CREATE: 2}
    assert (recorded.quarantined, recorded.last_position) == (1, 2)
    rows = await pool.fetch("SELECT position, record_id FROM changes ORDER BY position")
    assert [tuple(row) for row in rows] == [(1, "one"), (2, "two")]
    row = await pool.fetchrow("SELECT reason, value, state FROM quarantine")
    assert tuple(row) == ("refused_by_store", refused.body, "open")
    assert await pool.fetchval("SELECT owner FROM leases WHERE partition = 1") == "test+"


async def test_a_refused_record_takes_its_mark_along(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """It is not read again and again; a later event or an operator brings it back."""
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at) "
        "VALUES ($1, 'invoices', 'bad', 1, $2, $2)",
        TENANT,
        T,
    )

    await record(pool, lease, read("bad", status="a\x00b"))

    assert await pool.fetchval("SELECT count(*) FROM dirty") == 0
    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 1


async def test_bytes_of_any_kind_are_kept(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Bodies are bytes: NUL, and what is no UTF-8 at all."""
    await record(pool, lease, read("one", raw=b'{"a":"\x00\xff"}'))

    assert await pool.fetchval("SELECT raw FROM records") == b'{"a":"\x00\xff"}'
    assert b'"raw":{"a":"\x00\xff"}' in await pool.fetchval("SELECT value FROM changes")
