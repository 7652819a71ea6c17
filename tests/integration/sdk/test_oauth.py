"""Xero's official SDK and OAuth: from the consent page to the revocation."""

import gc
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest
from xero_python.exceptions import HTTPStatusException

from tests.integration.sdk.rig import Sdk, official
from tests.support.consent_form import Browser
from xero_stream.settings.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET

BACK = "http://localhost:8081/connect/callback"
SCOPE = "offline_access accounting.contacts.read accounting.settings.read"


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    """The SDK leaves the connection of an answer that it does not read to the garbage collector, which complains."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Somebody who consents."""
    one = Browser()
    yield one
    await one.http.aclose()


async def consent(sdk: Sdk, browser: Browser, tenant: str) -> None:
    """The page, the code, the token: what the SDK leaves to the app (its README takes Flask's client for it)."""
    link = f"{sdk.url}/identity/connect/authorize?response_type=code&client_id={sdk.app['clientId']}"
    back = await browser.back(f"{link}&redirect_uri={BACK}&scope={SCOPE.replace(' ', '%20')}&state=s", tenant)
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK}
    client = {"client_id": sdk.app["clientId"], "client_secret": sdk.app["clientSecret"]}
    answer = sdk.http.post("/connect/token", data=form | client).json()
    answer.pop("id_token", None)
    sdk.save(answer | {"scope": answer["scope"].split()})


async def test_from_the_consent_page_to_the_revocation(simulator_url: str, browser: Browser) -> None:
    """Connections, a refresh that rotates, a call, an organisation disconnected, everything given back."""
    app = {"clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}
    with official(simulator_url, app) as sdk:
        tenants = [row["tenantId"] for row in sdk.control("GET", "/tenants")["tenants"]]
        for tenant in tenants:
            await consent(sdk, browser, tenant)
        first = dict(sdk.token or {})

        connections = {one.tenant_id: one for one in sdk.identity.get_connections()}
        sdk.oauth.refresh_access_token(sdk.client)
        second = dict(sdk.token or {})
        names = [row["name"] for row in sdk.control("GET", "/tenants")["tenants"]]

        assert list(connections) == tenants
        assert [one.tenant_name for one in connections.values()] == names
        assert {one.tenant_type for one in connections.values()} == {"ORGANISATION"}
        assert second["refresh_token"] != first["refresh_token"]
        assert second["expires_at"] > 0
        assert sdk.accounting.get_organisations(tenants[0]).organisations[0].name == names[0]
        newest = connections[tenants[1]].auth_event_id
        assert [one.tenant_id for one in sdk.identity.get_connections(auth_event_id=newest)] == [tenants[1]]

        sdk.identity.delete_connection(connections[tenants[0]].id)
        with pytest.raises(HTTPStatusException) as closed:
            sdk.accounting.get_organisations(tenants[0])
        assert closed.value.status == 403
        assert [one.tenant_id for one in sdk.identity.get_connections()] == [tenants[1]]

        sdk.oauth.revoke_access_token(sdk.client)
        sdk.oauth.update_token(**second)
        with pytest.raises(HTTPStatusException) as revoked:
            sdk.oauth.refresh_access_token(sdk.client)
        assert revoked.value.status == 400


async def test_a_scope_that_was_not_given_is_refused(simulator_url: str, browser: Browser) -> None:
    """The SDK tells 401 as it came; the other scopes work."""
    app = {"clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}
    with official(simulator_url, app) as sdk:
        tenant = sdk.control("GET", "/tenants")["tenants"][0]["tenantId"]
        await consent(sdk, browser, tenant)

        with pytest.raises(HTTPStatusException) as caught:
            sdk.accounting.get_invoices(tenant)

        assert caught.value.status == 401
        assert sdk.accounting.get_contacts(tenant, page=1).contacts


def test_a_custom_connection_takes_its_own_token(simulator_url: str) -> None:
    """Client credentials, by the SDK."""
    with official(simulator_url, {"clientId": "", "clientSecret": ""}) as plain:
        app = plain.control("POST", "/grants", {"kind": "client_credentials", "scopes": SCOPE.split()[1:]})
    with official(simulator_url, app) as sdk:
        sdk.oauth.get_client_credentials_access_token(sdk.client, app_store_billing=False)

        assert [one.tenant_id for one in sdk.identity.get_connections()] == app["tenants"]
        assert sdk.accounting.get_contacts(app["tenants"][0], page=1).contacts
