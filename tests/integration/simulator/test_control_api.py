"""The control API's own OpenAPI document, the lock dates, and edits of everything by setting."""

from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from simulator.control.bodies import RawRecord
from simulator.control.records import read_raw_change
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk
from tests.integration.simulator.test_accounting_writes import element, write

TENANT = "20000000-0000-4000-8000-000000000000"
RULE = {"operation": "list", "rate": 0.5, "fault": {"kind": "status", "status": 503}}
BODIES: list[tuple[str, str, Any, Any]] = [
    ("post", "/_sim/tenants", {"country": "AU", "invoices": 0, "contacts": 1}, {"country": "US"}),
    ("post", "/_sim/edits", {"count": 2, "kind": "create", "weights": {"pay": 2}}, {"count": 0}),
    ("put", "/_sim/records/{tenantId}/{endpoint}/{id}", {"fields": {"Total": 1}, "stamp": False}, {"feilds": {}}),
    ("put", "/_sim/traffic", {"editsPerSecond": 0}, {}),
    ("put", "/_sim/locks/{tenantId}", {"period": "2026-01-31", "endOfYear": None}, {"period": "January"}),
    ("put", "/_sim/forms/{tenantId}", {"rounding": True, "listsOptionIds": False}, {"rounding": "sometimes"}),
    ("put", "/_sim/clock", {"aheadSeconds": 1}, {"rate": -1}),
    ("post", "/_sim/grants", {"kind": "refresh_token", "scopes": ["offline_access"]}, {"kind": "gift"}),
    ("post", "/_sim/clients", {"kind": "web", "redirectUris": ["https://a.example/x"]}, {"name": ""}),
    ("put", "/_sim/limits", {"minute": 5000}, {"minute": -1}),
    ("put", "/_sim/faults", {"rules": [RULE]}, {"rules": [{"operation": "list"}]}),
    (
        "post",
        "/_sim/faults",
        {"rules": [{**RULE, "operation": ["list", "get"]}]},
        {"rules": [{**RULE, "operation": []}]},
    ),
    ("put", "/_sim/webhooks", {"batchMs": 1}, {"batchEvents": 0}),
    ("post", "/_sim/webhooks/events", {"events": [{"resourceId": TENANT}]}, {"events": []}),
    ("post", "/_sim/intent-to-receive", {"url": None}, {"urls": []}),
]


async def test_every_route_is_described_and_no_other(start: Start) -> None:
    """With words, its path's names, and the status it answers; the document is a valid one."""
    simulated = await start(tenants=0)
    document = await simulated.talk.control("GET", "/openapi.json")

    app: web.Application | None = simulated.runner.app
    assert app is not None
    registered = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/_sim") and route.method != "HEAD"
    }
    described = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert described == registered
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    with_body = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    }
    assert with_body == {(method, path) for method, path, *_ in BODIES}


@pytest.mark.parametrize(("method", "path", "good", "bad"), BODIES, ids=[f"{one[0]} {one[1]}" for one in BODIES])
async def test_bodies_are_taken_as_they_are_described(
    start: Start, method: str, path: str, good: Any, bad: Any
) -> None:
    """What fits the schema is understood, what doesn't is a 400; a good answer has the status that was promised."""
    talk = (await start(tenants=1, contacts=3, invoices=4, credit_notes=0)).talk
    document = await talk.control("GET", "/openapi.json")
    operation = document["paths"][path][method]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:sim", resource)
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = OAS31Validator({"$ref": f"urn:sim{reference}"}, registry=registry, format_checker=checker)
    tenant = (await talk.control("GET", "/tenants"))["tenants"][0]["tenantId"]
    (invoice, *_) = await talk.truth("Invoices", tenant)
    address = path.format(tenantId=tenant, endpoint="Invoices", id=invoice["InvoiceID"])

    answers = [await talk.http.request(method, address, json=body) for body in (bad, good)]

    assert [validator.is_valid(body) for body in (bad, good)] == [False, True]
    assert answers[0].status_code == 400
    assert f"{answers[1].status_code}" in operation["responses"]
    assert answers[1].status_code != 400


def test_a_raw_record_has_the_words_that_are_described() -> None:
    """Its numbers are read by a reader of its own, which keeps every digit."""
    every = RawRecord(fields={"A": 1}, remove=["B"], webhook=False, stamp=False, reset=True)

    raw = read_raw_change(every.model_dump_json(by_alias=True))

    assert (raw.webhook, raw.stamp, raw.reset, set(raw.fields)) == (False, False, True, {"A", "B"})


async def test_books_are_locked_and_opened_again(talk: Talk) -> None:
    """Writes into the period are refused in Xero's words; the organisation says up to which day."""
    tenant = talk.tenants[0]
    set_to = await talk.control("PUT", f"/locks/{tenant}", {"period": "2026-11-21", "endOfYear": "2026-03-31"})
    refused = await write(talk, "PUT", "Invoices", await element(talk, "Invoices"))
    (company,) = await talk.truth("Organisation")
    opened = await talk.control("PUT", f"/locks/{tenant}", {"period": None})
    taken = await write(talk, "PUT", "Invoices", await element(talk, "Invoices"))

    assert set_to == {"period": "2026-11-21", "endOfYear": "2026-03-31"}
    assert opened == {"period": None, "endOfYear": "2026-03-31"}
    assert refused.json()["Elements"][0]["ValidationErrors"] == [
        {"Message": "The document date cannot be before the period lock date, currently set at 21-Nov-2026"}
    ]
    assert (taken.status_code, company["PeriodLockDate"]) == (200, "/Date(1795219200000+0000)/")


async def test_everything_is_edited_by_setting(start: Start) -> None:
    """Live traffic from the start, over every kind of record."""
    simulated = await start(everything=True, tenants=1)

    assert (await simulated.talk.control("GET", "/traffic"))["everything"] is True
