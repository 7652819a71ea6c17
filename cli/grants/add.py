"""Adding a grant: the token endpoint once, what it reaches once, then everything in the store at once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from cli.grants.choose import choose
from cli.store import store
from xero_api.client import XeroClient
from xero_api.connections import Connection
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet
from xero_api.registry import by_name
from xero_api.scopes import lacking, open_to, scopes_of
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.settings.apps import App, Apps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import API_URL, ENTITIES, IDENTITY_URL, KEYS, values, values_of_apps
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import XeroSettings
from xero_stream.store.clock import set_clock, utc_now
from xero_stream.store.connections import Connected, Organisation, connect, drop_grant, keep_grant
from xero_stream.store.crypto import Column, TokenCipher
from xero_stream.store.deployment import claim
from xero_stream.store.deployment_keys import check_keys
from xero_stream.store.grants import SealedTokens

Obtain = Callable[[IdentityClient, ClientCredentials], Awaitable[TokenSet]]
"""How the first tokens of a grant are had, from the token endpoint with the app's credentials. Times are the store's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to add.

    Attributes:
        app: through which app.
        obtain: gives the tokens; called after everything else was checked.
        custom: whether the app is a custom connection, which has a secret.
        again: whether what ``obtain`` used may be used again where nothing was stored, as a sentence; empty: it may not.
        tenants: only these organisations; empty for all that the grant reaches.
        customer_ref: your reference for the one organisation.
        tags: your labels.
        entities: what is read, as far as the app's tier includes it.
    """

    app: str
    obtain: Obtain = field(repr=False)
    custom: bool = False
    again: str = ""
    tenants: Sequence[TenantId] = ()
    customer_ref: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    entities: Sequence[EntityName]


async def add(wish: Wish) -> list[tuple[Organisation, Connected]]:
    """Connect what a grant reaches. Everything that can be wrong here is found before the token is used up.

    Returns:
        The organisations and what became of each.

    Raises:
        SettingsError: a setting is missing or wrong.
        StoreUnreachableError, DeploymentMismatchError: the store does not answer, or its deployment has other settings
            (another encryption key, other entities, another client id …).
        XeroError: Xero refuses the grant, or does not answer.
        NothingToConnectError, OtherAppError: there is nothing to connect.
    """
    app = app_named(wish.app)
    credentials = credentials_of(app, custom=wish.custom)
    encryption, kafka, xero = EncryptionSettings.read(), KafkaSettings.read(), XeroSettings.read()
    cipher = TokenCipher(encryption.keys)
    async with store() as pool:
        await check_keys(pool, cipher)
        await claim(
            pool,
            topic_prefix=kafka.topic_prefix,
            partitions=kafka.partitions,
            settings={
                **values(encryption, xero, only=(KEYS, API_URL, IDENTITY_URL)),
                **values_of_apps([app]),
                ENTITIES: ",".join(sorted(wish.entities)),
            },
        )
        # Processors use the store's clock: a token stamped by this machine's could look fresh to them for a day.
        await set_clock(pool)
        async with aclosing(IdentityClient(identity_url=xero.identity_url)) as identity:
            tokens = await wish.obtain(identity, credentials)
        # What was traded for these tokens is used up: they must not be lost, whatever comes next.
        grant_id = await keep_grant(pool, app=app, kind=tokens.kind.value, tokens=_sealed(cipher, tokens, uuid4()))
        try:
            reached = await _reached(xero, app, tokens, grant_id)
            scopes = scopes_of(tokens.access_token, tokens.scopes)
            chosen = choose(reached, wanted=wish.tenants, customer_ref=wish.customer_ref, tags=wish.tags)
            done = await _connect(pool, app, tokens, scopes, cipher, chosen, wish, kafka.partitions, grant_id)
        except Exception as error:
            await drop_grant(pool, grant_id)
            if wish.again:
                error.add_note(f"Nothing was stored; {wish.again}")
            raise
    return list(zip(chosen, done, strict=True))


async def _connect(
    pool: "asyncpg.Pool[Any]",
    app: App,
    tokens: TokenSet,
    scopes: Sequence[str],
    cipher: TokenCipher,
    chosen: Sequence[Organisation],
    wish: Wish,
    partitions: int,
    grant_id: UUID,
) -> list[Connected]:
    rows = open_to(app.tier, map(by_name, wish.entities))
    return await connect(
        pool,
        app=app,
        kind=tokens.kind.value,
        tokens=_sealed(cipher, tokens, grant_id),
        tenants=chosen,
        entities=[row.name for row in rows],
        partitions=partitions,
        grant_id=grant_id,
        scopes=scopes,
        lacking=lacking(scopes, rows) if scopes else {},
    )


def app_named(name: str) -> App:
    """An app of this deployment.

    Args:
        name: ``default``, or one of the apps file.

    Raises:
        SettingsError: there is none of that name.
    """
    apps = Apps.read()
    app = apps.get(name)
    if app is None:
        known = ", ".join(one.name for one in apps.all())
        raise SettingsError(f"there is no app {name!r}; there is {known} (more come from XERO_STREAM_APPS_FILE)")
    return app


def credentials_of(app: App, *, custom: bool) -> ClientCredentials:
    """How the app shows itself; one without a secret is of the PKCE type, and shows its id only.

    Args:
        custom: for a custom connection, which is nothing without a secret.

    Raises:
        SettingsError: the id is missing, or a secret that is needed.
    """
    names = {"client_id": app.client_id, **({"client_secret": app.client_secret} if custom else {})}
    missing = [f"XERO_{name.upper()}" if app.name == "default" else name for name, value in names.items() if not value]
    if not app.client_id or missing:
        raise SettingsError(f"app {app.name}: set {' and '.join(missing)}, from Xero's developer portal")
    return ClientCredentials(client_id=app.client_id, client_secret=app.client_secret)


def by_refresh_token(refresh_token: str) -> Obtain:
    """Trade a refresh token that was had elsewhere.

    Args:
        refresh_token: of a consent.
    """

    async def obtain(identity: IdentityClient, credentials: ClientCredentials) -> TokenSet:
        now = utc_now()
        given = TokenSet(
            kind=GrantKind.AUTHORIZATION_CODE,
            access_token="",
            expires_at=now,
            refreshed_at=now,
            refresh_token=refresh_token,
        )
        return await identity.refresh(credentials, given, refresh_token, now)

    return obtain


async def by_client_credentials(identity: IdentityClient, credentials: ClientCredentials) -> TokenSet:
    """Ask with the id and secret of a custom connection."""
    return await identity.client_credentials(credentials, utc_now())


async def _reached(xero: XeroSettings, app: App, tokens: TokenSet, grant_id: UUID) -> list[Connection]:
    client = XeroClient(
        api_url=xero.api_url, tokens=_NoTokens(), on_call=lambda _: None, timeout=xero.http_timeout_seconds
    )
    async with aclosing(client):
        token = AccessToken(value=tokens.access_token, grant_id=GrantId(str(grant_id)))
        return await client.reached(app.name, token, custom=tokens.kind is GrantKind.CLIENT_CREDENTIALS)


class _NoTokens:
    """Xero is asked with the token at hand."""

    async def token(self, app: object, tenant_id: object) -> AccessToken:
        raise NotImplementedError

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        raise NotImplementedError


def _sealed(cipher: TokenCipher, tokens: TokenSet, grant_id: UUID) -> SealedTokens:
    def seal(token: str | None, column: Column) -> bytes | None:
        return cipher.seal(token, grant_id, column) if token else None

    return SealedTokens(
        grant_id=grant_id,
        access_token=cipher.seal(tokens.access_token, grant_id, Column.ACCESS),
        refresh_token=seal(tokens.refresh_token, Column.REFRESH),
        previous_token=seal(tokens.previous_refresh_token, Column.PREVIOUS),
        refreshed_at=tokens.refreshed_at,
        expires_at=tokens.expires_at,
    )
