"""``grants add`` from a simulated Xero to a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from cryptography.fernet import Fernet

from cli.grants.add import Wish, add
from tests.integration.simulator.rig import Talk, simulate
from xero_stream.contracts.names import DEFAULT_APP, EntityName

ENTITIES = (EntityName.INVOICES, EntityName.JOURNALS)


async def added(talk: Talk, database_url: str, monkeypatch: pytest.MonkeyPatch, *, tier: str) -> None:
    """Connect all that a fresh grant reaches, as the command does."""
    grant = await talk.control("POST", "/grants", {})
    for name, value in {
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": "not asked",
        "XERO_API_URL": talk.url,
        "XERO_IDENTITY_URL": talk.url,
        "XERO_CLIENT_ID": grant["clientId"],
        "XERO_CLIENT_SECRET": grant["clientSecret"],
        "XERO_APP_TIER": tier,
        "XERO_STREAM_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }.items():
        monkeypatch.setenv(name, value)
    await add(Wish(app=DEFAULT_APP, refresh_token=grant["refreshToken"], entities=ENTITIES))


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
    await added(simulated.talk, database_url, monkeypatch, tier=tier)
    await simulated.close()

    assert await fetched(database_url, "SELECT entity FROM passes ORDER BY entity") == [(name,) for name in loaded]


async def test_how_old_the_connections_are_is_kept(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Xero's clock, an hour ahead of ours; another user's grant for the same organisations makes them no newer."""
    simulated = await simulate()
    await simulated.talk.ahead(3_600)
    await added(simulated.talk, database_url, monkeypatch, tier="plus")
    asked = "SELECT connection_created_at FROM tenants ORDER BY tenant_id"
    first = await fetched(database_url, asked)
    await added(simulated.talk, database_url, monkeypatch, tier="plus")
    await simulated.close()

    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    assert [abs(in_an_hour - made) < timedelta(minutes=1) for (made,) in first] == [True, True]
    assert await fetched(database_url, asked) == first
