"""Access tokens for calls: one refresh for all who wait, in this process and across processes.

In a process, callers share one running refresh. Across processes the store's lock on the grant's row decides: whoever
gets it reads the row again, and finds the work done if another was faster. The rotated token is stored before anyone
may use the new set.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType, Protocol

from xero_api.errors import HoldError, ReauthoriseError, TransientError, UnauthorisedError, XeroError
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.refresh import due, second_token, usable, worth_replacing
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.failpoints import Failpoint, reach

GrantId = NewType("GrantId", str)
"""A grant: one user's consent, or one custom connection."""

_COOL_DOWN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A bearer token to send.

    Attributes:
        value: the token.
        grant_id: whose it is.
    """

    value: str = field(repr=False)
    grant_id: GrantId


class TokenSource(Protocol):
    """Where a call gets its token."""

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """A token that is good for at least some seconds.

        Args:
            app: the app that calls.
            tenant_id: the organisation that is called.

        Raises:
            XeroError: there is none: the grant is dead, or the token endpoint can't be reached and the old one ended.
        """

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        """Another token, after one was answered with 401.

        Args:
            rejected: the one refused.

        Raises:
            XeroError: there is none; ``UnauthorisedError`` if the refused one is fresh, and came in place of another refused one.
        """


class LockedGrant(Protocol):
    """A grant whose row nobody else can change meanwhile."""

    @property
    def app(self) -> AppName:
        """The app it was given to."""

    @property
    def tokens(self) -> TokenSet:
        """The set as read under the lock."""

    @property
    def dead(self) -> bool:
        """Whether it was marked as dead."""

    async def reload(self) -> TokenSet:
        """Read the set again."""

    async def save(self, tokens: TokenSet) -> None:
        """Store a new set. It is used only after the block ended without an error: then it must be durable."""

    async def mark_dead(self, reason: str) -> None:
        """Remember that an operator has to connect it again; durable once the block ended without an error."""


class GrantStore(Protocol):
    """Where grants are kept. ``xero_stream/store`` has one on PostgreSQL, with a row lock."""

    async def grant_of(self, app: AppName, tenant_id: TenantId) -> GrantId:
        """The grant that reaches an organisation.

        Raises:
            DisconnectedError: there is none.
        """

    def locked(self, grant_id: GrantId) -> AbstractAsyncContextManager[LockedGrant]:
        """The grant, locked against every other process until the block ends.

        Leaving the block commits what was saved in it; leaving it with an error may undo it.
        """


class GrantTokens:
    """A :class:`TokenSource` over a :class:`GrantStore`."""

    def __init__(
        self,
        *,
        store: GrantStore,
        identity: IdentityClient,
        credentials: Callable[[AppName], ClientCredentials],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._identity = identity
        self._credentials = credentials
        self._now = now
        self._known: dict[GrantId, TokenSet] = {}
        self._unsaved: dict[GrantId, TokenSet] = {}
        self._running: dict[GrantId, asyncio.Task[TokenSet]] = {}
        self._again_from: dict[GrantId, datetime] = {}
        self._doubted: dict[GrantId, datetime] = {}

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """See :class:`TokenSource`."""
        return await self.token_of(await self._store.grant_of(app, tenant_id))

    async def token_of(self, grant_id: GrantId) -> AccessToken:
        """A token of a grant (for ``/connections``, which is about no organisation).

        Raises:
            XeroError: there is none.
        """
        known, now = self._known.get(grant_id), self._now()
        if known is None or not usable(known, now):
            known = await asyncio.shield(self._renewal(grant_id, rejected=None))
        elif due(known, now) and now >= self._again_from.get(grant_id, now):
            _ = self._renewal(grant_id, rejected=None)  # beside the call: the old token still serves
        return AccessToken(value=known.access_token, grant_id=grant_id)

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        """See :class:`TokenSource`."""
        grant_id = rejected.grant_id
        known = self._known.get(grant_id)
        for _ in range(2):  # a renewal already running may have begun without knowing of the refusal
            if known is None or known.access_token == rejected.value:
                known = await asyncio.shield(self._renewal(grant_id, rejected.value))
        if known is None or known.access_token == rejected.value:
            raise UnauthorisedError("401, and no other token to be had", status=401)
        return AccessToken(value=known.access_token, grant_id=grant_id)

    def forget(self, grant_id: GrantId) -> None:
        """Drop what is remembered of a grant (it was given again, or taken away)."""
        self._known.pop(grant_id, None)

    async def aclose(self) -> None:
        """Wait for renewals under way: a rotated token must still be stored."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _renewal(self, grant_id: GrantId, rejected: str | None) -> asyncio.Task[TokenSet]:
        """The running renewal, or a new one. Await it shielded: who gives up must not tear it from the others."""
        task = self._running.get(grant_id)
        if task is None:
            task = asyncio.create_task(self._renew(grant_id, rejected), name=f"renew grant {grant_id}")
            self._running[grant_id] = task
            task.add_done_callback(lambda done: self._finished(grant_id, done))
        return task

    def _finished(self, grant_id: GrantId, task: asyncio.Task[TokenSet]) -> None:
        self._running.pop(grant_id, None)
        if not task.cancelled():
            task.exception()  # counts as retrieved; whoever waits gets it from the task

    async def _renew(self, grant_id: GrantId, rejected: str | None) -> TokenSet:
        failure: XeroError | None = None
        async with self._store.locked(grant_id) as grant:
            try:
                tokens = await self._under_lock(grant_id, grant, rejected)
            except XeroError as error:  # leave the block in peace: what was saved or marked in it must be kept
                failure = error
        self._unsaved.pop(grant_id, None)
        if failure is not None:
            if isinstance(failure, ReauthoriseError):
                self.forget(grant_id)
            raise failure
        self._known[grant_id] = tokens
        return tokens

    async def _under_lock(self, grant_id: GrantId, grant: LockedGrant, rejected: str | None) -> TokenSet:
        if grant.dead:
            raise ReauthoriseError("the grant is marked as dead")
        tokens = grant.tokens
        unsaved = self._unsaved.get(grant_id)
        if unsaved and unsaved.previous_refresh_token == tokens.refresh_token:
            await grant.save(unsaved)  # obtained before, but the store failed then
            tokens = unsaved
        if not self._wanted(grant_id, tokens, rejected):
            return tokens
        await reach(Failpoint.REFRESH_OPEN)
        try:
            new = await self._obtain(grant, tokens)
        except (TransientError, HoldError):
            if rejected is None and usable(tokens, self._now()):
                self._again_from[grant_id] = self._now() + _COOL_DOWN
                return tokens
            raise
        if tokens.access_token == rejected:
            self._doubted[grant_id] = new.refreshed_at
        self._unsaved[grant_id] = new
        await reach(Failpoint.REFRESH_ANSWERED)
        await grant.save(new)
        return new

    def _wanted(self, grant_id: GrantId, tokens: TokenSet, rejected: str | None) -> bool:
        now = self._now()
        if rejected is None or tokens.access_token != rejected:
            return due(tokens, now)
        if not worth_replacing(tokens, now, self._doubted.get(grant_id)):
            raise UnauthorisedError("401 with a fresh token", status=401)
        return True

    async def _obtain(self, grant: LockedGrant, tokens: TokenSet) -> TokenSet:
        credentials, now = self._credentials(grant.app), self._now()
        if tokens.kind is GrantKind.CLIENT_CREDENTIALS:
            return await self._identity.client_credentials(credentials, now)
        used = tokens.refresh_token or ""
        try:
            return await self._identity.refresh(credentials, tokens, used, now)
        except ReauthoriseError as refusal:
            stored = await grant.reload()
            other = second_token(used, stored, self._now())
            if other is None:
                await grant.mark_dead(str(refusal))
                raise
        try:
            return await self._identity.refresh(credentials, stored, other, now)
        except ReauthoriseError as refusal:
            await grant.mark_dead(str(refusal))
            raise
