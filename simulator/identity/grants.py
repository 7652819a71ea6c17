"""Grants: a user's consent, its refresh tokens with rotation and grace, its connections. Pure; ``now_ms`` is an argument.

A refresh token is *live* until it is used. Used, it is *retired*, and for thirty minutes may be used again: the answer
to its first use may have got lost. Each use gives a new pair. (Whether Xero gives the same pair again is unconfirmed.)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

GRACE_MS = 30 * 60 * 1000
"""How long a retired refresh token still works. Source: Xero community 105714701, 127920775."""

REFRESH_LIFE_MS = 60 * 86_400_000
"""How long a refresh token lives unused. Source: xero-python README."""

ACCESS_LIFE_SECONDS = 1800
"""``expires_in`` of an access token."""

DEFAULT_SCOPES = (
    "offline_access",
    "accounting.settings.read",
    "accounting.contacts.read",
    "accounting.invoices.read",
    "accounting.payments.read",
)


class TokenProblem(StrEnum):
    """``error`` of a token endpoint's 400."""

    INVALID_GRANT = "invalid_grant"
    INVALID_CLIENT = "invalid_client"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


class TokenError(Exception):
    """The token endpoint refuses."""

    def __init__(self, problem: TokenProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class GrantKind(StrEnum):
    """How tokens are asked for."""

    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - OAuth's word, not a secret
    CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An app's credentials."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One organisation a user connected."""

    id: str
    tenant_id: str
    auth_event_id: str
    created_ms: int
    updated_ms: int


@dataclass(slots=True, kw_only=True)
class Grant:
    """A consent. Mutable: tokens come and go.

    Attributes:
        live: refresh tokens not yet used → when issued.
        retired: used refresh tokens → when first used.
        refreshes: token answers given, first uses of a live token.
        grace_refreshes: token answers given for a retired token.
        refused: requests refused.
    """

    id: str
    kind: GrantKind
    client_id: str
    user_id: str
    auth_event_id: str
    scopes: tuple[str, ...]
    connections: dict[str, Connection] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)
    refreshes: int = 0
    grace_refreshes: int = 0
    refused: int = 0
    revoked: bool = False

    @property
    def session_id(self) -> str:
        """``sid`` of its access tokens."""
        return self.id.replace("-", "")

    def tenants(self) -> set[str]:
        """The organisations its tokens open."""
        return {connection.tenant_id for connection in self.connections.values()}


class Grants:
    """All clients and grants."""

    def __init__(self, clients: Iterable[Client] = (), grants: Iterable[Grant] = ()) -> None:
        self._clients = {client.id: client for client in clients}
        self._grants = {grant.id: grant for grant in grants}
        self._by_token: dict[str, str] = {}
        self._by_session: dict[str, Grant] = {}
        for grant in self._grants.values():
            self._learn(grant)

    def __iter__(self) -> Iterator[Grant]:
        return iter(self._grants.values())

    @property
    def clients(self) -> list[Client]:
        """Every client."""
        return list(self._clients.values())

    def get(self, grant_id: str) -> Grant | None:
        """A grant by id."""
        return self._grants.get(grant_id)

    def of_session(self, session_id: str) -> Grant | None:
        """The grant whose access tokens carry that ``sid``."""
        return self._by_session.get(session_id)

    def add_client(self, client: Client) -> None:
        """Register an app."""
        self._clients[client.id] = client

    def add(self, grant: Grant) -> None:
        """A user consented."""
        self._grants[grant.id] = grant
        self._learn(grant)

    def _learn(self, grant: Grant) -> None:
        self._by_session[grant.session_id] = grant
        for token in (*grant.live, *grant.retired):
            self._by_token[token] = grant.id

    def authenticate(self, client_id: str | None, client_secret: str | None) -> Client:
        """Check an app's credentials.

        Raises:
            TokenError: unauthorized_client for an unknown or missing id, invalid_client for a wrong secret.
        """
        client = self._clients.get(client_id or "")
        if client is None:
            raise TokenError(TokenProblem.UNAUTHORIZED_CLIENT)
        if client.secret != client_secret:
            raise TokenError(TokenProblem.INVALID_CLIENT)
        return client

    def refresh(self, client: Client, token: str, new_token: str, now_ms: int) -> Grant:
        """Use a refresh token.

        Args:
            client: who asks.
            token: the refresh token presented.
            new_token: the one to issue.
            now_ms: the time.

        Raises:
            TokenError: invalid_grant: unknown, another app's, revoked, expired, or retired too long ago.
        """
        grant = self._grants.get(self._by_token.get(token, ""))
        if grant is None:
            raise TokenError(TokenProblem.INVALID_GRANT)
        if grant.client_id != client.id or not self._usable(grant, token, now_ms):
            grant.refused += 1
            raise TokenError(TokenProblem.INVALID_GRANT)
        if grant.live.pop(token, None) is not None:
            grant.retired[token] = now_ms
            grant.refreshes += 1
        else:
            grant.grace_refreshes += 1
        self._forget_old(grant, now_ms)
        grant.live[new_token] = now_ms
        self._by_token[new_token] = grant.id
        return grant

    @staticmethod
    def _usable(grant: Grant, token: str, now_ms: int) -> bool:
        if grant.revoked:
            return False
        if (issued := grant.live.get(token)) is not None:
            return now_ms - issued <= REFRESH_LIFE_MS
        return now_ms - grant.retired.get(token, -GRACE_MS) <= GRACE_MS

    def _forget_old(self, grant: Grant, now_ms: int) -> None:
        for token in [token for token, used_ms in grant.retired.items() if now_ms - used_ms > 2 * GRACE_MS]:
            del grant.retired[token]
            self._by_token.pop(token, None)

    def client_credentials(self, client: Client) -> Grant:
        """Tokens of a custom connection.

        Raises:
            TokenError: unauthorized_client: the app isn't a custom connection.
        """
        for grant in self._grants.values():
            if grant.client_id == client.id and grant.kind is GrantKind.CLIENT_CREDENTIALS and not grant.revoked:
                grant.refreshes += 1
                return grant
        raise TokenError(TokenProblem.UNAUTHORIZED_CLIENT)

    def disconnect(self, grant: Grant, connection_id: str) -> bool:
        """Remove a connection; False if the grant hasn't it."""
        return grant.connections.pop(connection_id, None) is not None

    def revoke(self, grant: Grant) -> None:
        """The user withdrew consent: tokens and connections are gone."""
        grant.revoked = True
        grant.connections.clear()
