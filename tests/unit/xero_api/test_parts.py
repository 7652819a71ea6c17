"""What hangs below a record: attachments, history, PDFs; files as they come through the client."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.unit.xero_api.rig import TENANT, Handler, Xero, failing
from xero_api.call import Outcome
from xero_api.calling.context import CallContext
from xero_api.decode import encode
from xero_api.errors import (
    BadRequestError,
    ForbiddenError,
    GarbledAnswerError,
    InterceptedError,
    InvalidRecordError,
    MissingFileError,
    OddStatusError,
    OfflineError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    UnauthorisedError,
    UnmappableAnswerError,
    UnreachableError,
    XeroError,
)
from xero_api.parts import (
    PDF,
    FileRequest,
    get_attachment,
    get_attachments,
    get_history,
    get_pdf,
    read_attachment,
)
from xero_api.registry import CONTACTS, INVOICES, PAYMENTS, QUOTES
from xero_stream.contracts.names import DEFAULT_APP, RecordId

RECORD = RecordId("22222222-2222-4222-8222-222222222222")
XEROS = {"xero-correlation-id": "c0ffee"}
ROW = {
    "AttachmentID": "33333333-3333-4333-8333-33333333333A",
    "FileName": "bill & receipt.pdf",
    "MimeType": PDF,
    "ContentLength": 5,
    "IncludeOnline": False,
}


async def read(xero: Xero, request: FileRequest) -> bytes:
    """A whole file."""
    async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), request) as file:
        return await file.read()


def answering(status: int, body: bytes = b"", **headers: str) -> Handler:
    """Always the same."""
    named = XEROS | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, headers=named, stream=httpx.ByteStream(body))


def coming(*chunks: bytes | Exception | None, **headers: str) -> Handler:
    """A file in parts; an error breaks it off, None never comes."""

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            if chunk is None:
                await asyncio.Event().wait()
            elif isinstance(chunk, Exception):
                raise chunk
            else:
                yield chunk

    named = XEROS | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(200, headers=named, content=body())


def test_requests() -> None:
    """Below the record; names encoded; a PDF is the record asked for as one."""
    below = f"/api.xro/2.0/Invoices/{RECORD}"

    assert get_attachments(INVOICES, RECORD).path == f"{below}/Attachments"
    assert get_history(INVOICES, RECORD).path == f"{below}/History"
    content = get_attachment(INVOICES, RECORD, "a/b ü?.png", content_type="image/png")
    assert content.path == f"{below}/Attachments/a%2Fb%20%C3%BC%3F.png"
    assert content.headers == {"Accept": "application/octet-stream", "contentType": "image/png"}
    assert (get_pdf(QUOTES, RECORD).path, get_pdf(QUOTES, RECORD).headers) == (
        f"/api.xro/2.0/Quotes/{RECORD}",
        {"Accept": PDF},
    )
    assert {one.endpoint for one in (content, get_pdf(INVOICES, RECORD))} == {"Invoices/attachment", "Invoices/pdf"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda: get_attachments(PAYMENTS, RECORD),
        lambda: get_pdf(CONTACTS, RECORD),
        lambda: get_history(INVOICES, RecordId("../x")),
        lambda: get_pdf(INVOICES, RecordId("")),
        lambda: get_attachment(INVOICES, RECORD, ""),
        lambda: get_attachment(INVOICES, RECORD, ".."),
        lambda: get_attachment(INVOICES, RECORD, "a\nb"),
        lambda: get_attachment(INVOICES, RECORD, "a", content_type="image/png\r\nHost: elsewhere"),
    ],
    ids=["part", "pdf", "record", "no record", "no name", "up", "line", "type"],
)
def test_what_can_not_be_asked(ask: Callable[[], object]) -> None:
    """Refused before the network."""
    with pytest.raises(ValueError, match=r"no |has a name"):
        ask()


async def test_a_records_attachments_and_history() -> None:
    """Rows as Xero sent them; an attachment's read into words."""
    xero = Xero(answering(200, encode({"Attachments": [ROW], "HistoryRecords": [{"Details": "Sent"}]})))

    attachments = await xero.client.part(CallContext(DEFAULT_APP, TENANT), get_attachments(INVOICES, RECORD))
    history = await xero.client.part(CallContext(DEFAULT_APP, TENANT), get_history(INVOICES, RECORD))

    (one,) = map(read_attachment, attachments.rows)
    assert (one.id, one.file_name, one.content_type, one.size, one.online) == (
        "33333333-3333-4333-8333-33333333333a",
        "bill & receipt.pdf",
        PDF,
        5,
        False,
    )
    assert history.rows == ({"Details": "Sent"},)
    assert [(call.endpoint, call.outcome) for call in xero.told] == [
        ("Invoices/Attachments", Outcome.OK),
        ("Invoices/History", Outcome.OK),
    ]


@pytest.mark.parametrize("field", ["AttachmentID", "FileName"])
def test_a_row_that_names_no_file(field: str) -> None:
    """Neither id nor name may be missing; the rest may."""
    assert read_attachment({"AttachmentID": "a", "FileName": "b"}).size is None
    with pytest.raises(InvalidRecordError, match=field):
        read_attachment(ROW | {field: None})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", GarbledAnswerError),
        (b"[]", UnmappableAnswerError),
        (b'{"Attachments":{}}', UnmappableAnswerError),
        (b'{"Attachments":[1]}', UnmappableAnswerError),
    ],
)
async def test_a_list_of_another_shape(body: bytes, error: type[XeroError]) -> None:
    """Typed."""
    with pytest.raises(error):
        await Xero(answering(200, body)).client.part(
            CallContext(DEFAULT_APP, TENANT), get_attachments(INVOICES, RECORD)
        )


async def test_a_file_in_chunks() -> None:
    """Type and size are known before the first chunk; the call is told once, at the end, with its bytes."""
    xero = Xero(coming(b"%PDF", b"-1.7", content_type=f"{PDF}; charset=binary", content_length="8"))

    async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), get_pdf(INVOICES, RECORD)) as file:
        assert (file.content_type, file.size) == (f"{PDF}; charset=binary", 8)
        assert file.meta.correlation_id == "c0ffee"
        assert xero.told == []
        assert [chunk async for chunk in file] == [b"%PDF", b"-1.7"]

    (request,), (call,) = xero.asked, xero.told
    assert request.headers["accept"] == PDF
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["xero-tenant-id"] == TENANT
    assert (call.endpoint, call.outcome, call.status, call.bytes_in) == ("Invoices/pdf", Outcome.OK, 200, 8)
    assert call.correlation_id == "c0ffee"


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answering(400, b"no"), BadRequestError),
        (answering(401), UnauthorisedError),
        (answering(403), ForbiddenError),
        (answering(404), MissingFileError),
        (answering(429, x_rate_limit_problem="minute"), RateLimitedError),
        (answering(500), ServerError),
        (answering(503, b"offline"), OfflineError),
        (answering(302, location="https://elsewhere.example/file"), OddStatusError),
        (lambda _: httpx.Response(403, text="<html>"), InterceptedError),
        (answering(200, b"{}", content_type="application/json"), GarbledAnswerError),
        (answering(200, b"", content_type=PDF, content_length="2000"), UnmappableAnswerError),
    ],
)
async def test_errors_come_before_the_first_chunk(handler: Handler, error: type[XeroError]) -> None:
    """Typed as for every other call, and told; the token went to the one host only."""
    xero = Xero(handler)

    with pytest.raises(error):
        async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), get_pdf(INVOICES, RECORD, most=1_000)):
            raise AssertionError("there is no file")

    assert {request.url.host for request in xero.asked} == {"api.example"}
    assert len(xero.told) == len(xero.asked) == (2 if error is UnauthorisedError else 1)
    assert Outcome.OK not in {call.outcome for call in xero.told}


async def test_a_404_that_is_not_xeros_proves_nothing() -> None:
    """It comes from something in between."""
    with pytest.raises(InterceptedError):
        await read(Xero(lambda _: httpx.Response(404)), get_pdf(INVOICES, RECORD))


async def test_a_token_that_ended_is_replaced_once() -> None:
    """Two calls, both told; the caller may refuse the second."""
    good = coming(b"x")
    xero = Xero(
        lambda request: good(request) if request.headers["authorization"].endswith("2") else answering(401)(request)
    )
    refused: list[int] = []

    async def no() -> bool:
        refused.append(1)
        return False

    assert await read(xero, get_attachment(INVOICES, RECORD, "a")) == b"x"
    assert [call.status for call in xero.told] == [401, 200]
    xero = Xero(answering(401))
    with pytest.raises(UnauthorisedError):
        async with xero.client.stream(
            CallContext(DEFAULT_APP, TENANT, again=no), get_attachment(INVOICES, RECORD, "a")
        ):
            raise AssertionError("there is no file")
    assert (refused, len(xero.told)) == ([1], 1)


@pytest.mark.parametrize(
    ("handler", "error", "outcome"),
    [
        (coming(b"1234", b"5678"), UnmappableAnswerError, Outcome.REJECTED),
        (coming(b"1", httpx.ReadError("gone")), GarbledAnswerError, Outcome.GARBLED),
        (coming(b"1", content_length="3"), GarbledAnswerError, Outcome.GARBLED),
        (coming(b"1", None), TimedOutError, Outcome.TIMED_OUT),
    ],
    ids=["too long", "broken off", "too short", "silent"],
)
async def test_a_file_that_goes_wrong_on_the_way(handler: Handler, error: type[XeroError], outcome: Outcome) -> None:
    """The iteration says so; each chunk has its time."""
    xero = Xero(handler, timeout=0.2)

    with pytest.raises(error):
        await read(xero, get_attachment(INVOICES, RECORD, "a", most=6))

    assert [call.outcome for call in xero.told] == [outcome]


async def test_no_answer_and_no_connection() -> None:
    """As for every other call."""
    xero = Xero(failing(httpx.ConnectError))

    with pytest.raises(UnreachableError) as caught:
        await read(xero, get_pdf(INVOICES, RECORD))

    assert caught.value.sent is False
    assert [call.outcome for call in xero.told] == [Outcome.UNREACHABLE]


async def test_who_reads_slowly_is_not_hurried_and_who_stops_is_told() -> None:
    """The time is each chunk's; a file left early counts as cancelled."""
    xero = Xero(coming(b"1", b"2", b"3"), timeout=0.05)

    async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), get_attachment(INVOICES, RECORD, "a")) as file:
        async for _ in file:
            await asyncio.sleep(0.1)
    async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), get_attachment(INVOICES, RECORD, "a")) as file:
        async for _ in file:
            break

    assert [call.outcome for call in xero.told] == [Outcome.OK, Outcome.CANCELLED]


async def test_an_error_of_the_readers_own_is_not_xeros() -> None:
    """Even where it looks like one: the file is not asked for again, and the call is told as it went."""
    xero = Xero(coming(b"1"))

    async def fail(*, read: bool) -> None:
        async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), get_attachment(INVOICES, RECORD, "a")) as file:
            _ = await file.read() if read else b""
            raise UnauthorisedError("of another call")

    for read in (False, True):
        with pytest.raises(UnauthorisedError):
            await fail(read=read)

    assert [call.outcome for call in xero.told] == [Outcome.CANCELLED, Outcome.OK]


async def test_a_packed_file_has_no_size() -> None:
    """The length is that of the packed bytes."""
    packed = gzip.compress(b"hello")
    xero = Xero(lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, content=packed))

    async with xero.client.stream(CallContext(DEFAULT_APP, TENANT), get_attachment(INVOICES, RECORD, "a")) as file:
        assert file.size is None
        assert await file.read() == b"hello"
