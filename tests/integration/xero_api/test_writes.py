"""Writing through the client: every verb, rows that are refused, answers that get lost."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api, Begin
from tests.support.fake_grants import GRANT
from xero_api.call import Outcome, Priority
from xero_api.calling.context import CallContext
from xero_api.entity import Entity, Part
from xero_api.errors import (
    BadRequestError,
    GarbledAnswerError,
    InvalidRowsError,
    KeyReusedError,
    OfflineError,
    Problem,
    RateLimitedError,
    ServerError,
    TimedOutError,
    UnreachableError,
    XeroError,
)
from xero_api.registry import CONTACTS, CREDIT_NOTES, ENTITIES, INVOICES
from xero_api.requests import get_one
from xero_api.writes import parts
from xero_api.writes import requests as writing
from xero_api.writes.again import Again, Fate, again, fate_of
from xero_api.writes.answers import RowStatus, WriteAnswer
from xero_api.writes.parts import Allocation
from xero_api.writes.requests import WriteRequest
from xero_stream.contracts.names import DEFAULT_APP, RecordId

LINE = {"Description": "Consulting", "Quantity": Decimal(3), "UnitAmount": Decimal("1.2345"), "AccountCode": "200"}
DUE = {"Date": "2026-11-20", "DueDate": "2026-12-20"}


async def _write(api: Api, request: WriteRequest) -> WriteAnswer:
    return await api.client.write(CallContext(DEFAULT_APP, api.tenant), request)


async def _contact(api: Api) -> RecordId:
    return RecordId((await api.talk.truth("Contacts", api.tenant))[0]["ContactID"])


async def _sale(api: Api, **fields: Any) -> dict[str, Any]:
    return {"Type": "ACCREC", "Contact": {"ContactID": await _contact(api)}, "LineItems": [LINE], **DUE} | fields


async def _credit(api: Api, **fields: Any) -> dict[str, Any]:
    sale = await _sale(api, **fields)
    return {name: value for name, value in sale.items() if name != "DueDate"} | {"Type": "ACCRECCREDIT"}


async def _made(api: Api, entity: Entity[Any], record: dict[str, Any], key: str = "make") -> RecordId:
    (row,) = (await _write(api, writing.create(entity, [record], key=key))).rows
    assert row.id is not None, row.problems
    return row.id


async def _count(api: Api, entity: Entity[Any]) -> int:
    return len(await api.talk.truth(entity.path, api.tenant))


async def _record(api: Api, entity: Entity[Any], record_id: RecordId) -> dict[str, Any]:
    return (await api.send(get_one(entity, record_id))).records[0]


# -- every verb ---------------------------------------------------------------------------------------------------------


async def test_what_is_created_is_what_is_read(api: Api) -> None:
    """Each kind that is written here: the row is the record, four decimals and all."""
    for entity, record in (
        (INVOICES, await _sale(api)),
        (CREDIT_NOTES, await _credit(api)),
        (CONTACTS, {"Name": "Made Ltd"}),
    ):
        (row,) = (await _write(api, writing.create(entity, [record], key=f"make {entity.name}"))).rows

        assert (row.status, row.id is not None) == (RowStatus.OK, True)
        assert row.id is not None
        read = await _record(api, entity, row.id)
        assert {name: value for name, value in row.record.items() if name != "StatusAttributeString"} == read
        entity.unify(row.record)
    assert api.records[0].endpoint == "Invoices/create"
    assert (api.records[0].priority, api.records[0].outcome) == (Priority.COMMAND, Outcome.OK)
    assert all(record.bytes_out > 0 and record.correlation_id for record in api.records)


async def test_records_are_updated_by_id_by_number_and_at_their_address(api: Api) -> None:
    """Lines stay where none are sent."""
    invoice = await _made(api, INVOICES, await _sale(api, InvoiceNumber="A-1"))
    rows = [{"InvoiceID": invoice, "Reference": "by id"}, {"InvoiceNumber": "A-1", "Url": "x"}]

    both = await _write(api, writing.update_or_create(INVOICES, rows, key="both"))
    one = await _write(api, writing.update(INVOICES, invoice, {"Reference": "alone"}, key="one"))

    assert [row.id for row in (*both.rows, *one.rows)] == [invoice] * 3
    assert [row.status for row in one.rows] == [RowStatus.OK]
    read = await _record(api, INVOICES, invoice)
    assert (read["Reference"], read["LineItems"][0]["UnitAmount"]) == ("alone", 1.2345)


@pytest.mark.parametrize(
    ("entity", "status", "after"),
    [
        (INVOICES, "DRAFT", "DELETED"),
        (INVOICES, "AUTHORISED", "VOIDED"),
        (CREDIT_NOTES, "SUBMITTED", "DELETED"),
        (CREDIT_NOTES, "AUTHORISED", "VOIDED"),
        (CONTACTS, "ACTIVE", "ARCHIVED"),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_a_record_is_deleted_as_its_status_allows(api: Api, entity: Entity[Any], status: str, after: str) -> None:
    """The table's word for it is Xero's."""
    records = {
        INVOICES.path: await _sale(api, Status=status),
        CREDIT_NOTES.path: await _credit(api, Status=status),
        CONTACTS.path: {"Name": "Gone Ltd"},
    }
    record_id = await _made(api, entity, records[entity.path])

    (row,) = (await _write(api, writing.delete(entity, record_id, status=status, key="delete"))).rows

    assert row.written
    assert (await _record(api, entity, record_id))[str(entity.status_field)] == after


async def test_a_status_that_changed_meanwhile_is_refused_by_xero(api: Api) -> None:
    """The caller's status is old: the row says no, nothing is guessed."""
    invoice = await _made(api, INVOICES, await _sale(api, Status="AUTHORISED"))

    (row,) = (await _write(api, writing.delete(INVOICES, invoice, status="DRAFT", key="delete"))).rows

    assert (row.written, row.id) == (False, invoice)
    assert row.problems == (Problem(path="", message="Invoice not of valid status for modification"),)


@pytest.mark.parametrize("entity", [one for one in ENTITIES if Part.HISTORY in one.parts][:3], ids=lambda one: one.name)
async def test_files_and_notes(api: Api, entity: Entity[Any]) -> None:
    """Names are quoted all the way; the bytes are the same."""
    record_id = RecordId(str(entity.id_of((await api.talk.truth(entity.path, api.tenant))[0])))
    name, content = "Rechnung ü & 1?.pdf", bytes(range(256))

    file = await _write(
        api,
        parts.attach(entity, record_id, file_name=name, content=content, content_type="application/pdf", key="file"),
    )
    note = await _write(api, parts.add_note(entity, record_id, "called", key="note"))

    assert (file.rows[0].record["FileName"], file.rows[0].record["ContentLength"]) == (name, 256)
    assert note.rows[0].record["Details"] == "called"
    await api.talk.connect()
    got = await api.talk.get(f"{entity.path}/{record_id}/Attachments/{file.rows[0].id}", api.tenant)
    assert (got.content, got.headers["content-type"]) == (content, "application/pdf")


async def test_an_invoice_is_emailed(api: Api) -> None:
    """204; and a refusal says why."""
    contact = await _made(api, CONTACTS, {"Name": "Mail Ltd", "EmailAddress": "a@b.example"}, key="contact")
    sent = await _made(api, INVOICES, await _sale(api, Contact={"ContactID": contact}, Status="AUTHORISED"), key="sent")
    draft = await _made(api, INVOICES, await _sale(api), key="draft")

    answer = await _write(api, parts.email(INVOICES, sent, key="mail"))
    with pytest.raises(BadRequestError) as caught:
        await _write(api, parts.email(INVOICES, draft, key="mail draft"))

    assert answer.rows == ()
    assert (await _record(api, INVOICES, sent))["SentToContact"] is True
    assert isinstance(caught.value, InvalidRowsError)
    assert caught.value.elements[0][0].message == "Invoice not of valid status for modification"


async def test_credit_is_applied_row_by_row_and_taken_back(api: Api) -> None:
    """A good and a bad allocation in one request; then the good one goes."""
    invoice = await _made(api, INVOICES, await _sale(api, Status="AUTHORISED"), key="i")
    note = await _made(api, CREDIT_NOTES, await _credit(api, Status="AUTHORISED"), key="n")
    day = date(2026, 11, 21)
    wanted = [
        Allocation(invoice_id=invoice, amount=Decimal("1.25"), day=day),
        Allocation(invoice_id=invoice, amount=Decimal(1_000_000), day=day),
    ]

    good, bad = (await _write(api, parts.allocate(CREDIT_NOTES, note, wanted, key="apply"))).rows
    due = (await _record(api, INVOICES, invoice))["AmountDue"]
    await _write(api, parts.remove_allocation(CREDIT_NOTES, note, RecordId(good.record["AllocationID"])))

    assert (good.written, bad.written) == (True, False)
    after = (await _record(api, INVOICES, invoice))["AmountDue"]
    assert round(after - due, 2) == 1.25


# -- many rows ----------------------------------------------------------------------------------------------------------


async def test_a_bad_row_does_not_hide_the_others(api: Api) -> None:
    """Fifty rows, one bad: each has its result, messages with their place."""
    rows = [await _sale(api, InvoiceNumber=f"B-{number}") for number in range(50)]
    rows[17]["LineItems"] = [LINE, {**LINE, "AccountCode": "999"}]
    before = await _count(api, INVOICES)

    answer = await _write(api, writing.create(INVOICES, rows, key="bulk"))

    bad = [row for row in answer.rows if not row.written]
    assert [row.index for row in bad] == [17]
    assert bad[0].problems == (
        Problem(path="LineItems[1]", message="Account code '999' is not a valid code for this document."),
    )
    assert bad[0].id is None
    assert await _count(api, INVOICES) == before + 49
    assert {row.record["InvoiceNumber"] for row in answer.rows if row.written} == {
        f"B-{number}" for number in range(50) if number != 17
    }


async def test_summarised_a_bad_row_makes_everything_unknown(api: Api) -> None:
    """Without summarizeErrors=false the good rows are written and hidden: the error says so, and nothing may be repeated."""
    rows = [await _sale(api, InvoiceNumber="C-1"), {"Type": "ACCREC"}, await _sale(api, InvoiceNumber="C-2")]
    request = writing.create(INVOICES, rows, key="bulk")
    careless = replace(request, params=tuple(one for one in request.params if one[0] != "summarizeErrors"))
    before = await _count(api, INVOICES)

    with pytest.raises(InvalidRowsError) as caught:
        await _write(api, careless)

    assert len(caught.value.elements) == 1
    assert {problem.message for problem in caught.value.elements[0]} == {
        "A Contact must be specified for this type of transaction",
        "One or more line items must be specified",
    }
    assert await _count(api, INVOICES) == before + 2
    fate = fate_of(caught.value)
    assert fate is Fate.UNKNOWN
    assert again("PUT", 400, fate, key_age=None, findable=request.findable) is Again.NEVER


# -- lost answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "done"),
    [
        ({"kind": "reset"}, UnreachableError, True),
        ({"kind": "reset", "afterBytes": 50}, GarbledAnswerError, True),
        ({"kind": "reset", "handled": False}, UnreachableError, False),
        ({"kind": "hang", "seconds": 5}, TimedOutError, True),
        ({"kind": "truncate", "fraction": 0.5}, GarbledAnswerError, True),
        ({"kind": "status", "status": 502, "handled": True}, ServerError, True),
        ({"kind": "status", "status": 500}, ServerError, False),
        ({"kind": "status", "status": 503}, OfflineError, False),
    ],
    ids=lambda value: "-".join(str(item) for item in value.values()) if isinstance(value, dict) else str(value),
)
async def test_a_lost_answer_is_fetched_with_the_same_key(
    begin: Begin, fault: dict[str, Any], error: type[XeroError], done: bool
) -> None:
    """Whether it was done nobody knows; the same bytes with the same key bring the answer, and one record is there."""
    api = await begin(timeout=3.0)
    request = writing.create(INVOICES, [await _sale(api, InvoiceNumber="L-1")], key="command")
    before = await _count(api, INVOICES)
    await api.talk.faults({"operation": "write", "times": 1, "fault": fault})

    with pytest.raises(error) as caught:
        await _write(api, request)
    after_first = await _count(api, INVOICES)
    fate = fate_of(caught.value)
    advice = again(request.method, caught.value.status, fate, key_age=2.0, findable=request.findable)
    answer = await _write(api, request)

    assert await api.talk.fired() == [1]
    assert (fate, advice) == (Fate.UNKNOWN, Again.SAME_KEY)
    assert after_first == before + done
    assert await _count(api, INVOICES) == before + 1
    assert answer.rows[0].record["InvoiceNumber"] == "L-1"


async def test_an_old_key_writes_twice_so_it_is_looked_up_instead(api: Api) -> None:
    """The trap, sprung: after six minutes the same request makes a second record. The table says to look it up."""
    request = writing.create(CREDIT_NOTES, [await _credit(api)], key="command")
    before = await _count(api, CREDIT_NOTES)
    await api.talk.faults({"operation": "write", "times": 1, "fault": {"kind": "reset"}})
    with pytest.raises(UnreachableError) as caught:
        await _write(api, request)

    await api.talk.ahead(6 * 60)
    await _write(api, request)

    assert await _count(api, CREDIT_NOTES) == before + 2
    for findable, advice in ((True, Again.AFTER_LOOK_UP), (False, Again.NEVER)):
        assert again("PUT", None, fate_of(caught.value), key_age=360.0, findable=findable) is advice


async def test_one_key_belongs_to_one_request(api: Api) -> None:
    """Other bytes under it are a typed error."""
    await _made(api, CONTACTS, {"Name": "First Ltd"}, key="k")

    with pytest.raises(KeyReusedError) as caught:
        await _write(api, writing.create(CONTACTS, [{"Name": "Second Ltd"}], key="k"))

    fate = fate_of(caught.value)
    assert again("PUT", 400, fate, key_age=1.0, findable=True) is Again.NEVER


async def test_a_limit_turns_a_write_away_unharmed(api: Api) -> None:
    """429: nothing happened, the same may go again."""
    await api.talk.faults(
        {"operation": "write", "times": 1, "fault": {"kind": "rate_limit", "problem": "minute", "retryAfter": 1}}
    )
    request = writing.create(CONTACTS, [{"Name": "Later Ltd"}], key="k")

    with pytest.raises(RateLimitedError) as caught:
        await _write(api, request)
    fate = fate_of(caught.value)

    assert again("PUT", 429, fate, key_age=0.0, findable=False) is Again.AS_IS
    assert (await _write(api, request)).rows[0].written


async def test_a_write_with_an_expired_token_is_done_once(api: Api) -> None:
    """401, a new token, the same bytes: one record."""
    await _made(api, CONTACTS, {"Name": "Before Ltd"}, key="before")
    before = await _count(api, CONTACTS)
    api.store.row.tokens = replace(api.store.row.tokens, refreshed_at=datetime.now(UTC) - timedelta(minutes=5))
    api.tokens.forget(GRANT)
    await api.talk.ahead(1_900)

    await _made(api, CONTACTS, {"Name": "After Ltd"}, key="after")

    assert await _count(api, CONTACTS) == before + 1
    assert [record.status for record in api.records] == [200, 401, 200]
