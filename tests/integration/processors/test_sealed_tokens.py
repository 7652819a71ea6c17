"""Tokens in the store are sealed for their grant and column: what was moved is refused, and nothing else waits for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from cryptography.fernet import Fernet

from processors.deployment import Follower
from processors.xero import StoredGrants
from xero_api.errors import ReauthoriseError, TamperedGrantError
from xero_api.oauth.source import GrantId
from xero_api.verdicts import Act, Subject, act
from xero_stream.contracts.names import DEFAULT_APP, TenantId
from xero_stream.settings.apps import App, Apps
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import KEYS, values
from xero_stream.settings.store import EncryptionKeys
from xero_stream.settings.xero import AppTier, DefaultAppSettings
from xero_stream.store.connections import Organisation, connect
from xero_stream.store.crypto import Column, TokenCipher
from xero_stream.store.deployment import Effects, change, claim, read
from xero_stream.store.grants import SealedTokens, bind_tokens, seal_again
from xero_stream.store.pool import open_pool

NOW = datetime.now(UTC)
GRANTS = [UUID(int=number) for number in (1, 2, 3)]
KEY = Fernet.generate_key().decode()


def tenant_of(grant: UUID) -> TenantId:
    """The organisation that a grant reaches."""
    return TenantId(str(UUID(int=grant.int + 100)))


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[asyncpg.Pool[Any]]":
    """A store with three grants, each with an organisation."""
    opened, cipher = await open_pool(database_url, size=3), TokenCipher([KEY])
    for grant in GRANTS:
        await connect(
            opened,
            app=App(name=DEFAULT_APP, client_id="id", client_secret="s", tier=AppTier.CORE),
            kind="authorization_code",
            tokens=SealedTokens(
                grant_id=grant,
                access_token=cipher.seal(f"access {grant}", grant, Column.ACCESS),
                refresh_token=cipher.seal(f"refresh {grant}", grant, Column.REFRESH),
                previous_token=cipher.seal(f"previous {grant}", grant, Column.PREVIOUS),
                refreshed_at=NOW,
                expires_at=NOW + timedelta(minutes=30),
            ),
            tenants=[Organisation(tenant_id=tenant_of(grant))],
            entities=[],
            partitions=3,
        )
    yield opened
    await opened.close()


def grants(pool: "asyncpg.Pool[Any]", *keys: str) -> StoredGrants:
    """As processors read them."""
    return StoredGrants(pool, TokenCipher(keys or [KEY]), lambda _: ())


async def opened(pool: "asyncpg.Pool[Any]", grant: UUID, *keys: str) -> tuple[str, str | None, str | None]:
    """A grant's tokens."""
    async with grants(pool, *keys).locked(GrantId(str(grant))) as found:
        tokens = found.tokens
        return tokens.access_token, tokens.refresh_token, tokens.previous_refresh_token


SWAPS = {
    "two grants": "UPDATE grants g SET access_token = o.access_token, refresh_token = o.refresh_token, "
    "previous_token = o.previous_token FROM grants o WHERE g.grant_id = ANY($1) AND o.grant_id = ANY($1) "
    "AND g.grant_id <> o.grant_id",
    "one column of two grants": "UPDATE grants g SET previous_token = o.previous_token FROM grants o "
    "WHERE g.grant_id = ANY($1) AND o.grant_id = ANY($1) AND g.grant_id <> o.grant_id",
    "two columns": "UPDATE grants SET refresh_token = previous_token, previous_token = refresh_token WHERE grant_id = ANY($1)",
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS)
async def test_swapped_tokens_are_refused_and_only_their_grants_wait(pool: "asyncpg.Pool[Any]", swap: str) -> None:
    """Whoever can write the table can't have one organisation read with the token of another. The third grant goes on."""
    *swapped, untouched = GRANTS
    await pool.execute(swap, swapped)

    for grant in swapped:
        with pytest.raises(TamperedGrantError, match=str(grant)) as caught:
            await opened(pool, grant)
        assert act(caught.value, Subject.RECORD) is Act.SUSPEND

    assert await opened(pool, untouched) == (f"access {untouched}", f"refresh {untouched}", f"previous {untouched}")
    states = "SELECT grant_id, g.state, t.state FROM grants g JOIN tenants t USING (grant_id) ORDER BY grant_id"
    dead, alive = ("needs_reauth", "needs_reauth"), ("active", "connected")
    assert [tuple(row)[1:] for row in await pool.fetch(states)] == [dead, dead, alive]
    assert issubclass(TamperedGrantError, ReauthoriseError), "the task of the organisation waits for an operator"


async def test_tokens_of_the_release_before_are_read_and_bound_at_the_next_start(pool: "asyncpg.Pool[Any]") -> None:
    """They were sealed for no place. What no key opens is left alone; a second start finds nothing to do."""
    first, second, lost = GRANTS
    for column in Column:
        before = Fernet(KEY).encrypt(f"{column.value} of before".encode())
        await pool.execute(f"UPDATE grants SET {column} = $1 WHERE grant_id = $2", before, first)
    await pool.execute("UPDATE grants SET access_token = 'x' WHERE grant_id = $1", lost)
    tokens = ("access_token of before", "refresh_token of before", "previous_token of before")
    assert await opened(pool, first) == tokens

    assert await bind_tokens(pool, TokenCipher([KEY])) == 1
    assert await bind_tokens(pool, TokenCipher([KEY])) == 0

    assert await opened(pool, first) == tokens
    await pool.execute(SWAPS["two grants"], [first, second])
    with pytest.raises(TamperedGrantError):
        await opened(pool, first)


async def test_a_running_process_follows_its_key_file(
    pool: "asyncpg.Pool[Any]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation without a restart; keys that are malformed, or not the deployment's, change nothing."""
    new, other = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    file = tmp_path / "keys"
    file.write_text(KEY)
    monkeypatch.delenv("XERO_STREAM_ENCRYPTION_KEYS", raising=False)
    monkeypatch.setenv("XERO_STREAM_ENCRYPTION_KEYS_FILE", str(file))
    keys, cipher = EncryptionKeys.read(), TokenCipher([KEY])
    await claim(pool, topic_prefix="test", partitions=3, settings=values(keys.settings))
    follower = Follower(
        pool=pool,
        kafka=KafkaSettings.read(),
        entities=[],
        apps=Apps(DefaultAppSettings.read()),
        keys=keys,
        cipher=cipher,
        shared=lambda: values(keys.settings),
        on_apps=lambda: None,
    )

    async def written(*held: str) -> list[str]:
        """What is in force after the file was written and the follower looked."""
        file.write_text(",".join(held))
        await follower.look()
        return keys.settings.keys

    async def deployed(*held: str) -> None:
        """``deployment set XERO_STREAM_ENCRYPTION_KEYS`` from a terminal with these keys."""
        row, sealing = await read(pool), TokenCipher(held)
        assert row is not None
        monkeypatch.setenv("XERO_STREAM_ENCRYPTION_KEYS", ",".join(held))
        after = values(EncryptionKeys.read().settings)
        monkeypatch.delenv("XERO_STREAM_ENCRYPTION_KEYS")
        await change(pool, before=row.shared, after=after, effects=Effects(seal=sealing.seal_again), left_out={})

    assert await written("no key", KEY) == [KEY]
    assert await written(other) == [KEY]
    assert await written(KEY, new) == [KEY, new]
    await deployed(new, KEY)
    assert await written(new, KEY) == [new, KEY]
    await deployed(new)
    assert await written(new) == [new]
    sealed = cipher.seal("a", GRANTS[0], Column.ACCESS)
    assert TokenCipher([new]).open(sealed, GRANTS[0], Column.ACCESS) == "a"
    assert (await opened(pool, GRANTS[0], new))[0] == f"access {GRANTS[0]}"
    assert values(keys.settings)[KEYS] == (await read(pool)).shared[KEYS]  # type: ignore[union-attr]


async def test_a_grant_whose_refresh_token_was_moved_is_given_up_when_keys_change(pool: "asyncpg.Pool[Any]") -> None:
    """``deployment set`` must not seal a moved token for the place that it was moved to."""
    swapped = GRANTS[:2]
    await pool.execute(SWAPS["two columns"], swapped)
    cipher = TokenCipher([KEY])

    def seal(sealed: bytes, grant: UUID, column: Column) -> bytes | None:
        try:
            return cipher.seal_again(sealed, grant, column)
        except Exception:  # noqa: BLE001 - as the command: what can't be read is None
            return None

    async with pool.acquire() as connection, connection.transaction():
        assert await seal_again(connection, seal) == (1, 2)

    assert await opened(pool, GRANTS[2])
