"""Passes on the real PostgreSQL: a page moves its pass on, but never one that was restarted meanwhile."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from processors.intake.transaction import events_lost
from processors.relay.outbox import load_anew
from processors.sync.progress import move
from xero_api.paging import Done, Keyset
from xero_stream.contracts.names import DEFAULT_APP, EntityName, TenantId
from xero_stream.store import passes
from xero_stream.store.leases import Lease
from xero_stream.store.passes import PassId, failed
from xero_stream.store.states import PassKind

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")


@pytest.fixture
async def open_pass(pool: "asyncpg.Pool[Any]") -> "asyncpg.Pool[Any]":
    """A store with one catch-up under way."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", UUID(int=1)
    )
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, 1)", TENANT, UUID(int=1)
    )
    await pool.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition, since) VALUES ($1, 'invoices', 'catch_up', 1, $2)",
        TENANT,
        T,
    )
    return pool


async def page(pool: "asyncpg.Pool[Any]", begun: tuple[int, int], *, last: bool = False) -> tuple[int, bool, bool]:
    """Record a page of a thousand; answers what the pass has seen, whether it has a place, and whether it is done."""
    generation, seen_before = begun
    await move(
        pool,
        PassId(tenant_id=TENANT, entity=EntityName.INVOICES, kind=PassKind.CATCH_UP, generation=generation),
        seen_before=seen_before,
        place=Done(reached=T) if last else Keyset(since=T),
        seen=1000,
        total=None,
        now=T,
    )
    row = await pool.fetchrow("SELECT seen, place, finished_at FROM passes")
    assert row is not None
    return row["seen"], row["place"] is not None, row["finished_at"] is not None


async def test_pages_move_a_pass_to_its_end(open_pass: "asyncpg.Pool[Any]") -> None:
    """Each goes on where the one before it ended."""
    assert await page(open_pass, (0, 0)) == (1000, True, False)
    assert await page(open_pass, (0, 1000), last=True) == (2000, False, True)


Anew = Callable[["asyncpg.Pool[Any]", Lease], Awaitable[object]]


async def events_of_app_lost(pool: "asyncpg.Pool[Any]", _: Lease) -> None:
    """Xero never delivered some."""
    async with pool.acquire() as connection:
        await passes.catch_up_app(connection, DEFAULT_APP, T)


async def connected_again(pool: "asyncpg.Pool[Any]", _: Lease) -> None:
    """After the organisation was away."""
    await passes.open_first_loads(pool, TENANT, 1, [EntityName.INVOICES], was_away=True)


async def set_with_read_again(pool: "asyncpg.Pool[Any]", _: Lease) -> None:
    """``deployment set --read-again``."""
    await passes.load_everywhere(pool, EntityName.INVOICES, [])


@pytest.mark.parametrize("seen", [0, 1000])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    ("kind", "anew"),
    [
        (PassKind.CATCH_UP, partial(events_lost, since=None)),
        (PassKind.CATCH_UP, events_of_app_lost),
        (PassKind.CATCH_UP, connected_again),
        (PassKind.CATCH_UP, set_with_read_again),
        (PassKind.BACKFILL, partial(load_anew, gone=(), entities=[EntityName.INVOICES])),
    ],
)
async def test_a_page_of_before_moves_no_pass_that_began_anew(
    open_pass: "asyncpg.Pool[Any]", lease: Lease, kind: PassKind, anew: Anew, last: bool, seen: int
) -> None:
    """Also the first page, of a pass that reads everything as the one before did."""
    await open_pass.execute("UPDATE passes SET since = NULL")
    await open_pass.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition, finished_at) VALUES ($1, 'invoices', 'backfill', 1, $2)",
        TENANT,
        None if kind is PassKind.BACKFILL else T,
    )
    await open_pass.execute("UPDATE passes SET seen = $1 WHERE kind = $2", seen, kind.value)
    (before,) = await open_pass.fetch("SELECT generation FROM passes WHERE kind = $1", kind.value)

    await anew(open_pass, lease)
    place = Done(reached=T) if last else Keyset(since=T)
    await move(
        open_pass,
        PassId(tenant_id=TENANT, entity=EntityName.INVOICES, kind=kind, generation=before["generation"]),
        seen_before=seen,
        place=place,
        seen=1000,
        total=None,
        now=T,
    )

    (row,) = await open_pass.fetch("SELECT seen, place, finished_at FROM passes WHERE kind = $1", kind.value)
    assert dict(row) == {"seen": 0, "place": None, "finished_at": None}


@pytest.mark.parametrize("anew", [partial(events_lost, since=None), connected_again])
async def test_a_failure_of_before_postpones_no_pass_that_began_anew(
    open_pass: "asyncpg.Pool[Any]", lease: Lease, anew: Anew
) -> None:
    """Else what was lost would be read after the wait of another pass: an hour, where Xero refused that one again and again."""
    await open_pass.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition, finished_at) VALUES ($1, 'invoices', 'backfill', 1, now())",
        TENANT,
    )
    fails = partial(
        failed,
        open_pass,
        PassId(tenant_id=TENANT, entity=EntityName.INVOICES, kind=PassKind.CATCH_UP, generation=0),
        error="400",
        hint="",
        now=T,
        not_before=T + timedelta(hours=1),
    )
    await fails()
    assert await open_pass.fetchval("SELECT attempts FROM passes WHERE kind = 'catch_up'") == 1

    await anew(open_pass, lease)
    await fails()

    (row,) = await open_pass.fetch(
        "SELECT attempts, error, failing_since, not_before FROM passes WHERE kind = 'catch_up'"
    )
    assert tuple(row) == (0, None, None, datetime(1970, 1, 1, tzinfo=UTC))


async def ends_early(pool: "asyncpg.Pool[Any]", kind: PassKind, begun: tuple[int, int]) -> None:
    """The last page of a pass, with records after it that changed since the pass began."""
    place = Done(reached=T + timedelta(hours=1), more=True)
    generation, seen_before = begun
    which = PassId(tenant_id=TENANT, entity=EntityName.INVOICES, kind=kind, generation=generation)
    await move(pool, which, seen_before=seen_before, place=place, seen=1000, total=None, now=T)


async def catch_up(pool: "asyncpg.Pool[Any]") -> tuple[datetime | None, int, bool, bool]:
    """Since when it reads, what it has seen, whether it waits a moment, and whether it is done."""
    row = await pool.fetchrow("SELECT * FROM passes WHERE kind = 'catch_up'")
    assert row is not None
    assert row["place"] is None
    return row["since"], row["seen"], row["not_before"] > T, row["finished_at"] is not None


async def test_a_catch_up_that_ended_at_its_bound_is_followed_by_the_next(open_pass: "asyncpg.Pool[Any]") -> None:
    """It reads from where this one ended, after a moment for other entities' passes."""
    await ends_early(open_pass, PassKind.CATCH_UP, (0, 0))

    assert await catch_up(open_pass) == (T + timedelta(hours=1), 0, True, False)


async def test_a_page_of_before_opens_no_pass(open_pass: "asyncpg.Pool[Any]") -> None:
    """The pass began again while the page was read: what changed since is in the new one."""
    await ends_early(open_pass, PassKind.CATCH_UP, (0, 7000))

    assert await catch_up(open_pass) == (T, 0, False, False)


@pytest.mark.parametrize(
    ("already", "since"),
    [
        ("none", T + timedelta(hours=1)),
        ("finished", T + timedelta(hours=1)),
        ("earlier", T),
        ("later", T + timedelta(hours=1)),
        ("everything", None),
    ],
)
async def test_a_first_load_that_ended_at_its_bound_is_followed_by_a_catch_up(
    open_pass: "asyncpg.Pool[Any]", already: str, since: datetime | None
) -> None:
    """The load is done. A catch-up under way starts again, from the earlier of both moments."""
    await open_pass.execute(
        "INSERT INTO passes (tenant_id, entity, kind, partition) VALUES ($1, 'invoices', 'backfill', 1)", TENANT
    )
    changes = {
        "none": "DELETE FROM passes WHERE kind = 'catch_up'",
        "finished": "UPDATE passes SET finished_at = now() WHERE kind = 'catch_up'",
        "earlier": "UPDATE passes SET seen = 3000, place = '{}' WHERE kind = 'catch_up'",
        "later": "UPDATE passes SET since = since + interval '1 day' WHERE kind = 'catch_up'",
        "everything": "UPDATE passes SET since = NULL WHERE kind = 'catch_up'",
    }
    await open_pass.execute(changes[already])

    await ends_early(open_pass, PassKind.BACKFILL, (0, 0))

    assert await catch_up(open_pass) == (since, 0, True, False)
    generation = await open_pass.fetchval("SELECT generation FROM passes WHERE kind = 'catch_up'")
    assert generation == (0 if already == "none" else 1)
    assert await open_pass.fetchval("SELECT finished_at FROM passes WHERE kind = 'backfill'") == T
