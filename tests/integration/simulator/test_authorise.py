"""The authorise page over HTTP, and the codes it gives."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk, simulate
from tests.support.consent_form import Browser
from tests.support.unconfirmed import unconfirmed

BACK = "https://app.example/back"
VERIFIER = "verifier-" * 6
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = "offline_access accounting.invoices.read"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


class App:
    """An app registered with a simulator, and a browser in front of it."""

    def __init__(self, talk: Talk, registered: dict[str, Any], tenants: list[str]) -> None:
        self.talk = talk
        self.id: str = registered["clientId"]
        self.secret: str = registered["clientSecret"]
        self.tenants = tenants
        self.browser = Browser()

    def link(self, **fields: str) -> str:
        """Where the user is sent."""
        good = {"response_type": "code", "client_id": self.id, "redirect_uri": BACK, "scope": SCOPES, "state": "s 1&2"}
        return f"{self.talk.url}/identity/connect/authorize?{urlencode(good | fields)}"

    async def token(self, **form: str) -> httpx.Response:
        """Ask the token endpoint, the client in the body."""
        client = {"client_id": self.id} | ({"client_secret": self.secret} if self.secret else {})
        return await self.talk.http.post("/connect/token", data=client | form)

    async def exchange(self, code: str, **form: str) -> httpx.Response:
        """Trade a code in."""
        return await self.token(grant_type="authorization_code", code=code, **({"redirect_uri": BACK} | form))

    async def connect(self, tenant: str, user: str | None = None, **fields: str) -> dict[str, Any]:
        """The whole way once."""
        query = await self.browser.back(self.link(**fields), tenant, user=user)
        answer = await self.exchange(query["code"])
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def connections(self, tokens: dict[str, Any]) -> list[dict[str, str]]:
        """What the token reaches."""
        answer = await self.talk.http.get("/connections", headers=bearer(tokens))
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, str]] = answer.json()
        return rows


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """The header for a token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def register(start: Start, *, settings: dict[str, Any] | None = None, **body: Any) -> App:
    """A simulator and an app with one address."""
    talk = (await start(invoices=2, contacts=2, credit_notes=0, **(settings or {}))).talk
    registered = await talk.control("POST", "/clients", {"redirectUris": [BACK], "name": "Ledger Pal"} | body)
    tenants = [one["tenantId"] for one in (await talk.control("GET", "/tenants"))["tenants"]]
    return App(talk, registered, tenants)


@pytest.fixture
async def app(start: Start) -> AsyncIterator[App]:
    """An app with a secret."""
    one = await register(start)
    yield one
    await one.browser.http.aclose()


async def test_the_page_lists_the_organisations(app: App) -> None:
    """One of them to choose, as HTML that no proxy keeps and no page frames."""
    answer, page = await app.browser.open(app.link())

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert page.choices["tenant"] == app.tenants
    assert page.kinds["tenant"] == "radio"
    assert "Ledger Pal wants access" in page.text


async def test_allowing_gives_a_code_for_tokens_and_a_connection(app: App) -> None:
    """The state comes back as it was; the connection has the id of this consent."""
    query = await app.browser.back(app.link(), app.tenants[0])
    answer = await app.exchange(query["code"])
    tokens = answer.json()

    assert query["state"] == "s 1&2"
    assert set(tokens) == {"access_token", "expires_in", "token_type", "refresh_token", "scope"}
    (row,) = await app.connections(tokens)
    assert row["tenantId"] == app.tenants[0]
    assert row["authEventId"] == claims(tokens["access_token"])["authentication_event_id"]
    assert row["createdDateUtc"] == row["updatedDateUtc"]


def claims(token: str) -> Any:
    """What a JWT says."""
    return httpx.Response(200, content=base64.urlsafe_b64decode(token.split(".")[1] + "==")).json()


async def test_cancelling_goes_back_with_access_denied(app: App) -> None:
    """And the state; no code."""
    assert await app.browser.back(app.link(), decision="deny") == {"error": "access_denied", "state": "s 1&2"}


async def test_an_address_may_have_a_query_and_a_link_no_state(start: Start) -> None:
    """Both are the app's business."""
    address = f"{BACK}?x=y"
    app = await register(start, redirectUris=[address])

    query = await app.browser.back(app.link(redirect_uri=address).replace("&state=s+1%262", ""), app.tenants[0])

    assert query["x"] == "y"
    assert "state" not in query
    await app.browser.http.aclose()


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"client_id": "NOPE"}, "unauthorized_client"),
        ({"redirect_uri": "https://evil.example/"}, "unauthorized_client"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "accounting.transactions"}, "invalid_scope"),
        ({"scope": "accounting.nonsense"}, "invalid_scope"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
@unconfirmed("a wrong link gets a page with status 400, and no redirect even where the address is the app's")
async def test_a_wrong_link_gets_a_page_of_its_own(app: App, fields: dict[str, str], word: str) -> None:
    """Nobody is sent back; sending the form all the same doesn't help."""
    answer, page = await app.browser.open(app.link(**fields))
    form = {"response_type": "code", "client_id": app.id, "redirect_uri": BACK, "scope": SCOPES} | fields
    sent = await app.browser.http.post(
        app.link().partition("?")[0], data=form | {"tenant": app.tenants[0], "decision": "allow"}
    )

    assert (answer.status_code, sent.status_code) == (400, 400)
    assert word in page.text
    assert page.action is None
    assert word in sent.text


@pytest.mark.parametrize("choice", ["nothing", "a stranger", "two", "nobody"])
async def test_a_choice_that_cannot_be_taken_is_asked_again(app: App, choice: str) -> None:
    """With what is wrong, and the form as it was."""
    tenants = {"nothing": [], "a stranger": [app.id], "two": app.tenants}.get(choice, app.tenants[:1])

    answer = await app.browser.choose(app.link(), *tenants, user="nobody@example.com" if choice == "nobody" else None)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "<form" in answer.text


async def test_large_tiers_may_connect_several_at_once(start: Start) -> None:
    """Bulk connections, unless the app waives them; the same consent for all."""
    app = await register(start, settings={"tier": "advanced"})

    query = await app.browser.back(app.link(), *app.tenants)
    rows = await app.connections((await app.exchange(query["code"])).json())
    _, single = await app.browser.open(app.link(acr_values="bulk_connect:false"))

    assert sorted(row["tenantId"] for row in rows) == sorted(app.tenants)
    assert len({row["authEventId"] for row in rows}) == 1
    assert single.kinds["tenant"] == "radio"
    await app.browser.http.aclose()


async def test_the_general_ledger_is_for_large_tiers(start: Start) -> None:
    """``accounting.journals.read``."""
    small, large = await register(start), await register(start, settings={"tier": "enterprise"})
    scope = "offline_access accounting.journals.read"

    refused, _ = await small.browser.open(small.link(scope=scope))
    tokens = await large.connect(large.tenants[0], scope=scope)

    assert refused.status_code == 400
    assert tokens["scope"] == scope
    await small.browser.http.aclose()
    await large.browser.http.aclose()


async def test_apps_from_before_may_mix_scopes(start: Start) -> None:
    """Until 13 September 2027."""
    app = await register(start, broadScopes=True)

    tokens = await app.connect(app.tenants[0], scope="offline_access accounting.transactions.read accounting.contacts")

    headers = bearer(tokens) | {"xero-tenant-id": app.tenants[0], "Accept": "application/json"}
    answer = await app.talk.http.get("/api.xro/2.0/Invoices?page=1", headers=headers)
    assert answer.status_code == 200
    await app.browser.http.aclose()


async def test_a_code_works_once(app: App) -> None:
    """Then invalid_grant."""
    code = (await app.browser.back(app.link(), app.tenants[0]))["code"]

    answers = [await app.exchange(code) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json() == {"error": "invalid_grant"}


async def test_a_code_works_for_five_minutes_of_the_simulators_clock(app: App) -> None:
    """Not a moment longer."""
    early = (await app.browser.back(app.link(), app.tenants[0]))["code"]
    await app.talk.ahead(290)
    good = await app.exchange(early)
    late = (await app.browser.back(app.link(), app.tenants[0]))["code"]
    await app.talk.ahead(301)
    bad = await app.exchange(late)

    assert (good.status_code, bad.status_code, bad.json()) == (200, 400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    "form",
    [
        {"redirect_uri": "https://app.example/other"},
        {"redirect_uri": ""},
        {"code_verifier": "x" * 43},
        {},
        {"code_verifier": ""},
    ],
    ids=str,
)
async def test_a_code_is_bound_to_address_and_verifier(app: App, form: dict[str, str]) -> None:
    """Anything else is invalid_grant."""
    code = (await app.browser.back(app.link(**PKCE), app.tenants[0]))["code"]

    answer = await app.exchange(code, **form)

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


@unconfirmed("an app with a secret may use PKCE on top of it")
async def test_an_app_with_a_secret_may_use_pkce(app: App) -> None:
    """Both are checked then."""
    code = (await app.browser.back(app.link(**PKCE), app.tenants[0]))["code"]

    assert (await app.exchange(code, code_verifier=VERIFIER)).status_code == 200


@unconfirmed("an app without a secret refreshes and revokes with its client_id only")
async def test_an_app_without_a_secret_goes_by_its_id(start: Start) -> None:
    """PKCE is a must there; a secret it hasn't got is refused, and so is client credentials."""
    app = await register(start, kind="pkce")
    bare, _ = await app.browser.open(app.link())
    code = (await app.browser.back(app.link(**PKCE), app.tenants[0]))["code"]

    first = (await app.exchange(code, code_verifier=VERIFIER)).json()
    second = await app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    secret = await app.token(
        grant_type="refresh_token", refresh_token=second.json()["refresh_token"], client_secret="made up"
    )
    custom = await app.token(grant_type="client_credentials", scope="app.connections")

    assert bare.status_code == 400
    assert app.secret == ""
    assert second.status_code == 200
    assert secret.json() == {"error": "invalid_client"}
    assert custom.json() == {"error": "unauthorized_client"}
    await app.browser.http.aclose()


async def test_a_code_needs_to_be_sent(app: App) -> None:
    """invalid_request without."""
    assert (await app.exchange("")).json() == {"error": "invalid_request"}


async def test_no_refresh_token_without_offline_access(app: App) -> None:
    """And an id token with openid."""
    tokens = await app.connect(app.tenants[0], scope="openid email accounting.invoices.read")

    assert "refresh_token" not in tokens
    assert claims(tokens["id_token"])["email"] == "alex@example.com"


async def test_tokens_are_per_user_not_per_organisation(app: App) -> None:
    """A second consent of the same user adds to what all of their tokens reach; another user's tokens reach theirs only."""
    first = await app.connect(app.tenants[0])
    second = await app.connect(app.tenants[1])
    other = await app.connect(app.tenants[0], user="kiri@example.com")

    mine = await app.connections(first)
    events = [claims(tokens["access_token"])["authentication_event_id"] for tokens in (first, second, other)]

    assert await app.connections(second) == mine
    assert {row["tenantId"]: row["authEventId"] for row in mine} == dict(zip(app.tenants, events[:2], strict=True))
    assert [row["authEventId"] for row in await app.connections(other)] == [events[2]]
    refreshed = (await app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])).json()
    assert claims(refreshed["access_token"])["authentication_event_id"] == events[0]


@unconfirmed("a refreshed token of an older consent has the scopes of all consents of that user")
async def test_a_token_keeps_the_scopes_of_its_time(app: App) -> None:
    """A later consent with more scopes opens nothing for it; a refresh does. Its connections are those of now."""
    old = await app.connect(app.tenants[0], scope="offline_access accounting.contacts.read")
    await app.connect(app.tenants[1])
    headers = {"xero-tenant-id": app.tenants[1], "Accept": "application/json"}

    before = await app.talk.http.get("/api.xro/2.0/Invoices?page=1", headers=bearer(old) | headers)
    new = (await app.token(grant_type="refresh_token", refresh_token=old["refresh_token"])).json()
    after = await app.talk.http.get("/api.xro/2.0/Invoices?page=1", headers=bearer(new) | headers)
    rows = await app.connections(old)
    gone = await app.talk.http.delete(f"/connections/{rows[0]['id']}", headers=bearer(old))

    assert (before.status_code, before.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
    assert (after.status_code, gone.status_code) == (200, 204)
    assert [row["id"] for row in await app.connections(new)] == [rows[1]["id"]]
    (grant,) = (await app.talk.control("GET", "/grants"))["grants"]
    assert grant["scopes"] == ["offline_access", "accounting.contacts.read", "accounting.invoices.read"]


@unconfirmed("revoking an unknown token is 200")
async def test_revoking_takes_all_of_the_users_connections(app: App) -> None:
    """Every token set of that user; nobody else's. 200, empty, whatever the token."""
    first = await app.connect(app.tenants[0])
    second = await app.connect(app.tenants[1])
    other = await app.connect(app.tenants[0], user="kiri@example.com")
    client = {"client_id": app.id, "client_secret": app.secret}

    answers = [
        await app.talk.http.post("/connect/revocation", data=client | {"token": token})
        for token in ("nonsense", first["refresh_token"], first["refresh_token"])
    ]
    refresh = await app.token(grant_type="refresh_token", refresh_token=second["refresh_token"])
    list_of_mine = await app.talk.http.get("/connections", headers=bearer(second))

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 3
    assert refresh.json() == {"error": "invalid_grant"}
    assert list_of_mine.status_code == 401
    assert len(await app.connections(other)) == 1


async def test_revoking_needs_a_client_and_a_token(app: App) -> None:
    """In OAuth's words."""
    client = {"client_id": app.id, "client_secret": app.secret}
    cases = [({"token": "x"}, "unauthorized_client"), (client | {"client_secret": ""}, "invalid_client")]
    for form, word in [*cases, (client, "invalid_request")]:
        answer = await app.talk.http.post("/connect/revocation", data=form)
        assert (answer.status_code, answer.json()) == (400, {"error": word})


@unconfirmed("a reconnected organisation has the connection's old id")
async def test_reconnecting_moves_only_the_second_date(app: App) -> None:
    """``createdDateUtc`` stays: that is how one sees that it was gone."""
    tokens = await app.connect(app.tenants[0])
    (row,) = await app.connections(tokens)
    gone = await app.talk.http.delete(f"/connections/{row['id']}", headers=bearer(tokens))
    assert await app.connections(tokens) == []
    await app.talk.ahead(60)

    again = await app.connect(app.tenants[0])

    (new,) = await app.connections(again)
    assert gone.status_code == 204
    assert (new["id"], new["createdDateUtc"]) == (row["id"], row["createdDateUtc"])
    assert new["updatedDateUtc"] > row["updatedDateUtc"]
    assert new["authEventId"] != row["authEventId"]


@unconfirmed("client credentials with the scope app.connections list and delete all of an app's connections")
async def test_an_app_looks_after_its_connections_without_a_user(app: App) -> None:
    """All users'; no organisation is opened by it."""
    await app.connect(app.tenants[0])
    await app.connect(app.tenants[1], user="kiri@example.com")
    tokens = (await app.token(grant_type="client_credentials", scope="app.connections")).json()

    rows = await app.connections(tokens)
    gone = await app.talk.http.delete(f"/connections/{rows[0]['id']}", headers=bearer(tokens))
    call = await app.talk.http.get(
        "/api.xro/2.0/Invoices?page=1", headers=bearer(tokens) | {"xero-tenant-id": rows[1]["tenantId"]}
    )

    assert {row["tenantId"] for row in rows} == set(app.tenants)
    assert gone.status_code == 204
    assert await app.connections(tokens) == rows[1:]
    assert call.status_code == 403


async def test_refusals_of_the_control_api_say_why(app: App) -> None:
    """Addresses that Xero refuses, and custom connections."""
    for body in ({"redirectUris": ["http://127.0.0.1/x"]}, {"kind": "custom"}, {"colour": "red"}):
        status, document = await app.talk.refused("POST", "/clients", body)
        assert status == 400
        assert document["error"]
    listed = (await app.talk.control("GET", "/clients"))["clients"]
    assert [one["name"] for one in listed] == ["The app", "Ledger Pal"]
    assert all("clientSecret" not in one for one in listed)


async def test_grants_of_the_browser_outlive_a_restart(tmp_path: Path) -> None:
    """Apps, tokens and connections are kept; codes are not."""
    before = await simulate(invoices=2, contacts=2, credit_notes=0, data_dir=tmp_path)
    registered = await before.talk.control("POST", "/clients", {"redirectUris": [BACK]})
    app = App(before.talk, registered, list(before.world.organisations))
    tokens = await app.connect(app.tenants[0])
    code = (await app.browser.back(app.link(), app.tenants[1]))["code"]
    rows = await app.connections(tokens)
    await before.close()

    after = await simulate(data_dir=tmp_path)
    app.talk = after.talk

    assert await app.connections(tokens) == rows
    assert (await app.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])).status_code == 200
    assert (await app.exchange(code)).json() == {"error": "invalid_grant"}
    await app.browser.http.aclose()
    await after.close()
