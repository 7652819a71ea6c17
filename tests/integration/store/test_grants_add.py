"""``grants add`` from a simulated Xero to a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.integration.simulator.rig import simulate
from tests.support.connecting import connect_all
from xero_stream.contracts.names import EntityName

ENTITIES = (EntityName.INVOICES, EntityName.JOURNALS)


async def fetched(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    """Ask the store."""
    connection = await asyncpg.connect(database_url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


@pytest.mark.parametrize(("tier", "loaded"), [("core", ["invoices"]), ("advanced", ["invoices", "journals"])])
async def test_what_the_tier_includes_is_loaded(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tier: str, loaded: list[str]
) -> None:
    """Nothing is begun that the app may not ask for."""
    simulated = await simulate(tenants=1)
    await connect_all(simulated.talk, database_url, monkeypatch, tier=tier, entities=ENTITIES)
    await simulated.close()

    assert await fetched(database_url, "SELECT entity FROM passes ORDER BY entity") == [(name,) for name in loaded]


async def test_how_old_the_connections_are_is_kept(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Xero's clock, an hour ahead of ours; another user's grant for the same organisations makes them no newer."""
    simulated = await simulate()
    await simulated.talk.ahead(3_600)
    await connect_all(simulated.talk, database_url, monkeypatch, tier="plus", entities=ENTITIES)
    asked = "SELECT connection_created_at FROM tenants ORDER BY tenant_id"
    first = await fetched(database_url, asked)
    await connect_all(simulated.talk, database_url, monkeypatch, tier="plus", entities=ENTITIES)
    await simulated.close()

    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    assert [abs(in_an_hour - made) < timedelta(minutes=1) for (made,) in first] == [True, True]
    assert await fetched(database_url, asked) == first
