"""``/identity/connect/authorize``: where a user says which organisations an app may open."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from aiohttp import web

from simulator.faults.apply import Faults
from simulator.identity.consent import Asked, AuthoriseError, Code, Codes, User, understand, users
from simulator.identity.page import HEADERS, consent_page, error_page
from simulator.reply import Reply
from simulator.world import World
from xero_stream.settings.xero import AppTier

PATH = "/identity/connect/authorize"
HTML = "text/html; charset=utf-8"

_FIELDS = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "acr_values",
)
_LARGE_TIERS = {AppTier.ADVANCED, AppTier.ENTERPRISE}
"""They have bulk connections and the general ledger."""


class Authorise:
    """The page, and what becomes of the user's choice."""

    def __init__(self, world: World, faults: Faults, codes: Codes) -> None:
        self._world = world
        self._faults = faults
        self._codes = codes
        self._users = users(world.seed)

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [web.get(PATH, self.ask), web.post(PATH, self.decide)]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The page where a user chooses organisations and allows or cancels; a page of its own for a wrong link."""
        fields = _fields(request.query)
        try:
            reply = self._page(self._understood(fields), fields)
        except AuthoriseError as error:
            reply = _html(error_page(error), status=400)
        return await self._faults.send(request, reply)

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """The page's form (``user``, ``tenant``, ``decision`` = allow or deny): back to the app, with a code or ``access_denied``."""
        form = await request.post()
        sent = {name: value for name, value in form.items() if isinstance(value, str)}
        tenants = [value.lower() for value in form.getall("tenant", []) if isinstance(value, str)]
        fields = _fields(sent)
        try:
            reply = self._decided(self._understood(fields), fields, sent, tenants)
        except AuthoriseError as error:
            reply = _html(error_page(error), status=400)
        return await self._faults.send(request, reply)

    def _understood(self, fields: Mapping[str, str]) -> Asked:
        large = self._world.settings.tier in _LARGE_TIERS
        return understand(fields, self._world.grants, bulk=large, journals=large)

    def _decided(self, asked: Asked, fields: Mapping[str, str], sent: Mapping[str, str], tenants: list[str]) -> Reply:
        if sent.get("decision") == "deny":
            return _back(asked, error="access_denied")
        user = next((one for one in self._users if one.email == sent.get("user", self._users[0].email)), None)
        if sent.get("decision") != "allow" or user is None:
            return self._page(asked, fields, complaint="Choose who you are, and allow or cancel.")
        if not tenants or not set(tenants) <= self._world.organisations.keys():
            return self._page(asked, fields, complaint="Choose an organisation first.")
        if len(set(tenants)) > 1 and not asked.several:
            return self._page(asked, fields, complaint="This app may be given one organisation at a time.")
        return self._allowed(asked, user, tenants)

    def _allowed(self, asked: Asked, user: User, tenants: list[str]) -> Reply:
        world = self._world
        value, event = world.new_refresh_token(), world.new_id()
        code = Code(
            client_id=asked.client.id,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            user=user,
            scopes=asked.scopes,
            tenants=tuple(dict.fromkeys(tenants)),
            auth_event_id=event,
            issued_ms=world.clock.now_ms(),
            nonce=asked.nonce,
        )
        self._codes.add(value, code)
        return _back(asked, code=value, scope=" ".join(asked.scopes), session_state=f"{world.new_id()}.simulator")

    def _page(self, asked: Asked, fields: Mapping[str, str], complaint: str | None = None) -> Reply:
        organisations = [(one.id, one.profile.name) for one in self._world.organisations.values()]
        body = consent_page(asked, fields, self._users, organisations, complaint=complaint)
        return _html(body, status=400 if complaint else 200)


def _fields(sent: Mapping[str, str]) -> dict[str, str]:
    return {name: sent[name] for name in _FIELDS if name in sent}


def _html(body: bytes, *, status: int) -> Reply:
    return Reply(status=status, body=body, content_type=HTML, headers=HEADERS)


def _back(asked: Asked, **answer: str) -> Reply:
    state = {} if asked.state is None else {"state": asked.state}
    joint = "&" if "?" in asked.redirect_uri else "?"
    where = f"{asked.redirect_uri}{joint}{urlencode(answer | state, quote_via=quote)}"
    return Reply(status=302, content_type=HTML, headers={**HEADERS, "Location": where})
