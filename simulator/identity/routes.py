"""``/connect/token`` and ``/connections`` on the wire."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime

import orjson
from aiohttp import web

from simulator.accounting_api.errors import not_found, tenant_refused
from simulator.faults.apply import Faults, Struck, forced_reply, token_reply
from simulator.faults.plan import Operation
from simulator.identity.bearer import bearer
from simulator.identity.grants import (
    ACCESS_LIFE_SECONDS,
    Client,
    Connection,
    Grant,
    GrantKind,
    TokenError,
    TokenProblem,
)
from simulator.limits.windows import Problem
from simulator.reply import Reply
from simulator.world import World

NO_STORE = {"Cache-Control": "no-store, no-cache, max-age=0", "Pragma": "no-cache"}


class Identity:
    """The identity server and the list of connections."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [
            web.post("/connect/token", self.token),
            web.get("/connections", self.connections),
            web.delete("/connections/{id}", self.disconnect),
        ]

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Refresh (rotates, thirty minutes of grace) or client credentials; client by Basic or in the body."""
        self._world.counts.tenantless["token"] += 1
        struck = self._faults.strike(Operation.TOKEN)
        form = await request.post()
        await asyncio.sleep(struck.latency_ms / 1000)
        reply = self._token(request, {name: value for name, value in form.items() if isinstance(value, str)}, struck)
        return await self._faults.send(request, reply, struck)

    def _token(self, request: web.Request, form: dict[str, str], struck: Struck) -> Reply:
        if struck.rate_limit is not None:
            return Reply(status=429, headers=_retry_after(struck.rate_limit.retry_after))
        if struck.token_error is not None:
            return token_reply(struck.token_error.error)
        if not struck.unhandled:
            try:
                reply = self._issue(request, form)
            except TokenError as error:
                reply = token_reply(error.problem)
            if struck.status is None:
                return reply
        return forced_reply(struck.status) if struck.status is not None else Reply(status=500)

    def _issue(self, request: web.Request, form: dict[str, str]) -> Reply:
        world = self._world
        client = self._client(request, form)
        refresh_token: str | None = None
        match form.get("grant_type"):
            case GrantKind.REFRESH_TOKEN:
                if not form.get("refresh_token"):
                    raise TokenError(TokenProblem.INVALID_REQUEST)
                refresh_token = world.new_refresh_token()
                grant = self._refresh(client, form["refresh_token"], refresh_token)
            case GrantKind.CLIENT_CREDENTIALS:
                grant = world.grants.client_credentials(client)
            case _:
                raise TokenError(TokenProblem.UNSUPPORTED_GRANT_TYPE)
        world.save_grant(grant)
        body = {
            "access_token": world.access.issue(grant, token_id=world.new_id(), now_ms=world.clock.now_ms()),
            "expires_in": ACCESS_LIFE_SECONDS,
            "token_type": "Bearer",
            **({"refresh_token": refresh_token} if refresh_token else {}),
            "scope": " ".join(grant.scopes),
        }
        return Reply(body=orjson.dumps(body), headers=NO_STORE)

    def _refresh(self, client: Client, token: str, new_token: str) -> Grant:
        return self._world.grants.refresh(client, token, new_token, self._world.clock.now_ms())

    def _client(self, request: web.Request, form: dict[str, str]) -> Client:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return self._world.grants.authenticate(form.get("client_id"), form.get("client_secret"))
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:  # neither base64 nor text
            raise TokenError(TokenProblem.INVALID_CLIENT) from None
        return self._world.grants.authenticate(name, secret)

    async def connections(self, request: web.Request) -> web.StreamResponse:
        """The user's connections, perhaps of one consent (``authEventId``)."""
        found = await self._open(request)
        if isinstance(found, web.StreamResponse):
            return found
        grant, struck = found
        wanted = request.query.get("authEventId")
        rows = [
            self._row(connection)
            for connection in grant.connections.values()
            if wanted in (None, "", connection.auth_event_id)
        ]
        return await self._close(request, Reply(body=orjson.dumps(rows)), grant, struck)

    async def disconnect(self, request: web.Request) -> web.StreamResponse:
        """Remove a connection by its own id; a tenant's or a consent's id is refused with 403, as Xero does."""
        found = await self._open(request)
        if isinstance(found, web.StreamResponse):
            return found
        grant, struck = found
        wanted = request.match_info["id"].lower()
        foreign = {one.tenant_id for one in grant.connections.values()} | {grant.auth_event_id}
        if self._world.grants.disconnect(grant, wanted):
            self._world.save_grant(grant)
            reply = Reply(status=204)
        else:
            reply = tenant_refused(self._world.answer_id()) if wanted in foreign else not_found()
        return await self._close(request, reply, grant, struck)

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
        grant = bearer(world, request.headers.get("Authorization"))
        if isinstance(grant, Reply):
            return await self._close(request, grant, None, struck)
        window = world.app_window(grant.client_id)
        window.roll(world.clock.now_ms())
        if struck.rate_limit is not None or window.used >= world.limits.app_minute:
            headers = {"X-Rate-Limit-Problem": Problem.APP_MINUTE.value}
            if struck.rate_limit is not None:
                headers |= _retry_after(struck.rate_limit.retry_after)
            return await self._close(request, Reply(status=429, headers=headers), grant, struck)
        window.used += 1
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


def _retry_after(seconds: int | str | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}
