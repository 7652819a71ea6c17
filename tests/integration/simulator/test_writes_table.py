"""The table of writes against Xero's published OpenAPI, and answers to writes of every endpoint against its schemas."""

import re
from typing import Any

import pytest

from simulator.accounting_api.facts import FACTS, PATHS
from simulator.accounting_api.parts import PARTS
from simulator.accounting_api.writers.table import WRITES, Verb
from simulator.books.words import Endpoint
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Talk
from tests.integration.simulator.test_accounting_writes import write
from tests.integration.simulator.test_openapi import PUBLISHED, accounting, complaints, published

NOT_MODELLED = {
    "ExpenseClaims": "deprecated",
    "Receipts": "deprecated",
    "Setup": "for conversion tools",
    "BrandingThemes/PaymentServices": "which services a theme shows",
}
"""Written at Xero, not here."""

pytestmark = pytest.mark.skipif(
    not (PUBLISHED / "xero_accounting.yaml").is_file(),
    reason=f"Xero's OpenAPI documents are not part of the project and there is no copy at {PUBLISHED}",
)
DATE = "2026-11-20"


def written() -> dict[tuple[str, str], list[str]]:
    """Verb and place of every operation that writes → its parameters."""
    found: dict[tuple[str, str], list[str]] = {}
    for path, operations in published("xero_accounting.yaml")["paths"].items():
        place = "/".join(part for part in path.split("/") if part and not part.startswith("{"))
        at_record = len(re.findall(r"{", path)) > 0
        for method in {"put", "post", "delete"} & set(operations):
            verb = f"{method.upper()} id" if at_record and "/" not in place else method.upper()
            parameters = operations[method].get("parameters", [])
            found[verb, place] = [str(one.get("name") or one["$ref"].rpartition("/")[2]) for one in parameters]
    return found


def test_what_can_be_written_is_what_xero_publishes() -> None:
    """Every operation is modelled or listed as not; nothing is modelled that Xero hasn't."""
    ours = {(str(verb), endpoint.value) for endpoint, writes in WRITES.items() for verb in writes.verbs}
    theirs = {key for key in written() if "/" not in key[1] and key[1] not in NOT_MODELLED}
    places = {place for _, place in written() if "/" in place} - set(NOT_MODELLED)
    written_parts = {part: endpoints for part, endpoints in PARTS.items() if part not in ("onlineinvoice", "pdf")}
    parts = {(endpoint.value, part) for part, endpoints in written_parts.items() for endpoint in endpoints}

    assert ours == theirs
    assert parts == {
        (place.partition("/")[0], place.partition("/")[2].lower())
        for place in places
        if place.partition("/")[0] not in NOT_MODELLED
    }


def test_where_rows_are_told_is_what_xero_publishes() -> None:
    """``summarizeErrors`` is taken where it is published."""
    for (verb, place), parameters in written().items():
        if place in PATHS.values() and verb in ("PUT", "POST"):
            assert (Verb(verb) in WRITES[Endpoint(place)].rows) is ("summarizeErrors" in parameters), (verb, place)


async def elements(talk: Talk) -> dict[Endpoint, tuple[dict[str, Any], dict[str, Any]]]:
    """For each endpoint an element to create, and one that is refused."""
    contact = {"ContactID": (await talk.rows("Contacts"))[0]["ContactID"]}
    line = {"Description": "Consulting", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
    lines = {"Contact": contact, "Date": DATE, "LineItems": [line]}
    bad_lines = lines | {"LineItems": [{**line, "AccountCode": "999"}]}
    invoice = next(
        row for row in await talk.truth("Invoices") if row["Status"] == "AUTHORISED" and row["AmountDue"] > 1
    )
    bill = next(row for row in await talk.truth("Invoices") if row["Type"] == "ACCPAY")
    bank = {"BankAccount": {"Code": "090"}, "Type": "SPEND"}
    pay = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": 0.5}
    schedule = {"Period": 1, "Unit": "MONTHLY", "DueDate": 9, "DueDateType": "OFFOLLOWINGMONTH", "StartDate": DATE}
    moved = {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 5}
    journal = [{"LineAmount": 5, "AccountCode": "200"}, {"LineAmount": -5, "AccountCode": "400"}]
    return {
        Endpoint.ACCOUNTS: ({"Code": "476", "Name": "Paper", "Type": "EXPENSE"}, {"Code": "200", "Name": "x", "Type": "EXPENSE"}),
        Endpoint.BANK_TRANSACTIONS: (lines | bank, bad_lines | bank),
        Endpoint.BANK_TRANSFERS: (moved, moved | {"Amount": 0}),
        Endpoint.BATCH_PAYMENTS: ({"Account": {"Code": "090"}, "Payments": [pay]}, {"Account": {"Code": "090"}}),
        Endpoint.CONTACT_GROUPS: ({"Name": "VIP"}, {"Status": "ACTIVE"}),
        Endpoint.CURRENCIES: ({"Code": "EUR"}, {"Code": "?"}),
        Endpoint.ITEMS: ({"Code": "abc", "SalesDetails": {"UnitPrice": 1}}, {"Name": "x"}),
        Endpoint.LINKED_TRANSACTIONS: ({"SourceTransactionID": bill["InvoiceID"]}, {"SourceLineItemID": contact["ContactID"]}),
        Endpoint.MANUAL_JOURNALS: ({"Narration": "x", "JournalLines": journal}, {"Narration": "x", "JournalLines": journal[:1]}),
        Endpoint.PAYMENTS: (pay | {"Account": {"Code": "090"}}, pay),
        Endpoint.PAYMENT_SERVICES: ({"PaymentServiceName": "a", "PaymentServiceUrl": "https://x.example"}, {"PayNowText": "x"}),
        Endpoint.PURCHASE_ORDERS: (lines, bad_lines),
        Endpoint.QUOTES: (lines, bad_lines),
        Endpoint.REPEATING_INVOICES: (lines | {"Type": "ACCREC", "Schedule": schedule}, lines | {"Type": "ACCREC"}),
        Endpoint.TAX_RATES: ({"Name": "State", "TaxComponents": [{"Name": "a", "Rate": 2}]}, {"Name": "x"}),
        Endpoint.TRACKING_CATEGORIES: ({"Name": "Floor"}, {"Status": "ACTIVE"}),
    }  # fmt: skip


async def test_every_answer_to_a_write_fits_the_schema(start: Start) -> None:
    """Created (and what is created is what is read), refused, row by row where rows are told; updated, deleted."""
    talk = (await start(tenants=1, webhook_batch_ms=50)).talk
    await talk.connect()
    await talk.control("PUT", "/limits", {"minute": 10_000})
    for endpoint, (good, bad) in (await elements(talk)).items():
        writes, facts = WRITES[endpoint], FACTS[endpoint]
        if endpoint is Endpoint.TRACKING_CATEGORIES:
            category = (await talk.rows(endpoint))[0]["TrackingCategoryID"]
            await write(talk, "DELETE", f"{endpoint}/{category}")

        made = await write(talk, "PUT", endpoint, good, unitdp="4")
        refused = await write(talk, "PUT", endpoint, bad)
        by_row = await write(talk, "PUT", endpoint, bad, summarizeErrors="false")

        assert (made.status_code, refused.status_code) == (200, 400), (endpoint, made.text, refused.text)
        assert complaints(accounting(facts.list_key), made.json()) == [], endpoint
        assert complaints(accounting("Error"), refused.json()) == [], endpoint
        assert by_row.status_code == (200 if Verb.PUT in writes.rows else 400), endpoint
        if by_row.status_code == 200:
            assert by_row.json()[facts.list_key][0]["StatusAttributeString"] == "ERROR"
        row = made.json()[facts.list_key][0]
        record_id = row[facts.id_field]
        read = (await talk.get(f"{endpoint}/{record_id}", unitdp="4")).json()[facts.list_key][0]
        assert read == {name: value for name, value in row.items() if name != "StatusAttributeString"}, endpoint
        if Verb.UPDATE in writes.verbs:
            change = UPDATED.get(endpoint, {"Status": "DELETED"})
            again = await write(talk, "POST", f"{endpoint}/{record_id}", {endpoint: [change]})
            assert again.status_code == 200, (endpoint, again.text)
            assert complaints(accounting(facts.list_key), again.json()) == [], endpoint
        if Verb.DELETE in writes.verbs:
            gone = await write(talk, "DELETE", f"{endpoint}/{record_id}")
            assert gone.status_code in (200, 204), (endpoint, gone.text)
            assert gone.status_code == 204 or complaints(accounting(facts.list_key), gone.json()) == []


UPDATED: dict[Endpoint, dict[str, str]] = {
    Endpoint.ACCOUNTS: {"Description": "x"},
    Endpoint.ITEMS: {"Code": "abc", "Description": "x"},
    Endpoint.LINKED_TRANSACTIONS: {"SourceTransactionID": ""},
    Endpoint.TRACKING_CATEGORIES: {"Name": "Storey"},
}


async def test_parts_of_other_records_fit_the_schema(start: Start) -> None:
    """Options of a category, contacts of a group, credit of an overpayment, files and notes."""
    talk = (await start(tenants=1, webhook_batch_ms=50)).talk
    await talk.connect()
    category = (await talk.rows("TrackingCategories"))[0]["TrackingCategoryID"]
    group = (await talk.rows("ContactGroups"))[0]["ContactGroupID"]
    contact = (await talk.rows("Contacts"))[0]["ContactID"]
    order = (await talk.rows("PurchaseOrders"))[0]["PurchaseOrderID"]
    option = await write(talk, "PUT", f"TrackingCategories/{category}/Options", {"Name": "Moon"})
    option_id = option.json()["Options"][0]["TrackingOptionID"]

    answers = [
        ("TrackingOptions", option),
        ("TrackingOptions", await write(talk, "POST", f"TrackingCategories/{category}/Options/{option_id}", {"Name": "Sun"})),
        ("TrackingOptions", await write(talk, "DELETE", f"TrackingCategories/{category}/Options/{option_id}")),
        ("Contacts", await write(talk, "PUT", f"ContactGroups/{group}/Contacts", {"Contacts": [{"ContactID": contact}]})),
        ("Attachments", await write(talk, "PUT", f"PurchaseOrders/{order}/Attachments/a.txt", {"any": "bytes"})),
        ("HistoryRecords", await write(talk, "PUT", f"PurchaseOrders/{order}/History", {"HistoryRecords": [{"Details": "x"}]})),
    ]  # fmt: skip

    for schema, answer in answers:
        assert answer.status_code == 200, answer.text
        assert complaints(accounting(schema), answer.json()) == [], schema
    assert (await write(talk, "DELETE", f"ContactGroups/{group}/Contacts/{contact}")).status_code == 204
    assert (await write(talk, "DELETE", f"ContactGroups/{group}/Contacts")).status_code == 204


async def test_a_key_replays_the_answer_of_any_endpoint(start: Start) -> None:
    """A payment sent twice is made once."""
    talk = (await start(tenants=1)).talk
    await talk.connect()
    pay, _ = (await elements(talk))[Endpoint.PAYMENTS]
    before = len(await talk.truth("Payments"))

    answers = [await write(talk, "PUT", "Payments", pay, key="k") for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert len(await talk.truth("Payments")) == before + 1
