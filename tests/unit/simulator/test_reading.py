"""Which records a request gets."""

from typing import Any

import orjson
import pytest

from simulator.accounting_api import reading
from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.query import Query, understand
from simulator.accounting_api.reading import Moment, read_list, read_one
from simulator.books.organisation import Organisation
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint
from simulator.reply import Reply
from tests.unit.simulator.builders import (
    CUSTOMER,
    NOW,
    OTHER,
    contact,
    credit_note,
    guid,
    invoice,
    organisation,
    payment,
)

ANSWER = "30000000-0000-4000-8000-000000000000"


def listed(
    books: Organisation,
    endpoint: Endpoint = Endpoint.INVOICES,
    *,
    since: str | None = None,
    as_of_ms: int | None = None,
    **parameters: str,
) -> dict[str, Any]:
    """A list answer."""
    query = understand(endpoint, parameters, "", since)
    assert isinstance(query, Query)
    body = read_list(books, Encoder(books), endpoint, query, Moment(now_ms=NOW, answer_id=ANSWER, as_of_ms=as_of_ms))
    assert isinstance(body, bytes)
    document: dict[str, Any] = orjson.loads(body)
    return document


def ids(document: dict[str, Any]) -> list[str]:
    """Ids of the invoices in an answer."""
    return [row["InvoiceID"] for row in document["Invoices"]]


def five() -> Organisation:
    """Five invoices with stamps a second apart."""
    return organisation(*(invoice(number, updated_ms=NOW + number * 1000) for number in range(1, 6)))


def test_the_envelope_is_xeros() -> None:
    """Keys in Xero's order; pagination only with page."""
    document = listed(five(), page="1", pageSize="2")

    assert list(document) == ["Id", "Status", "ProviderName", "DateTimeUTC", "pagination", "Invoices"]
    assert (document["Id"], document["Status"], document["DateTimeUTC"]) == (ANSWER, "OK", f"/Date({NOW})/")
    assert document["pagination"] == {"page": 1, "pageSize": 2, "pageCount": 3, "itemCount": 5}
    assert "pagination" not in listed(five())


def test_pages_follow_updated_date() -> None:
    """Oldest change first; a page past the end is empty."""
    assert ids(listed(five(), page="2", pageSize="2")) == [guid(3), guid(4)]
    assert ids(listed(five(), page="3", pageSize="2")) == [guid(5)]
    assert ids(listed(five(), page="9", pageSize="2")) == []


def test_if_modified_since_is_inclusive() -> None:
    """Changes of that very second are in."""
    document = listed(five(), since="2026-11-18T11:06:43", page="1")

    assert NOW + 3000 == 1_795_000_003_000
    assert ids(document) == [guid(3), guid(4), guid(5)]
    assert document["pagination"]["itemCount"] == 3


def test_ids_answer_those_that_exist_once_in_order() -> None:
    """Unknown ids are simply absent."""
    document = listed(five(), IDs=f"{guid(4)},{guid(77)},{guid(2)},{guid(4)}", page="1")

    assert ids(document) == [guid(2), guid(4)]


def test_no_ids_answer_nothing() -> None:
    """An empty IDs= is not everything."""
    assert ids(listed(five(), IDs="", page="1")) == []


def test_ids_respect_if_modified_since() -> None:
    """Both filters hold."""
    document = listed(five(), since="2026-11-18T11:06:43", IDs=f"{guid(1)},{guid(4)}", page="1")

    assert ids(document) == [guid(4)]


def test_where_by_id_looks_up_and_where_by_field_scans() -> None:
    """Same answer either way."""
    books = organisation(invoice(1), invoice(2, status=DocumentStatus.PAID), invoice(3))

    looked_up = listed(books, where=f'InvoiceID==Guid("{guid(3)}") OR InvoiceID==Guid("{guid(1)}")', page="1")
    scanned = listed(books, where='Status=="AUTHORISED"', page="1")

    assert ids(looked_up) == ids(scanned) == [guid(1), guid(3)]


def test_statuses_contacts_and_numbers_filter() -> None:
    """Each of Invoices' own filters."""
    books = organisation(
        invoice(1, status=DocumentStatus.VOIDED), invoice(2, contact_id=OTHER), invoice(3, number="INV-X")
    )

    assert ids(listed(books, Statuses="VOIDED,DELETED", page="1")) == [guid(1)]
    assert ids(listed(books, ContactIDs=OTHER, page="1")) == [guid(2)]
    assert ids(listed(books, InvoiceNumbers="INV-X", page="1")) == [guid(3)]


def test_order_by_a_field_both_ways() -> None:
    """Missing values first."""
    books = organisation(invoice(1, number="B"), invoice(2, number="A"), invoice(3, number="C"))

    assert ids(listed(books, order="InvoiceNumber", page="1")) == [guid(2), guid(1), guid(3)]
    assert ids(listed(books, order="InvoiceNumber DESC", page="1")) == [guid(3), guid(1), guid(2)]
    assert ids(listed(books, order="UpdatedDateUTC DESC", page="1")) == [guid(3), guid(2), guid(1)]


def test_archived_contacts_hide_unless_asked_for() -> None:
    """Also from IDs=, where they look missing; never from a single GET."""
    books = organisation(contacts=(contact(), contact(OTHER, status=ContactStatus.ARCHIVED)))
    encoder = Encoder(books)

    def names(**parameters: Any) -> list[str]:
        return [row["ContactID"] for row in listed(books, Endpoint.CONTACTS, **parameters)["Contacts"]]

    assert names(page="1") == [CUSTOMER]
    assert names(page="1", IDs=OTHER) == []
    assert set(names(page="1", includeArchived="true")) == {CUSTOMER, OTHER}
    single = read_one(books, encoder, Endpoint.CONTACTS, OTHER, Moment(now_ms=NOW, answer_id=ANSWER), four=True)
    assert isinstance(single, bytes)


def test_a_single_record_comes_as_an_array_whatever_its_status() -> None:
    """Ids in any letter case; without pagination."""
    books = organisation(invoice(1, status=DocumentStatus.DELETED))
    moment = Moment(now_ms=NOW, answer_id=ANSWER)

    body = read_one(books, Encoder(books), Endpoint.INVOICES, guid(1).upper(), moment, four=True)

    assert isinstance(body, bytes)
    document = orjson.loads(body)
    assert [row["Status"] for row in document["Invoices"]] == ["DELETED"]
    assert "pagination" not in document


def test_an_unknown_record_is_not_found() -> None:
    """In HTML."""
    books = organisation()
    reply = read_one(books, Encoder(books), Endpoint.INVOICES, guid(1), Moment(now_ms=NOW, answer_id=ANSWER), four=True)

    assert isinstance(reply, Reply)
    assert (reply.status, reply.content_type) == (404, "text/html; charset=utf-8")


def test_stale_reads_answer_from_before() -> None:
    """Single, list, IDs= and where-OR alike."""
    books = organisation(invoice(1, updated_ms=NOW - 9000), credit_note())
    books.pay(guid(1), payment(11_500), NOW)
    books.write(invoice(2), NOW)
    moment = Moment(now_ms=NOW, answer_id=ANSWER, as_of_ms=NOW - 1)

    single = read_one(books, Encoder(books), Endpoint.INVOICES, guid(1), moment, four=True)
    born = read_one(books, Encoder(books), Endpoint.INVOICES, guid(2), moment, four=True)
    by_list = listed(books, page="1", as_of_ms=NOW - 1)
    by_ids = listed(books, IDs=f"{guid(1)},{guid(2)}", page="1", as_of_ms=NOW - 1)
    by_where = listed(books, where=f'InvoiceID==Guid("{guid(1)}")', page="1", as_of_ms=NOW - 1)

    assert isinstance(single, bytes)
    assert orjson.loads(single)["Invoices"][0]["Status"] == "AUTHORISED"
    assert isinstance(born, Reply)
    assert ids(by_list) == ids(by_ids) == ids(by_where) == [guid(1)]
    assert by_list["Invoices"][0]["AmountDue"] == 115


def test_too_many_unpaged_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The high-volume guard; paging is fine."""
    monkeypatch.setattr(reading, "MOST_UNPAGED", 4)
    books = five()
    query = understand(Endpoint.INVOICES, {}, "", None)
    assert isinstance(query, Query)

    reply = read_list(books, Encoder(books), Endpoint.INVOICES, query, Moment(now_ms=NOW, answer_id=ANSWER))

    assert isinstance(reply, Reply)
    assert reply.status == 400
    assert len(ids(listed(books, page="1"))) == 5
