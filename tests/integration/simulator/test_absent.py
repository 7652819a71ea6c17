"""What is not modelled says so; what Xero has not either is not found. Every address of the published OpenAPI is asked."""

import re
from typing import Any

import pytest

from simulator.accounting_api.facts import FACTS, PATHS
from simulator.books.words import Endpoint
from simulator.identity.grants import DEFAULT_SCOPES
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk
from tests.integration.simulator.test_openapi import PUBLISHED, accounting, complaints, published
from tests.support.unconfirmed import unconfirmed

SOME = "20000000-0000-4000-8000-000000000001"

NOT_MODELLED = {
    "/BrandingThemes/{BrandingThemeID}/PaymentServices",
    "/Contacts/{ContactID}/CISSettings",
    "/ExpenseClaims",
    "/ExpenseClaims/{ExpenseClaimID}",
    "/ExpenseClaims/{ExpenseClaimID}/History",
    "/InvoiceReminders/Settings",
    "/Organisation/{OrganisationID}/CISSettings",
    "/Receipts",
    "/Receipts/{ReceiptID}",
    "/Receipts/{ReceiptID}/Attachments",
    "/Receipts/{ReceiptID}/Attachments/{AttachmentID}",
    "/Receipts/{ReceiptID}/Attachments/{FileName}",
    "/Receipts/{ReceiptID}/History",
    "/Reports",
    "/Reports/TenNinetyNine",
    "/Reports/{ReportID}",
}
"""Addresses that are read with 501."""


@pytest.fixture
async def talk(start: Start) -> Talk:
    """A client of one organisation, with every scope."""
    talk = (await start(tenants=1, contacts=15, invoices=60, credit_notes=10)).talk
    await talk.connect(scopes=[*DEFAULT_SCOPES])
    await talk.control("PUT", "/limits", {"minute": 10_000})
    return talk


async def ids_of(talk: Talk) -> dict[str, str]:
    """An id for each name in braces."""
    found = {"FileName": "x.pdf", "ReportID": SOME, "ReceiptID": SOME, "ExpenseClaimID": SOME}
    for endpoint in Endpoint:
        rows = await talk.truth(endpoint)
        found[FACTS[endpoint].id_field] = rows[0][FACTS[endpoint].id_field]
    options = await talk.rows("TrackingCategories")
    return found | {"TrackingOptionID": options[0]["Options"][0]["TrackingOptionID"]}


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"there is no copy of Xero's OpenAPI at {PUBLISHED}")
async def test_every_address_is_read_or_says_that_it_is_not_modelled(talk: Talk) -> None:
    """501 for exactly those listed; never 404 where nothing is missing."""
    ids = await ids_of(talk)
    contact = (await talk.truth("Contacts"))[0]["ContactID"]
    refused, wrong = set(), {}
    for path, methods in published("xero_accounting.yaml")["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if "get" not in methods or names[1:] or (names and names[0] not in ids):
            continue  # by number, and below attachments, are tested elsewhere
        answer = await talk.get(
            path.format(**ids).removeprefix("/"), **({"contactID": contact} if "Aged" in path else {})
        )
        if answer.status_code == 501:
            refused.add(path)
            assert "does not model" in answer.text
        elif answer.status_code != 200:
            wrong[path] = answer.text

    two_names = {path for path in NOT_MODELLED if path.count("{") > 1}
    assert refused == NOT_MODELLED - two_names
    assert list(wrong) == ["/Invoices/{InvoiceID}/OnlineInvoice"] or not wrong, wrong


@pytest.mark.parametrize(
    "path", ["Receipts/{id}/Attachments/{id}", "ExpenseClaims/{id}", "Setup", "Contacts/{id}/CISSettings"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_what_is_not_modelled_says_what(talk: Talk, path: str, method: str) -> None:
    """Whatever is done there, with the method and the address in the answer."""
    path = path.format(id=SOME)
    answer = await talk.http.request(method, f"/api.xro/2.0/{path}", headers=talk.headers())

    assert answer.status_code == 501
    assert f"{method} /{path}" in answer.text


@pytest.mark.parametrize("path", ["Nonsense", f"Nonsense/{SOME}", f"Invoices/{SOME}", "Employees"])
async def test_what_xero_has_not_is_not_found(talk: Talk, path: str) -> None:
    """Another name, a record that is missing, and what was removed."""
    assert path.partition("/")[0].lower() not in PATHS or SOME in path
    assert (await talk.get(path)).status_code == 404


@unconfirmed("A draft, a bill and a void invoice have no address for customers: a validation error.")
async def test_an_approved_sales_invoice_has_an_address(talk: Talk) -> None:
    """Always the same; other invoices have none."""
    rows = await talk.truth("Invoices")
    statuses: dict[tuple[str, str], Any] = {}
    for row in rows:
        answer = await talk.get(f"Invoices/{row['InvoiceID']}/OnlineInvoice")
        again = await talk.get(f"Invoices/{row['InvoiceID']}/onlineinvoice")
        statuses[row["Type"], row["Status"]] = answer.status_code
        if answer.status_code == 200:
            (one,) = answer.json()["OnlineInvoices"]
            assert one["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
            assert again.json()["OnlineInvoices"] == [one]
    assert {kind for kind, status in statuses.items() if status == 200} == {
        ("ACCREC", "AUTHORISED"),
        ("ACCREC", "PAID"),
    }
    assert set(statuses.values()) == {200, 400}


async def test_actions_of_an_organisation(talk: Talk) -> None:
    """Everything that the published example lists; the organisation has two currencies."""
    document = (await talk.get("Organisation/Actions")).json()

    assert {"Name": "UseMulticurrency", "Status": "ALLOWED"} in document["Actions"]
    assert {one["Status"] for one in document["Actions"]} == {"ALLOWED"}
    if PUBLISHED.is_dir():
        assert complaints(accounting("Actions"), document) == []


@pytest.mark.parametrize("endpoint", ["Invoices", "CreditNotes", "PurchaseOrders", "Quotes"])
async def test_a_pdf_has_an_address_of_its_own(talk: Talk, endpoint: str) -> None:
    """The one that Xero's SDKs ask for."""
    ids = await ids_of(talk)
    answer = await talk.get(
        f"{endpoint}/{ids[FACTS[Endpoint(endpoint)].id_field]}/pdf", headers={"Accept": "application/pdf"}
    )

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
