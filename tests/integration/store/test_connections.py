"""Connecting organisations, on a real PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from cryptography.fernet import Fernet

from processors.tenants.app_holds import AppHolds
from processors.xero import StoredGrants
from xero_api.errors import TransientError
from xero_api.oauth.token import refused_app
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.settings.apps import App
from xero_stream.settings.xero import AppTier
from xero_stream.store.apps import troubles
from xero_stream.store.connections import Connected, Organisation, OtherAppError, connect, drop_grant, keep_grant
from xero_stream.store.crypto import TokenCipher
from xero_stream.store.grants import SealedTokens, locked
from xero_stream.store.pool import open_pool
from xero_stream.store.queries.grants import standing
from xero_stream.store.tenants import Told, load, suspend, told

NOW = datetime.now(UTC)
TOKENS = SealedTokens(
    grant_id=UUID(int=0),
    access_token=b"sealed-a",
    refresh_token=b"sealed-r",
    refreshed_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
)
ONE = Organisation(tenant_id=TenantId("11111111-1111-4111-8111-111111111111"), name="One", customer_ref="customer-1")
TWO = Organisation(tenant_id=TenantId("22222222-2222-4222-8222-222222222222"), name="Two")
ENTITIES = [EntityName.INVOICES, EntityName.CONTACTS]


def app(name: str = DEFAULT_APP) -> App:
    """An app as the settings give it."""
    return App(name=AppName(name), client_id="id", client_secret="secret", tier=AppTier.CORE)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Connections to a fresh store."""
    opened = await open_pool(database_url, size=4)
    yield opened
    await opened.close()


async def connected(pool: "asyncpg.Pool[Any]", *tenants: Organisation, **more: Any) -> list[Connected]:
    """Connect with the usual arguments."""
    arguments: dict[str, Any] = {
        "app": app(),
        "kind": "authorization_code",
        "tokens": replace(TOKENS, grant_id=uuid4()),
        "entities": ENTITIES,
        "partitions": 6,
        **more,
    }
    return await connect(pool, tenants=tenants, **arguments)


async def test_a_new_grant(pool: "asyncpg.Pool[Any]") -> None:
    """Grant, organisations in their partitions and a first load per entity are there at once."""
    done = await connected(pool, ONE, TWO)

    assert done == [
        Connected(tenant_id=ONE.tenant_id, before=None, passes=2),
        Connected(tenant_id=TWO.tenant_id, before=None, passes=2),
    ]
    rows = await pool.fetch("SELECT * FROM tenants ORDER BY name")
    assert [(row["partition"], row["state"], row["customer_ref"]) for row in rows] == [
        (partition_of(ONE.tenant_id, 6), "connected", "customer-1"),
        (partition_of(TWO.tenant_id, 6), "connected", None),
    ]
    grant = await pool.fetchrow("SELECT * FROM grants")
    assert (grant["access_token"], grant["refresh_token"], grant["state"]) == (b"sealed-a", b"sealed-r", "active")
    passes = await pool.fetch("SELECT tenant_id, entity, kind, partition, since, finished_at FROM passes")
    assert {(row["tenant_id"], row["entity"]) for row in passes} == {
        (tenant.tenant_id, entity.value) for tenant in (ONE, TWO) for entity in ENTITIES
    }
    assert {row["kind"] for row in passes} == {"backfill"}
    assert all(row["partition"] == partition_of(row["tenant_id"], 6) for row in passes)


@pytest.mark.parametrize("state", ["needs_reauth", "disconnected"])
async def test_a_waiting_organisation_goes_on(pool: "asyncpg.Pool[Any]", state: str) -> None:
    """It is connected again with the new tokens, keeps its reference, and everything loaded is read again."""
    await connected(pool, ONE)
    await pool.execute("UPDATE passes SET finished_at = now(), seen = 7 WHERE entity = 'invoices'")
    await pool.execute(
        "UPDATE passes SET place = '{}', attempts = 3, not_before = now() + '1 h' WHERE entity = 'contacts'"
    )
    await pool.execute("UPDATE tenants SET state = $1", state)

    done = await connected(pool, Organisation(tenant_id=ONE.tenant_id, name="One Ltd"))

    assert done == [Connected(tenant_id=ONE.tenant_id, before=state, passes=1)]
    tenant = await pool.fetchrow("SELECT t.*, g.state AS grant_state FROM tenants t JOIN grants g USING (grant_id)")
    assert (tenant["state"], tenant["name"], tenant["customer_ref"], tenant["grant_state"]) == (
        "connected",
        "One Ltd",
        "customer-1",
        "active",
    )
    passes = {(row["entity"], row["kind"]): row for row in await pool.fetch("SELECT * FROM passes")}
    assert passes["invoices", "catch_up"]["since"] is None
    assert passes["invoices", "backfill"]["seen"] == 7
    under_way = passes["contacts", "backfill"]
    assert (under_way["place"], under_way["attempts"]) == (b"{}", 0)
    assert await pool.fetchval("SELECT count(*) FROM passes WHERE not_before > now()") == 0
    assert ("contacts", "catch_up") not in passes


async def test_again_while_connected_only_the_tokens_change(pool: "asyncpg.Pool[Any]") -> None:
    """A new consent for a connected organisation reads nothing again; a newly enabled entity is loaded."""
    await connected(pool, ONE)
    await pool.execute("UPDATE passes SET finished_at = now()")

    done = await connected(pool, ONE, entities=[*ENTITIES, EntityName.CREDIT_NOTES])

    assert done == [Connected(tenant_id=ONE.tenant_id, before="connected", passes=1)]
    opened = await pool.fetch("SELECT entity, kind FROM passes WHERE finished_at IS NULL")
    assert [tuple(row) for row in opened] == [("credit-notes", "backfill")]


async def test_another_app_does_not_take_an_organisation(pool: "asyncpg.Pool[Any]") -> None:
    """Refused as a whole, with what to do; once it waits for a grant, another app may have it."""
    await connected(pool, ONE)

    with pytest.raises(OtherAppError, match="'default'"):
        await connected(pool, TWO, ONE, app=app("second"))
    assert await pool.fetchval("SELECT count(*) FROM tenants") == 1
    assert await pool.fetchval("SELECT count(*) FROM grants") == 1

    await pool.execute("UPDATE tenants SET state = 'disconnected', parked_until = now() + '1 h'")
    await connected(pool, ONE, app=app("second"))
    row = await pool.fetchrow("SELECT app, parked_until FROM tenants")
    assert (row["app"], row["parked_until"]) == ("second", None)


async def test_how_old_a_connection_is(pool: "asyncpg.Pool[Any]") -> None:
    """As Xero says; who doesn't know takes nothing away, and only what was gone can be new again."""
    first, second = NOW - timedelta(days=9), NOW - timedelta(minutes=1)
    kept = []
    for state, made in (
        ("connected", None),
        ("connected", first),
        ("connected", None),
        ("connected", second),
        ("disconnected", None),
        ("disconnected", second),
    ):
        await pool.execute("UPDATE tenants SET state = $1", state)
        await connected(pool, replace(ONE, connection_created_at=made))
        kept.append(await pool.fetchval("SELECT connection_created_at FROM tenants"))

    assert kept == [None, first, first, first, first, second]


async def test_grants_that_reach_nothing_are_forgotten(pool: "asyncpg.Pool[Any]") -> None:
    """Their tokens don't stay; one just being added, and those of others, do."""
    await connected(pool, ONE)
    being_added = await keep_grant(pool, app=app(), kind="client_credentials", tokens=TOKENS)

    await connected(pool, ONE)

    grants = await pool.fetch("SELECT grant_id, created_at FROM grants")
    assert len(grants) == 2
    assert being_added in {row["grant_id"] for row in grants}
    await drop_grant(pool, being_added)
    in_use = await pool.fetchval("SELECT grant_id FROM tenants")
    await drop_grant(pool, in_use)
    assert [row["grant_id"] for row in await pool.fetch("SELECT grant_id FROM grants")] == [in_use]


async def test_a_kept_grant_is_connected_later(pool: "asyncpg.Pool[Any]") -> None:
    """Tokens are stored first, organisations added once they are known."""
    grant_id = await keep_grant(pool, app=app(), kind="authorization_code", tokens=TOKENS)

    await connected(pool, ONE, grant_id=grant_id)

    assert await pool.fetchval("SELECT grant_id FROM tenants") == grant_id
    assert await pool.fetchval("SELECT count(*) FROM grants") == 1


async def test_standing(pool: "asyncpg.Pool[Any]") -> None:
    """What an operator sees: state, load under way, backlog, parking."""
    await connected(pool, ONE)
    await pool.execute("UPDATE passes SET seen = 5, total = 10 WHERE entity = 'invoices'")
    await pool.execute("UPDATE passes SET finished_at = now() WHERE entity = 'contacts'")
    await pool.execute("UPDATE tenants SET parked_until = now() - interval '1 s', parked_reason = 'day_limit'")
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at) "
        "VALUES ($1, 'invoices', 'r', 0, now(), now())",
        ONE.tenant_id,
    )

    [row] = await standing(pool)

    assert (row.name, row.state, row.loading, row.loaded, row.load_total, row.backlog) == (
        "One",
        "connected",
        ["invoices"],
        5,
        10,
        1,
    )
    assert (row.parked_until, row.parked_reason) == (None, None)


async def test_another_grant_ends_the_waits_after_failures(pool: "asyncpg.Pool[Any]") -> None:
    """Failed passes and records are due at once; what waits for another reason, and what Xero limits, waits on."""
    await connected(pool, ONE)
    later = NOW + timedelta(hours=1)
    await pool.execute("UPDATE passes SET not_before = $1, attempts = 3", later)
    await pool.execute("UPDATE tenants SET parked_until = $1, parked_reason = 'day'", later)
    await pool.executemany(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, not_before, attempts) "
        "VALUES ($1, 'invoices', $2, 0, now(), now(), $3, $4)",
        [(ONE.tenant_id, "failed", later, 5), (ONE.tenant_id, "stale", later, 0)],
    )

    await connected(pool, ONE)

    assert await pool.fetchval("SELECT max(not_before) FROM passes") < NOW
    waiting = await pool.fetch("SELECT record_id FROM dirty WHERE not_before > now()")
    assert [row["record_id"] for row in waiting] == ["stale"]
    assert await pool.fetchval("SELECT parked_until FROM tenants") == later


async def test_an_old_grants_end_does_not_suspend_what_has_a_new_one(pool: "asyncpg.Pool[Any]") -> None:
    """A call under way with the old grant fails after the new one was stored: it says nothing of that."""
    await connected(pool, ONE)
    loaded = await load(pool, ONE.tenant_id)
    assert loaded is not None

    await connected(pool, ONE)

    assert not await suspend(pool, ONE.tenant_id, "needs_reauth", loaded.roused)
    assert await told(pool, [ONE.tenant_id]) == {ONE.tenant_id: Told(roused=loaded.roused + 1, connected=True)}
    assert await suspend(pool, ONE.tenant_id, "needs_reauth", loaded.roused + 1)
    assert await told(pool, [ONE.tenant_id]) == {ONE.tenant_id: Told(roused=loaded.roused + 1, connected=False)}


async def test_a_grant_that_was_replaced_is_asked_for_again(pool: "asyncpg.Pool[Any]") -> None:
    """Its row is gone while a call wants its token: the next try finds the new one."""
    await connected(pool, ONE)
    source = StoredGrants(pool, TokenCipher([Fernet.generate_key().decode()]), lambda _: ())
    old = await source.grant_of(AppName(DEFAULT_APP), ONE.tenant_id)
    await connected(pool, ONE)

    with pytest.raises(TransientError, match="another grant"):
        async with source.locked(old):
            raise AssertionError

    assert await source.grant_of(AppName(DEFAULT_APP), ONE.tenant_id) != old


async def test_an_app_that_xero_refuses(pool: "asyncpg.Pool[Any]") -> None:
    """Each of its organisations says so, until Xero takes it again; the first refusal keeps its time."""
    await connected(pool, ONE)
    holds = AppHolds(pool)
    name = AppName(DEFAULT_APP)

    await holds.refused(name, refused_app("invalid_client", where="token endpoint: 401"))
    (first,) = await troubles(pool)
    await holds.refused(name, refused_app("invalid_scope", where="token endpoint: 400"))

    (second,) = await troubles(pool)
    assert (second.trouble, second.since) == ("token endpoint: 400: invalid_scope", first.since)
    assert "granular" in second.hint
    (row,) = await standing(pool)
    assert row.app_trouble == second.trouble
    assert 59 < holds.seconds(name) <= 60

    holds.changed()
    assert holds.seconds(name) == 0
    assert await troubles(pool), "only Xero says that it takes the app"
    await holds.works(name, time.monotonic())
    assert await troubles(pool) == []
    assert (await standing(pool))[0].app_trouble is None


async def test_a_call_that_was_under_way_when_its_app_was_refused_does_not_end_the_hold(
    pool: "asyncpg.Pool[Any]",
) -> None:
    """It went out with the token of before; the next one would be refused as well."""
    await connected(pool, ONE)
    holds = AppHolds(pool)
    name = AppName(DEFAULT_APP)
    begun = time.monotonic()

    await holds.refused(name, refused_app("invalid_client", where="token endpoint: 401"))
    await holds.works(name, begun)

    assert holds.seconds(name) > 59
    assert len(await troubles(pool)) == 1
    await holds.works(name, time.monotonic())
    assert holds.seconds(name) == 0
    assert await troubles(pool) == []


async def test_an_app_that_is_refused_while_it_is_said_to_work_stays_refused(pool: "asyncpg.Pool[Any]") -> None:
    """Whichever of the two reaches the store first, what is shown is the refusal."""
    await connected(pool, ONE)
    holds = AppHolds(pool)
    name = AppName(DEFAULT_APP)

    for _ in range(5):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(holds.works(name, time.monotonic()))
            await asyncio.sleep(0)
            tasks.create_task(holds.refused(name, refused_app("invalid_client", where="token endpoint: 401")))

        assert holds.seconds(name) > 59
        assert len(await troubles(pool)) == 1


async def test_another_processs_app_trouble_ends_with_new_tokens(pool: "asyncpg.Pool[Any]") -> None:
    """A refresh that goes well shows that Xero takes the app, whoever wrote down that it didn't."""
    await connected(pool, ONE)
    await AppHolds(pool).refused(AppName(DEFAULT_APP), refused_app("invalid_client", where="token endpoint"))
    grant = await pool.fetchval("SELECT grant_id FROM grants")

    async with locked(pool, grant) as row:
        await row.save(access_token=b"a", refresh_token=b"r", previous_token=None, refreshed_at=NOW, expires_at=NOW)

    assert await troubles(pool) == []
