"""``/_sim`` on the wire. One row per route, one method per row; bodies are checked, mistakes are explained."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import ValidationError

from simulator.accounting_api.encoding import Form
from simulator.books.organisation import AnyRecord, Organisation
from simulator.books.words import Endpoint, RuleError
from simulator.clock import ClockError
from simulator.control.bodies import (
    Body,
    ClockBody,
    Edits,
    IntentToReceive,
    LimitsBody,
    NewGrant,
    NewTenant,
    TrafficBody,
    WebhookEvents,
    WebhookSettings,
)
from simulator.control.raw_json import RawJsonError
from simulator.control.records import overridden, read_raw_change, stamps
from simulator.edits.editor import Wish
from simulator.edits.traffic import Traffic
from simulator.faults.plan import PlanError, read_rules
from simulator.identity.grants import Client, Grant, GrantKind
from simulator.limits.windows import TenantLimits
from simulator.reply import JSON
from simulator.webhooks.events import API_HOST, event_date
from simulator.webhooks.handshake import shake_hands
from simulator.webhooks.sender import Sender
from simulator.world import World

B = TypeVar("B", bound=Body)
_SLICE = 500


class ControlError(Exception):
    """The request can't be done; the answer says why and what is known."""

    def __init__(self, status: int, message: str, known: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"error": message} | ({"known": known} if known is not None else {})


class Control:
    """Everything a test or a demo may do to the simulated Xero."""

    def __init__(self, world: World, traffic: Traffic, sender: Sender) -> None:
        self._world = world
        self._traffic = traffic
        self._sender = sender
        self._source = world.chance.stream("control")

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler."""
        rows: list[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = [
            ("GET", "/_sim", self.index),
            ("GET", "/_sim/tenants", self.tenants),
            ("POST", "/_sim/tenants", self.add_tenant),
            ("GET", "/_sim/truth/{tenantId}/{endpoint}", self.truth),
            ("GET", "/_sim/truth/{tenantId}/{endpoint}/{id}", self.truth_of_one),
            ("POST", "/_sim/edits", self.edits),
            ("PUT", "/_sim/records/{tenantId}/{endpoint}/{id}", self.put_record),
            ("GET", "/_sim/traffic", self.traffic),
            ("PUT", "/_sim/traffic", self.set_traffic),
            ("GET", "/_sim/calls", self.calls),
            ("DELETE", "/_sim/calls", self.reset_calls),
            ("GET", "/_sim/limits", self.limits),
            ("PUT", "/_sim/limits", self.set_limits),
            ("GET", "/_sim/faults", self.faults),
            ("PUT", "/_sim/faults", self.set_faults),
            ("POST", "/_sim/faults", self.add_faults),
            ("DELETE", "/_sim/faults", self.clear_faults),
            ("GET", "/_sim/grants", self.grants),
            ("POST", "/_sim/grants", self.add_grant),
            ("DELETE", "/_sim/grants/{id}", self.revoke_grant),
            ("GET", "/_sim/webhooks", self.webhooks),
            ("PUT", "/_sim/webhooks", self.set_webhooks),
            ("POST", "/_sim/webhooks/events", self.send_events),
            ("POST", "/_sim/intent-to-receive", self.intent_to_receive),
            ("GET", "/_sim/clock", self.clock),
            ("PUT", "/_sim/clock", self.set_clock),
        ]
        return [web.route(method, path, _explained(handler)) for method, path, handler in rows]

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
        return _json(
            {
                "simulator": "xero-stream",
                "seed": self._world.seed,
                "tenants": len(self._world.organisations),
                "clientId": settings.client_id,
                "routes": routes,
            }
        )

    # -- books ----------------------------------------------------------------------------------------------------------

    async def tenants(self, request: web.Request) -> web.StreamResponse:
        """Every organisation, with how many records it has."""
        del request
        return _json({"tenants": [self._world.tenant_summary(one) for one in self._world.organisations.values()]})

    async def add_tenant(self, request: web.Request) -> web.StreamResponse:
        """Another organisation; no grant reaches it until one is made."""
        body = await _read(request, NewTenant)
        organisation = self._world.add_tenant(
            name=body.name,
            country=body.country,
            contacts=body.contacts,
            invoices=body.invoices,
            credit_notes=body.credit_notes,
        )
        return _json(self._world.tenant_summary(organisation), status=201)

    async def truth(self, request: web.Request) -> web.StreamResponse:
        """Every record of an endpoint as a single GET would return it, whatever its status."""
        organisation, endpoint = self._place(request)
        response = web.StreamResponse(headers={"Content-Type": JSON})
        await response.prepare(request)
        await response.write(f'{{"{endpoint}":['.encode())
        records: list[AnyRecord] = [*organisation.shelf(endpoint).since()]
        for start in range(0, len(records), _SLICE):
            bodies = [self._single(organisation, record) for record in records[start : start + _SLICE]]
            await response.write((b"," if start else b"") + b",".join(bodies))
        await response.write(b"]}")
        await response.write_eof()
        return response

    async def truth_of_one(self, request: web.Request) -> web.StreamResponse:
        """One record as a single GET would return it."""
        organisation, endpoint = self._place(request)
        record: AnyRecord | None = organisation.shelf(endpoint).get(request.match_info["id"].lower())
        if record is None:
            raise ControlError(404, f"{endpoint} has no {request.match_info['id']}")
        return web.Response(body=self._single(organisation, record), headers={"Content-Type": JSON})

    def _single(self, organisation: Organisation, record: AnyRecord) -> bytes:
        encoder = self._world.encoders[organisation.id]
        return encoder.encode(record, Form.SINGLE, four_decimals=True, now_ms=self._world.clock.now_ms())

    async def edits(self, request: web.Request) -> web.StreamResponse:
        """Random valid edits, or a certain kind of them; answers what was done."""
        body = await _read(request, Edits)
        wish = Wish(
            endpoint=body.endpoint,
            kind=body.kind,
            record_id=body.record_id,
            stamp=body.stamp,
            weights=body.weights,
        )
        done = []
        for _ in range(body.count):
            organisation = self._tenant(body.tenant_id) if body.tenant_id else self._traffic.draw_organisation()
            edit, events = self._traffic.edit(
                organisation, wish, announce=body.webhook, dated_as_record=body.event_date == "record"
            )
            done.append(
                {
                    "tenantId": organisation.id,
                    "endpoint": edit.endpoint,
                    "id": edit.record_id,
                    "kind": edit.kind,
                    "what": edit.what,
                    "records": [
                        {
                            "endpoint": change.endpoint,
                            "id": change.record.id,
                            "created": change.created,
                            "updatedMs": change.record.updated_ms,
                        }
                        for change in edit.changes
                        if not change.silent
                    ],
                    "events": [event.sequence for event in events],
                }
            )
        return _json({"edits": done})

    async def put_record(self, request: web.Request) -> web.StreamResponse:
        """Set any fields of a record to any JSON, new record or old; numbers keep every digit."""
        organisation, endpoint = self._place(request)
        try:
            raw = read_raw_change(await request.text())
        except RawJsonError as error:
            raise ControlError(400, f"{error}") from error
        now_ms = self._world.clock.stamp()
        record_id = request.match_info["id"].lower()
        record = overridden(self._source, organisation, endpoint, record_id, raw, now_ms)
        changes = organisation.write(record, now_ms, stamp=stamps(raw))
        events = self._world.commit(organisation, changes, announce=raw.webhook)
        return _json({"id": record_id, "created": changes[-1].created, "events": [one.sequence for one in events]})

    async def traffic(self, request: web.Request) -> web.StreamResponse:
        """How many edits a second, and how many were made."""
        del request
        return _json({"editsPerSecond": self._traffic.rate, "editsMade": self._traffic.made})

    async def set_traffic(self, request: web.Request) -> web.StreamResponse:
        """Edit faster, slower, or not at all."""
        self._traffic.set_rate((await _read(request, TrafficBody)).edits_per_second)
        return await self.traffic(request)

    # -- limits and faults ------------------------------------------------------------------------------------------------

    async def calls(self, request: web.Request) -> web.StreamResponse:
        """Calls per tenant and endpoint, 429s by kind (earned or forced), highest concurrency, busiest 60 seconds."""
        del request
        return _json(self._world.counts.report())

    async def reset_calls(self, request: web.Request) -> web.StreamResponse:
        """Count from nothing."""
        del request
        self._world.counts.reset()
        return web.Response(status=204)

    async def limits(self, request: web.Request) -> web.StreamResponse:
        """What is allowed and what is left, per client and tenant."""
        del request
        world = self._world
        rows = [
            {
                "clientId": client_id,
                "tenantId": tenant_id,
                "concurrent": limits.allowance.concurrent,
                "minute": limits.allowance.minute,
                "day": limits.allowance.day,
                "running": limits.running,
                **_left(limits, world.clock.now_ms()),
            }
            for (client_id, tenant_id), limits in world.all_limits()
        ]
        return _json({"appMinute": world.limits.app_minute, "tenants": rows})

    async def set_limits(self, request: web.Request) -> web.StreamResponse:
        """Allow less or more, or use most of it up."""
        body = await _read(request, LimitsBody)
        if body.tenant_id is not None:
            self._tenant(body.tenant_id)
        self._world.set_limits(
            tenant_id=body.tenant_id,
            concurrent=body.concurrent,
            minute=body.minute,
            day=body.day,
            app_minute=body.app_minute,
            minute_remaining=body.minute_remaining,
            day_remaining=body.day_remaining,
            day_reset_seconds=body.day_reset_seconds,
        )
        return await self.limits(request)

    async def faults(self, request: web.Request) -> web.StreamResponse:
        """The plan, and how often each rule matched and fired."""
        del request
        return _json(self._world.faults.report())

    async def set_faults(self, request: web.Request) -> web.StreamResponse:
        """Another plan; counts start at nothing."""
        self._world.faults.replace(await _read_rules(request))
        return await self.faults(request)

    async def add_faults(self, request: web.Request) -> web.StreamResponse:
        """More rules beside those in force."""
        self._world.faults.extend(await _read_rules(request))
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.StreamResponse:
        """No more faults."""
        del request
        self._world.faults.replace([])
        return web.Response(status=204)

    # -- grants -----------------------------------------------------------------------------------------------------------

    async def grants(self, request: web.Request) -> web.StreamResponse:
        """Every grant: its tenants, and how often it was refreshed."""
        del request
        return _json({"grants": [self._grant(grant) for grant in self._world.grants]})

    async def add_grant(self, request: web.Request) -> web.StreamResponse:
        """A connected grant without a browser: a refresh token, or the credentials of a custom connection."""
        body = await _read(request, NewGrant)
        world = self._world
        tenants = list(world.organisations) if body.tenants is None else body.tenants
        for tenant in tenants:
            self._tenant(tenant)
        client = Client(id=world.settings.client_id, secret=world.settings.client_secret.get_secret_value())
        if body.kind is GrantKind.CLIENT_CREDENTIALS:
            client = Client(id=world.new_id().replace("-", "").upper(), secret=world.new_refresh_token())
            world.add_client(client)
            tenants = tenants[:1]
        grant = world.add_grant(kind=body.kind, client_id=client.id, tenants=tenants, scopes=body.scopes)
        document = self._grant(grant) | {"clientSecret": client.secret}
        if grant.live:
            document["refreshToken"] = next(iter(grant.live))
        return _json(document, status=201)

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

    # -- webhooks and time ------------------------------------------------------------------------------------------------

    async def webhooks(self, request: web.Request) -> web.StreamResponse:
        """Health, counts and the delivery log; ``calmWithinSeconds=`` first waits until nothing is pending."""
        try:
            calm_within = float(request.query.get("calmWithinSeconds", "0"))
            limit = int(request.query.get("limit", "200"))
        except ValueError as error:
            raise ControlError(400, f"{error}") from error
        if calm_within:
            await self._sender.until_calm(calm_within)
        return _json(self._sender.report(limit))

    async def set_webhooks(self, request: web.Request) -> web.StreamResponse:
        """Another URL, key, batch size or retry interval; or retry at once."""
        body = await _read(request, WebhookSettings)
        self._sender.configure(
            url=body.url,
            key=body.key,
            batch_ms=body.batch_ms,
            batch_events=body.batch_events,
            retry_seconds=body.retry_seconds,
        )
        if body.try_now:
            self._sender.try_now()
        return _json(self._sender.report(0))

    async def send_events(self, request: web.Request) -> web.StreamResponse:
        """Events made to order; what they leave out is filled in."""
        body = await _read(request, WebhookEvents)
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
        return _json({"events": [event.sequence for event in events]}, status=202)

    async def intent_to_receive(self, request: web.Request) -> web.StreamResponse:
        """The series of good and bad requests; answers what came back."""
        body = await _read(request, IntentToReceive)
        if body.url is None and self._sender.url is None:
            raise ControlError(409, "no webhook URL is set; send one, or PUT /_sim/webhooks")
        return _json(await shake_hands(self._sender, self._source, body.url))

    async def clock(self, request: web.Request) -> web.StreamResponse:
        """The simulator's time and pace."""
        del request
        now_ms = self._world.clock.now_ms()
        return _json({"nowMs": now_ms, "nowUtc": event_date(now_ms), "rate": self._world.clock.rate})

    async def set_clock(self, request: web.Request) -> web.StreamResponse:
        """Jump ahead, or run at another pace: token lives, quota days and retries pass in seconds."""
        body = await _read(request, ClockBody)
        clock = self._world.clock
        now_ms = clock.now_ms() + int(body.ahead_seconds * 1000) if body.ahead_seconds is not None else body.now_ms
        try:
            clock.set(now_ms=now_ms, rate=body.rate)
        except ClockError as error:
            raise ControlError(409, f"{error}") from error
        return await self.clock(request)

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _tenant(self, tenant_id: str) -> Organisation:
        organisation = self._world.organisations.get(tenant_id.lower())
        if organisation is None:
            raise ControlError(404, f"no tenant {tenant_id}", list(self._world.organisations))
        return organisation

    def _place(self, request: web.Request) -> tuple[Organisation, Endpoint]:
        name = request.match_info["endpoint"].lower()
        endpoint = next((one for one in Endpoint if one.value.lower() == name), None)
        if endpoint is None:
            raise ControlError(404, f"no endpoint {name}", [one.value for one in Endpoint])
        return self._tenant(request.match_info["tenantId"]), endpoint


def _left(limits: TenantLimits, now_ms: int) -> dict[str, int]:
    for window in (limits.minute, limits.day):
        window.roll(now_ms)
    return {
        "minuteRemaining": limits.minute_remaining(),
        "minuteResetSeconds": limits.minute.seconds_left(now_ms),
        "dayRemaining": limits.day_remaining(),
        "dayResetSeconds": limits.day.seconds_left(now_ms),
    }


def _path(category: str) -> str:
    known = {"INVOICE": "Invoices", "CONTACT": "Contacts", "CREDITNOTE": "CreditNotes"}
    return known.get(category.upper(), category.capitalize() + "s")


async def _read(request: web.Request, model: type[B]) -> B:
    raw = await request.read()
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        known = sorted(field.alias or name for name, field in model.model_fields.items())
        raise ControlError(400, "; ".join(problems), known) from error


async def _read_rules(request: web.Request) -> list[Any]:
    try:
        return read_rules(orjson.loads(await request.read()))
    except orjson.JSONDecodeError as error:
        raise ControlError(400, f"not JSON: {error}") from error
    except PlanError as error:
        raise ControlError(400, f"{error}", error.known) from error


def _explained(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ControlError as error:
            return _json(error.document, status=error.status)
        except RuleError as error:
            return _json({"error": f"{error}"}, status=409)

    answer.__doc__ = handler.__doc__
    return answer


def _json(document: Any, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), headers={"Content-Type": JSON})
