"""Grants of a single process. Who has several keeps them in a database: ``xero_stream/store`` does so on PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from xero_api.errors import DisconnectedError
from xero_api.oauth.source import GrantId
from xero_api.oauth.token import TokenSet
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId

OnSave = Callable[[GrantId, TokenSet], Awaitable[None]]


async def _nowhere(grant_id: GrantId, tokens: TokenSet) -> None:
    del grant_id, tokens


@dataclass(slots=True)
class _Row:
    app: AppName
    tokens: TokenSet
    dead: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class MemoryGrants:
    """A :class:`~xero_api.oauth.source.GrantStore` in memory, with a hook that makes each new token set durable."""

    def __init__(self, on_save: OnSave = _nowhere) -> None:
        """No grants yet.

        Args:
            on_save: told each new token set before it is used. A refresh token works once: if the newest is lost with
                the process, its organisations have to be connected again. Custom connections are not reported.
        """
        self._on_save = on_save
        self._rows: dict[GrantId, _Row] = {}
        self._grants: dict[tuple[AppName, TenantId], GrantId] = {}

    def add(
        self, grant_id: GrantId, tokens: TokenSet, tenant_ids: Iterable[TenantId], *, app: AppName = DEFAULT_APP
    ) -> None:
        """Add a grant, or put it in the place of an earlier one. For more organisations there is :meth:`connect`.

        Args:
            grant_id: any name of yours.
            tenant_ids: the organisations it reaches, as far as known.
            app: which app it was given to.

        Raises:
            ValueError: the grant is here already, with tokens that came of these.
        """
        known = self._rows.get(grant_id)
        if known and tokens.refresh_token and tokens.refresh_token == known.tokens.previous_refresh_token:
            raise ValueError(f"{grant_id} has newer tokens than these; connect(…) adds organisations to it")
        self._rows[grant_id] = _Row(app, tokens)
        self.connect(grant_id, tenant_ids)

    def connect(self, grant_id: GrantId, tenant_ids: Iterable[TenantId]) -> None:
        """Say which organisations a grant reaches; what it reached before stays.

        Args:
            grant_id: a grant that was added.
            tenant_ids: the organisations (``XeroClient.connections`` lists them).

        Raises:
            DisconnectedError: no such grant was added.
        """
        app = self._row(grant_id).app
        self._grants |= {(app, tenant_id): grant_id for tenant_id in tenant_ids}

    async def grant_of(self, app: AppName, tenant_id: TenantId) -> GrantId:
        """See :class:`~xero_api.oauth.source.GrantStore`."""
        if (app, tenant_id) not in self._grants:
            raise DisconnectedError(f"no grant of the app {app} reaches {tenant_id}")
        return self._grants[app, tenant_id]

    @contextlib.asynccontextmanager
    async def locked(self, grant_id: GrantId) -> AsyncIterator["_Locked"]:
        """See :class:`~xero_api.oauth.source.GrantStore`."""
        row = self._row(grant_id)
        async with row.lock:
            held = _Locked(row)
            yield held
            if held.tokens != row.tokens and held.tokens.refresh_token is not None:
                await self._on_save(grant_id, held.tokens)
            row.tokens, row.dead = held.tokens, held.dead

    def _row(self, grant_id: GrantId) -> _Row:
        if grant_id not in self._rows:
            raise DisconnectedError(f"no grant {grant_id} here; add(…) it first")
        return self._rows[grant_id]


class _Locked:
    """A grant until its block ends."""

    def __init__(self, row: _Row) -> None:
        self.app, self.tokens, self.dead = row.app, row.tokens, row.dead

    async def reload(self) -> TokenSet:
        """See ``LockedGrant``: nobody else can have written."""
        return self.tokens

    async def save(self, tokens: TokenSet) -> None:
        """See ``LockedGrant``."""
        self.tokens = tokens

    async def mark_dead(self, reason: str) -> None:
        """See ``LockedGrant``."""
        del reason
        self.dead = True
