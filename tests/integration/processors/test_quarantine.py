"""The quarantine on the real PostgreSQL: nothing is dropped, nothing is there twice, anything can go round again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from processors.intake.fold import Arrived, Refusal, Refused, fold
from processors.intake.place import Place
from processors.intake.subject import Subjects
from processors.intake.transaction import keep_refused
from xero_api.registry import INVOICES
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store.leases import Lease
from xero_stream.store.quarantine import (
    LARGEST_LETTER,
    Kept,
    Trimmed,
    bound,
    entries,
    entry,
    erase,
    expire,
    keep,
    published,
    resolve,
    retry,
    settle,
    unpublished,
)

TENANT = "11111111-1111-1111-1111-111111111111"


def kept(record: str = "r1", **fields: Any) -> Kept:
    """An invalid record."""
    given: dict[str, Any] = {
        "identity": f"{TENANT}/invoices/{record}",
        "stage": Stage.FETCH,
        "reason": "invalid_record",
        "error": "LineItems: expected a list",
        "source": f"invoices/{record}",
        "value": b'{"a":1}',
        "tenant_id": TENANT,
        "entity": "invoices",
        "record_id": record,
        **fields,
    }
    return Kept(**given)


async def put(pool: "asyncpg.Pool[Any]", one: Kept, partition: int = 1) -> UUID:
    """Keep something."""
    async with pool.acquire() as connection:
        return await keep(connection, partition, one)


async def test_the_same_failure_is_one_entry_with_its_last_bytes(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Counted, and open again if it was resolved meanwhile."""
    assert lease.partition == 1
    first = await put(pool, kept())
    await pool.execute("UPDATE quarantine SET state = 'resolved'")
    second = await put(pool, kept(value=b"later", error="Contact: expected an object"))

    assert first == second
    (found,) = await entries(pool)
    assert (found.attempts, found.state, found.value) == (2, "open", b"later")
    assert found.error == "Contact: expected an object"
    assert found.last_at >= found.first_at


async def test_a_repeated_failure_of_other_bytes_is_published_again(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Else its bytes would be dropped one day without having been on dead-letters."""
    identity = await put(pool, kept())
    await published(pool, [identity])
    await put(pool, kept())
    assert await unpublished(pool, lease.partition) == []

    await put(pool, kept(value=b"later"))

    ((found, letter),) = await unpublished(pool, lease.partition)
    assert (found, letter.value, letter.attempts) == (identity, b"later", 3)


async def test_text_that_postgres_refuses_is_kept_all_the_same(pool: "asyncpg.Pool[Any]") -> None:
    """A NUL, and words too long for an index; the bytes are untouched."""
    await put(pool, kept("r\x001", error="e\x00" * 2_000, source="s" * 5_000, value=b"\x00\xff"))

    (found,) = await entries(pool)
    assert found.record_id == "r\ufffd1"
    assert found.value == b"\x00\xff"
    assert len(found.error) == len(found.source) == 1_000


async def test_a_record_is_sent_round_again_and_resolved(pool: "asyncpg.Pool[Any]") -> None:
    """It is marked to be read alone, at once; whoever asks twice changes nothing."""
    identity = await put(pool, kept())

    assert await retry(pool, identity)
    assert not await retry(pool, identity)
    row = await pool.fetchrow("SELECT record_id, mode, partition, not_before < now() AS due FROM dirty")
    assert tuple(row) == ("r1", "alone", 1, True)
    found = await entry(pool, identity)
    assert found is not None
    assert found.state == "retrying"

    async with pool.acquire() as connection:
        await resolve(connection, TENANT, "invoices", ["r1", "another"])
    assert [one.id for one in await entries(pool, state="resolved")] == [identity]
    assert await entries(pool) == []


async def test_a_record_that_waits_for_its_time_is_read_at_once_when_asked(pool: "asyncpg.Pool[Any]") -> None:
    """Its mark is brought forward, not doubled."""
    identity = await put(pool, kept())
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before) "
        "VALUES ($1, 'invoices', 'r1', 1, now(), now(), now() + interval '1 hour')",
        TENANT,
    )

    assert await retry(pool, identity)

    assert await pool.fetchval("SELECT array_agg(not_before < now()) FROM dirty") == [True]


async def test_an_unreadable_event_names_no_record_to_read_again(pool: "asyncpg.Pool[Any]") -> None:
    """It is kept for an operator."""
    arrived = Arrived(offset=3, key=b"k", value=b"\x00", appended_at=datetime(2026, 11, 22, tzinfo=UTC))
    async with pool.acquire() as connection:
        await keep_refused(connection, 1, [Refused(arrived=arrived, reason=Refusal.UNREADABLE_EVENT, error="E")], "t")

    (found,) = await entries(pool)
    assert found.source == "t/1@3"
    assert not await retry(pool, found.id)
    assert not await retry(pool, UUID(int=5))


async def test_letters_come_oldest_first_and_a_transaction_full_at_a_time(pool: "asyncpg.Pool[Any]") -> None:
    """The first always, however large; after it what fits; each once; of one partition."""
    sizes = [100, 1_500_000, 1_500_000, LARGEST_LETTER + 5, 100]
    names = [await put(pool, kept(f"r{place}", value=bytes(size))) for place, size in enumerate(sizes)]
    await put(pool, kept("other"), partition=2)
    for place, name in enumerate(names):
        await pool.execute("UPDATE quarantine SET first_at = now() + $2 WHERE id = $1", name, timedelta(seconds=place))

    got: list[list[int]] = []
    while letters := await unpublished(pool, 1):
        got.append([names.index(identity) for identity, _ in letters])
        await published(pool, [identity for identity, _ in letters])

    assert got == [[0, 1], [2], [3], [4]]
    assert await unpublished(pool, 1) == []
    assert len(await unpublished(pool, 2)) == 1


async def all_published(pool: "asyncpg.Pool[Any]") -> None:
    """Everything is on dead-letters."""
    await published(pool, [row["id"] for row in await pool.fetch("SELECT id FROM quarantine")])


async def values(pool: "asyncpg.Pool[Any]") -> dict[str, bytes]:
    """The bytes of each entry, by its record or its source."""
    return {
        row["name"]: row["value"]
        for row in await pool.fetch("SELECT coalesce(record_id, source) AS name, value FROM quarantine")
    }


async def aged(pool: "asyncpg.Pool[Any]", days: int) -> None:
    """Everything was last seen so long ago."""
    await pool.execute("UPDATE quarantine SET last_at = last_at - make_interval(days => $1)", days)


async def test_what_is_resolved_loses_its_bytes_once_they_are_on_dead_letters(pool: "asyncpg.Pool[Any]") -> None:
    """In either order; what comes again has bytes again."""
    first, second, third = [await put(pool, kept(name)) for name in ("r1", "r2", "r3")]
    await published(pool, [first])

    async with pool.acquire() as connection:
        await resolve(connection, TENANT, "invoices", ["r1", "r2"])
    await settle(pool, third)
    assert await values(pool) == {"r1": b"", "r2": b'{"a":1}', "r3": b'{"a":1}'}
    assert [letter.value for _, letter in await unpublished(pool, 1)] == [b'{"a":1}'] * 2
    await published(pool, [second, third])
    assert await values(pool) == {"r1": b"", "r2": b"", "r3": b""}

    await put(pool, kept("r1", value=b"again"))
    assert await values(pool) == {"r1": b"again", "r2": b"", "r3": b""}


async def test_retention_ends_by_state(pool: "asyncpg.Pool[Any]") -> None:
    """Resolved entries go; open ones about a record stay without bytes; nothing that is not on dead-letters is touched."""
    now = datetime.now(UTC)
    for name in ("resolved", "open", "retrying"):
        await put(pool, kept(name))
    await put(pool, kept("unreadable", record_id=None, source="unreadable"))
    await all_published(pool)
    await put(pool, kept("unpublished"))
    await pool.execute("UPDATE quarantine SET state = record_id WHERE record_id IN ('resolved', 'retrying')")
    await aged(pool, 91)
    await put(pool, kept("new"))

    assert await expire(pool, now - timedelta(days=90)) == Trimmed(resolved=1, emptied=2, open=1)
    assert await values(pool) == {"open": b"", "retrying": b"", "unpublished": b'{"a":1}', "new": b'{"a":1}'}
    assert await expire(pool, now - timedelta(days=90)) == Trimmed()


async def test_each_app_has_a_limit(pool: "asyncpg.Pool[Any]") -> None:
    """Of the app that has too much, the oldest resolved entries go, then bytes of the oldest, then the oldest; not of another."""
    for number in range(6):
        await put(pool, kept(f"r{number}", value=b"x" * 100_000, app="shop", identity=f"{number}"))
    await put(pool, kept("other", value=b"x" * 100_000, app="second", identity="other"))
    await put(pool, kept("waiting", value=b"x" * 100_000, app="shop", identity="waiting"))
    await pool.execute(
        "UPDATE quarantine SET last_at = first_at - interval '1 hour' * (10 - right(record_id, 1)::int) WHERE record_id LIKE 'r_'"
    )
    await pool.execute("UPDATE quarantine SET published_at = now() WHERE record_id <> 'waiting'")
    await pool.execute("UPDATE quarantine SET state = 'resolved' WHERE record_id = 'r5'")

    assert await bound(pool, 10_000_000) == Trimmed()
    assert await bound(pool, 350_000) == Trimmed(resolved=1, emptied=3)
    sizes = {name: len(value) for name, value in (await values(pool)).items()}
    full = {"r3": 100_000, "r4": 100_000, "other": 100_000, "waiting": 100_000}
    assert sizes == {"r0": 0, "r1": 0, "r2": 0, **full}, "bytes that are not on dead-letters count, and stay"

    assert (await bound(pool, 3_000)).open == 4
    assert {"waiting"} < (await values(pool)).keys() <= {"r4", "waiting", "other"}


async def test_entries_count_for_the_app_of_their_organisation(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Or for the one that an event names."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('shop', 'core')")
    await pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'shop', 'authorization_code')", UUID(int=1)
    )
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'shop', $2, 1)", TENANT, UUID(int=1)
    )
    await put(pool, kept(), partition=lease.partition)
    refused = fold(
        [
            arrived(
                0, {"app": "second", "event": {"tenantId": TENANT, "resourceId": "no id", "eventCategory": "INVOICE"}}
            ),
            arrived(1, []),
        ],
        Subjects.of([INVOICES]),
        Place(partition=1, partitions=3, owners={}),
    ).refused
    async with pool.acquire() as connection:
        await keep_refused(connection, 1, refused, "t")

    rows = await pool.fetch("SELECT app, tenant_id FROM quarantine ORDER BY app NULLS LAST")
    assert [tuple(row) for row in rows] == [("second", TENANT), ("shop", TENANT), (None, None)]


def arrived(offset: int, document: Any) -> Arrived:
    """A record of webhook-events."""
    return Arrived(
        offset=offset, key=b"k", value=orjson.dumps(document), appended_at=datetime(2026, 11, 22, tzinfo=UTC)
    )


RECORD = "aaaaaaaa-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("entity", "records", "left"),
    [
        (None, (), {"stranger"}),
        (EntityName.INVOICES, (RECORD,), {"another", "contact", "unreadable of it", "stranger"}),
        (
            EntityName.CONTACTS,
            ("contact",),
            {RECORD, "another", "unreadable", "UNREADABLE", "unreadable of it", "stranger"},
        ),
    ],
)
async def test_an_erasure_reaches_whatever_names_the_record_or_the_organisation(
    pool: "asyncpg.Pool[Any]", entity: EntityName | None, records: tuple[str, ...], left: set[str]
) -> None:
    """In any state, and in bytes that nobody could read."""
    await put(pool, kept(RECORD))
    await put(pool, kept("another"))
    await put(pool, kept("contact", identity="c", entity="contacts"))
    unreadable: dict[str, Any] = {"tenant_id": None, "record_id": None, "entity": None}
    for source, value in (
        ("unreadable", f"{TENANT} {RECORD} \x00".encode() + b"\xff"),
        ("UNREADABLE", f"{TENANT} {RECORD}".upper().encode()),
        ("unreadable of it", TENANT.encode()),
        ("stranger", b"22222222-2222-2222-2222-222222222222"),
    ):
        await put(pool, kept(identity=source, source=source, value=value, **unreadable))
    await pool.execute("UPDATE quarantine SET state = 'resolved', published_at = now() WHERE record_id = $1", RECORD)
    before = await values(pool)

    async with pool.acquire() as connection:
        gone = await erase(connection, TenantId(TENANT), entity=entity, record_ids=records)

    assert (await values(pool)).keys() == left
    assert gone == len(before) - len(left)
