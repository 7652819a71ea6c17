"""Passes on the real PostgreSQL: a page moves its pass on, but never one that was begun anew meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from processors.planner.plan import PassKind
from processors.sync.store import move
from xero_api.paging import Keyset
from xero_stream.contracts.names import EntityName, TenantId

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


async def page(
    pool: "asyncpg.Pool[Any]", begun: tuple[datetime | None, int], *, last: bool = False
) -> tuple[int, bool, bool]:
    """Record a page of a thousand; answers what the pass has seen, whether it has a place, and whether it is done."""
    await move(
        pool,
        TENANT,
        EntityName.INVOICES,
        PassKind.CATCH_UP,
        begun=begun,
        place=None if last else Keyset(since=T),
        seen=1000,
        total=None,
        now=T,
    )
    row = await pool.fetchrow("SELECT seen, place, finished_at FROM passes")
    assert row is not None
    return row["seen"], row["place"] is not None, row["finished_at"] is not None


async def test_pages_move_a_pass_to_its_end(open_pass: "asyncpg.Pool[Any]") -> None:
    """Each goes on where the one before it ended."""
    assert await page(open_pass, (T, 0)) == (1000, True, False)
    assert await page(open_pass, (T, 1000), last=True) == (2000, False, True)


@pytest.mark.parametrize("since", [T - timedelta(days=1), T])
@pytest.mark.parametrize("last", [True, False])
async def test_a_page_of_before_moves_no_pass_that_began_anew(
    open_pass: "asyncpg.Pool[Any]", since: datetime, last: bool
) -> None:
    """Events were lost while the second page was read: the pass begins again, perhaps earlier, and nothing is left out."""
    await page(open_pass, (T, 0))
    await open_pass.execute("UPDATE passes SET since = $1, place = NULL, seen = 0", since)
    assert await page(open_pass, (T, 1000), last=last) == (0, False, False)


async def test_a_first_page_of_before_moves_no_pass_that_reads_more(open_pass: "asyncpg.Pool[Any]") -> None:
    """The first page had seen nothing either, but began later."""
    await open_pass.execute("UPDATE passes SET since = NULL")
    assert await page(open_pass, (T, 0), last=True) == (0, False, False)
