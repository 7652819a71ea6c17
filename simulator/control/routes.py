"""``/_sim`` put together."""

from aiohttp import web

from simulator.control.books import BooksControl
from simulator.control.clock import ClockControl
from simulator.control.exchange import Row, answer_json, explained
from simulator.control.grants import GrantsControl
from simulator.control.openapi import described
from simulator.control.quotas import QuotasControl
from simulator.control.webhooks import WebhooksControl
from simulator.edits.traffic import Traffic
from simulator.webhooks.sender import Sender
from simulator.world import World


class Control:
    """Everything a test or a demo may do to the simulated Xero."""

    def __init__(self, world: World, traffic: Traffic, sender: Sender) -> None:
        self._world = world
        self._parts = (
            BooksControl(world, traffic),
            QuotasControl(world),
            GrantsControl(world),
            WebhooksControl(world, sender),
            ClockControl(world),
        )

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        return [web.route(row.method, row.path, explained(row.handler)) for row in self.rows()]

    def rows(self) -> list[Row]:
        """Every route."""
        own = [Row("GET", "/_sim", self.index), Row("GET", "/_sim/openapi.json", self.openapi)]
        return [*own, *(row for part in self._parts for row in part.rows())]

    async def openapi(self, request: web.Request) -> web.StreamResponse:
        """This control API as an OpenAPI document."""
        del request
        return answer_json(described(self.rows()))

    async def index(self, request: web.Request) -> web.StreamResponse:
        """What this is, and every route."""
        routes = sorted(
            {
                f"{route.method} {route.resource.canonical}"
                for route in request.app.router.routes()
                if route.resource is not None and route.method != "HEAD"
            },
            key=lambda text: text.partition(" ")[2],
        )
        settings = self._world.settings
        return answer_json(
            {
                "simulator": "xero-stream",
                "seed": self._world.seed,
                "tenants": len(self._world.organisations),
                "clientId": settings.client_id,
                "routes": routes,
            }
        )
