"""``xero-stream connect``: the consent of a user, in the browser of this machine."""

import asyncio
import os
import sys
import webbrowser
from typing import Annotated

import typer

from cli.connect.callback import PATH, CallbackTimeoutError, PortTakenError, listening
from cli.exits import ExitCode, guarded
from cli.grants.add import Obtain, Wish, add, app_named
from cli.grants.choose import NothingToConnectError
from cli.grants.command import tags_named, told
from cli.organisation import CustomerRef, Tags, Tenants, organisation_named
from cli.store import STORE_ERRORS
from xero_api.errors import HoldError, MisconfiguredError, TransientError, XeroError
from xero_api.oauth.consent import Consent, authorise_url, new_consent
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.token import ClientCredentials, TokenSet
from xero_api.registry import by_name
from xero_api.scopes import NotOnTierError, least, open_to
from xero_stream.contracts.names import DEFAULT_APP
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.xero import XeroSettings
from xero_stream.store.clock import utc_now
from xero_stream.store.connections import OtherAppError
from xero_stream.store.deployment import DeploymentMismatchError

PORT = 8085


@guarded(
    examples=(
        "xero-stream connect",
        "xero-stream connect --tenant 1b3e...  --customer-ref c-1001",
        "xero-stream connect --port 8099  # another redirect URI of the app",
    ),
    unreachable=(*STORE_ERRORS, TransientError, HoldError),
    configuration=(DeploymentMismatchError, MisconfiguredError, NotOnTierError, PortTakenError),
    problems=(XeroError, CallbackTimeoutError, NothingToConnectError, OtherAppError),
)
def connect(
    app_name: Annotated[str, typer.Option("--app", help="Name of the app to connect through.")] = DEFAULT_APP,
    port: Annotated[
        int, typer.Option(help="Port of http://localhost:PORT/callback, a redirect URI of the app.", min=1, max=65535)
    ] = PORT,
    tenant: Tenants = None,
    customer_ref: CustomerRef = None,
    tag: Tags = None,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open the link in a browser if this machine has a display."),
    ] = True,
    seconds: Annotated[float, typer.Option(help="Seconds to wait for the browser.", min=1, max=3600)] = 600,
) -> ExitCode:
    """Connect organisations by a user's consent in the browser, and start loading them.

    The app must have http://localhost:8085/callback among its redirect URIs (Xero's developer portal, Configuration).
    The command prints a link, waits until the browser comes back from Xero, and stores the tokens encrypted. It asks
    for offline_access and for the least scopes that the enabled entities need. A custom connection needs no browser:
    `xero-stream grants add --client-credentials`.
    """
    app, entities = app_named(app_name), EntitySettings.read().entities
    consent = new_consent(
        redirect_uri=f"http://localhost:{port}{PATH}",
        scopes=least(open_to(app.tier, map(by_name, entities)), tier=app.tier),
    )
    link = authorise_url(consent, login_url=XeroSettings.read().login_url, client_id=app.client_id or "")
    wish = Wish(
        entities=entities,
        app=app_name,
        obtain=_by_browser(consent, link, port, seconds, browser=browser),
        tenants=[organisation_named(one, "--tenant") for one in tenant or ()],
        customer_ref=customer_ref,
        tags=tags_named(tag or ()),
    )
    for organisation, connected in asyncio.run(add(wish)):
        typer.echo(told(organisation, connected))
    return ExitCode.OK


def _by_browser(consent: Consent, link: str, port: int, seconds: float, *, browser: bool) -> Obtain:
    async def obtain(identity: IdentityClient, credentials: ClientCredentials) -> TokenSet:
        async with listening(consent, port) as callback:
            typer.echo(
                f"Open this link in a browser on this machine, and allow access (it is waited for {seconds:g} s):"
            )
            typer.echo(link)
            if browser and _has_screen():
                await asyncio.to_thread(webbrowser.open, link)
            code = await callback.code(seconds)
            return await identity.exchange(credentials, consent, code, utc_now())

    return obtain


def _has_screen() -> bool:
    """Whether a browser would open a window: without a screen, Python starts one in the terminal, which waits."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
