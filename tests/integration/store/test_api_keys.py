"""API keys and the audit log in a real store."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from xero_stream.contracts.api_key import Scope, is_digest_of, parse
from xero_stream.store.api_keys import NewKey, api_keys, create, described, revoke, used
from xero_stream.store.audit import entries
from xero_stream.store.pool import open_pool
from xero_stream.store.queries.api_keys import find

A, B, C = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[asyncpg.Pool[Any]]":
    """A store with two customers: c-1 has the organisations A and B, c-2 has C."""
    opened = await open_pool(database_url, size=4)
    await opened.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await opened.execute(
        "WITH g AS (INSERT INTO grants (grant_id, app, kind) VALUES (gen_random_uuid(), 'default', 'authorization_code') RETURNING grant_id) "
        "INSERT INTO tenants (tenant_id, app, grant_id, partition, customer_ref) "
        "SELECT t, 'default', grant_id, 0, c FROM g, unnest($1::text[], $2::text[]) AS n(t, c)",
        [A, B, C],
        ["c-1", "c-1", "c-2"],
    )
    yield opened
    await opened.close()


async def test_a_key_is_stored_as_a_digest_and_found_by_its_id(pool: "asyncpg.Pool[Any]") -> None:
    """The secret is in no column of no table; what is found checks the key that was shown."""
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    stored, key = await create(
        pool, NewKey(name="reporting", scopes=[Scope.READ, Scope.READ], expires_at=expires), actor="a@b"
    )

    found = await find(pool, key.key_id)

    assert found is not None
    assert found.key == stored
    assert (stored.name, stored.scopes, stored.expires_at, stored.created_by) == (
        "reporting",
        frozenset({"read"}),
        expires,
        "a@b",
    )
    assert is_digest_of(key, found.digest)
    assert parse(str(key)) == key
    assert found.tenant_ids is None
    for table in ("api_keys", "audit"):
        rows = await pool.fetch(f"SELECT to_jsonb(t)::text AS text FROM {table} t")
        assert rows
        assert not [row for row in rows if key.secret in row["text"] or key.secret.encode().hex() in row["text"]]
    assert await find(pool, "000000000000") is None


@pytest.mark.parametrize(
    ("tenants", "customer", "visible"),
    [
        (None, None, None),
        ([A, C], None, {A, C}),
        (None, "c-1", {A, B}),
        ([B, C], "c-1", {B}),
        (None, "nobody", set()),
    ],
)
async def test_a_key_sees_its_organisations(
    pool: "asyncpg.Pool[Any]", tenants: list[str] | None, customer: str | None, visible: set[str] | None
) -> None:
    """By id, by customer, by both; a customer without organisations sees nothing."""
    _, key = await create(
        pool, NewKey(name="n", scopes=[Scope.READ], tenant_ids=tenants, customer_ref=customer), actor="a"
    )

    found = await find(pool, key.key_id)

    assert found is not None
    assert found.tenant_ids == (None if visible is None else frozenset(visible))


async def test_an_organisation_that_changes_its_customer_is_seen_by_the_new_one(pool: "asyncpg.Pool[Any]") -> None:
    """The restriction follows the table, not what it was when the key was made."""
    _, key = await create(pool, NewKey(name="n", scopes=[Scope.READ], customer_ref="c-1"), actor="a")
    await pool.execute("UPDATE tenants SET customer_ref = 'c-2' WHERE tenant_id = $1", A)

    found = await find(pool, key.key_id)

    assert found is not None
    assert found.tenant_ids == frozenset({B})


async def test_a_key_that_would_open_nothing_is_not_made(pool: "asyncpg.Pool[Any]") -> None:
    """Neither without a scope, nor restricted to no organisation: an empty list must not become all."""
    with pytest.raises(ValueError, match="scope"):
        await create(pool, NewKey(name="n", scopes=[]), actor="a")
    with pytest.raises(ValueError, match="no organisation"):
        await create(pool, NewKey(name="n", scopes=[Scope.READ], tenant_ids=[]), actor="a")

    assert await api_keys(pool) == []
    assert await entries(pool, limit=10) == []


async def test_a_revoked_key_stays_revoked_from_the_first_time(pool: "asyncpg.Pool[Any]") -> None:
    """One entry in the audit log, with the key before and after; a second revocation changes nothing."""
    stored, key = await create(pool, NewKey(name="n", scopes=[Scope.ADMIN]), actor="maker")

    first = await revoke(pool, key.key_id, actor="ender", request_id="r-1")
    second = await revoke(pool, key.key_id, actor="another")

    assert first is not None
    assert first.revoked_at is not None
    assert second == first
    assert await revoke(pool, "000000000000", actor="ender") is None
    ended, made = await entries(pool, limit=10)
    assert (ended.act.actor, ended.act.action, ended.act.subject, ended.act.request_id) == (
        "ender",
        "api-key.revoke",
        key.key_id,
        "r-1",
    )
    assert ended.act.before is not None
    assert ended.act.after is not None
    assert ended.act.before["revoked_at"] is None
    assert datetime.fromisoformat(ended.act.after["revoked_at"]) == first.revoked_at
    assert (made.act.actor, made.act.action, made.act.before) == ("maker", "api-key.create", None)
    assert made.act.after is not None
    assert made.act.after["scopes"] == ["admin"]
    assert made.act.after.keys() == described(stored).keys()


async def test_a_change_and_its_entry_are_stored_together(pool: "asyncpg.Pool[Any]") -> None:
    """Where the log can't be written, no key is made or ended."""
    _, key = await create(pool, NewKey(name="n", scopes=[Scope.READ]), actor="a")
    await pool.execute("ALTER TABLE audit ADD CONSTRAINT audit_is_full CHECK (false) NOT VALID")

    with pytest.raises(asyncpg.CheckViolationError):
        await create(pool, NewKey(name="other", scopes=[Scope.READ]), actor="a")
    with pytest.raises(asyncpg.CheckViolationError):
        await revoke(pool, key.key_id, actor="a")

    (only,) = await api_keys(pool)
    assert (only.key_id, only.revoked_at) == (key.key_id, None)


async def test_last_use_is_written_once_a_minute(pool: "asyncpg.Pool[Any]") -> None:
    """A busy key is one update a minute, from however many processes."""
    _, key = await create(pool, NewKey(name="n", scopes=[Scope.READ]), actor="a")

    await asyncio.gather(*(used(pool, key.key_id) for _ in range(4)))
    (first,) = await api_keys(pool)
    await used(pool, key.key_id)
    (second,) = await api_keys(pool)
    await pool.execute("UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'")
    await used(pool, key.key_id)
    (third,) = await api_keys(pool)

    assert first.last_used_at is not None
    assert second.last_used_at == first.last_used_at
    assert third.last_used_at is not None
    assert third.last_used_at > first.last_used_at


async def test_the_log_is_paged_and_filtered(pool: "asyncpg.Pool[Any]") -> None:
    """The newest first; ids go down; a name with a NUL character is no reason to lose the entry."""
    made = [await create(pool, NewKey(name=f"n{i}", scopes=[Scope.READ]), actor="a") for i in range(3)]

    newest = await entries(pool, limit=2)
    older = await entries(pool, limit=2, before=newest[-1].id)
    one = await entries(pool, limit=10, subject=made[1][1].key_id)

    assert [entry.act.subject for entry in (*newest, *older)] == [key.key_id for _, key in reversed(made)]
    assert [entry.act.subject for entry in one] == [made[1][1].key_id]
    assert newest[0].at - older[0].at < timedelta(minutes=1)
