"""The identity server put together."""

from aiohttp import web

from simulator.faults.apply import Faults
from simulator.identity.authorise import Authorise
from simulator.identity.connections import Connections
from simulator.identity.consent import Codes
from simulator.identity.discovery import Discovery
from simulator.identity.token import TokenEndpoint
from simulator.world import World


class Identity:
    """Consent, tokens, connections and OpenID Connect."""

    def __init__(self, world: World, faults: Faults) -> None:
        codes = Codes()
        self._parts = (
            Authorise(world, faults, codes),
            TokenEndpoint(world, faults, codes),
            Connections(world, faults),
            Discovery(world, faults),
        )

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [route for part in self._parts for route in part.routes()]
