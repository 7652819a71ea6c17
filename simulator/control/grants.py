"""``/_sim/grants``: consents without a browser."""

from typing import Any

from aiohttp import web

from simulator.control.bodies import NewGrant
from simulator.control.exchange import ControlError, Row, answer_json, read_body, tenant_of
from simulator.identity.grants import Client, Grant, GrantKind
from simulator.world import World


class GrantsControl:
    """Makes, shows and withdraws grants."""

    def __init__(self, world: World) -> None:
        self._world = world

    def rows(self) -> list[Row]:
        """Method, path, handler."""
        return [
            ("GET", "/_sim/grants", self.grants),
            ("POST", "/_sim/grants", self.add_grant),
            ("DELETE", "/_sim/grants/{id}", self.revoke_grant),
        ]

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
            client = Client(id=world.new_id().replace("-", "").upper(), secret=world.new_refresh_token())
            world.add_client(client)
            tenants = tenants[:1]
        grant = world.add_grant(kind=body.kind, client_id=client.id, tenants=tenants, scopes=body.scopes)
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
