"""Writing over HTTP: what the official clients send, keys, faults, scopes, announcements, the published schema."""

from typing import Any

import httpx
import pytest

from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Receiver, Talk
from tests.integration.simulator.test_openapi import PUBLISHED, accounting, complaints
from tests.support.unconfirmed import unconfirmed

LINE = {"Description": "Consulting", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
ENDPOINTS = pytest.mark.parametrize("endpoint", ["Invoices", "Contacts", "CreditNotes"])
published = pytest.mark.skipif(
    not (PUBLISHED / "xero_accounting.yaml").is_file(),
    reason=f"Xero's OpenAPI documents are not part of the project and there is no copy at {PUBLISHED}",
)


async def write(
    talk: Talk, method: str, path: str, body: Any = None, *, key: str = "", tenant: str | None = None, **parameters: str
) -> httpx.Response:
    """A request to write."""
    headers = talk.headers(tenant) | ({"Idempotency-Key": key} if key else {})
    return await talk.http.request(method, f"/api.xro/2.0/{path}", json=body, params=parameters, headers=headers)


async def element(talk: Talk, endpoint: str, *, good: bool = True) -> dict[str, Any]:
    """An element to create, or one that is refused."""
    if endpoint == "Contacts":
        return {"Name": "Brand New Ltd", "EmailAddress": "a@b.example" if good else "no"}
    contact = (await talk.rows("Contacts"))[0]["ContactID"]
    line = LINE if good else {**LINE, "AccountCode": "999"}
    kind = {"Invoices": "ACCREC", "CreditNotes": "ACCRECCREDIT"}[endpoint]
    return {"Type": kind, "Contact": {"ContactID": contact}, "Date": "2026-11-20", "LineItems": [line]}


@published
@ENDPOINTS
async def test_every_answer_to_a_write_fits_the_schema(talk: Talk, endpoint: str) -> None:
    """Created, refused, row by row and summarised."""
    good, bad = await element(talk, endpoint), await element(talk, endpoint, good=False)

    rows = await write(talk, "PUT", endpoint, {endpoint: [good, bad]}, summarizeErrors="false", unitdp="4")
    summary = await write(talk, "PUT", endpoint, {endpoint: [bad]})
    updated = await write(talk, "POST", endpoint, {endpoint: [rows.json()[endpoint][0]]}, summarizeErrors="false")

    assert [rows.status_code, summary.status_code, updated.status_code] == [200, 400, 200]
    assert [row["StatusAttributeString"] for row in rows.json()[endpoint]] == ["OK", "ERROR"]
    assert [row["StatusAttributeString"] for row in updated.json()[endpoint]] == ["OK"], updated.text
    assert complaints(accounting(endpoint), rows.json()) == complaints(accounting(endpoint), updated.json()) == []
    assert complaints(accounting("Error"), summary.json()) == []


@published
async def test_answers_about_parts_fit_the_schema(talk: Talk) -> None:
    """Files, notes, credit given and taken back."""
    made = await write(
        talk, "PUT", "Invoices", await element(talk, "Invoices") | {"Status": "AUTHORISED", "DueDate": "2026-12-01"}
    )
    credit = await write(talk, "PUT", "CreditNotes", await element(talk, "CreditNotes") | {"Status": "AUTHORISED"})
    invoice, note = made.json()["Invoices"][0]["InvoiceID"], credit.json()["CreditNotes"][0]["CreditNoteID"]

    file = await write(talk, "PUT", f"Invoices/{invoice}/Attachments/a.pdf", {"any": "bytes"}, IncludeOnline="true")
    files = await write(talk, "GET", f"Invoices/{invoice}/Attachments")
    noted = await write(
        talk,
        "PUT",
        f"Contacts/{(await talk.rows('Contacts'))[0]['ContactID']}/History",
        {"HistoryRecords": [{"Details": "x"}]},
    )
    applied = await write(
        talk,
        "PUT",
        f"CreditNotes/{note}/Allocations",
        {"Allocations": [{"Amount": 5, "Date": "2026-11-21", "Invoice": {"InvoiceID": invoice}}]},
    )
    allocation = applied.json()["Allocations"][0]["AllocationID"]
    back = await write(talk, "DELETE", f"CreditNotes/{note}/Allocations/{allocation}")
    bad = await write(talk, "PUT", f"CreditNotes/{note}/Allocations", {"Allocations": [{"Amount": 5}]})

    for answer, schema in (
        (file, "Attachments"),
        (files, "Attachments"),
        (noted, "HistoryRecords"),
        (applied, "Allocations"),
        (back, "Allocation"),
        (bad, "Error"),
    ):
        assert complaints(accounting(schema), answer.json()) == [], schema
    assert [answer.status_code for answer in (file, files, noted, applied, back, bad)] == [200] * 5 + [400]


@ENDPOINTS
async def test_a_key_replays_its_answer(talk: Talk, endpoint: str) -> None:
    """For six minutes: a second record is not made; a refusal is replayed too, even where it would pass by now."""
    good = await element(talk, endpoint)

    first = await write(talk, "PUT", endpoint, {endpoint: [good]}, key="k")
    again = await write(talk, "PUT", endpoint, {endpoint: [good]}, key="k")
    other = await write(talk, "PUT", endpoint, {endpoint: [good | {"Reference": "x"}]}, key="k")
    method = await write(talk, "POST", endpoint, {endpoint: [good]}, key="k")

    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert [other.status_code, method.status_code] == [400, 400]
    assert "used with a different request" in other.json()["Message"]


async def test_after_six_minutes_the_key_is_new(talk: Talk) -> None:
    """The trap: the same request with the same key makes a second invoice."""
    good = await element(talk, "Invoices")
    first = await write(talk, "PUT", "Invoices", good, key="k")

    await talk.ahead(6 * 60 - 20)
    within = await write(talk, "PUT", "Invoices", good, key="k")
    await talk.ahead(20)
    after = await write(talk, "PUT", "Invoices", good, key="k")

    ids = [answer.json()["Invoices"][0]["InvoiceID"] for answer in (first, within, after)]
    assert ids[0] == ids[1] != ids[2]


async def test_refusals_are_replayed_too(talk: Talk) -> None:
    """The reason is fixed, but the key remembers."""
    bad = {"Name": (await talk.rows("Contacts"))[0]["Name"]}
    taken = await write(talk, "PUT", "Contacts", bad, key="k")
    namesake = (await talk.rows("Contacts"))[0]["ContactID"]
    await write(talk, "POST", f"Contacts/{namesake}", {"Name": "Renamed Ltd"})

    with_key = await write(talk, "PUT", "Contacts", bad, key="k")
    without = await write(talk, "PUT", "Contacts", bad)

    assert [taken.status_code, with_key.status_code, without.status_code] == [400, 400, 200]
    assert with_key.content == taken.content


@unconfirmed("that a key counts for one organisation's request, and that 429, 401 and 403 are not remembered")
async def test_keys_across_organisations_and_refusals_at_the_door(talk: Talk) -> None:
    """Another organisation is another request; a 429 leaves nothing behind."""
    contact = {"Name": "Door Ltd"}
    await talk.faults({"operation": "write", "times": 1, "fault": {"kind": "rate_limit", "problem": "minute"}})

    turned_away = await write(talk, "PUT", "Contacts", contact, key="k")
    done = await write(talk, "PUT", "Contacts", contact, key="k")
    elsewhere = await write(talk, "PUT", "Contacts", contact, key="k", tenant=talk.tenants[1])

    assert [turned_away.status_code, done.status_code, elsewhere.status_code] == [429, 200, 400]


async def test_replays_count_as_calls(talk: Talk) -> None:
    """Each takes one from the minute."""
    left = [
        int((await write(talk, "PUT", "Contacts", {"Name": "Once"}, key="k")).headers["x-minlimit-remaining"])
        for _ in range(3)
    ]

    assert left == [59, 58, 57]


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ({"kind": "status", "status": 503}, False),
        ({"kind": "status", "status": 500, "handled": True}, True),
        ({"kind": "reset"}, True),
        ({"kind": "reset", "handled": False}, False),
        ({"kind": "truncate"}, True),
    ],
    ids=["503", "handled 500", "reset", "unhandled reset", "truncated"],
)
async def test_a_fault_says_whether_the_write_took_effect(talk: Talk, fault: dict[str, Any], done: bool) -> None:
    """The answer is lost either way; the key then brings the true one."""
    await talk.faults({"operation": "write", "endpoint": "Contacts", "times": 1, "fault": fault})
    before = len(await talk.truth("Contacts"))

    try:
        lost = await write(talk, "PUT", "Contacts", {"Name": "Lost Ltd"}, key="k")
        assert lost.status_code >= 400 or fault["kind"] == "truncate"
    except httpx.TransportError:
        pass

    assert await talk.fired() == [1]
    assert len(await talk.truth("Contacts")) == before + done
    assert (await write(talk, "PUT", "Contacts", {"Name": "Lost Ltd"}, key="k")).status_code == 200
    assert len(await talk.truth("Contacts")) == before + 1


async def test_writing_needs_more_than_the_read_scope(talk: Talk) -> None:
    """401 in Xero's shape; attachments have a scope of their own."""
    await talk.connect(scopes=["offline_access", "accounting.invoices.read", "accounting.contacts"])
    invoice = (await talk.truth("Invoices"))[0]["InvoiceID"]

    refused = await write(talk, "PUT", "Invoices", {"Type": "ACCREC"})
    allowed = await write(talk, "PUT", "Contacts", {"Name": "Scoped Ltd"})
    files = await write(talk, "GET", f"Invoices/{invoice}/Attachments")

    assert [refused.status_code, allowed.status_code, files.status_code] == [401, 200, 401]
    assert refused.json()["Detail"] == "AuthorizationUnsuccessful"


async def test_writes_are_announced(start: Start, receiver: Receiver) -> None:
    """CREATE and UPDATE, as edits are; nothing for what was refused."""
    talk = (await start(webhook_url=receiver.url)).talk
    await talk.connect()

    made = await write(talk, "PUT", "Contacts", {"Name": "Told Ltd"})
    contact = made.json()["Contacts"][0]["ContactID"]
    await write(talk, "POST", f"Contacts/{contact}", {"FirstName": "Ana"})
    await write(talk, "POST", f"Contacts/{contact}", {"EmailAddress": "no"})
    await talk.calm()

    told = [(event["eventCategory"], event["eventType"], event["resourceId"]) for event in receiver.events]
    assert told == [("CONTACT", "CREATE", contact), ("CONTACT", "UPDATE", contact)]


async def test_what_is_written_is_read(talk: Talk) -> None:
    """By id, in a page, as the truth; JSON only for who asks for it."""
    made = await write(talk, "PUT", "Invoices", {"Invoices": [await element(talk, "Invoices")]}, unitdp="4")
    row = made.json()["Invoices"][0]

    one = (await talk.get(f"Invoices/{row['InvoiceID']}", unitdp="4")).json()["Invoices"][0]
    page = await talk.rows(
        "Invoices", page="1", pageSize="1000", unitdp="4", where=f'InvoiceID==Guid("{row["InvoiceID"]}")'
    )
    xml = await talk.http.put(
        "/api.xro/2.0/Contacts", json={"Name": "Xml Ltd"}, headers=talk.headers() | {"Accept": "*/*"}
    )

    del row["StatusAttributeString"]
    assert row == one
    assert [found["InvoiceID"] for found in page] == [row["InvoiceID"]]
    assert xml.headers["content-type"].startswith("text/xml")


async def test_what_there_is_not(talk: Talk) -> None:
    """404 for unknown records and files, 501 for calls that Xero hasn't for them."""
    invoice = (await talk.truth("Invoices"))[0]["InvoiceID"]
    unknown = "00000000-0000-4000-8000-000000000000"
    asked = {
        ("POST", f"Invoices/{unknown}"): 404,
        ("GET", f"Invoices/{unknown}/History"): 404,
        ("GET", f"Invoices/{invoice}/Attachments/none.pdf"): 404,
        ("GET", f"Invoices/{invoice}/Nonsense"): 404,
        ("PUT", f"Invoices/{invoice}/Nonsense"): 501,
        ("PUT", f"Invoices/{invoice}/Email"): 501,
        ("DELETE", f"Invoices/{invoice}"): 501,
        ("PUT", "Nonsense"): 404,
    }

    answered = {place: (await write(talk, place[0], place[1], {"Reference": "x"})).status_code for place in asked}

    assert answered == asked


async def test_an_app_finds_the_invoices_that_it_made(start: Start) -> None:
    """``createdByMyApp=true``: not those of users, nor of other apps; updating one makes it nobody else's."""
    talk = (await start(tenants=1)).talk
    await talk.connect()
    made = (await write(talk, "PUT", "Invoices", await element(talk, "Invoices"))).json()["Invoices"][0]["InvoiceID"]
    mine = await talk.rows("Invoices", createdByMyApp="true", page="1")
    everything = await talk.rows("Invoices", createdByMyApp="false", page="1")

    await talk.connect(kind="client_credentials")
    none = await talk.rows("Invoices", createdByMyApp="true", page="1")
    await write(talk, "POST", f"Invoices/{made}", {"Reference": "PO 7"})
    still = await talk.rows("Invoices", createdByMyApp="true", page="1")

    assert [row["InvoiceID"] for row in mine] == [made]
    assert len(everything) > 1
    assert (none, still) == ([], [])
