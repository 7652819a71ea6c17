"""One HTTP exchange: to the configured host only, within its time, and told once, whatever became of it.

The address is built here from base and path, checked again before the token is added, and redirects are not followed.
The only module that knows httpx beside ``xero_api.oauth.identity``. All sense is made elsewhere.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol, TypeVar

import httpx
import structlog

from xero_api.answers import Timing
from xero_api.call import CallRecord, Outcome, Priority, outcome_of
from xero_api.clock import ServerClock
from xero_api.errors import (
    GarbledAnswerError,
    MisdirectedError,
    OversizedAnswerError,
    TimedOutError,
    UnreachableError,
    XeroError,
)
from xero_api.meta import NO_META, read_meta
from xero_api.oauth.source import AccessToken
from xero_api.unpacking import BadPackingError, unpacked, whole
from xero_stream.contracts.names import AppName, TenantId

MOST_BYTES = 64 * 1024 * 1024
"""Of an answer that is read whole, unpacked."""

_CONNECT_SECONDS = 10.0
_KEPT_CONNECTIONS = 100
_KEPT_SECONDS = 30.0
_BEFORE_ANY_CLOCK = timedelta(minutes=1)

log = structlog.get_logger()
T = TypeVar("T")


class Clock(Protocol):
    """What time it is here."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def now(self) -> datetime:
        """Wall clock, aware, UTC."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """See :class:`Clock`."""
        return time.monotonic()

    def now(self) -> datetime:
        """See :class:`Clock`."""
        return datetime.now(UTC)  # noqa: TID251 - for a program without a store; the processors give another clock


@dataclass(frozen=True, slots=True)
class Call:
    """What to send, and why.

    Attributes:
        app: our app.
        tenant_id: the organisation; None: the call is about none.
        priority: why; for the call record.
        endpoint: a bounded label.
        target: path and query, encoded.
        headers: headers beside authorisation and tenant.
        method: HTTP method.
        body: the exact bytes.
    """

    app: AppName
    tenant_id: TenantId | None
    priority: Priority
    _: KW_ONLY
    endpoint: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)


class Deadline:
    """When a call must be complete, all that it waits for together."""

    def __init__(self, endpoint: str, seconds: float) -> None:
        """The time runs from here.

        Args:
            endpoint: the call's label, for the error.
        """
        self._endpoint = endpoint
        self._seconds = seconds
        self._at = asyncio.get_running_loop().time() + seconds

    async def keep(self, awaitable: Awaitable[T]) -> T:
        """Wait, but no longer than that.

        Raises:
            TimedOutError: the time is up.
        """
        try:
            async with asyncio.timeout_at(self._at):
                return await awaitable
        except TimeoutError:
            raise TimedOutError(f"{self._endpoint}: not complete within {self._seconds:g} s") from None


class Exchange:
    """One HTTP exchange, as far as it got.

    Attributes:
        status: HTTP status; 0 before the headers of the answer are here.
        headers: the answer's, names in lower case.
        outcome: what became of it, where the end of the block it is used in doesn't say it.
    """

    def __init__(self, call: Call, deadline: Deadline, clock: Clock, server_clock: ServerClock) -> None:
        """It departs now."""
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.outcome: Outcome | None = None
        self._call = call
        self._deadline = deadline
        self._clock = clock
        self._server_clock = server_clock
        self._departure = server_clock.depart(clock.monotonic())
        self._sent_at = clock.now()
        self._bytes_out = 0
        self._bytes_in = 0
        self._response: httpx.Response | None = None
        self._meta = NO_META
        self._received = 0.0
        self._ended: float | None = None

    async def send(self, http: httpx.AsyncClient, base: httpx.URL, token: AccessToken) -> httpx.Response:
        """Send the call, and wait for the headers of the answer.

        Args:
            http: over what.
            base: the host that may have the token.

        Raises:
            XeroError: the address is another host's, or no answer came in time.
        """
        return await self._deadline.keep(self._answered(http, self._request(http, base, token)))

    def _request(self, http: httpx.AsyncClient, base: httpx.URL, token: AccessToken) -> httpx.Request:
        call = self._call
        url = base.copy_with(raw_path=call.target.encode())
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port) or url.userinfo:
            error = MisdirectedError(f"{call.endpoint}: the address left the configured host; no token was sent")
            error.sent = False
            raise error
        headers = {**call.headers, "Authorization": f"Bearer {token.value}"}
        if call.tenant_id is not None:
            headers["xero-tenant-id"] = call.tenant_id
        return http.build_request(call.method, url, headers=headers, content=call.body or None)

    async def _answered(self, http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        self._bytes_out = _size(request)
        try:
            response = await http.send(request, stream=True)
        except httpx.RequestError as error:
            raise self._wrapped(error) from None
        self._received = self._clock.monotonic()
        self._response, self.status, self.headers = response, response.status_code, response.headers
        self._meta = read_meta(response.headers)
        return response

    async def read(self) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and the whole body, within the call's time. Its connection is free then.

        Raises:
            XeroError: it came too late, broke off, is packed in a way not asked for, or is over :data:`MOST_BYTES`.
        """
        try:
            return self.status, self.headers, await self._deadline.keep(self._whole())
        finally:
            self._ended = self._clock.monotonic()

    async def _whole(self) -> bytes:
        async with aclosing(self.chunks()) as chunks:
            body = await whole(chunks, MOST_BYTES)
        if body is None:
            raise OversizedAnswerError(
                f"{self._call.endpoint}: an answer of over {MOST_BYTES} bytes", status=self.status, meta=self._meta
            )
        return body

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it comes, unpacked, in pieces of at most 64 KiB or so.

        Raises:
            EncodedAnswerError: it is packed in a way that was not asked for.
            TransientError: it broke off.
        """
        assert self._response is not None
        try:
            async for piece in unpacked(self.headers.get("content-encoding", ""), self._raw(self._response)):
                yield piece
        except httpx.RequestError as error:
            raise self._wrapped(error) from None
        except BadPackingError as error:
            raise self._broken(error) from None

    async def _raw(self, response: httpx.Response) -> AsyncIterator[bytes]:
        # Not ``aiter_bytes``: it unpacks as many encodings as the answer names, without a bound.
        assert isinstance(response.stream, httpx.AsyncByteStream)
        async for chunk in response.stream:
            self._bytes_in += len(chunk)
            yield chunk
        await response.aclose()  # its connection is free for the next call

    def _wrapped(self, error: httpx.RequestError) -> XeroError:
        found: XeroError
        if isinstance(error, httpx.TimeoutException):
            found = TimedOutError(f"{self._call.endpoint}: no answer in time")
        else:
            found = self._broken(error)
        found.sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return found

    def _broken(self, error: Exception) -> XeroError:
        # httpx's messages may quote header values; the class says enough
        kind = GarbledAnswerError if self.status == HTTPStatus.OK else UnreachableError
        return kind(f"{self._call.endpoint}: {type(error).__name__}", status=self.status or None)

    def timing(self, server_time: datetime | None) -> Timing:
        """When it was made, of an exchange that was answered.

        Args:
            server_time: what the answer's document says.
        """
        sent, elapsed = self._departure.sent, timedelta(seconds=self._received - self._departure.sent)
        at_server = self._server_clock.arrive(self._departure, self._meta.server_date, self._received)
        if at_server is None:  # no answer ever had a Date
            at_server = (server_time or self._sent_at - _BEFORE_ANY_CLOCK) - elapsed
        elif server_time is not None and at_server > server_time:
            # The header lies: Xero's own stamp, of the same clock as the records', was written after the sending.
            at_server = server_time - elapsed
        return Timing(
            sent=sent,
            received=self._received,
            sent_at=self._sent_at,
            fetched_at=self._clock.now(),
            server_sent_at=at_server,
        )

    def record(self, outcome: Outcome) -> CallRecord:
        """What is told about it.

        Args:
            outcome: how it ended; :attr:`outcome` goes before.
        """
        ended = self._clock.monotonic() if self._ended is None else self._ended
        return CallRecord(
            app=self._call.app,
            tenant_id=self._call.tenant_id,
            priority=self._call.priority,
            endpoint=self._call.endpoint,
            sent_at=self._sent_at,
            status=self.status or None,
            ms=(ended - self._departure.sent) * 1_000,
            bytes_out=self._bytes_out,
            bytes_in=self._bytes_in,
            correlation_id=self._meta.correlation_id,
            outcome=self.outcome or outcome,
            limits=self._meta.limits,
        )


class Wire:
    """Exchanges with one host. Safe for any number of tasks."""

    def __init__(
        self,
        *,
        api_url: str,
        on_call: Callable[[CallRecord], None],
        timeout: float,
        transport: httpx.AsyncBaseTransport | None,
        clock: Clock | None,
    ) -> None:
        self._base = _base_address(api_url)
        self._on_call = on_call
        self._clock = clock or SystemClock()
        self._server_clock = ServerClock()
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS), pool=None),
            limits=httpx.Limits(  # calls are bounded by the budget; a slow tenant must not hold the others' connections
                max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS, keepalive_expiry=_KEPT_SECONDS
            ),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "xero-stream"},
        )
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def server_now(self) -> float | None:
        """The host's clock now, as its answers show it; None before the first."""
        return self._server_clock.now(self._clock.monotonic())

    @asynccontextmanager
    async def exchange(self, call: Call, token: AccessToken, deadline: Deadline) -> AsyncIterator[Exchange]:
        """Send a call once. It is told when the block ends: as good, unless an error or a cancellation ends it.

        Yields:
            The exchange, its headers read, whatever its status; the body is still to come.

        Raises:
            XeroError: there was no answer.
        """
        exchange = Exchange(call, deadline, self._clock, self._server_clock)
        outcome = Outcome.CANCELLED
        try:
            async with aclosing(await exchange.send(self._http, self._base, token)):
                yield exchange
            outcome = Outcome.OK
        except XeroError as error:
            outcome = outcome_of(error)
            raise
        finally:
            self._tell(exchange.record(outcome))

    def _tell(self, record: CallRecord) -> None:
        try:
            self._on_call(record)
        except Exception as error:  # the call was made: neither its answer nor its own error may get lost over this
            log.exception("call_not_told", endpoint=record.endpoint, reason=repr(error)[:300])


def _base_address(api_url: str) -> httpx.URL:
    url = httpx.URL(api_url)
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.path not in {"", "/"} or url.query:
        raise MisdirectedError("XERO_API_URL must be a base address like https://api.xero.com")
    return url


def _size(request: httpx.Request) -> int:
    fields = (len(name) + len(value) + 4 for name, value in request.headers.raw if name.lower() != b"authorization")
    line = len(request.method) + len(request.url.raw_path) + len(" HTTP/1.1\r\n\r\n") + 1
    return line + sum(fields) + len(request.content)
