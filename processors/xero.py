"""Xero as the processors call it: the client, its tokens out of the store, its calls into metrics and logs."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from processors.quotas.metrics import QuotaMetrics
from xero_api.call import CallRecord
from xero_api.client import XeroClient
from xero_api.errors import ClientConfigError, DisconnectedError, TamperedGrantError, TransientError
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import GrantId, GrantTokens
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet
from xero_api.registry import by_name
from xero_api.scopes import lacking, scopes_of
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.settings.apps import Apps
from xero_stream.settings.xero import XeroSettings
from xero_stream.store import entity_holds, grants
from xero_stream.store.clock import utc_now
from xero_stream.store.crypto import Column, MisplacedTokenError, TokenCipher

log = structlog.get_logger(__name__)

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
EntitiesOf = Callable[[AppName], Sequence[EntityName]]


class StoreTime:
    """The clock of calls: what is recorded of a call has the store's time, whatever the machine's clock says."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def now(self) -> datetime:
        """The store's time."""
        return utc_now()


class StoredGrant:
    """A locked grant: ``xero_api``'s words over the store's bytes."""

    def __init__(self, locked: grants.LockedGrantRow, cipher: TokenCipher, entities_of: EntitiesOf) -> None:
        self._locked = locked
        self._entities_of = entities_of
        self._cipher = cipher
        self._tokens = _token_set(locked.row, cipher)

    @property
    def app(self) -> AppName:
        """The app it was given to."""
        return AppName(self._locked.row.app)

    @property
    def tokens(self) -> TokenSet:
        """The set as read under the lock."""
        return self._tokens

    @property
    def dead(self) -> bool:
        """Whether it was marked as dead."""
        return self._locked.row.state != "active"

    async def reload(self) -> TokenSet:
        """The set: under the lock nobody else can have changed it."""
        return self._tokens

    async def save(self, tokens: TokenSet) -> None:
        """Store a new set, encrypted."""
        await self._locked.save(
            access_token=self._cipher.seal(tokens.access_token, self._locked.row.grant_id, Column.ACCESS),
            refresh_token=self._sealed(tokens.refresh_token, Column.REFRESH),
            previous_token=self._sealed(tokens.previous_refresh_token, Column.PREVIOUS),
            refreshed_at=tokens.refreshed_at,
            expires_at=tokens.expires_at,
        )
        await self._compare_scopes(tokens)

    async def _compare_scopes(self, tokens: TokenSet) -> None:
        """What the token can't read is held at once, with the scope it lacks; not known is not lacking."""
        granted = scopes_of(tokens.access_token, tokens.scopes)
        if not granted:
            return
        needed = lacking(granted, map(by_name, self._entities_of(self.app)))
        if (
            await entity_holds.scopes_seen(
                self._locked.connection, self._locked.row.grant_id, granted, needed, utc_now()
            )
            and needed
        ):
            log.error(
                "scopes_missing",
                grant=str(self._locked.row.grant_id),
                lacking={entity.value: scope for entity, scope in needed.items()},
                hint="connect the organisations again with these scopes, or leave the entities out",
            )

    async def mark_dead(self, reason: str) -> None:
        """Remember that an operator has to connect it again."""
        log.error("grant_needs_reauthorisation", grant=str(self._locked.row.grant_id), reason=reason)
        await self._locked.mark_dead()

    def _sealed(self, token: str | None, column: Column) -> bytes | None:
        return self._cipher.seal(token, self._locked.row.grant_id, column) if token else None


def _token_set(row: grants.GrantRow, cipher: TokenCipher) -> TokenSet:
    tokens = {column: cipher.open(token, row.grant_id, column) for column, token in row.sealed.items()}
    return TokenSet(
        kind=GrantKind(row.kind),
        access_token=tokens.get(Column.ACCESS, ""),
        expires_at=row.expires_at or _NEVER,
        refreshed_at=row.refreshed_at or _NEVER,
        refresh_token=tokens.get(Column.REFRESH),
        previous_refresh_token=tokens.get(Column.PREVIOUS),
    )


class StoredGrants:
    """``xero_api``'s grant store, on PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]", cipher: TokenCipher, entities_of: EntitiesOf) -> None:
        self._pool = pool
        self._cipher = cipher
        self._entities_of = entities_of

    async def grant_of(self, app: AppName, tenant_id: TenantId) -> GrantId:
        """The grant that reaches an organisation.

        Raises:
            DisconnectedError: there is none.
        """
        found = await grants.grant_of(self._pool, tenant_id)
        if found is None:
            raise DisconnectedError(f"no grant of app {app} reaches organisation {tenant_id}")
        return GrantId(str(found))

    @asynccontextmanager
    async def locked(self, grant_id: GrantId) -> AsyncIterator[StoredGrant]:
        """The grant, locked against every other process until the block ends.

        Raises:
            TransientError: another grant took its place.
            TamperedGrantError: one of its tokens was sealed for another grant or column. It is marked as dead.
        """
        async with AsyncExitStack() as stack:
            try:
                row = await stack.enter_async_context(grants.locked(self._pool, UUID(grant_id)))
            except grants.UnknownGrantError as error:
                raise TransientError("another grant was stored in the place of this one") from error
            try:
                grant = StoredGrant(row, self._cipher, self._entities_of)
            except MisplacedTokenError as error:
                log.error("grant_tampered_with", grant=grant_id, reason=str(error))  # noqa: TRY400 - the message says all
                await row.mark_dead()
                await stack.aclose()  # with what was marked
                raise TamperedGrantError(str(error)) from error
            yield grant


def credentials_of(apps: Apps, app: AppName) -> ClientCredentials:
    """How an app shows itself; one without a secret is of the PKCE type, and shows its id only.

    Raises:
        ClientConfigError: there is no such app, or it has no client id.
    """
    found = apps.get(app)
    if found is None or not found.client_id:
        raise ClientConfigError(f"app {app} has no client id")
    return ClientCredentials(client_id=found.client_id, client_secret=found.client_secret)


class Xero:
    """The client and what it is made of, closed together."""

    def __init__(self, client: XeroClient, tokens: GrantTokens, identity: IdentityClient) -> None:
        self.client = client
        self.tokens = tokens
        self._identity = identity

    async def aclose(self) -> None:
        """Finish renewals under way, then close the connections."""
        await self.tokens.aclose()
        await self._identity.aclose()
        await self.client.aclose()


def open_xero(
    settings: XeroSettings,
    apps: Apps,
    pool: "asyncpg.Pool[Any]",
    cipher: TokenCipher,
    metrics: QuotaMetrics,
    also: Callable[[CallRecord], None],
    entities_of: EntitiesOf,
) -> Xero:
    """Xero, ready to be called.

    Args:
        settings: its addresses.
        apps: ids and secrets.
        pool: the store with the grants.
        cipher: for the grants' tokens.
        metrics: where calls are counted.
        also: called for every call.
        entities_of: the enabled entities that an app may read.
    """

    def on_call(call: CallRecord) -> None:
        metrics.called(call)
        also(call)
        log.debug(
            "xero_call",
            app=call.app,
            tenant=call.tenant_id,
            priority=call.priority,
            endpoint=call.endpoint,
            status=call.status,
            ms=round(call.ms, 1),
            bytes=call.bytes_in,
            outcome=call.outcome,
            correlation_id=call.correlation_id,
        )

    identity = IdentityClient(identity_url=settings.identity_url)
    tokens = GrantTokens(
        store=StoredGrants(pool, cipher, entities_of),
        identity=identity,
        credentials=partial(credentials_of, apps),
        now=utc_now,
    )
    client = XeroClient(
        api_url=settings.api_url,
        tokens=tokens,
        on_call=on_call,
        timeout=settings.http_timeout_seconds,
        clock=StoreTime(),
    )
    return Xero(client, tokens, identity)
