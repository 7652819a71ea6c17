"""The control API: tenants, truth, edits, raw records, clock, traffic."""

import asyncio
from typing import Any

import orjson
import pytest

from simulator.clock import LATEST_MS
from simulator.edits.kinds import WEIGHTS, EditKind
from simulator.edits.others import OTHERS
from simulator.webhooks.events import CATEGORY
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Receiver, Talk

NEW = "20000000-0000-4000-8000-000000000001"


async def test_the_index_lists_every_route(talk: Talk) -> None:
    """And what the simulator is."""
    index = await talk.control("GET", "")

    assert index["simulator"] == "xero-stream"
    assert index["tenants"] == 2
    assert "PUT /_sim/faults" in index["routes"]
    assert "POST /connect/token" in index["routes"]


async def test_tenants_are_listed_and_added(talk: Talk) -> None:
    """A new one is reached by a new grant only."""
    added = await talk.control("POST", "/tenants", {"name": "Mine", "country": "AU", "invoices": 3, "contacts": 2})

    listed = (await talk.control("GET", "/tenants"))["tenants"]
    before = await talk.get("Invoices", added["tenantId"], page="1")
    await talk.connect(tenants=[added["tenantId"]])
    after = await talk.get("Invoices", page="1")

    assert added in listed
    assert (added["name"], added["currency"], added["records"]["Invoices"]) == ("Mine", "AUD", 3)
    assert (before.status_code, after.status_code) == (403, 200)
    assert len(after.json()["Invoices"]) == 3


async def test_truth_is_every_record_whatever_its_status(talk: Talk) -> None:
    """Deleted, archived and merged ones too."""
    tenant = talk.tenants[0]
    (merged,) = await talk.edit(tenantId=tenant, kind="merge")
    (deleted,) = await talk.edit(tenantId=tenant, kind="delete", endpoint="Invoices")

    contacts = {row["ContactID"]: row for row in await talk.truth("Contacts")}
    invoices = {row["InvoiceID"]: row for row in await talk.truth("Invoices")}

    assert contacts[merged["id"]]["MergedToContactID"] in contacts
    assert invoices[deleted["id"]]["Status"] == "DELETED"
    status, _ = await talk.refused("GET", f"/truth/{tenant}/Nonsense")
    missing, _ = await talk.refused("GET", f"/truth/{tenant}/Invoices/{NEW}")
    nowhere, _ = await talk.refused("GET", f"/truth/{NEW}/Invoices")
    assert (status, missing, nowhere) == (404, 404, 404)


async def test_long_truths_come_in_slices_that_add_up(start: Start) -> None:
    """More records than one slice."""
    talk = (await start(tenants=1, invoices=1203)).talk
    await talk.connect()

    assert len({row["InvoiceID"] for row in await talk.truth("Invoices")}) == 1203


async def test_edits_say_what_they_did(talk: Talk) -> None:
    """Tenant, record, kind, words, stamps, events."""
    edits = await talk.edit(count=25)

    assert len(edits) == 25
    for edit in edits:
        assert edit["tenantId"] in talk.tenants
        assert edit["kind"] in set(EditKind)
        assert edit["what"]
        assert len(edit["events"]) == sum(record["endpoint"] in CATEGORY for record in edit["records"]) >= 1
        assert edit["id"] in {record["id"] for record in edit["records"]}


@pytest.mark.parametrize(
    "body",
    [{"kind": "explode"}, {"count": 0}, {"endpoint": "Nonsense"}, {"nonsense": 1}, {"weights": {"explode": 1}}],
)
async def test_unknown_words_in_edits_are_refused_with_the_known_ones(talk: Talk, body: dict[str, Any]) -> None:
    """400 and a list."""
    status, answer = await talk.refused("POST", "/edits", body)

    assert status == 400
    assert "tenantId" in answer["known"]


async def test_an_edit_that_cannot_be_made_is_a_conflict(talk: Talk) -> None:
    """With the reason."""
    status, answer = await talk.refused("POST", "/edits", {"kind": "pay", "recordId": NEW})
    empty = await talk.http.post("/_sim/edits", json={"kind": "pay", "endpoint": "Contacts"})

    assert (status, "no such record" in answer["error"]) == (409, True)
    assert empty.status_code == 409


async def test_weights_choose_the_mix(talk: Talk) -> None:
    """By kind."""
    edits = await talk.edit(count=12, weights={"pay": 1, "create": 1})

    assert {edit["kind"] for edit in edits} <= {"pay", "create"}
    assert {kind for _, kind in (*WEIGHTS, *OTHERS)} == set(EditKind)


async def test_a_there_and_back_again(talk: Talk) -> None:
    """A → B → A without a moved UpdatedDateUTC, to the byte."""
    path = f"/truth/{talk.tenants[0]}/Invoices"
    target = next(row["InvoiceID"] for row in await talk.truth("Invoices") if row["Status"] == "AUTHORISED")
    wish = {"tenantId": talk.tenants[0], "endpoint": "Invoices", "recordId": target}
    first = await talk.control("GET", f"{path}/{target}")

    await talk.edit(kind="touch_without_stamp", **wish)
    second = await talk.control("GET", f"{path}/{target}")
    await talk.edit(kind="restore", **wish)
    third = await talk.control("GET", f"{path}/{target}")

    assert second != first
    assert second["UpdatedDateUTC"] == first["UpdatedDateUTC"]
    assert third == first


async def test_raw_fields_keep_every_digit_and_every_oddity(talk: Talk) -> None:
    """17 digits, NUL, 5,000 lines, wrong shapes, removed fields."""
    line = {"Description": "x" * 200, "LineAmount": 1.5}
    body = (
        b'{"fields": {"Total": 12345678901234567.89, "Reference": "a\\u0000b", "Status": 7, "LineItems": '
        + orjson.dumps([line] * 5000)
        + b'}, "remove": ["DueDate"]}'
    )

    put = await talk.http.put(
        f"/_sim/records/{talk.tenants[0]}/Invoices/{NEW}", content=body, headers={"Content-Type": "application/json"}
    )
    answer = await talk.get(f"Invoices/{NEW}")
    page = await talk.rows("Invoices", IDs=NEW, page="1")

    assert (put.status_code, put.json()["created"], len(put.json()["events"])) == (200, True, 1)
    assert b'"Total":12345678901234567.89' in answer.content.replace(b": ", b":")
    record = answer.json()["Invoices"][0]
    assert (record["Reference"], record["Status"], len(record["LineItems"])) == ("a\0b", 7, 5000)
    assert "DueDate" not in record
    assert len(page[0]["LineItems"]) == 5000
    assert len(answer.content) > 10**6


async def test_raw_changes_can_be_silent_and_without_a_stamp(talk: Talk) -> None:
    """Switches for the webhook and the stamp; reset brings the books' own fields back."""
    tenant = talk.tenants[0]
    before = (await talk.truth("Contacts"))[0]
    path = f"/records/{tenant}/Contacts/{before['ContactID']}"

    silent = await talk.control("PUT", path, {"fields": {"TaxNumber": "9"}, "webhook": False, "stamp": False})
    changed = (await talk.truth("Contacts"))[0]
    await talk.control("PUT", path, {"reset": True, "stamp": False})
    after = (await talk.truth("Contacts"))[0]

    assert silent["events"] == []
    assert (changed["TaxNumber"], changed["UpdatedDateUTC"]) == ("9", before["UpdatedDateUTC"])
    assert after == before


async def test_bad_raw_changes_are_refused(talk: Talk) -> None:
    """Not JSON, unknown words, no GUID."""
    tenant = talk.tenants[0]
    broken = await talk.http.put(
        f"/_sim/records/{tenant}/Invoices/{NEW}", content=b"{", headers={"Content-Type": "application/json"}
    )
    unknown, _ = await talk.refused("PUT", f"/records/{tenant}/Invoices/{NEW}", {"feilds": {}})
    nameless, _ = await talk.refused("PUT", f"/records/{tenant}/Invoices/nonsense", {"fields": {}})

    assert (broken.status_code, unknown, nameless) == (400, 400, 409)


async def test_the_clock_jumps_and_never_goes_back(talk: Talk) -> None:
    """Ahead by seconds, to a moment, at another pace."""
    before = (await talk.control("PUT", "/clock", {"rate": 0}))["nowMs"]

    ahead = await talk.control("PUT", "/clock", {"aheadSeconds": 60})
    to = await talk.control("PUT", "/clock", {"nowMs": before + 3_600_000, "rate": 1000})
    status, _ = await talk.refused("PUT", "/clock", {"nowMs": before})

    assert ahead["nowMs"] == before + 60_000
    assert to["rate"] == 1000
    assert (await talk.control("GET", "/clock"))["nowMs"] >= before + 3_600_000
    assert status == 409


@pytest.mark.parametrize(
    "body",
    [
        b'{"aheadSeconds": 1e12}',
        b'{"aheadSeconds": 1e18, "rate": 0}',
        b'{"aheadSeconds": Infinity}',
        b'{"nowMs": 7258118400001}',
        b'{"nowMs": 1000000000000000000000}',
    ],
)
async def test_the_clock_stays_where_calendars_reach(talk: Talk, body: bytes) -> None:
    """A jump beyond 2200 is refused and nothing of it applied; the last day there is can be lived."""
    refused = await talk.http.put("/_sim/clock", content=body, headers={"Content-Type": "application/json"})
    clock = await talk.control("GET", "/clock")
    await talk.control("PUT", "/clock", {"nowMs": LATEST_MS, "rate": 0})
    await talk.connect()
    edits = await talk.edit(count=5)

    assert refused.status_code == 400
    assert "error" in refused.json()
    assert (clock["rate"], clock["nowMs"] < LATEST_MS) == (1, True)
    assert (len(edits), (await talk.get("Invoices", page="1")).status_code) == (5, 200)


async def test_traffic_edits_by_itself(start: Start, receiver: Receiver) -> None:
    """At a rate that can be changed while it runs."""
    talk = (await start(edits_per_second=200, webhook_url=receiver.url)).talk
    await receiver.until(5)

    stopped = await talk.control("PUT", "/traffic", {"editsPerSecond": 0})
    await asyncio.sleep(0.05)
    still = await talk.control("GET", "/traffic")
    await talk.control("PUT", "/traffic", {"editsPerSecond": 500})
    seen = len(receiver.hooks)
    await receiver.until(seen + 3)

    assert stopped["editsMade"] >= 5
    assert still["editsMade"] == stopped["editsMade"]


async def test_stopped_traffic_makes_no_edit_that_was_already_due(talk: Talk) -> None:
    """Whoever compares the books after stopping it would otherwise see them change."""
    for _ in range(5):
        await talk.control("PUT", "/traffic", {"editsPerSecond": 50})
        stopped = await talk.control("PUT", "/traffic", {"editsPerSecond": 0})
        await asyncio.sleep(0.1)  # five times the mean pause

        assert (await talk.control("GET", "/traffic"))["editsMade"] == stopped["editsMade"]


async def test_a_grant_reaches_only_its_tenants(talk: Talk) -> None:
    """As many as were chosen."""
    await talk.connect(tenants=[talk.tenants[1]])

    assert (await talk.get("Invoices", page="1")).status_code == 200
    status, answer = await talk.refused("POST", "/grants", {"tenants": ["nope"]})
    missing, _ = await talk.refused("DELETE", "/grants/nope")
    assert (status, missing) == (404, 404)
    assert len(answer["known"]) == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=many", "limit: Input should be a valid integer"),
        ("calmWithinSeconds=abc", "calmWithinSeconds: Input should be a valid number"),
        ("calmWithinSeconds=nan", "calmWithinSeconds: Input should be a finite number"),
        ("limit=-1", "limit: Input should be greater than or equal to 0"),
        ("limits=1", "limits: Extra inputs are not permitted"),
    ],
)
async def test_mistakes_in_a_query_name_the_parameter(talk: Talk, query: str, said: str) -> None:
    """400, with those there are."""
    status, answer = await talk.refused("GET", f"/webhooks?{query}")

    assert (status, answer["known"]) == (400, ["calmWithinSeconds", "limit"])
    assert answer["error"].startswith(said)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/clock", b"[]", "the body: Input should be an object"),
        ("/clock", b"{", "the body: Invalid JSON"),
        ("/clock", b'{"rate": "fast"}', "rate: Input should be a valid number"),
        ("/faults", b'{"rules": 1}', "rules: Input should be a valid list"),
        ("/faults", b'{"rules": [{"operation": "get"}]}', "rules.0.fault: Field required"),
        ("/webhooks", b'{"url": "nope"}', "url: not an http"),
    ],
)
async def test_mistakes_in_a_body_name_the_place(talk: Talk, path: str, body: bytes, said: str) -> None:
    """And what is wrong there."""
    answer = await talk.http.put(f"/_sim{path}", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(said)


@pytest.mark.parametrize("path", ["/", "/_sim/nope", "/_sim/clock/now", "/connect/nope"])
async def test_an_unknown_address_says_where_to_look(talk: Talk, path: str) -> None:
    """404 with the way to the index; a known one with another method is still 405."""
    unknown = await talk.http.get(path)
    other = await talk.http.delete("/_sim/clock")

    assert unknown.status_code == 404
    assert unknown.json() == {"error": f"nothing at {path}; GET /_sim lists every route"}
    assert (other.status_code, other.headers["Allow"]) == (405, "GET,HEAD,PUT")


async def test_what_no_row_of_the_accounting_api_has(talk: Talk) -> None:
    """Names that Xero has not are 404; what Xero has, methods and depths without a row 501: as the page of the simulator says."""
    asked = [
        ("GET", "Receipts"),
        ("GET", "Employees"),
        ("PUT", "Nope"),
        ("PATCH", "Invoices"),
        ("DELETE", "Invoices"),
        ("GET", "A/1/2/3/4"),
    ]
    answers = [
        (await talk.http.request(method, f"/api.xro/2.0/{path}", headers=talk.headers())).status_code
        for method, path in asked
    ]

    assert answers == [501, 404, 404, 501, 501, 501]
