"""Trying each app's id and secret at the token endpoint, with an invalid refresh token: none is used up."""

import asyncio
from contextlib import aclosing

import httpx

from cli.doctor.findings import Finding, fine, problem, skipped
from xero_api.errors import ClientConfigError, ReauthoriseError, XeroError
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet
from xero_stream.settings.apps import App, Apps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.xero import XeroSettings
from xero_stream.store.clock import utc_now

_NOBODYS_TOKEN = "tried-by-xero-stream-doctor"  # noqa: S105 - no token: Xero must refuse it
_AT_ONCE = 4


async def look_at_apps(transport: httpx.AsyncBaseTransport | None = None) -> list[Finding]:
    """Xero knows each app by its id and secret.

    The token endpoint looks at the client before it looks at the token (RFC 6749, 5.2): ``invalid_grant`` says that the
    client is right. ``unauthorized_client`` is its answer to an unknown id and to an app that has no refresh tokens: a
    custom connection, whose credentials alone give an access token.

    Args:
        transport: in place of the network.
    """
    try:
        settings, apps = XeroSettings.read(), Apps.read()
    except SettingsError as error:
        return [skipped("credentials", f"its settings can't be used: {error}")]
    limit = asyncio.Semaphore(_AT_ONCE)
    async with aclosing(IdentityClient(identity_url=settings.identity_url, transport=transport)) as identity:

        async def one(app: App, client_id: str) -> Finding:
            async with limit:
                return await _try(identity, app, client_id)

        return list(await asyncio.gather(*(one(app, app.client_id) for app in apps.all() if app.client_id)))


async def _try(identity: IdentityClient, app: App, client_id: str) -> Finding:
    now = utc_now()
    nothing = TokenSet(kind=GrantKind.AUTHORIZATION_CODE, access_token="", expires_at=now, refreshed_at=now)
    credentials = ClientCredentials(client_id=client_id, client_secret=app.client_secret)
    what = "id and secret" if app.client_secret else "id (it has no secret)"
    try:
        try:
            await identity.refresh(credentials, nothing, _NOBODYS_TOKEN, now)
        except ClientConfigError as error:
            if "unauthorized_client" not in str(error) or not app.client_secret:
                raise
            await identity.client_credentials(credentials, now)
            what += ", as a custom connection"
    except ReauthoriseError:
        pass
    except ClientConfigError as error:
        return problem("credentials", f"Xero refuses app {app.name} ({error})", error.hint)
    except XeroError as error:
        return skipped("credentials", f"app {app.name} could not be tried: {error}")
    return fine("credentials", f"Xero accepts app {app.name} with its {what}")
