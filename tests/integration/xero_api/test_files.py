"""Attachments and PDFs as our client streams them out of a simulator: whole, or an error; never a part for the whole."""

import asyncio
import random
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api
from tests.support.loop_clock import LoopClock
from xero_api.call import Outcome
from xero_api.calling.context import CallContext
from xero_api.entity import Entity
from xero_api.errors import (
    GarbledAnswerError,
    LimitKind,
    MissingFileError,
    RateLimitedError,
    TimedOutError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.parts import PDF, FileRequest, get_attachment, get_attachments, get_pdf, read_attachment
from xero_api.registry import CREDIT_NOTES, INVOICES, PURCHASE_ORDERS, QUOTES
from xero_api.writes.parts import attach
from xero_stream.contracts.names import DEFAULT_APP, RecordId

CONTENT = random.Random(7).randbytes(6 * 1024 * 1024 + 11)
NAME = "bill & receipt (1) ü.pdf"
NOBODY = RecordId("00000000-0000-4000-8000-000000000000")


async def invoice_of(api: Api) -> RecordId:
    """An invoice without attachments."""
    rows = await api.talk.truth("Invoices", api.tenant)
    return RecordId(next(row["InvoiceID"] for row in rows if not row["HasAttachments"]))


async def attached(api: Api, content: bytes = CONTENT) -> FileRequest:
    """Attach a file to an invoice; how it is read."""
    record_id = await invoice_of(api)
    file = attach(INVOICES, record_id, file_name=NAME, content=content, content_type=PDF, key="attached")
    await api.client.write(CallContext(DEFAULT_APP, api.tenant), file)
    return get_attachment(INVOICES, record_id, NAME, content_type=PDF)


async def chunks(api: Api, request: FileRequest, into: list[bytes] | None = None) -> list[bytes]:
    """A file as it comes; what came is in ``into`` too, whatever happens then."""
    came = [] if into is None else into
    async with api.client.stream(CallContext(DEFAULT_APP, api.tenant), request) as file:
        async for chunk in file:
            came.append(chunk)
    return came


async def test_a_file_comes_back_in_chunks_as_it_was_attached(api: Api) -> None:
    """Several megabytes, none of its chunks near the whole; by its name and by its id."""
    request = await attached(api)
    record_id = RecordId(request.path.split("/")[-3])
    listed = await api.client.part(CallContext(DEFAULT_APP, api.tenant), get_attachments(INVOICES, record_id))
    (row,) = map(read_attachment, listed.rows)

    came = await chunks(api, request)
    again = await chunks(api, get_attachment(INVOICES, record_id, row.id))

    assert b"".join(came) == b"".join(again) == CONTENT
    assert max(map(len, came)) < len(CONTENT) / 4
    assert (row.file_name, row.content_type, row.size, row.online) == (NAME, PDF, len(CONTENT), False)
    call = api.records[-1]
    assert (call.endpoint, call.outcome, call.status, call.bytes_in) == (
        "Invoices/attachment",
        Outcome.OK,
        200,
        len(CONTENT),
    )


async def test_type_and_size_are_known_before_the_first_chunk(api: Api) -> None:
    """So that nobody reads what is too large, or not what was asked for. The file is one that our client attached."""
    record_id, content = await invoice_of(api), CONTENT[:100_000]
    ours = attach(
        INVOICES, record_id, file_name=NAME, content=content, content_type=PDF, key="file", include_online=True
    )
    await api.client.write(CallContext(DEFAULT_APP, api.tenant), ours)
    request = get_attachment(INVOICES, record_id, NAME)

    async with api.client.stream(CallContext(DEFAULT_APP, api.tenant), request) as file:
        assert (file.content_type, file.size, file.outcome) == (PDF, 100_000, Outcome.CANCELLED)
    listed = await api.client.part(CallContext(DEFAULT_APP, api.tenant), get_attachments(INVOICES, record_id))
    assert [read_attachment(row).online for row in listed.rows] == [True]
    with pytest.raises(UnmappableAnswerError, match="99999 bytes"):
        await chunks(api, get_attachment(INVOICES, record_id, NAME, most=99_999))

    assert [call.outcome for call in api.records[-3:]] == [Outcome.CANCELLED, Outcome.OK, Outcome.REJECTED]


@pytest.mark.parametrize("entity", [INVOICES, CREDIT_NOTES, PURCHASE_ORDERS, QUOTES], ids=lambda entity: entity.name)
async def test_a_pdf_of_everything_that_xero_prints(api: Api, entity: Entity[Any]) -> None:
    """A page about that record, which a PDF reader finds its way through."""
    row = (await api.talk.truth(entity.path, api.tenant))[0]
    (number,) = (
        row[name] for name in row if name in {"InvoiceNumber", "CreditNoteNumber", "PurchaseOrderNumber", "QuoteNumber"}
    )

    async with api.client.stream(
        CallContext(DEFAULT_APP, api.tenant), get_pdf(entity, RecordId(row[entity.id_field]))
    ) as file:
        content = await file.read()

    assert (file.content_type, file.size, file.outcome) == (PDF, len(content), Outcome.OK)
    assert content.startswith(b"%PDF-1.4\n")
    assert content.endswith(b"%%EOF\n")
    assert str(number).encode() in content
    start = int(content.split()[-2])
    places = re.findall(rb"(\d{10}) 00000 n ", content[start:])
    assert content[start:].startswith(b"xref\n")
    assert [content[int(place) :].startswith(b"%d 0 obj\n" % (at + 1)) for at, place in enumerate(places)] == [True] * 5


@pytest.mark.parametrize(
    ("fault", "error", "outcome"),
    [
        ({"kind": "reset", "afterBytes": 2_000_000}, GarbledAnswerError, Outcome.GARBLED),
        ({"kind": "reset", "afterBytes": len(CONTENT) - 1}, GarbledAnswerError, Outcome.GARBLED),
        ({"kind": "drip", "chunkBytes": 65_536, "everyMs": 60_000}, TimedOutError, Outcome.TIMED_OUT),
    ],
    ids=["cut", "cut before the last byte", "stalled"],
)
async def test_a_file_that_breaks_off_is_an_error(
    api: Api, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], error: type[XeroError], outcome: Outcome
) -> None:
    """After chunks that were good; the call is told as it ended, and the next one is whole."""
    request = await attached(api)
    await api.talk.faults({"operation": "get", "times": 1, "fault": fault})
    came: list[bytes] = []

    reading = asyncio.create_task(chunks(api, request, came))
    await LoopClock(monkeypatch).hurry(reading)
    with pytest.raises(error):
        await reading
    with_error = api.records[-1].outcome

    assert 0 < sum(map(len, came)) < len(CONTENT)
    assert CONTENT.startswith(b"".join(came))
    assert (await api.talk.fired(), with_error) == ([1], outcome)
    assert b"".join(await chunks(api, request)) == CONTENT


async def test_a_file_that_drips_is_whole_in_the_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the client's timeout in all, which each chunk keeps."""
    request = await attached(api, CONTENT[:16_000])
    await api.talk.faults(
        {"operation": "get", "times": 1, "fault": {"kind": "drip", "chunkBytes": 1000, "everyMs": 2_000}}
    )

    clock = LoopClock(monkeypatch)
    began = clock.time()
    reading = asyncio.create_task(chunks(api, request))
    await clock.hurry(reading)

    assert b"".join(await reading) == CONTENT[:16_000]
    assert clock.time() - began > 20, "it was not slow enough to mean anything"
    assert await api.talk.fired() == [1]


async def test_what_was_cut_before_it_was_sent_has_another_size_than_the_list_says(api: Api) -> None:
    """Its own length fits what came, so no reader of it can tell: the list of attachments can."""
    request = await attached(api)
    await api.talk.faults({"operation": "get", "times": 1, "fault": {"kind": "truncate", "fraction": 0.5}})

    async with api.client.stream(CallContext(DEFAULT_APP, api.tenant), request) as file:
        content = await file.read()
    listed = await api.client.part(
        CallContext(DEFAULT_APP, api.tenant), get_attachments(INVOICES, RecordId(request.path.split("/")[-3]))
    )

    assert len(content) == file.size == len(CONTENT) // 2
    size = read_attachment(listed.rows[0]).size
    assert size == len(CONTENT)

    await api.talk.faults({"operation": "get", "times": 1, "fault": {"kind": "truncate", "fraction": 0.5}})
    with pytest.raises(GarbledAnswerError, match=f"of {size} bytes"):
        await chunks(api, replace(request, size=size))
    assert b"".join(await chunks(api, replace(request, size=size))) == CONTENT


async def test_no_such_file_and_no_such_record(api: Api) -> None:
    """Xero's 404 is a missing file, not a fault of the way there."""
    record_id = await invoice_of(api)

    for request in (
        get_attachment(INVOICES, record_id, "none.pdf"),
        get_attachment(INVOICES, NOBODY, NAME),
        get_pdf(INVOICES, NOBODY),
    ):
        with pytest.raises(MissingFileError):
            await chunks(api, request)


async def test_a_limit_is_told_before_the_first_chunk(api: Api) -> None:
    """As for every other call, with when to come back."""
    request = await attached(api)
    await api.talk.control("PUT", "/limits", {"tenantId": api.tenant, "minuteRemaining": 0})

    with pytest.raises(RateLimitedError) as caught:
        await chunks(api, request)

    assert caught.value.limit is LimitKind.MINUTE
    assert caught.value.meta.retry_after is not None
    assert 1 <= caught.value.meta.retry_after <= 60
    assert (await api.talk.control("GET", "/calls"))["refusedEarned"] == {"minute": 1}
