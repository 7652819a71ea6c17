"""The httpx shell against a transport that answers as told."""

import asyncio
import contextlib
import gzip
import itertools
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.xero_records import example
from tests.unit.xero_api.rig import TENANT, Handler, Tokens, Xero, failing
from xero_api.call import CallRecord, Outcome, Priority
from xero_api.calling.context import CallContext, Leave
from xero_api.client import XeroClient
from xero_api.decode import decode, encode
from xero_api.errors import (
    BadRequestError,
    GarbledAnswerError,
    Intent,
    InterceptedError,
    MisdirectedError,
    NotAConnectionError,
    OddStatusError,
    OfflineError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    UnauthorisedError,
    UnmappableAnswerError,
    UnreachableError,
    XeroError,
    intent,
)
from xero_api.exchange import MOST_BYTES
from xero_api.meta import Limits
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.registry import INVOICES
from xero_api.requests import Request, get_one, get_page
from xero_stream.contracts.names import DEFAULT_APP, RecordId

PAGE = get_page(INVOICES, datetime(2026, 1, 1, tzinfo=UTC))
ONE = get_one(INVOICES, RecordId(str(UUID(int=1))))
MARKED = {"xero-correlation-id": "c0ffee"}
HEADERS = {
    "xero-correlation-id": "c0ffee",
    "x-minlimit-remaining": "59",
    "date": "Sun, 22 Nov 2026 10:00:00 GMT",
    "content-type": "application/json",
}


class Stopwatch:
    """A clock that moves a second whenever it is read."""

    def __init__(self) -> None:
        self._at = 100.0

    def monotonic(self) -> float:
        """Seconds."""
        self._at += 1
        return self._at

    def now(self) -> datetime:
        """Always the same."""
        return datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Calls(Xero):
    """Reads, timed by a stopwatch."""

    def __init__(self, handler: Handler, *, tokens: Tokens | None = None, timeout: float = 5.0) -> None:
        self.clock = Stopwatch()
        super().__init__(handler, tokens=tokens, timeout=timeout, clock=self.clock)

    async def send(self, request: Request = PAGE, *, again: Leave | None = None, **more: object) -> object:
        """One call."""
        context = CallContext(DEFAULT_APP, TENANT, Priority.WEBHOOK, again)
        return await self.client.send(context, request, **more)  # type: ignore[arg-type] # passed on


def _page(milliseconds: int = 0) -> bytes:
    """A page that Xero wrote that long after the time in HEADERS."""
    written = round(datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp() * 1000) + milliseconds
    body, replaced = re.subn(rb'(DateTimeUTC": *"[^0-9]*)[0-9]+', rb"\g<1>%d" % written, example("invoices", "page"))
    assert replaced == 1
    return body


def _good(request: httpx.Request) -> httpx.Response:
    del request
    return httpx.Response(200, headers=HEADERS, stream=httpx.ByteStream(_page()))


async def test_a_call_as_it_leaves() -> None:
    """Path, query and headers as Xero wants them; the token in its header only."""
    calls = Calls(_good)

    await calls.send()

    (request,) = calls.asked
    assert request.method == "GET"
    assert str(request.url) == f"https://api.example{PAGE.target}"
    assert request.headers["authorization"] == "Bearer SECRET-1"
    assert request.headers["xero-tenant-id"] == TENANT
    assert request.headers["accept"] == "application/json"
    assert request.headers["if-modified-since"] == "2026-01-01T00:00:00"


async def test_unpacking_waits_for_room_and_that_is_no_time_of_xeros() -> None:
    """The caller is told the bytes before they become records; the call's time ends with its last byte."""
    calls, asked = Calls(_good), list[int]()

    async def wait_for_room(size: int) -> None:
        asked.append(size)
        assert not calls.told
        for _ in range(1_000):
            calls.clock.monotonic()

    await calls.send(before_unpacking=wait_for_room)

    assert asked == [len(_page())]
    assert calls.told[0].ms < 100_000


async def test_unpacking_holds_no_connection() -> None:
    """An answer that waits for room is here already: its connection is free for other calls."""

    class Body(httpx.ByteStream):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    body = Body(_page())
    calls = Calls(lambda _: httpx.Response(200, headers=HEADERS, stream=body))

    async def wait_for_room(size: int) -> None:
        assert body.closed, size

    await calls.send(before_unpacking=wait_for_room)

    assert len(calls.told) == 1


async def test_an_answer_knows_when_it_was_asked() -> None:
    """Local times, and a moment on Xero's clock that is not after the sending."""
    calls = Calls(_good)

    answer = await calls.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), PAGE)

    assert answer.timing is not None
    assert answer.timing.sent < answer.timing.received
    # Date 10:00:00, received one second after it was sent
    assert answer.timing.server_sent_at == datetime(2026, 11, 22, 9, 59, 59, tzinfo=UTC)


async def test_a_date_in_the_future_is_not_believed() -> None:
    """The document is stamped by the clock of the records: its time is never before the sending, whatever the header says."""
    calls = Calls(lambda _: httpx.Response(200, headers=HEADERS, content=_page(-3_600_000)))

    for _ in range(2):
        answer = await calls.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), PAGE)

        assert answer.timing is not None
        assert answer.timing.server_sent_at == datetime(2026, 11, 22, 8, 59, 59, tzinfo=UTC)


async def test_without_a_date_the_document_tells_the_time() -> None:
    """DateTimeUTC serves where no answer ever had a Date header."""
    calls = Calls(lambda _: httpx.Response(200, content=example("invoices", "page")))

    answer = await calls.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), PAGE)

    assert answer.timing is not None
    assert answer.server_time is not None
    assert answer.timing.server_sent_at == answer.server_time - timedelta(seconds=1)


async def test_every_call_is_told_once() -> None:
    """App, tenant, priority, endpoint, status, time, bytes, correlation id, outcome, limits."""
    calls = Calls(_good)

    await calls.send()

    (record,) = calls.told
    assert (record.app, record.tenant_id, record.priority) == (DEFAULT_APP, TENANT, Priority.WEBHOOK)
    assert (record.endpoint, record.status, record.outcome) == ("Invoices/page", 200, Outcome.OK)
    assert record.bytes_in == len(example("invoices", "page"))
    assert 200 < record.bytes_out < 600
    assert record.ms > 0
    assert record.correlation_id == "c0ffee"
    assert record.limits == Limits(minute=59)


async def test_no_secret_is_told() -> None:
    """Neither the record nor an error holds the token."""
    calls = Calls(lambda _: httpx.Response(400, text="no", headers=MARKED))

    with pytest.raises(BadRequestError) as caught:
        await calls.send()

    assert "SECRET" not in repr(calls.told) + repr(caught.value) + repr(vars(caught.value))


def _answers(status: int, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, headers=MARKED | headers)


def _intercepted(status: int, **headers: str) -> Handler:
    return lambda _: httpx.Response(status, headers=headers, text="<html>Access Denied</html>")


@pytest.mark.parametrize(
    ("handler", "error", "outcome"),
    [
        (_answers(500), ServerError, Outcome.SERVER_ERROR),
        (_answers(503), OfflineError, Outcome.OFFLINE),
        (_answers(429), RateLimitedError, Outcome.RATE_LIMITED),
        (_answers(400), BadRequestError, Outcome.REJECTED),
        (_answers(200), GarbledAnswerError, Outcome.GARBLED),
        (_answers(302, location="https://evil.example/"), OddStatusError, Outcome.SERVER_ERROR),
        (_intercepted(302, location="https://evil.example/"), InterceptedError, Outcome.INTERCEPTED),
        (_intercepted(401), InterceptedError, Outcome.INTERCEPTED),
        (_intercepted(403), InterceptedError, Outcome.INTERCEPTED),
        (_intercepted(407), InterceptedError, Outcome.INTERCEPTED),
        (_intercepted(429), InterceptedError, Outcome.INTERCEPTED),
        (_intercepted(502), ServerError, Outcome.SERVER_ERROR),
        (failing(httpx.ConnectError), UnreachableError, Outcome.UNREACHABLE),
        (failing(httpx.ReadError), UnreachableError, Outcome.UNREACHABLE),
        (failing(httpx.RemoteProtocolError), UnreachableError, Outcome.UNREACHABLE),
        (failing(httpx.ReadTimeout), TimedOutError, Outcome.TIMED_OUT),
        (failing(httpx.ConnectTimeout), TimedOutError, Outcome.TIMED_OUT),
    ],
    ids=itertools.count(),
)
async def test_failures_are_typed_and_told(handler: Handler, error: type[XeroError], outcome: Outcome) -> None:
    """Each failure has its error, and exactly one record says what became of the call."""
    calls = Calls(handler)

    with pytest.raises(error) as caught:
        await calls.send()

    assert type(caught.value) is error
    assert [record.outcome for record in calls.told] == [outcome]
    assert "SECRET" not in str(caught.value)


async def test_a_missing_record_is_told_as_such() -> None:
    """A 404 of Xero's is an answer."""
    calls = Calls(_answers(404, **{"xero-correlation-id": "c"}))

    answer = await calls.client.send(CallContext(DEFAULT_APP, TENANT, Priority.WEBHOOK), ONE)

    assert answer.missing
    assert calls.told[0].outcome is Outcome.MISSING


async def test_redirects_are_not_followed() -> None:
    """The token goes nowhere else."""
    calls = Calls(_answers(307, location="https://evil.example/"))

    with pytest.raises(OddStatusError):
        await calls.send()

    assert [request.url.host for request in calls.asked] == ["api.example"]


@pytest.mark.parametrize(
    "path", ["@evil.example/", "//evil.example/x", "/../@evil.example", "\\\\evil.example", "https://evil.example/"]
)
async def test_no_path_leads_the_token_away(path: str) -> None:
    """Whatever a request's path says, scheme, host and port are the configured ones; or nothing is sent."""
    request = Request(entity=INVOICES, form=PAGE.form, path=path, params=(), asked=None, page_size=1)
    calls = Calls(_good)

    with contextlib.suppress(MisdirectedError, httpx.InvalidURL):
        await calls.send(request)

    assert {(one.url.scheme, one.url.host, one.url.port) for one in calls.asked} <= {("https", "api.example", None)}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.xero.com",
        "ftp://api.xero.com",
        "https://",
        "https://u:p@api.xero.com",
        "https://api.xero.com/api.xro/2.0",
    ],
)
def test_an_address_that_is_no_base_is_refused_at_start(url: str) -> None:
    """XERO_API_URL is scheme, host and port; everything else would end in puzzling 404s."""
    with pytest.raises(MisdirectedError, match="XERO_API_URL"):
        XeroClient(api_url=url, tokens=Tokens(), on_call=print, timeout=1.0)


@pytest.mark.parametrize("status", [200, 503])
async def test_who_fails_when_told_of_a_call_changes_nothing_of_it(status: int) -> None:
    """The answer is the caller's, or Xero's own error; what went wrong with the telling is logged."""

    def broken(call: CallRecord) -> None:
        raise RuntimeError(f"no room for {call.endpoint}")

    calls = Calls(lambda request: _good(request) if status == 200 else httpx.Response(503, headers=HEADERS))
    client = XeroClient(
        api_url="https://api.example", tokens=Tokens(), on_call=broken, timeout=5, transport=calls.transport
    )

    with capture_logs() as logs, contextlib.nullcontext() if status == 200 else pytest.raises(OfflineError):
        answer = await client.send(CallContext(DEFAULT_APP, TENANT, Priority.COMMAND), PAGE)
        assert answer.records

    assert [(entry["event"], entry["endpoint"]) for entry in logs] == [("call_not_told", "Invoices/page")]


async def test_nobody_needs_to_be_told_of_calls() -> None:
    """``on_call`` may be left out."""
    calls = Calls(_good)
    client = XeroClient(api_url="https://api.example", tokens=Tokens(), timeout=5, transport=calls.transport)

    assert (await client.send(CallContext(DEFAULT_APP, TENANT, Priority.COMMAND), PAGE)).records


async def test_a_401_is_tried_once_more_with_another_token() -> None:
    """Two exchanges, two records, one replacement."""
    calls = Calls(
        lambda request: (
            _good(request) if request.headers["authorization"].endswith("2") else httpx.Response(401, headers=MARKED)
        )
    )

    await calls.send()

    assert calls.tokens.replaced == ["SECRET-1"]
    assert [record.outcome for record in calls.told] == [Outcome.NO_ACCESS, Outcome.OK]


async def test_a_second_401_is_an_error() -> None:
    """No third exchange."""
    calls = Calls(_answers(401))

    with pytest.raises(UnauthorisedError):
        await calls.send()

    assert len(calls.asked) == 2


async def test_a_401_of_a_stranger_says_nothing_about_the_token() -> None:
    """A portal asks for a password: the token stays, nothing is sent again, and the error is transient."""
    calls = Calls(_intercepted(401))

    with pytest.raises(InterceptedError) as caught:
        await calls.send()

    assert intent(caught.value) is Intent.RETRY
    assert "between here and Xero" in str(caught.value)
    assert (calls.tokens.replaced, len(calls.asked)) == ([], 1)


async def test_a_connection_that_is_listed_is_there() -> None:
    """``reaches`` asks for the grant's connections, and for no organisation."""
    calls = Calls(lambda _: httpx.Response(200, headers=MARKED, json=[_connection(TENANT.upper())]))
    assert await calls.client.reaches(DEFAULT_APP, TENANT, priority=Priority.POLL)
    assert "xero-tenant-id" not in calls.asked[0].headers

    calls = Calls(lambda _: httpx.Response(200, headers=MARKED, json=[_connection("another")]))
    assert not await calls.client.reaches(DEFAULT_APP, TENANT, priority=Priority.POLL)


def _connection(tenant_id: str) -> dict[str, str]:
    return {"id": "c", "tenantId": tenant_id, "tenantType": "ORGANISATION", "tenantName": "A"}


async def test_a_401_that_breaks_off_is_no_401() -> None:
    """Nobody knows who said it: no token is replaced for it."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"{"
        raise httpx.ReadError("gone")

    calls = Calls(lambda _: httpx.Response(401, content=broken()))

    with pytest.raises(UnreachableError):
        await calls.send()

    assert (calls.tokens.replaced, [record.outcome for record in calls.told]) == ([], [Outcome.UNREACHABLE])


async def test_a_401_without_another_token_is_an_error() -> None:
    """The token is too fresh to doubt: nothing is sent again, and the error has what Xero said about this one."""
    refusal = b'{"Title":"Unauthorized","Detail":"AuthorizationUnsuccessful"}'
    calls = Calls(lambda _: httpx.Response(401, headers=HEADERS, content=refusal), tokens=Tokens(stubborn=True))

    with pytest.raises(UnauthorisedError, match="401 AuthorizationUnsuccessful") as caught:
        await calls.send()

    assert len(calls.asked) == 1
    assert caught.value.meta.correlation_id == "c0ffee"
    assert "gave a moment ago" in caught.value.hint


async def test_the_second_exchange_needs_leave() -> None:
    """It is a call of its own for Xero's limits: the budget may say no."""
    asked: list[bool] = []

    async def leave() -> bool:
        asked.append(True)
        return len(asked) > 1

    calls = Calls(_answers(401))
    with pytest.raises(UnauthorisedError):
        await calls.send(again=leave)
    assert len(calls.asked) == 1

    with pytest.raises(UnauthorisedError):
        await calls.send(again=leave)
    assert len(calls.asked) == 3


async def _drip() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.005)


async def test_a_dripping_body_is_given_up_on() -> None:
    """The deadline is for the whole answer, not for the next byte."""
    calls = Calls(lambda _: httpx.Response(200, headers=HEADERS, content=_drip()), timeout=0.05)

    with pytest.raises(TimedOutError):
        await calls.send()

    (record,) = calls.told
    assert (record.outcome, record.status, record.correlation_id) == (Outcome.TIMED_OUT, 200, "c0ffee")


async def test_waiting_for_a_token_counts() -> None:
    """Nothing is sent when the time is up before there is a token."""
    calls = Calls(_good, tokens=Tokens(slow=True), timeout=0.02)

    with pytest.raises(TimedOutError):
        await calls.send()

    assert calls.asked == []


async def test_a_cancelled_call_is_told() -> None:
    """Shutting down leaves a record too."""
    sent = asyncio.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        del request
        sent.set()
        return httpx.Response(200, content=_drip())

    calls = Calls(answer)
    task = asyncio.create_task(calls.send())
    await sent.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [record.outcome for record in calls.told] == [Outcome.CANCELLED]


async def _endless() -> AsyncIterator[bytes]:
    block = b" " * 1024 * 1024
    for _ in range(MOST_BYTES // len(block) + 2):
        yield block


async def test_an_endless_answer_is_cut_off() -> None:
    """Memory is bounded, packed or not."""
    calls = Calls(lambda _: httpx.Response(200, content=_endless()))
    packed = gzip.compress(b" " * (MOST_BYTES + 1), compresslevel=1)
    bomb = Calls(lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, content=packed))

    for each in (calls, bomb):
        with pytest.raises(UnmappableAnswerError, match="over"):
            await each.send()


async def test_packed_answers() -> None:
    """Gzip is read, and counted as it came over the wire; a damaged one is tried again."""
    packed = gzip.compress(example("invoices", "page"))
    headers = {**HEADERS, "content-encoding": "gzip"}
    calls = Calls(lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(packed)))
    damaged = Calls(lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"\x1f\x8bxxxxxxxx")))

    answer = await calls.client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), PAGE)
    with pytest.raises(GarbledAnswerError):
        await damaged.send()

    assert len(answer.records) == 2
    assert calls.told[0].bytes_in == len(packed)


async def test_a_big_page_lets_others_have_their_turn() -> None:
    """A page of a thousand invoices is read in steps; no other task waits for all of it."""
    invoice = decode(example("invoices", "ids"))["Invoices"][0]
    page = encode({"Invoices": [invoice] * 1_000, "pagination": {"page": 1}})
    calls = Calls(lambda _: httpx.Response(200, headers=HEADERS, content=page))
    turns = 0
    task = asyncio.create_task(calls.client.send(CallContext(DEFAULT_APP, TENANT, Priority.BACKFILL), PAGE))

    while not task.done():
        turns += 1
        await asyncio.sleep(0)

    assert len((await task).records) == 1_000
    assert turns > len(page) / (200 * 1024)


async def test_cookies_are_not_kept() -> None:
    """What one organisation's answer sets must not go out with another's call."""
    calls = Calls(lambda _: httpx.Response(200, headers=[*HEADERS.items(), ("set-cookie", "a=b")], content=b"{}"))

    for _ in range(2):
        with pytest.raises(UnmappableAnswerError):
            await calls.send()

    assert all("cookie" not in request.headers for request in calls.asked)


async def test_connections_need_no_tenant() -> None:
    """The token is sent, the tenant header is not; the record has no tenant."""
    body = b'[{"id":"a","tenantId":"b","tenantType":"ORGANISATION"}]'
    calls = Calls(lambda _: httpx.Response(200, content=body))
    token = AccessToken(value="SECRET-9", grant_id=GrantId("g"))

    found = await calls.client.connections(DEFAULT_APP, token, auth_event_id="e")

    assert [connection.tenant_id for connection in found] == ["b"]
    (request,) = calls.asked
    assert request.url.raw_path == b"/connections?authEventId=e"
    assert "xero-tenant-id" not in request.headers
    assert request.headers["authorization"] == "Bearer SECRET-9"
    assert calls.told[0].tenant_id is None
    assert calls.told[0].endpoint == "connections"


async def test_connections_fail_like_other_calls() -> None:
    """The same errors by the same table."""
    calls = Calls(_answers(401))

    with pytest.raises(UnauthorisedError):
        await calls.client.connections(DEFAULT_APP, AccessToken(value="x", grant_id=GrantId("g")))


async def test_odd_connections_are_counted_in_the_log() -> None:
    """The others are returned; the values of the odd ones are not logged."""
    body = b'[{"tenantId":"b"},{"tenantId":null,"tenantName":"SECRET"},null]'
    calls = Calls(lambda _: httpx.Response(200, content=body))

    with capture_logs() as logs:
        found = await calls.client.connections(DEFAULT_APP, AccessToken(value="x", grant_id=GrantId("g")))

    assert [connection.tenant_id for connection in found] == ["b"]
    (entry,) = logs
    assert (entry["event"], entry["count"]) == ("connections_unreadable", 2)
    assert entry["reasons"] == ["1: no tenant id", "2: no object"]


ORGANISATION_BODY = b'{"Organisations":[{"OrganisationID":"AB-1","Name":"Ours"}]}'


@pytest.mark.parametrize(
    ("custom", "asked"), [(True, ["/connections", "/api.xro/2.0/Organisation"]), (False, ["/connections"])]
)
async def test_a_custom_connection_that_may_not_list_is_asked_for_its_organisation(
    asked: list[str], *, custom: bool
) -> None:
    """Without a tenant header. A user's grant has no such way round."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/connections":
            return httpx.Response(401, headers=HEADERS)
        return httpx.Response(200, headers=HEADERS, content=ORGANISATION_BODY)

    calls = Calls(handler)
    token = AccessToken(value="x", grant_id=GrantId("g"))

    if custom:
        (found,) = await calls.client.reached(DEFAULT_APP, token, custom=True)
        assert (found.tenant_id, found.tenant_name, found.id) == ("ab-1", "Ours", None)
    else:
        with pytest.raises(UnauthorisedError):
            await calls.client.reached(DEFAULT_APP, token, custom=False)

    assert [request.url.path for request in calls.asked] == asked
    assert all("xero-tenant-id" not in request.headers for request in calls.asked)


async def test_a_custom_connection_refused_everywhere_says_which_scope_it_needs() -> None:
    """And a failure of another kind is no refusal: the organisation is not asked for."""
    token = AccessToken(value="x", grant_id=GrantId("g"))
    refused = Calls(lambda _: httpx.Response(401, headers=HEADERS))
    down = Calls(lambda _: httpx.Response(500, headers=HEADERS))

    with pytest.raises(UnauthorisedError) as caught:
        await refused.client.reached(DEFAULT_APP, token, custom=True)
    with pytest.raises(ServerError):
        await down.client.reached(DEFAULT_APP, token, custom=True)

    assert "accounting.settings.read" in caught.value.hint
    assert len(down.asked) == 1


async def test_disconnecting_deletes_by_id() -> None:
    """204 and Xero's 404 are both the end of it; a 403 is about the id. Each call is told."""
    statuses = iter((204, 404, 403))
    calls = Calls(lambda _: httpx.Response(next(statuses), headers=HEADERS))
    token = AccessToken(value="SECRET-9", grant_id=GrantId("g"))

    gone = [await calls.client.disconnect(DEFAULT_APP, token, "c1") for _ in range(2)]
    with pytest.raises(NotAConnectionError):
        await calls.client.disconnect(DEFAULT_APP, token, "c1")

    assert gone == [True, False]
    assert [(request.method, request.url.raw_path) for request in calls.asked] == [("DELETE", b"/connections/c1")] * 3
    assert all(request.headers["authorization"] == "Bearer SECRET-9" for request in calls.asked)
    assert [record.outcome for record in calls.told] == [Outcome.OK, Outcome.OK, Outcome.REJECTED]


async def test_closing_closes_the_pool() -> None:
    """Whoever opened it closes it."""
    calls = Calls(_good)

    await calls.client.aclose()

    with pytest.raises(RuntimeError, match="closed"):
        await calls.send()
