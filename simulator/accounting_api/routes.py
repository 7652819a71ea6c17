"""``/api.xro/2.0`` on the wire: who may, how often, what."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson
from aiohttp import web

from simulator.accounting_api import absent
from simulator.accounting_api.encoders.organisation import actions
from simulator.accounting_api.facts import FACTS, PATHS
from simulator.accounting_api.idempotency import Asked, Keys
from simulator.accounting_api.pdf import PDF, PRINTED, printed
from simulator.accounting_api.query import LONGEST_QUERY, Query, understand
from simulator.accounting_api.reading import Moment, envelope, find, read_list, read_one
from simulator.accounting_api.reports.table import REPORTS, write_report
from simulator.accounting_api.write_context import WriteContext
from simulator.accounting_api.writing import WriteRequest, WriteService
from simulator.books.organisation import Organisation
from simulator.books.words import Endpoint
from simulator.errors import (
    RefusedError,
    by_status,
    not_found,
    not_modelled,
    scope_missing,
    tenant_refused,
)
from simulator.faults.apply import Faults, Struck, forced_reply, strangers_reply
from simulator.faults.plan import Operation
from simulator.identity.bearer import bearer
from simulator.identity.grants import Grant, GrantKind
from simulator.identity.scopes import ANY_REPORT
from simulator.limits.counts import EndpointCounts
from simulator.limits.windows import Problem, TenantLimits
from simulator.reply import JSON, Reply
from simulator.spelling import folded
from simulator.world import World

_ATTACHMENTS = frozenset({"accounting.attachments"})

XML = "text/xml; charset=utf-8"

BASE = "/api.xro/2.0"
ID = "{id:[^/]+}"
"""An id in an address; aiohttp's own pattern has no braces."""

SLASH = "{slash:/?}"
"""End of an address: a slash or nothing."""


class AccountingApi:
    """The Accounting API over all organisations."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._keys = Keys()

    def routes(self) -> list[web.RouteDef]:
        """Method, path, handler; a slash at the end of an address changes nothing."""
        found = [
            (web.get, "/Reports/{report}", self.report),
            (web.get, "/{endpoint}", self.list),
            (web.get, "/{endpoint}/{id}", self.get),
            (web.put, "/{endpoint}", self.create),
            (web.post, "/{endpoint}", self.update_or_create),
            (web.post, "/{endpoint}/{id}", self.update),
            (web.delete, "/{endpoint}/{id}", self.remove),
            (web.get, "/{endpoint}/{id}/{part}", self.part),
            (web.get, "/{endpoint}/{id}/{part}/{name}", self.part),
            (web.put, "/{endpoint}/{id}/{part}", self.write_part),
            (web.post, "/{endpoint}/{id}/{part}", self.write_part),
            (web.put, "/{endpoint}/{id}/{part}/{name}", self.write_part),
            (web.post, "/{endpoint}/{id}/{part}/{name}", self.write_part),
            (web.delete, "/{endpoint}/{id}/{part}", self.remove_part),
            (web.delete, "/{endpoint}/{id}/{part}/{name}", self.remove_part),
        ]
        return [
            *(route(f"{BASE}{path.replace('{id}', ID)}{SLASH}", handler) for route, path, handler in found),
            web.route("*", f"{BASE}/{{rest:.*}}", self.not_modelled),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Records of an endpoint: page, pageSize, IDs, where, order, Statuses, If-Modified-Since and more."""
        return await self._serve(request, Operation.LIST)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """One record, whatever its status; with ``Accept: application/pdf`` as it is printed."""
        return await self._serve(request, Operation.GET)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Create records, one or many: summarizeErrors, unitdp, Idempotency-Key."""
        return await self._serve(request, Operation.WRITE)

    async def update_or_create(self, request: web.Request) -> web.StreamResponse:
        """Update the records that are there by id (or number, or name), create the others."""
        return await self._serve(request, Operation.WRITE)

    async def update(self, request: web.Request) -> web.StreamResponse:
        """Update one record; a status deletes, voids, archives."""
        return await self._serve(request, Operation.WRITE)

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Delete an item or a linked transaction for good; an account or a tracking category by its status."""
        return await self._serve(request, Operation.WRITE)

    async def part(self, request: web.Request) -> web.StreamResponse:
        """Attachments of a record (a file by name or id), or its history."""
        return await self._serve(request, Operation.GET)

    async def write_part(self, request: web.Request) -> web.StreamResponse:
        """Attach a file, add a note, email an invoice, allocate credit, group contacts, add or change an option."""
        return await self._serve(request, Operation.WRITE)

    async def remove_part(self, request: web.Request) -> web.StreamResponse:
        """Take an allocation back, a contact out of its group, an option off its category."""
        return await self._serve(request, Operation.WRITE)

    async def report(self, request: web.Request) -> web.StreamResponse:
        """A report that follows from the journals, as of any day; the others are 501."""
        name = request.match_info["report"].lower()
        found = REPORTS.get(name)
        scopes = found.scopes if found else ANY_REPORT

        async def answer(_: Grant, tenant_id: str, struck: Struck) -> Reply:
            await asyncio.sleep(struck.latency_ms / 1000)
            return self._report(request, name, tenant_id, struck)

        return await self._guarded(request, Operation.GET, "Reports", scopes, answer)

    def _report(self, request: web.Request, name: str, tenant_id: str, struck: Struck) -> Reply:
        world = self._world
        if struck.status is not None:
            return forced_reply(struck.status)
        if name not in REPORTS:
            return not_modelled(f"{request.method} /Reports/{request.match_info['report']}")
        given = {name.lower(): value for name, value in request.query.items()}
        moment = Moment(now_ms=world.clock.now_ms(), answer_id=world.answer_id())
        try:
            found = write_report(world.organisations[tenant_id], REPORTS[name], given, moment.now_ms)
        except RefusedError as refused:
            return refused.reply
        if "json" not in request.headers.get("Accept", ""):
            return _xml(moment)
        return Reply(body=envelope("Reports", moment, [orjson.dumps(found)], None), content_type=JSON)

    async def not_modelled(self, request: web.Request) -> web.StreamResponse:
        """Methods and depths that no other row has: 501, like what Xero has and the table of endpoints has not; other names are 404."""
        return await self._faults.send(request, not_modelled(_asked(request)))

    async def _serve(self, request: web.Request, operation: Operation) -> web.StreamResponse:
        name, part = request.match_info["endpoint"].lower(), request.match_info.get("part", "").lower()
        if name in absent.ENDPOINTS or part in absent.PARTS:
            return await self._faults.send(request, not_modelled(_asked(request)))
        endpoint = PATHS.get(name)
        if endpoint is None:
            return await self._faults.send(request, not_found())
        attached = part == "attachments"
        scopes = _ATTACHMENTS if attached else FACTS[endpoint].scopes

        async def answer(grant: Grant, tenant_id: str, struck: Struck) -> Reply:
            return await self._answer(request, operation, grant, tenant_id, endpoint, struck)

        return await self._guarded(request, operation, endpoint.value, scopes, answer)

    async def _guarded(
        self,
        request: web.Request,
        operation: Operation,
        place: str,
        scopes: frozenset[str],
        answer: Callable[[Grant, str, Struck], Awaitable[Reply]],
    ) -> web.StreamResponse:
        """Answer who may, while the limits allow it and no fault strikes; count the call."""
        world = self._world
        caller = self._caller(request, scopes, operation)
        if isinstance(caller, Reply):
            return await self._faults.send(request, self._headed(caller, None, None))
        grant, tenant_id = caller
        struck = self._faults.strike(operation, tenant_id, place)
        if struck.stranger is not None:
            return await self._faults.send(request, strangers_reply(struck.stranger), struck)
        counts = world.counts.tenant(tenant_id)
        counted = counts.arrive(place, world.clock.now_ms())
        limits = world.tenant_limits(grant.client_id, tenant_id)
        limits.connected_ms = grant.connected_ms(tenant_id)
        entered = False
        try:
            refusal = self._refusal(grant, limits, counted, struck)
            if refusal is not None:
                reply = refusal
            else:
                entered = True
                reply = await answer(grant, tenant_id, struck)
            counted.statuses[reply.status] += 1
            counted.sent += len(reply.body)
            return await self._faults.send(request, self._headed(reply, grant, limits), struck)
        finally:
            counts.leave()
            if entered:
                limits.leave()

    def _caller(self, request: web.Request, scopes: frozenset[str], operation: Operation) -> tuple[Grant, str] | Reply:
        world = self._world
        grant = bearer(world, request.headers.get("Authorization"))
        if isinstance(grant, Reply):
            return grant
        tenants = grant.tenants()
        tenant_id = folded(request.headers.get("xero-tenant-id", ""))
        if not tenant_id and grant.kind is GrantKind.CLIENT_CREDENTIALS and tenants:
            tenant_id = next(iter(tenants))
        if tenant_id not in tenants:
            return tenant_refused(world.answer_id())
        enough = (scope if operation is Operation.WRITE else scope.removesuffix(".read") for scope in grant.scopes)
        if not scopes.intersection(enough):
            return scope_missing(world.answer_id())
        return grant, tenant_id

    def _refusal(self, grant: Grant, limits: TenantLimits, counted: EndpointCounts, struck: Struck) -> Reply | None:
        world = self._world
        if struck.rate_limit is not None:
            fault = struck.rate_limit
            counted.forced[fault.problem.value] += 1
            return _too_many(fault.problem, fault.retry_after)
        now_ms = world.clock.now_ms()
        refused = limits.enter(now_ms, world.app_window(grant.client_id), world.limits.app_minute)
        if refused is None:
            counted.rapid += limits.rapid_sync_ms(now_ms) > 0
            return None
        counted.earned[refused.problem.value] += 1
        return _too_many(refused.problem, refused.retry_after)

    async def _answer(
        self,
        request: web.Request,
        operation: Operation,
        grant: Grant,
        tenant_id: str,
        endpoint: Endpoint,
        struck: Struck,
    ) -> Reply:
        body = await request.read() if operation is Operation.WRITE else b""
        # The books are read half way: a change during a slow call may or may not be in the answer, as in life.
        if struck.latency_ms:
            await asyncio.sleep(struck.latency_ms / 2000)
        if operation is Operation.WRITE:
            reply = self._write(request, body, grant, tenant_id, endpoint, struck)
        elif "part" in request.match_info:
            reply = self._show(request, tenant_id, endpoint, struck)
        else:
            reply = self._read(request, operation, grant, tenant_id, endpoint, struck)
        if struck.latency_ms:
            await asyncio.sleep(struck.latency_ms / 2000)
        return reply

    def _read(
        self,
        request: web.Request,
        operation: Operation,
        grant: Grant,
        tenant_id: str,
        endpoint: Endpoint,
        struck: Struck,
    ) -> Reply:
        world = self._world
        if struck.status is not None:
            return forced_reply(struck.status)
        now_ms = world.clock.now_ms()
        as_of_ms = now_ms - int(struck.stale_ms) if struck.stale_ms else None
        moment = Moment(now_ms=now_ms, answer_id=world.answer_id(), as_of_ms=as_of_ms)
        organisation, encoder = world.organisations[tenant_id], world.encoders[tenant_id]
        raw_query = request.raw_path.partition("?")[2]
        answer: bytes | Reply
        if operation is Operation.GET and len(raw_query) > LONGEST_QUERY:
            answer = by_status(404)
        elif operation is Operation.GET and PDF in request.headers.get("Accept", "") and endpoint in PRINTED:
            answer = _print(organisation, endpoint, request.match_info["id"], moment)
        elif endpoint is Endpoint.ORGANISATION and request.match_info.get("id", "").lower() == "actions":
            answer = envelope("Actions", moment, actions(organisation), None)
        elif operation is Operation.GET:
            four = request.query.get("unitdp") == "4"
            answer = read_one(organisation, encoder, endpoint, request.match_info["id"], moment, four=four)
        else:
            since = request.headers.get("If-Modified-Since")
            query = understand(endpoint, request.query, raw_query, since, client_id=grant.client_id)
            if not isinstance(query, Query):
                return query
            answer = read_list(organisation, encoder, endpoint, query, moment)
        if isinstance(answer, Reply):
            return answer
        if "json" not in request.headers.get("Accept", ""):
            return _xml(moment)
        return Reply(body=answer, content_type=JSON)

    def _show(self, request: web.Request, tenant_id: str, endpoint: Endpoint, struck: Struck) -> Reply:
        if struck.status is not None:
            return forced_reply(struck.status)
        moment = Moment(now_ms=self._world.clock.now_ms(), answer_id=self._world.answer_id())
        order = _order(request, endpoint)
        if order.part == "pdf" and endpoint in PRINTED:
            return _print(self._world.organisations[tenant_id], endpoint, order.record_id or "", moment)
        return self._service(request, tenant_id, moment).show(order)

    def _write(
        self, request: web.Request, body: bytes, grant: Grant, tenant_id: str, endpoint: Endpoint, struck: Struck
    ) -> Reply:
        """Carry it out, or answer what its key was answered; then forget the answer, if a fault says so."""
        world = self._world
        if struck.unhandled and struck.status is not None:
            return forced_reply(struck.status)
        if struck.unhandled:
            return by_status(500)  # never seen: the connection is cut, or hangs
        key, now_ms = request.headers.get("Idempotency-Key", ""), world.clock.now_ms()
        parts = (request.method, request.raw_path, tenant_id)
        asked = Asked.of(grant.client_id, key, *(part.encode() for part in parts), body) if key else None
        reply = self._keys.earlier(asked, now_ms) if asked is not None else None
        if reply is None:
            reply = self._carried_out(request, body, grant, tenant_id, endpoint)
            if asked is not None:
                self._keys.keep(asked, reply, now_ms)
        return reply if struck.status is None else forced_reply(struck.status)

    def _carried_out(
        self, request: web.Request, body: bytes, grant: Grant, tenant_id: str, endpoint: Endpoint
    ) -> Reply:
        world = self._world
        stamp = world.clock.stamp()
        moment = Moment(now_ms=max(stamp, world.clock.now_ms()), answer_id=world.answer_id())
        service = self._service(request, tenant_id, moment, stamp, grant.client_id)
        reply = service.carry_out(_order(request, endpoint, body))
        world.commit(world.organisations[tenant_id], service.context.changes)
        if reply.status == 200 and reply.content_type == JSON and "json" not in request.headers.get("Accept", ""):
            return _xml(moment)
        return reply

    def _service(
        self, request: web.Request, tenant_id: str, moment: Moment, stamp: int = 0, client_id: str = ""
    ) -> WriteService:
        world = self._world
        context = WriteContext(
            organisation=world.organisations[tenant_id],
            now_ms=stamp,
            new_id=world.new_id,
            creates=request.method == "PUT",
            four_decimals=request.query.get("unitdp") == "4",
            client_id=client_id,
        )
        return WriteService(context=context, papers=world.papers, encoder=world.encoders[tenant_id], moment=moment)

    def _headed(self, reply: Reply, grant: Grant | None, limits: TenantLimits | None) -> Reply:
        world = self._world
        headers = {"xero-correlation-id": world.answer_id()}
        if grant is not None and limits is not None:
            headers["X-DayLimit-Remaining"] = str(limits.day_remaining())
            headers["X-MinLimit-Remaining"] = str(limits.minute_remaining())
            headers["X-AppMinLimit-Remaining"] = str(world.app_remaining(grant.client_id))
        return replace(reply, headers=headers | reply.headers)


def _print(organisation: Organisation, endpoint: Endpoint, record_id: str, moment: Moment) -> Reply:
    record = find(organisation, endpoint, record_id, moment)
    if record is None:
        return not_found()
    return Reply(body=printed(record, endpoint, organisation), content_type=PDF)


def _asked(request: web.Request) -> str:
    """Method and address below the base, for people."""
    return f"{request.method} {request.path.removeprefix(BASE)}"


def _order(request: web.Request, endpoint: Endpoint, body: bytes = b"") -> WriteRequest:
    found = request.match_info
    given = {name.lower(): value.lower() for name, value in request.query.items()}
    return WriteRequest(
        method=request.method,
        endpoint=endpoint,
        record_id=FACTS[endpoint].fold(found["id"]) if "id" in found else None,
        part=found["part"].lower() if "part" in found else None,
        name=found.get("name"),
        summarize=given.get("summarizeerrors") != "false" or ("id" in found and "part" not in found),
        online=given.get("includeonline") == "true",
        content_type=request.headers.get("Content-Type", "application/octet-stream"),
        body=body,
    )


def _too_many(problem: Problem, retry_after: int | str | None) -> Reply:
    """429: the header names the limit; only minute and day say when to come back. The body is empty."""
    headers = {"X-Rate-Limit-Problem": problem.value}
    if problem is Problem.DAY:
        headers["X-DayLimit-Remaining"] = "0"
    if problem is Problem.MINUTE:
        headers["X-MinLimit-Remaining"] = "0"
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Reply(status=429, content_type="text/html; charset=utf-8", headers=headers)


def _xml(moment: Moment) -> Reply:
    """Xero's default is XML; here only its envelope, so that a client without ``Accept`` notices."""
    body = (
        '<Response xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<Id>{moment.answer_id}</Id><Status>OK</Status><ProviderName>Xero Stream Simulator</ProviderName>"
        "<!-- records are only modelled as JSON: send Accept: application/json --></Response>"
    )
    return Reply(body=body.encode(), content_type=XML)
