"""``/connections`` on the wire."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import orjson
from aiohttp import web

from simulator.errors import not_found, scope_missing, tenant_refused
from simulator.faults.apply import Faults, Struck, forced_reply, strangers_reply
from simulator.faults.plan import Operation
from simulator.identity.bearer import bearer
from simulator.identity.grants import Connection, Grant
from simulator.limits.windows import Problem
from simulator.reply import Reply
from simulator.spelling import folded
from simulator.world import World


class Connections:
    """The list of connections."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [
            route
            for path in ("/connections", "/Connections")  # Xero's official SDKs spell it so
            for route in (web.get(path, self.connections), web.delete(f"{path}/{{id}}", self.disconnect))
        ]

    async def connections(self, request: web.Request) -> web.StreamResponse:
        """The user's connections, perhaps of one consent (``authEventId``); with the scope ``app.connections`` all of the app's."""
        found = await self._open(request)
        if isinstance(found, web.StreamResponse):
            return found
        grant, struck = found
        wanted = request.query.get("authEventId")
        rows = [
            self._row(connection)
            for _, connection in self._world.grants.reached(grant)
            if wanted in (None, "", connection.auth_event_id)
        ]
        return await self._close(request, Reply(body=orjson.dumps(rows)), grant, struck)

    async def disconnect(self, request: web.Request) -> web.StreamResponse:
        """Remove a connection by its own id; a tenant's or a consent's id is refused with 403, as Xero does."""
        found = await self._open(request)
        if isinstance(found, web.StreamResponse):
            return found
        grant, struck = found
        return await self._close(request, self._disconnect(grant, folded(request.match_info["id"])), grant, struck)

    def _disconnect(self, grant: Grant, wanted: str) -> Reply:
        world = self._world
        reached = world.grants.reached(grant)
        for owner, connection in reached:
            if connection.id == wanted:
                world.grants.disconnect(owner, wanted)
                world.save_grant(owner)
                return Reply(status=204)
        foreign = {
            grant.auth_event_id,
            *(one.tenant_id for _, one in reached),
            *(one.auth_event_id for _, one in reached),
        }
        return tenant_refused(world.answer_id()) if wanted in foreign else not_found()

    def _row(self, connection: Connection) -> dict[str, str]:
        organisation = self._world.organisations[connection.tenant_id]
        return {
            "id": connection.id,
            "authEventId": connection.auth_event_id,
            "tenantId": connection.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": organisation.profile.name,
            "createdDateUtc": seven_decimals(connection.created_ms),
            "updatedDateUtc": seven_decimals(connection.updated_ms),
        }

    async def _open(self, request: web.Request) -> tuple[Grant, Struck] | web.StreamResponse:
        """The caller's grant, or the refusal. Only the app's minute counts here."""
        world = self._world
        world.counts.tenantless["connections"] += 1
        struck = self._faults.strike(Operation.CONNECTIONS)
        await asyncio.sleep(struck.latency_ms / 1000)
        if struck.stranger is not None:
            return await self._faults.send(request, strangers_reply(struck.stranger), struck)
        grant = bearer(world, request.headers.get("Authorization"))
        if isinstance(grant, Reply):
            return await self._close(request, grant, None, struck)
        window = world.app_window(grant.client_id)
        window.roll(world.clock.now_ms())
        if struck.rate_limit is not None or window.used >= world.limits.app_minute:
            headers = {"X-Rate-Limit-Problem": Problem.APP_MINUTE.value}
            if struck.rate_limit is not None:
                headers |= retry_after(struck.rate_limit.retry_after)
            return await self._close(request, Reply(status=429, headers=headers), grant, struck)
        window.used += 1
        if not grant.lists_connections:
            return await self._close(request, scope_missing(world.answer_id()), grant, struck)
        if struck.status is not None:
            return await self._close(request, forced_reply(struck.status), grant, struck)
        return grant, struck

    async def _close(
        self, request: web.Request, reply: Reply, grant: Grant | None, struck: Struck
    ) -> web.StreamResponse:
        world = self._world
        headers = {"xero-correlation-id": world.answer_id()}
        if grant is not None:
            headers["X-AppMinLimit-Remaining"] = str(world.app_remaining(grant.client_id))
        return await self._faults.send(request, replace(reply, headers=headers | reply.headers), struck)


def seven_decimals(at_ms: int) -> str:
    """``2019-12-07T18:46:19.5165400``: naive UTC with seven decimals."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}0000"


def retry_after(seconds: int | str | None) -> dict[str, str]:
    """The header of that name, if there is to be one."""
    return {} if seconds is None else {"Retry-After": str(seconds)}
