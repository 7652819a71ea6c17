"""OpenID Connect: the discovery document, the key set, and what an app may ask about its user.

Members and addresses are those of Xero's document (https://identity.xero.com/.well-known/openid-configuration). Where the request
names one of Xero's hosts the addresses are Xero's too; else they are at the host that was asked, so that a client that is given only
the simulator's address finds all of it there. ``issuer`` is Xero's in either case, because ``iss`` of every token is.
"""

from typing import Any

import orjson
from aiohttp import web

from simulator.faults.apply import Faults
from simulator.identity.access import ISSUER, about
from simulator.identity.bearer import bearer
from simulator.identity.consent import user_of
from simulator.identity.scopes import GRANULAR, OPENID
from simulator.reply import Reply
from simulator.world import World

DOCUMENT = "/.well-known/openid-configuration"
KEYS = f"{DOCUMENT}/jwks"
USERINFO = "/connect/userinfo"


class Discovery:
    """What a client of OpenID Connect reads before, and after, it sends a user to the authorise page."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [
            web.get(DOCUMENT, self.document),
            web.get(KEYS, self.keys),
            web.get(USERINFO, self.userinfo),
            web.post(USERINFO, self.userinfo),
        ]

    async def document(self, request: web.Request) -> web.StreamResponse:
        """The discovery document."""
        found = discovered(request.scheme, request.headers.get("Host", ""))
        return await self._faults.send(request, Reply(body=orjson.dumps(found)))

    async def keys(self, request: web.Request) -> web.StreamResponse:
        """The public key of access tokens and id tokens, drawn from the seed."""
        return await self._faults.send(request, Reply(body=orjson.dumps(self._world.access.published())))

    async def userinfo(self, request: web.Request) -> web.StreamResponse:
        """Who the user is, as far as the token's scopes tell; needs ``openid``."""
        grant = bearer(self._world, request.headers.get("Authorization"))
        if isinstance(grant, Reply):
            refusal = Reply(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
            return await self._faults.send(request, refusal)
        if OPENID not in grant.scopes:
            refusal = Reply(status=403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
            return await self._faults.send(request, refusal)
        found = about(user_of(self._world.seed, grant.user_id), grant.scopes)
        return await self._faults.send(request, Reply(body=orjson.dumps(found)))


def discovered(scheme: str, host: str) -> dict[str, Any]:
    """The discovery document.

    Args:
        scheme: of the request.
        host: its header of that name.
    """
    of_xero = host.partition(":")[0].lower().endswith(".xero.com")
    here = ISSUER if of_xero else f"{scheme}://{host}"
    login = "https://login.xero.com" if of_xero else here
    return {
        "issuer": ISSUER,
        "jwks_uri": f"{here}{KEYS}",
        "authorization_endpoint": f"{login}/identity/connect/authorize",
        "token_endpoint": f"{here}/connect/token",
        "userinfo_endpoint": f"{here}{USERINFO}",
        "revocation_endpoint": f"{here}/connect/revocation",
        "scopes_supported": sorted(GRANULAR),
        "claims_supported": [
            *("sub", "xero_userid", "global_session_id", "name", "given_name", "family_name"),
            *("preferred_username", "email"),
        ],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }
