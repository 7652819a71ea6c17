"""Writes as values: exact bytes, and what is refused before the network."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from xero_api.entity import Entity, Key, Part, UpdateAt
from xero_api.errors import UnsendableError
from xero_api.registry import CONTACTS, CREDIT_NOTES, ENTITIES, INVOICES
from xero_api.writes import parts
from xero_api.writes import requests as writing
from xero_api.writes.parts import Allocation
from xero_api.writes.requests import Verb, WriteRequest
from xero_stream.contracts.names import RecordId

ID = RecordId("ed255415-e141-4150-aab7-89c3bbbb851c")
OTHER = RecordId("430fa14a-f945-44d3-9f97-5df5e28441b8")


def allocation(amount: Decimal = Decimal(1), day: date = date(2026, 7, 1)) -> Allocation:
    """Some credit for an invoice."""
    return Allocation(invoice_id=ID, amount=amount, day=day)


def _variant(entity: Entity[Any], **writes: Any) -> Entity[Any]:
    """The entity, written in another way."""
    assert entity.writes is not None
    return replace(entity, writes=replace(entity.writes, **writes))


READ_ONLY = replace(INVOICES, writes=None, parts=frozenset())


def test_a_bulk_create_is_one_put_that_answers_row_by_row() -> None:
    """Method, address, parameters and headers."""
    request = writing.create(INVOICES, [{"Type": "ACCREC"}, {"InvoiceNumber": "INV-9"}], key="command-1")

    assert (request.method, request.target) == ("PUT", "/api.xro/2.0/Invoices?summarizeErrors=false&unitdp=4")
    assert request.headers == {"Content-Type": "application/json", "Idempotency-Key": "command-1"}
    assert request.body == b'{"Invoices":[{"Type":"ACCREC"},{"InvoiceNumber":"INV-9"}]}'
    assert (request.rows, request.endpoint, request.each_for_itself) == (2, "Invoices/create", True)


def test_back_orders_are_allowed_where_the_caller_says_so() -> None:
    """On every write of an invoice, and never unasked (OpenAPI 16.2.0)."""
    for write in (writing.create, writing.update_or_create):
        assert write(INVOICES, [{}], key="k", allow_backorders=True).target.endswith("&allowBackorders=true")
        assert "allowBackorders" not in write(INVOICES, [{}], key="k").target
    one = writing.update(INVOICES, ID, {}, key="k", allow_backorders=True)
    assert one.target.endswith(f"Invoices/{ID}?unitdp=4&allowBackorders=true")


def test_four_decimals_are_asked_for_only_where_xero_has_them() -> None:
    """Contacts have no unit prices."""
    request = writing.update_or_create(CONTACTS, [{"Name": "A"}], key="k")

    assert (request.method, request.target) == ("POST", "/api.xro/2.0/Contacts?summarizeErrors=false")


def test_a_method_that_only_summarises_is_not_told_otherwise() -> None:
    """As for payments: PUT takes the parameter, POST does not."""
    entity = _variant(CONTACTS, summarizes=frozenset({"PUT"}))

    assert writing.create(entity, [{}], key="k").each_for_itself
    assert not writing.update_or_create(entity, [{}], key="k").each_for_itself


def test_money_keeps_every_digit() -> None:
    """Decimals go out as numbers of the same value."""
    row = {"CurrencyRate": Decimal("0.0000000001"), "Total": Decimal("12345678901234567.89")}

    assert writing.create(INVOICES, [row], key="k").body == (
        b'{"Invoices":[{"CurrencyRate":1E-10,"Total":12345678901234567.89}]}'
    )


def test_one_record_is_updated_at_its_own_address() -> None:
    """Its id stands in the address and in the body."""
    request = writing.update(INVOICES, ID, {"Reference": "x"}, key="k")

    assert (request.method, request.target) == ("POST", f"/api.xro/2.0/Invoices/{ID}?unitdp=4")
    assert request.body == f'{{"Invoices":[{{"Reference":"x","InvoiceID":"{ID}"}}]}}'.encode()
    assert request.ids == (ID,)


@pytest.mark.parametrize(
    ("entity", "status", "sent"),
    [
        (INVOICES, "DRAFT", b'"Status":"DELETED"'),
        (INVOICES, "AUTHORISED", b'"Status":"VOIDED"'),
        (CREDIT_NOTES, "SUBMITTED", b'"Status":"DELETED"'),
        (CONTACTS, "ACTIVE", b'"ContactStatus":"ARCHIVED"'),
        (_variant(CONTACTS, delete=MappingProxyType({"*": "DELETED"})), "PENDING", b'"ContactStatus":"DELETED"'),
        (_variant(CONTACTS, update=None), "ACTIVE", b'"ContactStatus":"ARCHIVED"'),
    ],
)
def test_deleting_is_what_xero_has_for_the_status(entity: Entity[Any], status: str, sent: bytes) -> None:
    """Deleted, voided or archived."""
    request = writing.delete(entity, ID, status=status, key="k")

    assert request.method == "POST"
    assert request.path.endswith(f"/{ID}")
    assert sent in request.body


def test_a_status_that_lives_at_the_collection_is_set_there() -> None:
    """As tax rates, which have no address of their own to update."""
    request = writing.delete(_variant(CONTACTS, update_at=UpdateAt.COLLECTION), ID, status="ACTIVE", key="k")

    assert request.target == "/api.xro/2.0/Contacts?summarizeErrors=false"
    assert request.ids == (ID,)


def test_words_as_ids_are_sent_in_capitals() -> None:
    """As tax types and currencies, which our ids spell in lower case."""
    word, tax = replace(CONTACTS, key=Key.WORD), RecordId("output2")

    one = writing.update(word, tax, {"Name": "x"}, key="k")
    gone = writing.delete(_variant(word, update_at=UpdateAt.COLLECTION), tax, status="ACTIVE", key="k")

    assert (one.path, one.ids) == ("/api.xro/2.0/Contacts/OUTPUT2", (tax,))
    assert b'"ContactID":"OUTPUT2"' in one.body
    assert (b'"ContactID":"OUTPUT2"' in gone.body, gone.ids) == (True, (tax,))
    with pytest.raises(UnsendableError):
        writing.update(word, RecordId("../x"), {}, key="k")


def test_what_is_removed_takes_http_delete_without_a_key() -> None:
    """As items."""
    request = writing.delete(_variant(CONTACTS, removed=True), ID, status=None, key="k")

    assert (request.method, request.target) == ("DELETE", f"/api.xro/2.0/Contacts/{ID}")
    assert (request.body, request.headers, request.list_key) == (b"", {}, None)


def test_a_file_goes_under_its_quoted_name() -> None:
    """Signs that would end the path, or begin a query, are quoted."""
    request = parts.attach(
        INVOICES, ID, file_name="a?b #1/2 é.pdf".replace("/", "-"), content=b"%PDF", content_type="application/pdf",
        key="k", include_online=True,
    )  # fmt: skip

    assert request.target == f"/api.xro/2.0/Invoices/{ID}/Attachments/a%3Fb%20%231-2%20%C3%A9.pdf?IncludeOnline=true"
    assert (request.method, request.body, request.content_type) == ("PUT", b"%PDF", "application/pdf")
    assert (request.list_key, request.id_field, request.rows) == ("Attachments", "AttachmentID", 1)


def test_notes_emails_and_allocations() -> None:
    """What hangs below a record."""
    note = parts.add_note(CONTACTS, ID, "called", key="k")
    email = parts.email(INVOICES, ID, key="k")
    credit = parts.allocate(
        CREDIT_NOTES, ID, [Allocation(invoice_id=OTHER, amount=Decimal("1.50"), day=date(2026, 11, 22))], key="k"
    )
    back = parts.remove_allocation(CREDIT_NOTES, ID, OTHER)

    assert (note.method, note.target) == ("PUT", f"/api.xro/2.0/Contacts/{ID}/History")
    assert note.body == b'{"HistoryRecords":[{"Details":"called"}]}'
    assert (email.method, email.target, email.body) == ("POST", f"/api.xro/2.0/Invoices/{ID}/Email", b"{}")
    assert (email.rows, email.list_key) == (0, None)
    assert (credit.method, credit.target) == (
        "PUT",
        f"/api.xro/2.0/CreditNotes/{ID}/Allocations?summarizeErrors=false",
    )
    assert credit.body == (
        f'{{"Allocations":[{{"Invoice":{{"InvoiceID":"{OTHER}"}},"Amount":1.50,"Date":"2026-11-22"}}]}}'.encode()
    )
    assert (back.method, back.target) == ("DELETE", f"/api.xro/2.0/CreditNotes/{ID}/Allocations/{OTHER}")


def _refusals() -> list[tuple[str, Any, str]]:
    """Case, call, words that must be in the message."""
    file: dict[str, Any] = {"file_name": "a.pdf", "content": b"x", "content_type": "application/pdf", "key": "k"}
    fixed = _variant(INVOICES, create=None, update=None, delete=MappingProxyType({}))
    return [
        ("read-only create", lambda: writing.create(READ_ONLY, [{}], key="k"), "Invoices can't create"),
        ("read-only update", lambda: writing.update_or_create(READ_ONLY, [{}], key="k"), "can't update_or_create"),
        ("read-only delete", lambda: writing.delete(READ_ONLY, ID, status="DRAFT", key="k"), "can't delete"),
        ("no create", lambda: writing.create(fixed, [{}], key="k"), "Invoices can't create: Xero has no such call"),
        ("no update", lambda: writing.update_or_create(fixed, [{}], key="k"), "can't update_or_create"),
        ("no update of one", lambda: writing.update(fixed, ID, {}, key="k"), "can't update:"),
        (
            "only one by one",
            lambda: writing.update_or_create(_variant(INVOICES, update_at=UpdateAt.RECORD), [{}], key="k"),
            "can't update_or_create",
        ),
        (
            "only at the collection",
            lambda: writing.update(_variant(INVOICES, update_at=UpdateAt.COLLECTION), ID, {}, key="k"),
            "can't update:",
        ),
        (
            "no delete",
            lambda: writing.delete(fixed, ID, status="DRAFT", key="k"),
            "can't delete: Xero has no such call",
        ),
        (
            "paid",
            lambda: writing.delete(INVOICES, ID, status="PAID", key="k"),
            "PAID, only one that is AUTHORISED, DRAFT",
        ),
        ("no status", lambda: writing.delete(INVOICES, ID, status=None, key="k"), "None, only one"),
        ("no rows", lambda: writing.create(INVOICES, [], key="k"), "1 to 50 at once, not 0"),
        ("too many rows", lambda: writing.create(INVOICES, [{}] * 51, key="k"), "1 to 50 at once, not 51"),
        ("too big", lambda: writing.create(INVOICES, [{"Url": "x" * 3_000_000}], key="k"), "3000025 bytes"),
        ("no JSON", lambda: writing.create(INVOICES, [{"Url": b"x"}], key="k"), "Invoices[0].Url: a bytes"),
        (
            "not finite",
            lambda: writing.create(INVOICES, [{"Total": Decimal("NaN")}], key="k"),
            "Invoices[0].Total: no finite number",
        ),
        ("no key", lambda: writing.create(INVOICES, [{}], key=""), "Idempotency-Key"),
        ("long key", lambda: writing.create(INVOICES, [{}], key="k" * 129), "Idempotency-Key"),
        ("key of two lines", lambda: writing.create(INVOICES, [{}], key="a\r\nX: y"), "Idempotency-Key"),
        (
            "no back orders",
            lambda: writing.create(CONTACTS, [{}], key="k", allow_backorders=True),
            "Contacts can't create with back orders",
        ),
        (
            "a day with a time",
            lambda: parts.allocate(CREDIT_NOTES, ID, [allocation(day=datetime(2026, 7, 1, tzinfo=UTC))], key="k"),
            "Allocations[0].Date: a datetime with a time zone",
        ),
        (
            "an amount that is rounded",
            lambda: parts.allocate(CREDIT_NOTES, ID, [allocation(amount=Decimal("1.005"))], key="k"),
            "Allocations[0].Amount: a number with 3 decimals: Xero keeps 2",
        ),
        ("foreign id", lambda: writing.update(INVOICES, ID, {"InvoiceID": OTHER}, key="k"), "the id of another"),
        ("no id", lambda: writing.update(INVOICES, RecordId("../Contacts"), {}, key="k"), "no lower-case GUID"),
        ("no email", lambda: parts.email(CONTACTS, ID, key="k"), "Contacts can't email"),
        ("no credit", lambda: parts.allocate(INVOICES, ID, [], key="k"), "Invoices can't allocate"),
        ("no allocation", lambda: parts.allocate(CREDIT_NOTES, ID, [], key="k"), "1 to 50 at once, not 0"),
        ("nothing to remove", lambda: parts.remove_allocation(INVOICES, ID, ID), "can't remove_allocation"),
        ("no history", lambda: parts.add_note(READ_ONLY, ID, "x", key="k"), "can't add_note"),
        ("no text", lambda: parts.add_note(INVOICES, ID, " ", key="k"), "without a text"),
        ("no attachments", lambda: parts.attach(READ_ONLY, ID, **file), "can't attach"),
        ("not online", lambda: parts.attach(CONTACTS, ID, **file, include_online=True), "include_online"),
        ("path", lambda: parts.attach(INVOICES, ID, **(file | {"file_name": "a/b"})), "without a path"),
        ("dots", lambda: parts.attach(INVOICES, ID, **(file | {"file_name": ".."})), "without a path"),
        ("empty file", lambda: parts.attach(INVOICES, ID, **(file | {"content": b""})), "empty file"),
        ("big file", lambda: parts.attach(INVOICES, ID, **(file | {"content": b"x" * 10_000_001})), "10000001 bytes"),
        ("type", lambda: parts.attach(INVOICES, ID, **(file | {"content_type": "a\r\nb"})), "application/pdf"),
    ]


@pytest.mark.parametrize(("call", "words"), [pytest.param(*case[1:], id=case[0]) for case in _refusals()])
def test_what_xero_would_refuse_is_refused_here(call: Any, words: str) -> None:
    """A typed error that names verb and entity, or says what to do; nothing was sent."""
    with pytest.raises(UnsendableError) as caught:
        call()

    assert words in str(caught.value)
    assert caught.value.sent is False


def test_the_largest_request_is_sent() -> None:
    """Fifty rows, three million bytes, a key of 128 characters."""
    request = writing.create(INVOICES, [{}] * 50, key="k" * 128)
    edge = writing.create(INVOICES, [{"Url": "x" * (3_000_000 - 25)}], key="k")

    assert request.rows == 50
    assert len(edge.body) == 3_000_000


@pytest.mark.parametrize(
    ("rows", "findable"),
    [
        ([{"InvoiceNumber": "INV-1"}, {"InvoiceID": ID}], True),
        ([{"InvoiceNumber": "INV-1"}, {}], False),
        ([{"InvoiceNumber": ""}], False),
    ],
)
def test_rows_can_be_found_again_by_id_or_natural_key(rows: list[dict[str, Any]], findable: bool) -> None:
    """Every row, or the request can't be looked up."""
    assert writing.create(INVOICES, rows, key="k").findable is findable


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_every_row_of_the_table_can_do_what_it_says(entity: Entity[Any]) -> None:
    """Nothing here depends on a name: each verb follows from the row."""
    made: list[WriteRequest] = []
    if entity.writes is not None and entity.writes.create:
        made.append(writing.create(entity, [{}], key="k"))
    if entity.writes is not None:
        record_id = ID if entity.key is Key.GUID else RecordId("output2")
        made += [writing.delete(entity, record_id, status=status, key="k") for status in entity.writes.delete]
    if Part.HISTORY in entity.parts:
        made.append(parts.add_note(entity, ID, "x", key="k"))

    for request in made:
        assert request.endpoint == f"{entity.path}/{request.verb}"
        assert request.path.startswith(f"/api.xro/2.0/{entity.path}")
    assert {request.verb for request in made} <= set(Verb)


@pytest.mark.parametrize("records", [{"Type": "ACCREC"}, ["ACCREC"], "ACCREC"])
def test_one_record_is_given_as_a_list_too(records: Any) -> None:
    """The error shows how; nothing is sent."""
    with pytest.raises(UnsendableError, match=r"Invoices can't create what is no list of records: give \[record\]"):
        writing.create(INVOICES, records, key="k")


def test_an_id_that_is_no_text_is_refused_as_every_other() -> None:
    """A UUID, for example."""
    record_id: Any = UUID(ID)
    with pytest.raises(UnsendableError, match="is a str, not UUID"):
        writing.update(INVOICES, record_id, {}, key="k")
