"""Grants: a user's consent, its refresh tokens with rotation and grace, its connections. Pure; ``now_ms`` is an argument.

A user has one grant per app: consenting again adds organisations and scopes to it, and another refresh token. Each consent
is an event with an id of its own: its connections have it, and the access tokens of its refresh tokens.

A refresh token is *live* until it is used. Used, it is *retired*, and for thirty minutes may be used again: the answer
to its first use may have got lost. Each use gives a new pair. (Whether Xero gives the same pair again is unconfirmed.)
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.identity.scopes import APP_CONNECTIONS, EVERYTHING

GRACE_MS = 30 * 60 * 1000
"""How long a retired refresh token still works. Source: Xero community 105714701, 127920775."""

REFRESH_LIFE_MS = 60 * 86_400_000
"""How long a refresh token lives unused. Source: xero-python README."""

ACCESS_LIFE_SECONDS = 1800
"""``expires_in`` of an access token."""

DEFAULT_SCOPES = EVERYTHING
"""Of a grant made without a browser, where nothing else is said."""


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


class AppKind(StrEnum):
    """The types of app of the developer portal."""

    WEB = "web"  # a secret, users connect it
    PKCE = "pkce"  # no secret, users connect it
    CUSTOM = "custom"  # a secret, one organisation, no user


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An app.

    Attributes:
        secret: empty for the kind PKCE.
        redirect_uris: where it may send users back to; empty: wherever Xero lets any app.
        broad_scopes: whether it is from before 2 March 2026 and may have the old scopes.
    """

    id: str
    secret: str
    kind: AppKind = AppKind.WEB
    name: str = "The app"
    redirect_uris: tuple[str, ...] = ()
    broad_scopes: bool = False


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
        auth_event_id: the latest consent.
        live: refresh tokens not yet used → when issued.
        retired: used refresh tokens → when first used.
        events: refresh tokens → the consent they come from; one that isn't here comes from the latest.
        lists_connections: whether its tokens may call ``/connections``; some custom connections' may not.
        former: organisations that were disconnected → the connection, which comes back when they are connected again.
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
    lists_connections: bool = True
    connections: dict[str, Connection] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)
    former: dict[str, Connection] = field(default_factory=dict)
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

    def connected_ms(self, tenant_id: str) -> int | None:
        """When the organisation was first connected; None: it isn't."""
        return next((one.created_ms for one in self.connections.values() if one.tenant_id == tenant_id), None)

    def event_of(self, refresh_token: str | None) -> str:
        """The consent that a refresh token comes from."""
        return self.events.get(refresh_token or "", self.auth_event_id)


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

    def client(self, client_id: str) -> Client | None:
        """An app by id."""
        return self._clients.get(client_id)

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

    def consent(
        self,
        client: Client,
        user_id: str,
        *,
        auth_event_id: str,
        scopes: Iterable[str],
        tenants: Iterable[str],
        refresh_token: str | None,
        new_id: Callable[[], str],
        now_ms: int,
    ) -> Grant:
        """A user said yes in the browser, and the app has traded the code in.

        Args:
            auth_event_id: the id of this consent.
            scopes: what was asked for; they come on top of those of before.
            tenants: the organisations chosen; they too.
            refresh_token: the one to issue; None if ``offline_access`` wasn't asked for.
            new_id: draws ids.
        """
        before = [one for one in self._grants.values() if (one.client_id, one.user_id) == (client.id, user_id)]
        grant = next((one for one in before if not one.revoked), None)
        if grant is None:
            grant = Grant(
                id=new_id(),
                kind=GrantKind.REFRESH_TOKEN,
                client_id=client.id,
                user_id=user_id,
                auth_event_id=auth_event_id,
                scopes=(),
                former={tenant: row for one in before for tenant, row in one.former.items()},
            )
            self.add(grant)
        grant.events |= {token: grant.event_of(token) for token in (*grant.live, *grant.retired)}
        grant.auth_event_id = auth_event_id
        grant.scopes = tuple(dict.fromkeys((*grant.scopes, *scopes)))
        known = grant.former | {row.tenant_id: row for row in grant.connections.values()}
        for tenant in tenants:
            old = known.get(tenant) or Connection(
                id=new_id(), tenant_id=tenant, auth_event_id=auth_event_id, created_ms=now_ms, updated_ms=now_ms
            )
            grant.connections[old.id] = replace(old, auth_event_id=auth_event_id, updated_ms=now_ms)
            grant.former.pop(tenant, None)
        if refresh_token is not None:
            self._issue(grant, refresh_token, auth_event_id, now_ms)
        return grant

    def _issue(self, grant: Grant, token: str, event: str, now_ms: int) -> None:
        grant.live[token] = now_ms
        self._by_token[token] = grant.id
        grant.events[token] = event

    def _learn(self, grant: Grant) -> None:
        self._by_session[grant.session_id] = grant
        for token in (*grant.live, *grant.retired):
            self._by_token[token] = grant.id

    def authenticate(self, client_id: str | None, client_secret: str | None) -> Client:
        """Check an app's credentials.

        An app of the kind PKCE shows its id only (that it does so for refreshing too is unconfirmed).

        Raises:
            TokenError: unauthorized_client for an unknown or missing id, invalid_client for a wrong secret.
        """
        client = self._clients.get(client_id or "")
        if client is None:
            raise TokenError(TokenProblem.UNAUTHORIZED_CLIENT)
        if (client_secret or "") != client.secret:
            raise TokenError(TokenProblem.INVALID_CLIENT)
        return client

    def refresh(self, client: Client, token: str, new_token: str, now_ms: int) -> Grant:
        """Use a refresh token.

        Args:
            token: the refresh token presented.
            new_token: the one to issue.

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
        event = grant.event_of(token)
        self._forget_old(grant, now_ms)
        self._issue(grant, new_token, event, now_ms)
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
            grant.events.pop(token, None)
            self._by_token.pop(token, None)

    def client_credentials(self, client: Client, asked: Collection[str], new_id: Callable[[], str]) -> Grant:
        """Tokens of a custom connection, or of an app that looks after its connections.

        Args:
            asked: the scopes asked for; none: all the custom connection has.
            new_id: draws ids.

        Raises:
            TokenError: unauthorized_client: users connect this app, or it has no secret; invalid_scope: more than it has.
        """
        if client.kind is not AppKind.PKCE and set(asked) == {APP_CONNECTIONS}:
            grant = self._app_grant(client, new_id)
        else:
            found = self._with_credentials(client, of_the_app=False)
            if found is None:
                raise TokenError(TokenProblem.UNAUTHORIZED_CLIENT)
            grant = found
        if not set(asked) <= set(grant.scopes):
            raise TokenError(TokenProblem.INVALID_SCOPE)
        grant.refreshes += 1
        return grant

    def _with_credentials(self, client: Client, *, of_the_app: bool) -> Grant | None:
        for grant in self._grants.values():
            custom = grant.client_id == client.id and grant.kind is GrantKind.CLIENT_CREDENTIALS
            if custom and not grant.revoked and (APP_CONNECTIONS in grant.scopes) is of_the_app:
                return grant
        return None

    def _app_grant(self, client: Client, new_id: Callable[[], str]) -> Grant:
        grant = self._with_credentials(client, of_the_app=True)
        if grant is None:
            grant = Grant(
                id=new_id(),
                kind=GrantKind.CLIENT_CREDENTIALS,
                client_id=client.id,
                user_id=new_id(),
                auth_event_id=new_id(),
                scopes=(APP_CONNECTIONS,),
            )
            self.add(grant)
        return grant

    def reached(self, grant: Grant) -> list[tuple[Grant, Connection]]:
        """The connections a token sees, with the grant each belongs to: the user's, or all of the app's."""
        of_the_app = [one for one in self._grants.values() if one.client_id == grant.client_id]
        owners = of_the_app if APP_CONNECTIONS in grant.scopes else [self._grants[grant.id]]
        return [(owner, connection) for owner in owners for connection in owner.connections.values()]

    def disconnect(self, grant: Grant, connection_id: str) -> bool:
        """Remove a connection; False if the grant hasn't it."""
        connection = grant.connections.pop(connection_id, None)
        if connection is None:
            return False
        grant.former[connection.tenant_id] = connection
        return True

    def of_refresh_token(self, client: Client, token: str) -> Grant | None:
        """The grant whose refresh token that is, if it is this app's."""
        grant = self._grants.get(self._by_token.get(token, ""))
        return grant if grant is not None and grant.client_id == client.id else None

    def revoke(self, grant: Grant) -> None:
        """The user withdrew consent, or the app gave it back: tokens and all connections of that user are gone."""
        grant.revoked = True
        for connection_id in list(grant.connections):
            self.disconnect(grant, connection_id)
