"""OpenID Connect over HTTP: a client that knows nothing but the address finds its way."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.simulator.conftest import Start
from tests.integration.simulator.test_authorise import App, bearer, register
from tests.unit.simulator.test_signing import check

DOCUMENT = "/.well-known/openid-configuration"
SIGN_IN = "openid profile email offline_access accounting.settings.read"


async def discovered(app: App, host: str | None = None) -> dict[str, Any]:
    """The discovery document, asked for by another name perhaps."""
    answer = await app.talk.http.get(DOCUMENT, headers={"Host": host} if host else {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_all_of_it_is_found_at_the_address_asked(start: Start) -> None:
    """Key set, authorise page, token endpoint, user info; the issuer is the one that tokens name."""
    app = await register(start)
    found = await discovered(app)

    assert found["issuer"] == "https://identity.xero.com"
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]
    for name in ("jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint"):
        assert found[name].startswith(app.talk.url)
    assert (await app.talk.http.get(found["jwks_uri"])).status_code == 200
    assert (await app.talk.http.get(found["authorization_endpoint"])).status_code == 400  # it wants a link's fields
    assert (await app.talk.http.post(found["token_endpoint"])).json() == {"error": "unauthorized_client"}
    assert (await app.talk.http.get(found["userinfo_endpoint"])).status_code == 401
    await app.browser.http.aclose()


async def test_by_xeros_names_the_addresses_are_xeros(start: Start) -> None:
    """For clients whose hosts are redirected."""
    app = await register(start, settings={"host_names": ["identity.xero.com"]})
    found = await discovered(app, "identity.xero.com")

    assert found["jwks_uri"] == "https://identity.xero.com/.well-known/openid-configuration/jwks"
    assert found["authorization_endpoint"] == "https://login.xero.com/identity/connect/authorize"
    assert {urlsplit(found[name]).netloc for name in ("token_endpoint", "userinfo_endpoint")} == {"identity.xero.com"}
    await app.browser.http.aclose()


async def test_signing_in(start: Start) -> None:
    """The id token stands up to the published key, repeats the nonce, and agrees with the user info."""
    app = await register(start)
    tokens = await app.connect(app.tenants[0], scope=SIGN_IN, nonce="n-0S6")
    (jwk,) = (await app.talk.http.get((await discovered(app))["jwks_uri"])).json()["keys"]
    claims = check(tokens["id_token"], jwk)
    access = check(tokens["access_token"], jwk)
    about = (await app.talk.http.get("/connect/userinfo", headers=bearer(tokens))).json()

    assert (claims["iss"], claims["aud"], claims["nonce"]) == ("https://identity.xero.com", app.id, "n-0S6")
    assert about == {
        "sub": access["sub"],
        "xero_userid": access["xero_userid"],
        "preferred_username": "alex@example.com",
        "given_name": "Alex",
        "family_name": "Rivera",
        "name": "Alex Rivera",
        "email": "alex@example.com",
    }
    assert about.items() <= claims.items()
    assert claims["global_session_id"] == access["global_session_id"]
    await app.browser.http.aclose()


async def test_a_refresh_brings_an_id_token_too(start: Start) -> None:
    """Of the same user, for the access token that comes with it, without a nonce."""
    app = await register(start)
    tokens = await app.connect(app.tenants[0], scope=SIGN_IN, nonce="once")
    again = (await app.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])).json()
    (jwk,) = (await app.talk.http.get("/.well-known/openid-configuration/jwks")).json()["keys"]
    first, second = check(tokens["id_token"], jwk), check(again["id_token"], jwk)

    assert second["sub"] == first["sub"]
    assert second["at_hash"] != first["at_hash"]
    assert "nonce" not in second
    await app.browser.http.aclose()


@pytest.mark.parametrize(("scope", "status"), [("offline_access accounting.settings.read", 403), ("openid", 200)])
async def test_user_info_needs_openid(start: Start, scope: str, status: int) -> None:
    """Without ``profile`` and ``email`` it tells the ids alone."""
    app = await register(start)
    tokens = await app.connect(app.tenants[0], scope=scope)
    answer = await app.talk.http.get("/connect/userinfo", headers=bearer(tokens))

    assert answer.status_code == status
    assert status == 403 or set(answer.json()) == {"sub", "xero_userid"}
    await app.browser.http.aclose()
