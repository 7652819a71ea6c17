"""Grants in memory, as one process keeps them."""

import asyncio

import pytest

from tests.support.fake_grants import GRANT, StrictIdentity, Time, tokens
from xero_api.errors import DisconnectedError, ReauthoriseError
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.memory import MemoryGrants
from xero_api.oauth.source import GrantId, GrantTokens
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet, stored_tokens
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId

TENANT = TenantId("t1")


def source(grants: MemoryGrants, identity: StrictIdentity) -> GrantTokens:
    """Tokens out of these grants."""
    client = IdentityClient(identity_url="https://identity.test", transport=identity.transport())
    app = ClientCredentials(client_id="c", client_secret="s")
    return GrantTokens(store=grants, identity=client, credentials=lambda _: app, now=identity.time.now)


async def test_a_new_set_is_kept_before_it_is_used() -> None:
    """Ten who ask at once share one renewal; the hook has its set before any of them has a token."""
    kept: list[TokenSet] = []
    used: list[str] = []

    async def keep(grant_id: GrantId, new: TokenSet) -> None:
        assert (grant_id, used) == (GRANT, [])
        kept.append(new)

    identity = StrictIdentity(Time())
    grants = MemoryGrants(keep)
    grants.add(GRANT, tokens(), [TENANT])
    identity.time.move(hours=1)
    given = source(grants, identity)

    async def use() -> None:
        used.append((await given.token(DEFAULT_APP, TENANT)).value)

    await asyncio.gather(*(use() for _ in range(10)))

    assert [one.refresh_token for one in kept] == ["r1"]
    assert used == ["a1"] * 10


async def test_what_could_not_be_kept_is_not_used_and_not_lost() -> None:
    """The disk is full: the caller learns it; once there is room the same set is kept, without another refresh."""
    room: list[bool] = []
    kept: list[str | None] = []

    async def keep(_: GrantId, new: TokenSet) -> None:
        if not room:
            raise OSError("no space left")
        kept.append(new.refresh_token)

    identity = StrictIdentity(Time())
    grants = MemoryGrants(keep)
    grants.add(GRANT, tokens(), [TENANT])
    identity.time.move(hours=1)
    given = source(grants, identity)
    with pytest.raises(OSError, match="no space"):
        await given.token(DEFAULT_APP, TENANT)
    room.append(True)

    assert (await given.token(DEFAULT_APP, TENANT)).value == "a1"
    assert kept == ["r1"]
    assert identity.issued == 1


async def test_a_custom_connection_keeps_nothing() -> None:
    """Its tokens come from id and secret: there is nothing to lose."""

    async def keep(_: GrantId, new: TokenSet) -> None:
        raise AssertionError(new)

    identity = StrictIdentity(Time())
    grants = MemoryGrants(keep)
    grants.add(GRANT, tokens(kind=GrantKind.CLIENT_CREDENTIALS, refresh_token=None), [TENANT])
    identity.time.move(hours=1)

    assert (await source(grants, identity).token(DEFAULT_APP, TENANT)).value == "a1"


async def test_a_dead_grant_stays_dead_until_it_is_added_anew() -> None:
    """Xero is asked once; a new consent makes it good again."""
    identity = StrictIdentity(Time())
    grants = MemoryGrants()
    grants.add(GRANT, tokens(refresh_token="used long ago"), [TENANT])
    identity.time.move(hours=1)
    given = source(grants, identity)
    for _ in range(2):
        with pytest.raises(ReauthoriseError):
            await given.token(DEFAULT_APP, TENANT)
    assert identity.refused == 1

    grants.add(GRANT, tokens(), [TENANT])
    assert (await given.token(DEFAULT_APP, TENANT)).value == "a1"


async def test_nobody_is_connected_without_a_grant() -> None:
    """An organisation that was never added, or another app's."""
    grants = MemoryGrants()
    grants.add(GRANT, tokens(), [TENANT])
    for app, tenant in ((DEFAULT_APP, TenantId("t2")), (AppName("other"), TENANT)):
        with pytest.raises(DisconnectedError, match=tenant):
            await grants.grant_of(app, tenant)


async def test_more_organisations_leave_the_tokens_as_they_are() -> None:
    """A grant that was refreshed since it was added is connected, and goes on; its first tokens are not taken again."""
    identity = StrictIdentity(Time())
    grants = MemoryGrants()
    grants.add(GRANT, tokens(), ())
    identity.time.move(hours=1)
    given = source(grants, identity)
    await given.token_of(GRANT)

    with pytest.raises(ValueError, match=r"connect\(…\)"):
        grants.add(GRANT, tokens(), [TENANT])
    grants.connect(GRANT, [TENANT])
    grants.connect(GRANT, [TenantId("t2")])
    identity.time.move(hours=1)

    assert (await given.token(DEFAULT_APP, TENANT)).value == "a2"
    assert await grants.grant_of(DEFAULT_APP, TenantId("t2")) == GRANT


async def test_a_grant_nobody_added_is_no_grant() -> None:
    """Neither connected nor asked for a token."""
    grants = MemoryGrants()
    with pytest.raises(DisconnectedError, match="g1"):
        grants.connect(GRANT, [TENANT])
    with pytest.raises(DisconnectedError, match="g1"):
        await source(grants, StrictIdentity(Time())).token_of(GRANT)


async def test_a_stored_refresh_token_is_all_it_takes() -> None:
    """The set made of it is refreshed by the first use."""
    grants = MemoryGrants()
    grants.add(GRANT, stored_tokens("r0"), [TENANT])

    assert (await source(grants, StrictIdentity(Time())).token(DEFAULT_APP, TENANT)).value == "a1"
    with pytest.raises(ValueError, match="empty"):
        stored_tokens("")
