"""``/_sim/tenants``, ``truth``, ``edits``, ``records``, ``traffic``: the books as they are, and changes to them."""

from dataclasses import replace
from datetime import date

from aiohttp import web

from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.view import Form
from simulator.books.amounts import Day
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Organisation
from simulator.control.bodies import Edits, Forms, Locks, NewTenant, RawRecord, TrafficBody
from simulator.control.exchange import ControlError, Row, answer_json, place_of, read_body, tenant_of
from simulator.control.raw_json import RawJsonError
from simulator.control.records import overridden, read_raw_change, stamps
from simulator.edits.kinds import Wish
from simulator.edits.traffic import Traffic
from simulator.reply import JSON
from simulator.world import World

_SLICE = 500
_EPOCH = date(1970, 1, 1).toordinal()


class BooksControl:
    """Reads and changes the books."""

    def __init__(self, world: World, traffic: Traffic) -> None:
        self._world = world
        self._traffic = traffic
        self._source = world.chance.stream("control")

    def rows(self) -> list[Row]:
        """Method, path, handler."""
        return [
            Row("GET", "/_sim/tenants", self.tenants),
            Row("POST", "/_sim/tenants", self.add_tenant, body=NewTenant, status=201),
            Row("GET", "/_sim/truth/{tenantId}/{endpoint}", self.truth),
            Row("GET", "/_sim/truth/{tenantId}/{endpoint}/{id}", self.truth_of_one),
            Row("POST", "/_sim/edits", self.edits, body=Edits),
            Row("PUT", "/_sim/records/{tenantId}/{endpoint}/{id}", self.put_record, body=RawRecord),
            Row("PUT", "/_sim/locks/{tenantId}", self.set_locks, body=Locks),
            Row("PUT", "/_sim/forms/{tenantId}", self.set_forms, body=Forms),
            Row("GET", "/_sim/traffic", self.traffic),
            Row("PUT", "/_sim/traffic", self.set_traffic, body=TrafficBody),
        ]

    async def tenants(self, request: web.Request) -> web.StreamResponse:
        """Every organisation, with how many records it has."""
        del request
        return answer_json({"tenants": [self._world.tenant_summary(one) for one in self._world.organisations.values()]})

    async def add_tenant(self, request: web.Request) -> web.StreamResponse:
        """Another organisation; no grant reaches it until one is made."""
        body = await read_body(request, NewTenant)
        organisation = self._world.add_tenant(
            name=body.name,
            country=body.country,
            contacts=body.contacts,
            invoices=body.invoices,
            credit_notes=body.credit_notes,
        )
        return answer_json(self._world.tenant_summary(organisation), status=201)

    async def truth(self, request: web.Request) -> web.StreamResponse:
        """Every record of an endpoint as a single GET would return it, whatever its status."""
        organisation, endpoint = place_of(self._world, request)
        response = web.StreamResponse(headers={"Content-Type": JSON})
        await response.prepare(request)
        await response.write(f'{{"{FACTS[endpoint].list_key}":['.encode())
        records: list[AnyRecord] = [*organisation.shelf(endpoint).since()]
        for start in range(0, len(records), _SLICE):
            bodies = [self._single(organisation, record) for record in records[start : start + _SLICE]]
            await response.write((b"," if start else b"") + b",".join(bodies))
        await response.write(b"]}")
        await response.write_eof()
        return response

    async def truth_of_one(self, request: web.Request) -> web.StreamResponse:
        """One record as a single GET would return it."""
        organisation, endpoint = place_of(self._world, request)
        record: AnyRecord | None = organisation.shelf(endpoint).get(FACTS[endpoint].fold(request.match_info["id"]))
        if record is None:
            raise ControlError(404, f"{endpoint} has no {request.match_info['id']}")
        return web.Response(body=self._single(organisation, record), headers={"Content-Type": JSON})

    def _single(self, organisation: Organisation, record: AnyRecord) -> bytes:
        encoder = self._world.encoders[organisation.id]
        return encoder.encode(record, Form.SINGLE, four_decimals=True, now_ms=self._world.clock.now_ms())

    async def edits(self, request: web.Request) -> web.StreamResponse:
        """Random valid edits, or a certain kind of them; answers what was done."""
        body = await read_body(request, Edits)
        wish = Wish(
            endpoint=body.endpoint,
            kind=body.kind,
            record_id=body.record_id,
            stamp=body.stamp,
            weights=body.weights,
            everything=body.everything,
        )
        done = []
        for _ in range(body.count):
            organisation = (
                tenant_of(self._world, body.tenant_id) if body.tenant_id else self._traffic.draw_organisation()
            )
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
        return answer_json({"edits": done})

    async def put_record(self, request: web.Request) -> web.StreamResponse:
        """Set any fields of a record to any JSON, new record or old; numbers keep every digit."""
        organisation, endpoint = place_of(self._world, request)
        try:
            raw = read_raw_change(await request.text())
        except RawJsonError as error:
            raise ControlError(400, f"{error}") from error
        now_ms = self._world.clock.stamp()
        record_id = FACTS[endpoint].fold(request.match_info["id"])
        record = overridden(self._source, organisation, endpoint, record_id, raw, now_ms)
        changes = organisation.write(record, now_ms, stamp=stamps(raw))
        events = self._world.commit(organisation, changes, announce=raw.webhook)
        return answer_json(
            {"id": record_id, "created": changes[-1].created, "events": [one.sequence for one in events]}
        )

    async def set_locks(self, request: web.Request) -> web.StreamResponse:
        """Lock the books of an organisation up to a day: the period, the financial year, or neither."""
        organisation = tenant_of(self._world, request.match_info["tenantId"])
        body = await read_body(request, Locks)
        company = organisation.company()
        if "period" in body.model_fields_set:
            company = replace(company, period_lock=_day(body.period))
        if "end_of_year" in body.model_fields_set:
            company = replace(company, end_of_year_lock=_day(body.end_of_year))
        changes = organisation.write(company, self._world.clock.stamp())
        self._world.commit(organisation, changes)
        return answer_json({"period": _date(company.period_lock), "endOfYear": _date(company.end_of_year_lock)})

    async def set_forms(self, request: web.Request) -> web.StreamResponse:
        """Let lists of an organisation differ from single reads: without an invoice's rounding, without ids of tracking options."""
        organisation = tenant_of(self._world, request.match_info["tenantId"])
        body = await read_body(request, Forms)
        company = organisation.company()
        if body.rounding is not None:
            company = replace(company, rounds=body.rounding)
        if body.lists_option_ids is not None:
            company = replace(company, lists_option_ids=body.lists_option_ids)
        changes = organisation.write(company, self._world.clock.stamp())
        self._world.commit(organisation, changes)
        self._world.encoders[organisation.id].forget()
        return answer_json({"rounding": company.rounds, "listsOptionIds": company.lists_option_ids})

    async def traffic(self, request: web.Request) -> web.StreamResponse:
        """How many edits a second, and how many were made."""
        del request
        return answer_json(
            {
                "editsPerSecond": self._traffic.rate,
                "everything": self._traffic.everything,
                "editsMade": self._traffic.made,
            }
        )

    async def set_traffic(self, request: web.Request) -> web.StreamResponse:
        """Edit faster, slower, or not at all."""
        body = await read_body(request, TrafficBody)
        self._traffic.set_rate(body.edits_per_second, everything=body.everything)
        return await self.traffic(request)


def _day(given: date | None) -> Day | None:
    return None if given is None else given.toordinal() - _EPOCH


def _date(day: Day | None) -> str | None:
    return None if day is None else date.fromordinal(_EPOCH + day).isoformat()
