"""A strict identity provider and an in-memory grant store: what token providers are tested against."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx

from xero_api.errors import DisconnectedError
from xero_api.oauth.source import GrantId
from xero_api.oauth.token import GrantKind, TokenSet
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
GRANT = GrantId("g1")


@dataclass(slots=True)
class Time:
    """A wall clock that stands until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        """What it shows."""
        return self.at

    def move(self, **delta: float) -> None:
        """Let time pass.

        Args:
            delta: as for timedelta.
        """
        self.at += timedelta(**delta)


@dataclass(slots=True)
class StrictIdentity:
    """Rotates refresh tokens and takes each once; within ``grace`` the one before may be used again."""

    time: Time
    grace: timedelta = timedelta(0)
    current: str = "r0"
    rotated_at: datetime = START
    previous: str | None = None
    issued: int = 0
    refused: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    script: list[Callable[[], httpx.Response]] = field(default_factory=list)
    """Answers to give instead, oldest first; the rotation happens all the same."""
    before: list[Callable[[], httpx.Response]] = field(default_factory=list)
    """Answers to give instead, and no rotation."""
    pause: asyncio.Event | None = None
    """Held until set, so that a test can pile up callers."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first request."""

    def transport(self) -> httpx.MockTransport:
        """For an httpx client."""
        return httpx.MockTransport(self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
        self.requests.append(form)
        self.authorizations.append(request.headers["authorization"])
        self.asked.set()
        if self.pause is not None:
            await self.pause.wait()
        if self.before:
            return self.before.pop(0)()
        if form["grant_type"] == "client_credentials":
            return self._issue(None)
        token = form["refresh_token"]
        graceful = token == self.previous and self.time.at < self.rotated_at + self.grace
        if token != self.current and not graceful:
            self.refused += 1
            return httpx.Response(400, json={"error": "invalid_grant"})
        if not graceful:
            self.previous, self.rotated_at = token, self.time.at
        self.current = f"r{self.issued + 1}"
        response = self._issue(self.current)
        return self.script.pop(0)() if self.script else response

    def _issue(self, refresh_token: str | None) -> httpx.Response:
        self.issued += 1
        document = {"access_token": f"a{self.issued}", "expires_in": 1800, "token_type": "Bearer"}
        return httpx.Response(200, json={**document, **({"refresh_token": refresh_token} if refresh_token else {})})


def tokens(**fields: object) -> TokenSet:
    """A set of an ordinary grant, just refreshed.

    Args:
        fields: what is other than that.
    """
    plain = TokenSet(
        kind=GrantKind.AUTHORIZATION_CODE,
        access_token="a0",
        refresh_token="r0",
        refreshed_at=START,
        expires_at=START + timedelta(minutes=30),
    )
    return replace(plain, **fields)  # type: ignore[arg-type] # a test names its own fields


@dataclass(slots=True)
class Row:
    """A grant as stored."""

    tokens: TokenSet
    dead: str | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class MemoryStore:
    """A grant store with transactions: what is saved in a block counts only if the block ends well."""

    row: Row
    failures: list[Exception] = field(default_factory=list)
    """Raised when a block ends, oldest first; what was saved in it is undone."""
    locks: int = 0

    async def grant_of(self, app: AppName, tenant_id: TenantId) -> GrantId:
        """See GrantStore."""
        if tenant_id == "unknown":
            raise DisconnectedError(f"no grant of {app} reaches the organisation")
        return GRANT

    @contextlib.asynccontextmanager
    async def locked(self, grant_id: GrantId) -> AsyncIterator["MemoryLocked"]:
        """See GrantStore."""
        assert grant_id == GRANT
        async with self.row.lock:
            self.locks += 1
            held = MemoryLocked(self.row.tokens, self.row.dead, self.row)
            yield held
            if self.failures:
                raise self.failures.pop(0)
            self.row.tokens, self.row.dead = held.stored, held.marked


class MemoryLocked:
    """A locked grant."""

    def __init__(self, stored: TokenSet, marked: str | None, row: Row) -> None:
        self.stored, self.marked = stored, marked
        self._first, self._row = stored, row

    @property
    def app(self) -> AppName:
        """See LockedGrant."""
        return DEFAULT_APP

    @property
    def tokens(self) -> TokenSet:
        """See LockedGrant."""
        return self._first

    @property
    def dead(self) -> bool:
        """See LockedGrant."""
        return self.marked is not None

    async def reload(self) -> TokenSet:
        """See LockedGrant. Reads what somebody wrote around the lock."""
        self.stored = self._row.tokens
        return self.stored

    async def save(self, tokens: TokenSet) -> None:
        """See LockedGrant."""
        self.stored = tokens

    async def mark_dead(self, reason: str) -> None:
        """See LockedGrant."""
        self.marked = reason
