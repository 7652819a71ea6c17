"""``/_sim/webhooks`` and ``/_sim/intent-to-receive``."""

import orjson
from aiohttp import web

from simulator.control.bodies import IntentToReceive, WebhookEvents, WebhookSettings, WebhooksQuery
from simulator.control.exchange import COUNT, NUMBER, ControlError, Row, answer_json, read_body, read_query
from simulator.webhooks.events import API_HOST, CATEGORY, event_date
from simulator.webhooks.handshake import shake_hands
from simulator.webhooks.sender import Sender
from simulator.world import World
from xero_stream.strangers import host_of, is_loopback


class WebhooksControl:
    """Shows and steers what is delivered."""

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._sender = sender
        self._source = world.chance.stream("handshake")

    def rows(self) -> list[Row]:
        """Method, path, handler."""
        return [
            Row("GET", "/_sim/webhooks", self.webhooks, query={"calmWithinSeconds": NUMBER, "limit": COUNT}),
            Row("PUT", "/_sim/webhooks", self.set_webhooks, body=WebhookSettings),
            Row("POST", "/_sim/webhooks/events", self.send_events, body=WebhookEvents, status=202),
            Row("POST", "/_sim/intent-to-receive", self.intent_to_receive, body=IntentToReceive),
        ]

    async def webhooks(self, request: web.Request) -> web.StreamResponse:
        """Health, counts and the delivery log; ``calmWithinSeconds=`` first waits until nothing is pending."""
        query = read_query(request, WebhooksQuery)
        if query.calm_within_seconds:
            await self._sender.until_calm(query.calm_within_seconds)
        return answer_json(self._sender.report(query.limit))

    async def set_webhooks(self, request: web.Request) -> web.StreamResponse:
        """Another URL, key, batch size, retry interval or list of categories; or retry at once."""
        body = await read_body(request, WebhookSettings)
        self._check_target(body.url)
        self._sender.configure(
            url=body.url,
            key=body.key,
            batch_ms=body.batch_ms,
            batch_events=body.batch_events,
            retry_seconds=body.retry_seconds,
            categories=body.categories,
        )
        if body.try_now:
            self._sender.try_now()
        return answer_json(self._sender.report(0))

    async def send_events(self, request: web.Request) -> web.StreamResponse:
        """Events made to order; what they leave out is filled in."""
        body = await read_body(request, WebhookEvents)
        now = event_date(self._world.clock.now_ms())
        rows = []
        for event in body.events:
            category = str(event.get("eventCategory", "INVOICE"))
            resource = str(event.get("resourceId", ""))
            whole = {
                "resourceUrl": f"{API_HOST}/api.xro/2.0/{_path(category)}/{resource}",
                "resourceId": resource,
                "tenantId": "",
                "tenantType": "ORGANISATION",
                "eventCategory": category,
                "eventType": "UPDATE",
                "eventDateUtc": now,
            } | event
            rows.append((str(whole["tenantId"]), _path(category), orjson.dumps(whole)))
        events = self._world.announce(rows, together=body.together)
        return answer_json({"events": [event.sequence for event in events]}, status=202)

    async def intent_to_receive(self, request: web.Request) -> web.StreamResponse:
        """The series of good and bad requests; answers what came back."""
        body = await read_body(request, IntentToReceive)
        self._check_target(body.url)
        if body.url is None and self._sender.url is None:
            raise ControlError(409, "no webhook URL is set; send one, or PUT /_sim/webhooks")
        return answer_json(await shake_hands(self._sender, self._source, body.url))

    def _check_target(self, url: str | None) -> None:
        """Whoever reaches the control API must not make us ask other hosts.

        Raises:
            ControlError: the URL is of a host that webhooks may not be sent to.
        """
        if url is None:
            return
        settings = self._world.settings
        host = host_of(url)
        allowed = {*map(str.lower, settings.webhook_hosts), host_of(settings.webhook_url or "")}
        if host is None or not (is_loopback(host) or host in allowed):
            raise ControlError(
                403,
                "webhooks may go to this machine, and to hosts that XERO_STREAM_SIMULATOR_WEBHOOK_URL or "
                "XERO_STREAM_SIMULATOR_WEBHOOK_HOSTS names",
            )


_PATHS = {category: endpoint.value for endpoint, category in CATEGORY.items()}


def _path(category: str) -> str:
    return _PATHS.get(category.upper(), category.capitalize() + "s")
