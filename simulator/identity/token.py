"""``/connect/token`` and ``/connect/revocation`` on the wire."""

import asyncio
import base64
from urllib.parse import unquote_plus

import orjson
from aiohttp import web

from simulator.faults.apply import Faults, Struck, forced_reply, strangers_reply, token_reply
from simulator.faults.plan import Operation
from simulator.identity.connections import retry_after
from simulator.identity.consent import Codes, user_of
from simulator.identity.grants import ACCESS_LIFE_SECONDS, AppKind, Client, Grant, GrantKind, TokenError, TokenProblem
from simulator.identity.scopes import OFFLINE_ACCESS, OPENID
from simulator.reply import Reply
from simulator.world import World

NO_STORE = {"Cache-Control": "no-store, no-cache, max-age=0", "Pragma": "no-cache"}

Form = dict[str, str]


class TokenEndpoint:
    """Gives tokens, and takes them back."""

    def __init__(self, world: World, faults: Faults, codes: Codes) -> None:
        self._world = world
        self._faults = faults
        self._codes = codes

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [web.post("/connect/token", self.token), web.post("/connect/revocation", self.revocation)]

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Code, refresh (rotates, thirty minutes of grace) or client credentials; client by Basic or in the body."""
        self._world.counts.tenantless["token"] += 1
        struck = self._faults.strike(Operation.TOKEN)
        form = await _form(request)
        await asyncio.sleep(struck.latency_ms / 1000)
        return await self._faults.send(request, self._token(request, form, struck), struck)

    async def revocation(self, request: web.Request) -> web.StreamResponse:
        """Give a refresh token back: all of that user's connections to the app go with it; 200 whatever the token was."""
        form = await _form(request)
        world = self._world
        try:
            client = self._client(request, form)
            if not form.get("token"):
                raise TokenError(TokenProblem.INVALID_REQUEST)
        except TokenError as error:
            return await self._faults.send(request, token_reply(error.problem))
        grant = world.grants.of_refresh_token(client, form["token"])
        if grant is not None:
            world.grants.revoke(grant)
            world.save_grant(grant)
        return await self._faults.send(request, Reply(headers=NO_STORE))

    def _token(self, request: web.Request, form: Form, struck: Struck) -> Reply:
        if struck.stranger is not None:
            return strangers_reply(struck.stranger)
        if struck.rate_limit is not None:
            return Reply(status=429, headers=retry_after(struck.rate_limit.retry_after))
        if struck.token_error is not None:
            return token_reply(struck.token_error.error)
        if not struck.unhandled:
            try:
                reply = self._issue(self._client(request, form), form)
            except TokenError as error:
                reply = token_reply(error.problem)
            if struck.status is None:
                return reply
        return forced_reply(struck.status) if struck.status is not None else Reply(status=500)

    def _issue(self, client: Client, form: Form) -> Reply:
        match form.get("grant_type"):
            case "authorization_code":
                return self._first(client, form)
            case GrantKind.REFRESH_TOKEN:
                return self._refreshed(client, form)
            case GrantKind.CLIENT_CREDENTIALS:
                asked = form.get("scope", "").split()
                return self._answer(self._world.grants.client_credentials(client, asked, self._world.new_id))
            case _:
                raise TokenError(TokenProblem.UNSUPPORTED_GRANT_TYPE)

    def _first(self, client: Client, form: Form) -> Reply:
        world, now_ms = self._world, self._world.clock.now_ms()
        if client.kind is AppKind.CUSTOM:
            raise TokenError(TokenProblem.UNAUTHORIZED_CLIENT)
        if not form.get("code"):
            raise TokenError(TokenProblem.INVALID_REQUEST)
        code = self._codes.redeem(form["code"], client, form.get("redirect_uri", ""), form.get("code_verifier"), now_ms)
        refresh_token = world.new_refresh_token() if OFFLINE_ACCESS in code.scopes else None
        grant = world.grants.consent(
            client,
            code.user.id,
            auth_event_id=code.auth_event_id,
            scopes=code.scopes,
            tenants=code.tenants,
            refresh_token=refresh_token,
            new_id=world.new_id,
            now_ms=now_ms,
        )
        return self._answer(grant, refresh_token, signed_in=OPENID in code.scopes, nonce=code.nonce)

    def _refreshed(self, client: Client, form: Form) -> Reply:
        world = self._world
        if not form.get("refresh_token"):
            raise TokenError(TokenProblem.INVALID_REQUEST)
        refresh_token = world.new_refresh_token()
        grant = world.grants.refresh(client, form["refresh_token"], refresh_token, world.clock.now_ms())
        return self._answer(grant, refresh_token, signed_in=OPENID in grant.scopes)  # (unconfirmed for refreshes)

    def _answer(
        self, grant: Grant, refresh_token: str | None = None, *, signed_in: bool = False, nonce: str | None = None
    ) -> Reply:
        world = self._world
        world.save_grant(grant)
        access_token = world.access.issue(
            grant,
            token_id=world.new_id(),
            now_ms=world.clock.now_ms(),
            auth_event_id=grant.event_of(refresh_token),
        )
        more = {}
        if signed_in:
            user = user_of(world.seed, grant.user_id)
            more["id_token"] = world.access.issue_id(
                grant, user, now_ms=world.clock.now_ms(), access_token=access_token, nonce=nonce
            )
        body = {
            **more,
            "access_token": access_token,
            "expires_in": ACCESS_LIFE_SECONDS,
            "token_type": "Bearer",
            **({"refresh_token": refresh_token} if refresh_token else {}),
            "scope": " ".join(grant.scopes),
        }
        return Reply(body=orjson.dumps(body), headers=NO_STORE)

    def _client(self, request: web.Request, form: Form) -> Client:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return self._world.grants.authenticate(form.get("client_id"), form.get("client_secret"))
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:  # neither base64 nor text
            raise TokenError(TokenProblem.INVALID_CLIENT) from None
        # RFC 6749, 2.3.1: both parts were form-encoded first
        return self._world.grants.authenticate(unquote_plus(name), unquote_plus(secret))


async def _form(request: web.Request) -> Form:
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
