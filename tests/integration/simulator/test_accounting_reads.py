"""Reading invoices, contacts and credit notes over HTTP."""

import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk

ID = {"Invoices": "InvoiceID", "Contacts": "ContactID", "CreditNotes": "CreditNoteID"}
ENDPOINTS = sorted(ID)


def stamp(row: dict[str, Any]) -> int:
    """``UpdatedDateUTC`` in milliseconds."""
    return int(row["UpdatedDateUTC"].removeprefix("/Date(").partition("+")[0])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_pages_give_every_record_once_in_order(talk: Talk, endpoint: str) -> None:
    """By UpdatedDateUTC and id; pagination adds up."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = await talk.get(endpoint, page=str(page), pageSize="7", includeArchived="true")
        document = answer.json()
        found += document[endpoint]
        if page >= document["pagination"]["pageCount"]:
            break
        page += 1

    truth = await talk.truth(endpoint)
    keys = [(stamp(row), row[ID[endpoint]]) for row in found]
    assert keys == sorted(keys)
    assert [row[ID[endpoint]] for row in found] == [row[ID[endpoint]] for row in truth]
    assert document["pagination"]["itemCount"] == len(truth)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_single_get_is_the_truth(talk: Talk, endpoint: str) -> None:
    """To the last field, with unitdp=4; the endpoint's name in any letter case."""
    for row in (await talk.truth(endpoint))[:5]:
        answer = await talk.get(f"{endpoint.lower()}/{row[ID[endpoint]]}", unitdp="4")
        assert answer.json()[endpoint] == [row]
        one = await talk.control("GET", f"/truth/{talk.tenants[0]}/{endpoint}/{row[ID[endpoint]]}")
        assert one == row


@pytest.mark.parametrize("endpoint", ["Invoices", "Contacts"])
async def test_ids_answer_what_was_asked_for(talk: Talk, endpoint: str) -> None:
    """With raw and with encoded commas; a page of them, as full as any page."""
    wanted = [row[ID[endpoint]] for row in (await talk.truth(endpoint))[:4]]
    everything = {row[ID[endpoint]]: row for row in await talk.rows(endpoint, page="1", includeArchived="true")}

    raw = await talk.http.get(
        f"/api.xro/2.0/{endpoint}?IDs={','.join(wanted)}&page=1&includeArchived=true", headers=talk.headers()
    )
    encoded = await talk.http.get(
        f"/api.xro/2.0/{endpoint}?IDs={'%2C'.join(wanted)}&page=1&includeArchived=true", headers=talk.headers()
    )

    assert raw.json()[endpoint] == [everything[one] for one in wanted]
    assert encoded.json()[endpoint] == raw.json()[endpoint]


async def test_too_many_ids_look_not_found(talk: Talk) -> None:
    """52 pass, 53 are a 404 in HTML, and so is a long query string."""
    ids = ["00000000-0000-4000-8000-%012d" % number for number in range(53)]  # noqa: UP031 - shorter than its format

    passed = await talk.http.get(f"/api.xro/2.0/Invoices?IDs={','.join(ids[:52])}&page=1", headers=talk.headers())
    refused = await talk.http.get(f"/api.xro/2.0/Invoices?IDs={','.join(ids)}", headers=talk.headers())
    long = await talk.get("Invoices", where="x" * 2050)

    assert passed.status_code == 200
    assert (refused.status_code, refused.headers["content-type"]) == (404, "text/html")
    assert long.status_code == 404


async def test_ids_are_ignored_where_xero_ignores_them(talk: Talk) -> None:
    """CreditNotes answers everything; where-OR is how to fetch them."""
    truth = await talk.truth("CreditNotes")
    wanted = [row["CreditNoteID"] for row in truth[:3]]

    ignored = await talk.rows("CreditNotes", IDs=wanted[0], page="1")
    chosen = await talk.rows(
        "CreditNotes", where=" OR ".join(f'CreditNoteID==Guid("{one}")' for one in wanted), page="1"
    )

    assert len(ignored) == len(truth)
    assert [row["CreditNoteID"] for row in chosen] == wanted


async def test_the_three_forms_differ_as_xeros_do(talk: Talk) -> None:
    """Summary without lines, page with a short contact, single with all."""
    truth = next(row for row in await talk.truth("Invoices") if row["LineItems"])
    found = {}
    found["summary"] = next(row for row in await talk.rows("Invoices") if row["InvoiceID"] == truth["InvoiceID"])
    found["page"] = (await talk.rows("Invoices", IDs=truth["InvoiceID"], page="1"))[0]
    found["single"] = (await talk.get(f"Invoices/{truth['InvoiceID']}")).json()["Invoices"][0]

    assert [len(found[form]["LineItems"]) for form in ("summary", "page")] == [0, len(truth["LineItems"])]
    assert ["EmailAddress" in found[form]["Contact"] for form in ("summary", "page", "single")] == [
        False,
        False,
        True,
    ]
    short = await talk.rows("Invoices", summaryOnly="true")
    assert not {"LineItems", "Payments", "HasAttachments"} & set(short[0])


async def test_if_modified_since_is_inclusive_to_the_second(talk: Talk) -> None:
    """What changed in that second or later; a malformed one answers everything."""
    truth = await talk.truth("Invoices")
    middle = stamp(truth[20])
    header = datetime.fromtimestamp(middle // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")

    some = await talk.get("Invoices", headers={"If-Modified-Since": header}, page="1", pageSize="1000")
    broken = await talk.get("Invoices", headers={"If-Modified-Since": "last tuesday"}, page="1", pageSize="1000")

    assert [row["InvoiceID"] for row in some.json()["Invoices"]] == [row["InvoiceID"] for row in truth[20:]]
    assert len(broken.json()["Invoices"]) == len(truth)


async def test_archived_contacts_need_to_be_asked_for(talk: Talk) -> None:
    """In lists and in IDs=; a single GET shows them."""
    (edit,) = await talk.edit(tenantId=talk.tenants[0], endpoint="Contacts", kind="archive")

    listed = await talk.rows("Contacts", page="1", pageSize="1000")
    by_id = await talk.rows("Contacts", page="1", IDs=edit["id"])
    asked = await talk.rows("Contacts", page="1", IDs=edit["id"], includeArchived="true")
    single = (await talk.get(f"Contacts/{edit['id']}")).json()["Contacts"]

    assert edit["id"] not in {row["ContactID"] for row in listed}
    assert by_id == []
    assert [row["ContactStatus"] for row in (*asked, *single)] == ["ARCHIVED", "ARCHIVED"]


async def test_filters_and_orders(talk: Talk) -> None:
    """Statuses, where, order."""
    truth = await talk.truth("Invoices")
    paid = {row["InvoiceID"] for row in truth if row["Status"] == "PAID"}

    by_statuses = await talk.rows("Invoices", Statuses="PAID", page="1", pageSize="1000")
    by_where = await talk.rows("Invoices", where='Status=="PAID"', page="1", pageSize="1000")
    latest = await talk.rows("Invoices", order="UpdatedDateUTC DESC", page="1", pageSize="1")

    assert {row["InvoiceID"] for row in by_statuses} == paid
    assert {row["InvoiceID"] for row in by_where} == paid
    assert latest[0]["InvoiceID"] == truth[-1]["InvoiceID"]


async def test_mistakes_are_answered_in_xeros_words(talk: Talk) -> None:
    """HTML for parameters, JSON for queries, HTML for what isn't there."""
    ids = await talk.get("Invoices", IDs="nonsense", page="1")
    where = await talk.get("Invoices", where="Nope==1", page="1")
    missing = await talk.get("Invoices/00000000-0000-4000-8000-000000000000")
    endpoint = await talk.get("Nonsense")

    assert (ids.status_code, ids.text) == (400, "Supplied parameter 'Ids' cannot be parsed - must be of type UUID.")
    assert (where.status_code, where.json()["Type"]) == (400, "QueryParseException")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert endpoint.status_code == 404


async def test_json_must_be_asked_for(talk: Talk) -> None:
    """Else the answer is XML, never JSON."""
    for accept in ("*/*", "text/html"):
        answer = await talk.get("Invoices", headers={"Accept": accept}, page="1")
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.text.startswith("<Response")


async def test_every_answer_carries_xeros_headers_and_its_own_date(start: Start) -> None:
    """Remaining calls, a correlation id, and Date by the simulator's clock."""
    talk = (await start(clock_start=datetime(2027, 3, 1, tzinfo=UTC), clock_rate=0)).talk
    await talk.connect()

    first, second = await talk.get("Invoices", page="1"), await talk.get("Contacts", page="1")

    assert int(first.headers["x-minlimit-remaining"]) - int(second.headers["x-minlimit-remaining"]) == 1
    assert first.headers["x-daylimit-remaining"] == "4999"
    assert first.headers["x-appminlimit-remaining"] == "9999"
    assert first.headers["xero-correlation-id"] != second.headers["xero-correlation-id"]
    assert parsedate_to_datetime(first.headers["date"]) == datetime(2027, 3, 1, tzinfo=UTC)
    assert first.json()["DateTimeUTC"] == "/Date(1803859200000)/"


async def test_new_records_appear_at_the_end(talk: Talk) -> None:
    """With a stamp of now, in milliseconds, and its twin in seconds."""
    before = (await talk.control("GET", "/clock"))["nowMs"]
    (edit,) = await talk.edit(tenantId=talk.tenants[0], endpoint="Invoices", kind="create")

    last = (await talk.truth("Invoices"))[-1]

    assert last["InvoiceID"] == edit["id"]
    assert stamp(last) == edit["records"][-1]["updatedMs"] >= before
    text = datetime.fromtimestamp(stamp(last) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert last["UpdatedDateUTCString"] == text


def spellings(one: str) -> list[str]:
    """An id in the spellings that .NET takes."""
    return [one.upper(), one.replace("-", ""), f"{{{one}}}", f"({one})"]


async def test_an_id_is_the_same_however_it_is_spelled(talk: Talk) -> None:
    """In the address, in ``IDs=``, in ``ContactIDs=``, in ``where``, and as the organisation of a request."""
    row = next(row for row in await talk.truth("Invoices") if row["Type"] == "ACCREC")
    contact = row["Contact"]["ContactID"]
    of_contact = await talk.rows("Invoices", page="1", ContactIDs=contact)

    for one, other in zip(spellings(row["InvoiceID"]), spellings(contact), strict=True):
        assert (await talk.rows("Invoices", IDs=one, page="1"))[0]["InvoiceID"] == row["InvoiceID"]
        assert (await talk.get(f"Invoices/{one}")).json()["Invoices"][0]["InvoiceID"] == row["InvoiceID"]
        assert await talk.rows("Invoices", page="1", ContactIDs=other) == of_contact
        assert await talk.rows("Invoices", page="1", where=f'Contact.ContactID==Guid("{other}")') == of_contact
        headers = {"xero-tenant-id": spellings(talk.tenants[0])[spellings(contact).index(other)]}
        assert (await talk.get("Organisation", headers=headers)).status_code == 200


async def test_an_id_in_a_body_is_the_same_however_it_is_spelled(talk: Talk) -> None:
    """The contact of an invoice."""
    contact = (await talk.rows("Contacts", page="1"))[0]["ContactID"]
    for spelled in spellings(contact):
        body = {"Type": "ACCREC", "Contact": {"ContactID": spelled}, "LineItems": [{"Description": "x"}]}
        answer = await talk.http.put("/api.xro/2.0/Invoices", json=body, headers=talk.headers())
        assert answer.json()["Invoices"][0]["Contact"]["ContactID"] == contact


async def test_if_modified_since_is_read_in_https_own_form(talk: Talk) -> None:
    """RFC 1123's date, which older SDKs of Xero's and pyxero send, asks for the same as ISO's."""
    rows = await talk.truth("Invoices")
    since = datetime.fromtimestamp(stamp(rows[len(rows) // 2]) // 1000, UTC)
    iso = await talk.get("Invoices", headers={"If-Modified-Since": f"{since:%Y-%m-%dT%H:%M:%S}"})
    rfc = await talk.get("Invoices", headers={"If-Modified-Since": f"{since:%a, %d %b %Y %H:%M:%S} GMT"})

    assert rfc.json()["Invoices"] == iso.json()["Invoices"]
    assert 0 < len(rfc.json()["Invoices"]) < len(rows)


@pytest.mark.parametrize(
    "path",
    ["Invoices/", "Invoices/{id}/", "Invoices/{id}/history/", "Invoices/{id}/Attachments/", "Reports/TrialBalance/"],
)
async def test_a_slash_at_the_end_changes_nothing(talk: Talk, path: str) -> None:
    """Lists, single records, what is below them, reports."""
    path = path.format(id=(await talk.truth("Invoices"))[0]["InvoiceID"])
    without, with_slash = await talk.get(path.rstrip("/")), await talk.get(path)

    assert (with_slash.status_code, without.status_code) == (200, 200)
    assert set(with_slash.json()) == set(without.json())


async def test_days_need_no_zeros(talk: Talk) -> None:
    """``2026-6-1`` is what pyxero sends."""
    for endpoint in ("PurchaseOrders", "Quotes"):
        padded = await talk.rows(endpoint, DateFrom="2026-03-01", DateTo="2026-09-09")
        assert await talk.rows(endpoint, DateFrom="2026-3-1", DateTo="2026-9-9") == padded
        assert padded
    report = await talk.get("Reports/ProfitAndLoss", fromDate="2026-3-1", toDate="2026-9-9")
    assert report.status_code == 200


async def raw(talk: Talk, path: str, accepted: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer as they were sent."""
    request = talk.http.build_request(
        "GET", f"/api.xro/2.0/{path}", headers=talk.headers() | {"Accept-Encoding": accepted}
    )
    answer = await talk.http.send(request, stream=True)
    body = b"".join([part async for part in answer.aiter_raw()])
    await answer.aclose()
    return dict(answer.headers), body


async def test_answers_are_packed_for_who_takes_gzip(talk: Talk) -> None:
    """The same bytes inside; short answers, and who does not ask, get them plain."""
    headers, packed = await raw(talk, "Invoices?page=1&pageSize=20", "gzip, deflate")
    plain_headers, plain = await raw(talk, "Invoices?page=1&pageSize=20", "identity")
    short_headers, _ = await raw(talk, "Currencies", "gzip")

    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(headers["content-length"]) == len(packed) < len(plain) / 3
    assert zlib.decompress(packed, 31).partition(b'"Invoices"')[2] == plain.partition(b'"Invoices"')[2]
    assert "content-encoding" not in plain_headers | short_headers
