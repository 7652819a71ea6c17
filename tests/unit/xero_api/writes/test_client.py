"""``XeroClient.write`` against a transport that answers as told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest

from tests.unit.xero_api.rig import TENANT, Handler, Tokens, Xero, failing
from xero_api.call import Outcome, Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.errors import (
    BadRequestError,
    GarbledAnswerError,
    OddStatusError,
    OfflineError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    UnauthorisedError,
    UnreachableError,
    XeroError,
)
from xero_api.registry import INVOICES
from xero_api.writes import requests as writing
from xero_api.writes.again import Fate, fate_of
from xero_api.writes.answers import WriteAnswer
from xero_stream.contracts.names import DEFAULT_APP, RecordId

ID = RecordId("ed255415-e141-4150-aab7-89c3bbbb851c")
REQUEST = writing.create(INVOICES, [{"Type": "ACCREC"}], key="command-1")
HEADERS = {"xero-correlation-id": "c0ffee"}


def _good(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, headers=HEADERS, json={"Invoices": [{"InvoiceID": ID}]})


class Wire(Xero):
    """One answer after the other."""

    def __init__(self, *handlers: Handler, tokens: Tokens | None = None, timeout: float = 5.0) -> None:
        waiting = iter(handlers)

        def answer(request: httpx.Request) -> httpx.Response:
            return next(waiting)(request)

        super().__init__(answer, tokens=tokens, timeout=timeout)

    async def write(self) -> WriteAnswer:
        """One write."""
        return await self.client.write(CallContext(DEFAULT_APP, TENANT), REQUEST)


def _status(status: int) -> Handler:
    return lambda _: httpx.Response(status, headers=HEADERS)


async def test_the_exact_bytes_go_out_once_and_are_told_once() -> None:
    """Method, address, key, tenant; one record that counts the body."""
    wire = Wire(_good)

    answer = await wire.write()

    (sent,), (record,) = wire.asked, wire.told
    assert (sent.method, str(sent.url)) == (
        "PUT",
        "https://api.example/api.xro/2.0/Invoices?summarizeErrors=false&unitdp=4",
    )
    assert (sent.content, sent.headers["idempotency-key"]) == (REQUEST.body, "command-1")
    assert (sent.headers["xero-tenant-id"], sent.headers["content-type"]) == (TENANT, "application/json")
    assert sent.headers["accept"] == "application/json"
    assert (record.endpoint, record.priority, record.outcome) == ("Invoices/create", Priority.COMMAND, Outcome.OK)
    assert record.bytes_out > len(REQUEST.body)
    assert answer.rows[0].id == ID
    assert answer.timing is not None


async def test_after_a_401_the_same_bytes_go_once_more() -> None:
    """With another token; both are told."""
    wire = Wire(_status(401), _good)

    await wire.write()

    first, second = wire.asked
    assert first.headers["authorization"] != second.headers["authorization"]
    assert (first.content, first.headers["idempotency-key"]) == (second.content, second.headers["idempotency-key"])
    assert [record.status for record in wire.told] == [401, 200]


@pytest.mark.parametrize(
    ("trouble", "error", "fate"),
    [
        (400, BadRequestError, Fate.NOT_DONE),
        (404, BadRequestError, Fate.NOT_DONE),
        (429, RateLimitedError, Fate.NOT_DONE),
        (500, ServerError, Fate.UNKNOWN),
        (503, OfflineError, Fate.UNKNOWN),
        (302, OddStatusError, Fate.UNKNOWN),
        (200, GarbledAnswerError, Fate.UNKNOWN),
        (httpx.ConnectError, UnreachableError, Fate.NOT_DONE),
        (httpx.ConnectTimeout, TimedOutError, Fate.NOT_DONE),
        (httpx.WriteError, UnreachableError, Fate.UNKNOWN),
        (httpx.ReadError, UnreachableError, Fate.UNKNOWN),
        (httpx.ReadTimeout, TimedOutError, Fate.UNKNOWN),
        (httpx.RemoteProtocolError, UnreachableError, Fate.UNKNOWN),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value),
)
async def test_nothing_else_is_sent_twice(
    trouble: int | type[httpx.RequestError], error: type[XeroError], fate: Fate
) -> None:
    """The error says what may have happened; the caller decides."""
    wire = Wire(_status(trouble) if isinstance(trouble, int) else failing(trouble))

    with pytest.raises(error) as caught:
        await wire.write()

    assert fate_of(caught.value) is fate
    assert len(wire.asked) == len(wire.told) == 1


async def test_without_a_token_nothing_was_sent() -> None:
    """The first token doesn't come in time, or the second isn't given: certainly nothing was written."""
    slow, stubborn = Wire(tokens=Tokens(slow=True), timeout=0.01), Wire(_status(401), tokens=Tokens(stubborn=True))

    for wire, error in ((slow, TimedOutError), (stubborn, UnauthorisedError)):
        with pytest.raises(error) as caught:
            await wire.write()
        assert fate_of(caught.value) is Fate.NOT_DONE

    assert (len(slow.asked), len(stubborn.asked)) == (0, 1)


@pytest.mark.parametrize(("status", "fate"), [(400, Fate.UNKNOWN), (404, Fate.NOT_DONE), (429, Fate.NOT_DONE)])
async def test_a_refusal_that_breaks_off(status: int, fate: Fate) -> None:
    """Only a 400 needs its body: it may have refused some rows and written the others."""

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        raise httpx.ReadError("gone")

    wire = Wire(lambda _: httpx.Response(status, headers=HEADERS, content=body()))

    with pytest.raises(UnreachableError) as caught:
        await wire.write()

    assert fate_of(caught.value) is fate


async def test_a_deadline_during_the_exchange_leaves_the_outcome_open() -> None:
    """The clock stops the call, not Xero."""

    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError(request)

    client = XeroClient(
        api_url="https://xero.test", tokens=Tokens(), on_call=lambda _: None, timeout=0.02, transport=Silent()
    )

    async with aclosing(client):
        with pytest.raises(TimedOutError) as caught:
            await client.write(CallContext(DEFAULT_APP, TENANT), REQUEST)

    assert fate_of(caught.value) is Fate.UNKNOWN
