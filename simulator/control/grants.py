"""``/_sim/grants``: consents without a browser. ``/_sim/clients``: the apps."""

from typing import Any

from aiohttp import web
from pydantic import Field

from simulator.control.bodies import Body, NewGrant
from simulator.control.exchange import ControlError, Row, answer_json, read_body, tenant_of
from simulator.identity.consent import registrable
from simulator.identity.grants import AppKind, Client, Grant, GrantKind
from simulator.world import World


class NewClient(Body):
    """``POST /_sim/clients``: an app that users connect, as one registers it in Xero's developer portal."""

    kind: AppKind = AppKind.WEB
    name: str = Field(default="Another app", min_length=1, max_length=80)
    redirect_uris: tuple[str, ...] = ()
    broad_scopes: bool = False


class GrantsControl:
    """Makes, shows and withdraws grants."""

    def __init__(self, world: World) -> None:
        self._world = world

    def rows(self) -> list[Row]:
        """Method, path, handler."""
        return [
            Row("GET", "/_sim/grants", self.grants),
            Row("POST", "/_sim/grants", self.add_grant, body=NewGrant, status=201),
            Row("DELETE", "/_sim/grants/{id}", self.revoke_grant, status=204),
            Row("DELETE", "/_sim/grants/{id}/tenants/{tenantId}", self.disconnect, status=204),
            Row("GET", "/_sim/clients", self.clients),
            Row("POST", "/_sim/clients", self.add_client, body=NewClient, status=201),
        ]

    async def clients(self, request: web.Request) -> web.StreamResponse:
        """Every app; secrets are not shown."""
        del request
        return answer_json({"clients": [_client(client) for client in self._world.grants.clients]})

    async def add_client(self, request: web.Request) -> web.StreamResponse:
        """Another app that users connect: with a secret (``web``) or without (``pkce``); ``broadScopes`` for one from before March 2026."""
        body = await read_body(request, NewClient)
        if body.kind is AppKind.CUSTOM:
            raise ControlError(400, "a custom connection is made by POST /_sim/grants", [AppKind.WEB, AppKind.PKCE])
        for address in body.redirect_uris:
            if not registrable(address):
                raise ControlError(400, f"{address} can't be a redirect URI: https, or http://localhost")
        client = Client(
            id=self._new_client_id(),
            secret=self._world.new_refresh_token() if body.kind is AppKind.WEB else "",
            kind=body.kind,
            name=body.name,
            redirect_uris=body.redirect_uris,
            broad_scopes=body.broad_scopes,
        )
        self._world.add_client(client)
        return answer_json(_client(client) | {"clientSecret": client.secret}, status=201)

    def _new_client_id(self) -> str:
        return self._world.new_id().replace("-", "").upper()

    async def grants(self, request: web.Request) -> web.StreamResponse:
        """Every grant: its tenants, and how often it was refreshed."""
        del request
        return answer_json({"grants": [self._grant(grant) for grant in self._world.grants]})

    async def add_grant(self, request: web.Request) -> web.StreamResponse:
        """A connected grant without a browser: a refresh token, or the credentials of a custom connection."""
        body = await read_body(request, NewGrant)
        world = self._world
        tenants = list(world.organisations) if body.tenants is None else body.tenants
        for tenant in tenants:
            tenant_of(self._world, tenant)
        client = Client(id=world.settings.client_id, secret=world.settings.client_secret.get_secret_value())
        if body.kind is GrantKind.CLIENT_CREDENTIALS:
            client = Client(id=self._new_client_id(), secret=world.new_refresh_token(), kind=AppKind.CUSTOM)
            world.add_client(client)
            tenants = tenants[:1]
        grant = world.add_grant(
            kind=body.kind,
            client_id=client.id,
            tenants=tenants,
            scopes=body.scopes,
            lists_connections=body.lists_connections,
        )
        document = self._grant(grant) | {"clientSecret": client.secret}
        if grant.live:
            document["refreshToken"] = next(iter(grant.live))
        return answer_json(document, status=201)

    async def revoke_grant(self, request: web.Request) -> web.StreamResponse:
        """The user withdraws consent: refresh tokens are refused, access tokens too."""
        grant = self._world.grants.get(request.match_info["id"])
        if grant is None:
            raise ControlError(404, "no such grant")
        self._world.grants.revoke(grant)
        self._world.save_grant(grant)
        return web.Response(status=204)

    async def disconnect(self, request: web.Request) -> web.StreamResponse:
        """The user disconnects one organisation in Xero: it is gone from `/connections`, and calls to it are 403; tokens stay."""
        grant = self._world.grants.get(request.match_info["id"])
        tenant_id = tenant_of(self._world, request.match_info["tenantId"]).id
        connection = (
            next((one for one in grant.connections.values() if one.tenant_id == tenant_id), None) if grant else None
        )
        if grant is None or connection is None:
            raise ControlError(404, f"no such grant, or it doesn't reach {tenant_id}")
        self._world.grants.disconnect(grant, connection.id)
        self._world.save_grant(grant)
        return web.Response(status=204)

    def _grant(self, grant: Grant) -> dict[str, Any]:
        return {
            "id": grant.id,
            "kind": grant.kind,
            "clientId": grant.client_id,
            "userId": grant.user_id,
            "authEventId": grant.auth_event_id,
            "scopes": grant.scopes,
            "tenants": sorted(grant.tenants()),
            "connections": {one.tenant_id: one.id for one in grant.connections.values()},
            "refreshes": grant.refreshes,
            "graceRefreshes": grant.grace_refreshes,
            "refused": grant.refused,
            "liveRefreshTokens": len(grant.live),
            "revoked": grant.revoked,
        }


def _client(client: Client) -> dict[str, Any]:
    return {
        "clientId": client.id,
        "kind": client.kind,
        "name": client.name,
        "redirectUris": client.redirect_uris,
        "broadScopes": client.broad_scopes,
    }
