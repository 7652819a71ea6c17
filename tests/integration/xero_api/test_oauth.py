"""Our OAuth against the simulator's, from the link to the revocation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.simulator.rig import Simulated, Talk, simulate
from tests.support.consent_form import Browser
from tests.support.fake_grants import MemoryStore, Row
from xero_api.call import CallRecord, Outcome, Priority
from xero_api.calling.context import CallContext
from xero_api.claims import read_claims
from xero_api.client import XeroClient
from xero_api.connections import Connection
from xero_api.errors import (
    AccessError,
    ClientConfigError,
    CodeLostError,
    CodeRefusedError,
    ConsentDeniedError,
    ForgedCallbackError,
    NotAConnectionError,
    ReauthoriseError,
    ServerError,
    TimedOutError,
    UnauthorisedError,
    UnreachableError,
    XeroError,
)
from xero_api.oauth.consent import Consent, authorise_url, new_consent, read_callback
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import AccessToken, GrantId, GrantTokens
from xero_api.oauth.token import ClientCredentials, TokenSet
from xero_api.registry import CONTACTS, INVOICES
from xero_api.requests import get_page
from xero_api.scopes import APP_CONNECTIONS, least, missing
from xero_stream.contracts.names import DEFAULT_APP, TenantId

BACK = "http://localhost:8081/connect/callback"
SCOPES = least((INVOICES,))


@dataclass(slots=True)
class House:
    """A simulator with an app, our clients of it, and a browser."""

    simulated: Simulated
    app: ClientCredentials
    identity: IdentityClient
    api: XeroClient
    records: list[CallRecord]
    browser: Browser = field(default_factory=Browser)
    ahead: timedelta = timedelta(0)

    @property
    def talk(self) -> Talk:
        """The control API."""
        return self.simulated.talk

    @property
    def tenants(self) -> list[TenantId]:
        """The organisations there are."""
        return [TenantId(tenant) for tenant in self.simulated.world.organisations]

    def now(self) -> datetime:
        """Our wall clock, which goes with the simulator's."""
        return datetime.now(UTC) + self.ahead

    async def pass_time(self, **delta: float) -> None:
        """Let time pass for both."""
        await self.talk.ahead(timedelta(**delta).total_seconds())
        self.ahead += timedelta(**delta)

    def url(self, consent: Consent) -> str:
        """Where the user is sent."""
        return authorise_url(consent, login_url=self.talk.url, client_id=self.app.client_id, one_organisation=True)

    async def code(self, consent: Consent, tenant: str, user: str | None = None) -> str:
        """The user says yes."""
        return read_callback(consent, await self.browser.back(self.url(consent), tenant, user=user))

    async def connect(self, tenant: str, *, user: str | None = None, scopes: tuple[str, ...] = SCOPES) -> TokenSet:
        """The whole way once."""
        consent = new_consent(redirect_uri=BACK, scopes=scopes)
        code = await self.code(consent, tenant, user)
        return await self.identity.exchange(self.app, consent, code, self.now())

    async def refresh(self, tokens: TokenSet, token: str | None = None) -> TokenSet:
        """A new set, by its own refresh token or another."""
        return await self.identity.refresh(self.app, tokens, token or tokens.refresh_token or "", self.now())

    async def connections(self, tokens: TokenSet, auth_event_id: str | None = None) -> list[Connection]:
        """What a token reaches."""
        return await self.api.connections(DEFAULT_APP, bearer(tokens), auth_event_id=auth_event_id)

    async def close(self) -> None:
        """End everything."""
        await self.browser.http.aclose()
        await self.identity.aclose()
        await self.api.aclose()
        await self.simulated.close()


def bearer(tokens: TokenSet) -> AccessToken:
    """The token to send."""
    return AccessToken(value=tokens.access_token, grant_id=GrantId("g"))


class _NoTokens:
    """``/connections`` is asked with the token at hand."""

    async def token(self, app: object, tenant_id: object) -> AccessToken:
        raise NotImplementedError

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        raise NotImplementedError


async def build(kind: str) -> House:
    """A simulator with an app of that kind."""
    simulated = await simulate(invoices=5, contacts=3, credit_notes=0)
    made = await simulated.talk.control("POST", "/clients", {"kind": kind, "redirectUris": [BACK]})
    records: list[CallRecord] = []
    return House(
        simulated=simulated,
        app=ClientCredentials(client_id=made["clientId"], client_secret=made["clientSecret"] or None),
        identity=IdentityClient(identity_url=simulated.talk.url),
        api=XeroClient(api_url=simulated.talk.url, tokens=_NoTokens(), on_call=records.append, timeout=10),
        records=records,
    )


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """With an app that has a secret."""
    one = await build("web")
    yield one
    await one.close()


@pytest.mark.parametrize("kind", ["web", "pkce"])
async def test_the_whole_way(kind: str) -> None:
    """Link, page, code, tokens, connections, a call, refresh, disconnect, revoke; with a secret and without."""
    house = await build(kind)
    tenant = house.tenants[1]

    tokens = await house.connect(tenant)
    claims = read_claims(tokens.access_token)
    (connection,) = await house.connections(tokens, claims.auth_event_id)
    assert (connection.tenant_id, connection.auth_event_id) == (tenant, claims.auth_event_id)
    assert connection.created_at == connection.updated_at
    assert claims.client_id == house.app.client_id
    assert missing(tokens.scopes, SCOPES) == ()
    assert set(claims.scopes) == set(tokens.scopes)

    store = MemoryStore(Row(tokens))
    source = GrantTokens(store=store, identity=house.identity, credentials=lambda _: house.app, now=house.now)
    client = XeroClient(api_url=house.talk.url, tokens=source, on_call=house.records.append, timeout=10)
    await house.pass_time(minutes=31)
    answer = await client.send(CallContext(DEFAULT_APP, tenant, Priority.POLL), get_page(INVOICES, None))
    await source.aclose()
    await client.aclose()
    assert len(answer.records) == 5
    renewed = store.row.tokens
    assert renewed.refresh_token != tokens.refresh_token
    assert renewed.previous_refresh_token == tokens.refresh_token

    assert connection.id is not None
    assert await house.api.disconnect(DEFAULT_APP, bearer(renewed), connection.id)
    assert not await house.api.disconnect(DEFAULT_APP, bearer(renewed), connection.id)
    assert await house.connections(renewed) == []

    await house.identity.revoke(house.app, renewed.refresh_token or "")
    await house.identity.revoke(house.app, renewed.refresh_token or "")
    with pytest.raises(ReauthoriseError):
        await house.refresh(renewed)
    await house.close()


async def test_the_user_says_no(house: House) -> None:
    """A typed error; the same consent can't be mistaken for another's."""
    consent, other = (new_consent(redirect_uri=BACK, scopes=SCOPES) for _ in range(2))
    query = await house.browser.back(house.url(consent), decision="deny")

    with pytest.raises(ConsentDeniedError):
        read_callback(consent, query)
    with pytest.raises(ForgedCallbackError):
        read_callback(other, query)


async def test_a_code_is_refused_when_used_late_or_of_another_consent(house: House) -> None:
    """All the same word of Xero's; the message doesn't show the code."""
    mine, other = (new_consent(redirect_uri=BACK, scopes=SCOPES) for _ in range(2))
    used = await house.code(mine, house.tenants[0])
    await house.identity.exchange(house.app, mine, used, house.now())
    swapped = await house.code(mine, house.tenants[0])
    late = await house.code(mine, house.tenants[0])

    for consent, code, minutes in ((mine, used, 0), (other, swapped, 0), (mine, late, 6)):
        await house.pass_time(minutes=minutes)
        with pytest.raises(CodeRefusedError) as caught:
            await house.identity.exchange(house.app, consent, code, house.now())
        assert code not in f"{caught.value}{caught.value!r}"
        assert "five minutes" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"kind": "status", "status": 502, "handled": True}, ServerError),
        ({"kind": "reset", "handled": True}, UnreachableError),
        ({"kind": "truncate"}, XeroError),
        ({"kind": "hang", "seconds": 5, "handled": True}, TimedOutError),
    ],
    ids=["status", "reset", "truncate", "hang"],
)
async def test_a_code_whose_answer_is_lost_is_not_a_refused_one(
    house: House, fault: dict[str, Any], cause: type[XeroError]
) -> None:
    """Xero took it: trying again is refused; consenting again does no harm."""
    hasty = IdentityClient(identity_url=house.talk.url, timeout=0.5)
    consent = new_consent(redirect_uri=BACK, scopes=SCOPES)
    code = await house.code(consent, house.tenants[0])
    await house.talk.faults({"operation": "token", "times": 1, "fault": fault})

    with pytest.raises(CodeLostError) as caught:
        await hasty.exchange(house.app, consent, code, house.now())

    assert isinstance(caught.value.__cause__, cause)
    assert await house.talk.fired() == [1]
    with pytest.raises(CodeRefusedError):
        await house.identity.exchange(house.app, consent, code, house.now())
    assert len(await house.connections(await house.connect(house.tenants[0]))) == 1
    await hasty.aclose()


async def test_a_code_that_was_never_sent_still_works(house: House) -> None:
    """Nobody listens there: that is known, and the code is good."""
    consent = new_consent(redirect_uri=BACK, scopes=SCOPES)
    code = await house.code(consent, house.tenants[0])
    nowhere = IdentityClient(identity_url="http://127.0.0.1:1")

    with pytest.raises(UnreachableError) as caught:
        await nowhere.exchange(house.app, consent, code, house.now())

    assert not caught.value.sent
    assert (await house.identity.exchange(house.app, consent, code, house.now())).refresh_token
    await nowhere.aclose()


@pytest.mark.parametrize("minutes", [0, 29])
async def test_a_lost_refresh_is_made_up_for_within_the_grace(house: House, minutes: int) -> None:
    """The answer is lost, the token was rotated: the old one serves for thirty minutes more."""
    tokens = await house.connect(house.tenants[0])
    await house.talk.faults(
        {"operation": "token", "times": 1, "fault": {"kind": "status", "status": 500, "handled": True}}
    )
    with pytest.raises(ServerError):
        await house.refresh(tokens)
    await house.pass_time(minutes=minutes)

    again = await house.refresh(tokens)

    assert len(await house.connections(again)) == 1
    (grant,) = (await house.talk.control("GET", "/grants"))["grants"]
    assert (grant["refreshes"], grant["graceRefreshes"]) == (1, 1)


@pytest.mark.parametrize("how", ["rotated", "unused", "revoked", "unknown"])
async def test_a_dead_refresh_token_needs_a_human(house: House, how: str) -> None:
    """invalid_grant, whatever the reason."""
    tokens = await house.connect(house.tenants[0])
    match how:
        case "rotated":
            await house.refresh(tokens)
            await house.pass_time(minutes=31)
        case "unused":
            await house.pass_time(days=61)
        case "revoked":
            await house.identity.revoke(house.app, tokens.refresh_token or "")
        case _:
            tokens = TokenSet(
                kind=tokens.kind,
                access_token="x",
                refresh_token="made-up",
                expires_at=house.now(),
                refreshed_at=house.now(),
            )

    with pytest.raises(ReauthoriseError) as caught:
        await house.refresh(tokens)

    assert "connect the organisation again" in caught.value.hint
    assert (tokens.refresh_token or "") not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    ("app", "hint"),
    [
        ({"client_id": ""}, "XERO_CLIENT_ID"),
        ({"client_id": "NOPE"}, "XERO_CLIENT_ID"),
        ({"client_secret": "wrong"}, "XERO_CLIENT_SECRET"),
        ({"client_secret": None}, "XERO_CLIENT_SECRET"),
    ],
)
async def test_a_refused_app_is_the_operators_to_mend(house: House, app: dict[str, Any], hint: str) -> None:
    """The grant is not condemned; the hint names the setting."""
    tokens = await house.connect(house.tenants[0])
    good = house.app
    house.app = ClientCredentials(**({"client_id": good.client_id, "client_secret": good.client_secret} | app))

    with pytest.raises(ClientConfigError) as caught:
        await house.refresh(tokens)

    assert hint in caught.value.hint
    house.app = good
    assert (await house.refresh(tokens)).access_token


async def test_scopes_and_ways_an_app_may_not_use(house: House) -> None:
    """invalid_scope and unauthorized_client at the token endpoint."""
    custom = await house.talk.control("POST", "/grants", {"kind": "client_credentials", "scopes": ["x.read"]})
    app = ClientCredentials(client_id=custom["clientId"], client_secret=custom["clientSecret"])

    with pytest.raises(ClientConfigError, match="invalid_scope") as scope:
        await house.identity.client_credentials(app, house.now(), ("accounting.contacts",))
    with pytest.raises(ClientConfigError, match="unauthorized_client") as way:
        await house.identity.client_credentials(house.app, house.now())

    assert "granular" in scope.value.hint
    assert "type" in way.value.hint
    assert (await house.identity.client_credentials(app, house.now(), ("x.read",))).refresh_token is None


async def test_a_missing_scope_is_told_before_and_at_the_call(house: House) -> None:
    """What is missing can be computed; Xero says 401 at the first call. Consenting again adds it."""
    tenant = house.tenants[0]
    few = await house.connect(tenant, scopes=least((CONTACTS,)))
    assert missing(few.scopes, SCOPES) == ("accounting.invoices.read",)
    with pytest.raises(UnauthorisedError):
        await _read(house, few, tenant)

    more = await house.connect(tenant)

    assert missing(more.scopes, SCOPES) == ()
    assert len(await _read(house, more, tenant)) == 5
    assert [one.updated_at != one.created_at for one in await house.connections(more)] == [True]


async def test_two_users_of_one_organisation_have_two_grants(house: House) -> None:
    """Revoking one leaves the other as it was."""
    tenant = house.tenants[0]
    mine = await house.connect(tenant)
    theirs = await house.connect(tenant, user="kiri@example.com")

    await house.identity.revoke(house.app, mine.refresh_token or "")

    assert read_claims(mine.access_token).user_id != read_claims(theirs.access_token).user_id
    assert [one.tenant_id for one in await house.connections(theirs)] == [tenant]
    with pytest.raises(UnauthorisedError):
        await house.connections(mine)


async def test_disconnecting_by_another_id_is_our_mistake(house: House) -> None:
    """A tenant's and a consent's id are refused with 403: nothing is disconnected, nobody has to connect again."""
    tokens = await house.connect(house.tenants[0])
    (connection,) = await house.connections(tokens)

    for wrong in (connection.tenant_id, connection.auth_event_id or ""):
        with pytest.raises(NotAConnectionError) as caught:
            await house.api.disconnect(DEFAULT_APP, bearer(tokens), wrong)
        assert not isinstance(caught.value, AccessError)

    assert await house.connections(tokens) == [connection]
    assert [record.outcome for record in house.records] == [Outcome.OK, Outcome.REJECTED, Outcome.REJECTED, Outcome.OK]


async def test_an_apps_connections_without_a_user(house: House) -> None:
    """Client credentials with ``app.connections``: all users' connections, to list and to take away."""
    await house.connect(house.tenants[0])
    await house.connect(house.tenants[1], user="kiri@example.com")
    tokens = await house.identity.client_credentials(house.app, house.now(), (APP_CONNECTIONS,))

    every = await house.connections(tokens)
    for connection in every:
        assert connection.id is not None
        assert await house.api.disconnect(DEFAULT_APP, bearer(tokens), connection.id)

    assert {connection.tenant_id for connection in every} == set(house.tenants)
    assert await house.connections(tokens) == []


async def _read(house: House, tokens: TokenSet, tenant: TenantId) -> tuple[dict[str, Any], ...]:
    source = GrantTokens(
        store=MemoryStore(Row(tokens)), identity=house.identity, credentials=lambda _: house.app, now=house.now
    )
    client = XeroClient(api_url=house.talk.url, tokens=source, on_call=house.records.append, timeout=10)
    try:
        return (await client.send(CallContext(DEFAULT_APP, tenant, Priority.POLL), get_page(INVOICES, None))).records
    finally:
        await source.aclose()
        await client.aclose()
