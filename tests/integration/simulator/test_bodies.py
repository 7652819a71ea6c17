"""Bodies that are not JSON."""

from typing import Any

import httpx
import pytest

from tests.integration.simulator.rig import Talk

INVOICE = """<Invoice><Type>ACCREC</Type><Contact><Name>Ridge Books</Name><Addresses><Address><AddressType>STREET</AddressType>
<AddressLine1>1 High Street</AddressLine1></Address></Addresses></Contact><Date>2026-11-02T00:00:00</Date><DueDate>2026-11-20</DueDate>
<Status>AUTHORISED</Status><LineItems><LineItem><Description>Work &amp; travel</Description><Quantity>2.5</Quantity>
<UnitAmount>10.00</UnitAmount><AccountCode>200</AccountCode><Tracking><TrackingCategory><Name>Region</Name><Option>North</Option>
</TrackingCategory></Tracking></LineItem></LineItems><SentToContact>true</SentToContact></Invoice>"""


async def put(talk: Talk, path: str, body: str | bytes, content_type: str) -> httpx.Response:
    """Send a body as it is."""
    return await talk.http.put(
        f"/api.xro/2.0/{path}", content=body, headers=talk.headers() | {"Content-Type": content_type}
    )


@pytest.mark.parametrize(
    "content_type", ["application/xml", "text/xml; charset=utf-8", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize(
    "body", [INVOICE, f"<Invoices>{INVOICE}{INVOICE}</Invoices>", f'\ufeff<?xml version="1.0"?>{INVOICE}']
)
async def test_xml_is_read_as_the_same_elements(talk: Talk, content_type: str, body: str) -> None:
    """One at the root, or a list; numbers, flags, dates and lists inside."""
    answer = await put(talk, "Invoices?unitdp=4", body, content_type)

    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["Invoices"]
    assert len(rows) == body.count("<Invoice>")
    assert (rows[0]["Total"], rows[0]["Status"], rows[0]["DateString"]) == (28.75, "AUTHORISED", "2026-11-02T00:00:00")
    assert rows[0]["LineItems"][0]["Description"] == "Work & travel"
    assert rows[0]["LineItems"][0]["Tracking"][0]["Option"] == "North"
    assert rows[0]["Contact"]["Addresses"][0]["AddressLine1"] == "1 High Street"
    assert rows[0]["SentToContact"] is True


@pytest.mark.parametrize(
    "body",
    [
        "<Invoice>",
        "<Invoices></Invoices>",
        "<Invoice/>",
        "<Invoices>text</Invoices>",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><Invoice><Type>&a;</Type></Invoice>',
        "<a>" * 100_000,
        b"<Invoice>\xff</Invoice>",
        "{}",
    ],
)
async def test_bad_xml_is_said_to_be_xml(talk: Talk, body: str | bytes) -> None:
    """Not JSON's words, no broken answer."""
    answer = await put(talk, "Invoices", body, "application/xml")

    assert answer.status_code == 400
    assert answer.json()["Type"] == "PostDataInvalidException"
    assert answer.json()["Message"].startswith("XML for post data was invalid")


@pytest.mark.parametrize("content_type", ["text/csv", "multipart/form-data; boundary=x", "application/octet"])
async def test_other_types_are_refused_by_name(talk: Talk, content_type: str) -> None:
    """415 with what is read instead."""
    answer = await put(talk, "Contacts", "Name", content_type)

    assert answer.status_code == 415
    assert content_type.partition(";")[0] in answer.text
    assert "JSON or XML" in answer.text


async def test_credit_is_applied_in_xml_by_its_older_name(talk: Talk) -> None:
    """``AppliedAmount``, as pyxero sends it."""
    note = next(
        row for row in await talk.truth("CreditNotes") if row["RemainingCredit"] > 1 and row["Status"] == "AUTHORISED"
    )
    kind = note["Type"].removesuffix("CREDIT")
    body = f"""<Invoice><Type>{kind}</Type><Contact><ContactID>{note["Contact"]["ContactID"]}</ContactID></Contact>
    <Status>AUTHORISED</Status><DueDate>2026-12-01</DueDate><LineItems><LineItem><Description>x</Description><UnitAmount>5</UnitAmount>
    <AccountCode>200</AccountCode></LineItem></LineItems></Invoice>"""
    invoice = (await put(talk, "Invoices", body, "text/xml")).json()["Invoices"][0]["InvoiceID"]
    allocation = (
        f"<Allocation><Invoice><InvoiceID>{invoice}</InvoiceID></Invoice><AppliedAmount>1</AppliedAmount></Allocation>"
    )
    answer = await put(talk, f"CreditNotes/{note['CreditNoteID']}/Allocations", allocation, "application/xml")

    assert answer.json()["Allocations"][0]["Amount"] == 1.0
