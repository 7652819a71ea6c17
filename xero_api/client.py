"""The httpx shell: sends a request, reads the answer within a deadline, reports the call. All sense is made elsewhere.

A token goes to the configured API host only: the address is built here from base and path, checked again before the
token is added, and redirects are not followed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol, TypeVar

import httpx

from xero_api.answers import Answer, Timing, decipher_in_steps, error_of
from xero_api.call import CallRecord, Lane, Outcome, outcome_of
from xero_api.clock import Departure, ServerClock
from xero_api.connections import (
    Connection,
    connection_target,
    connections_target,
    parse_connections,
    parse_disconnection,
)
from xero_api.errors import (
    GarbledAnswerError,
    MisdirectedError,
    TimedOutError,
    UnauthorisedError,
    UnmappableAnswerError,
    UnreachableError,
    XeroError,
)
from xero_api.meta import NO_META, Meta, read_meta
from xero_api.oauth.source import AccessToken, TokenSource
from xero_api.parts import FileRequest, PartAnswer, PartRequest, decipher_part
from xero_api.reports import ReportAnswer, ReportRequest, decipher_report
from xero_api.requests import Request
from xero_api.streams import FileStream, file_error
from xero_api.writes.answers import WriteAnswer
from xero_api.writes.answers import decipher as decipher_write
from xero_api.writes.requests import WriteRequest
from xero_stream.contracts.names import AppName, TenantId

MOST_BYTES = 64 * 1024 * 1024
_CONNECT_SECONDS = 10.0
_KEPT_CONNECTIONS = 100
_KEPT_SECONDS = 30.0
_BEFORE_ANY_CLOCK = timedelta(minutes=1)


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
        return datetime.now(UTC)


T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """One HTTP exchange, as far as it got."""

    app: AppName
    tenant_id: TenantId | None
    lane: Lane
    endpoint: str
    target: str
    headers: Mapping[str, str]
    departure: Departure
    sent_at: datetime
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)
    status: int | None = None
    received: float | None = None
    ended: float | None = None
    bytes_out: int = 0
    bytes_in: int = 0
    meta: Meta = NO_META


class XeroClient:
    """Calls Xero. One per process; safe for any number of tasks."""

    def __init__(
        self,
        *,
        api_url: str,
        tokens: TokenSource,
        on_call: Callable[[CallRecord], None],
        timeout: float,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._base = _base_address(api_url)
        self._tokens = tokens
        self._on_call = on_call
        self._timeout = timeout
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

    async def send(
        self,
        app: AppName,
        tenant_id: TenantId,
        request: Request,
        *,
        lane: Lane,
        again: Callable[[], Awaitable[bool]] | None = None,
        before_unpacking: Callable[[int], Awaitable[None]] | None = None,
    ) -> Answer:
        """Make a call. A 401 is tried once more with a new token; nothing else is repeated here.

        Everything together, tokens included, takes at most the client's timeout (but for ``before_unpacking``).

        Args:
            app: our app.
            tenant_id: the organisation.
            request: what to ask.
            lane: why; for the call record.
            again: asked before the second exchange, which is a call of its own for Xero's limits; if it answers False
                the 401 is raised. None: it is made at once.
            before_unpacking: waited for when an answer's bytes are here, given their number: records take about ten
                times as much memory.

        Raises:
            XeroError: see ``xero_api.errors``.
        """

        async def attempt(token: AccessToken, deadline: float) -> Answer:
            return await self._read(app, tenant_id, request, lane, token, deadline, before_unpacking)

        return await self._authorised(app, tenant_id, request.endpoint, again, attempt)

    async def write(
        self,
        app: AppName,
        tenant_id: TenantId,
        request: WriteRequest,
        *,
        lane: Lane = Lane.COMMAND,
        again: Callable[[], Awaitable[bool]] | None = None,
    ) -> WriteAnswer:
        """Write. Nothing is sent twice here, but after a 401, which Xero gives before it does anything.

        Whether a failed write may be sent again says ``xero_api.writes.again``, for the error's ``sent`` and ``status``.

        Args:
            app: our app.
            tenant_id: the organisation.
            request: what to write.
            lane: why; for the call record.
            again: as for :meth:`send`.

        Raises:
            XeroError: see ``xero_api.errors``.
        """

        async def attempt(token: AccessToken, deadline: float) -> WriteAnswer:
            return await self._wrote(app, tenant_id, request, lane, token, deadline)

        return await self._authorised(app, tenant_id, request.endpoint, again, attempt)

    async def report(
        self,
        app: AppName,
        tenant_id: TenantId,
        request: ReportRequest,
        *,
        lane: Lane = Lane.COMMAND,
        again: Callable[[], Awaitable[bool]] | None = None,
    ) -> ReportAnswer:
        """Read a report.

        Args:
            app: our app.
            tenant_id: the organisation.
            request: which.
            lane: why; for the call record.
            again: as for :meth:`send`.

        Raises:
            XeroError: see ``xero_api.errors``.
        """

        async def attempt(token: AccessToken, deadline: float) -> ReportAnswer:
            headers = {"xero-tenant-id": tenant_id}
            exchange = self._departing(app, tenant_id, lane, request.endpoint, request.target, headers, token)

            async def understand(headers: Mapping[str, str], body: bytes) -> ReportAnswer:
                return decipher_report(request, exchange.status or 0, headers, body)

            return await self._reported(exchange, deadline, understand)

        return await self._authorised(app, tenant_id, request.endpoint, again, attempt)

    async def part(
        self,
        app: AppName,
        tenant_id: TenantId,
        request: PartRequest,
        *,
        lane: Lane = Lane.COMMAND,
        again: Callable[[], Awaitable[bool]] | None = None,
    ) -> PartAnswer:
        """Read a list below a record: its attachments, its history.

        Args:
            app: our app.
            tenant_id: the organisation.
            request: which.
            lane: why; for the call record.
            again: as for :meth:`send`.

        Raises:
            XeroError: see ``xero_api.errors``.
        """

        async def attempt(token: AccessToken, deadline: float) -> PartAnswer:
            headers = {"xero-tenant-id": tenant_id}
            exchange = self._departing(app, tenant_id, lane, request.endpoint, request.path, headers, token)

            async def understand(headers: Mapping[str, str], body: bytes) -> PartAnswer:
                return decipher_part(request, exchange.status or 0, headers, body)

            return await self._reported(exchange, deadline, understand)

        return await self._authorised(app, tenant_id, request.endpoint, again, attempt)

    @asynccontextmanager
    async def stream(
        self,
        app: AppName,
        tenant_id: TenantId,
        request: FileRequest,
        *,
        lane: Lane = Lane.COMMAND,
        again: Callable[[], Awaitable[bool]] | None = None,
    ) -> AsyncIterator[FileStream]:
        """Read a file, chunk by chunk: an attachment, a PDF. The call ends with the block.

        Up to the headers of the answer everything together takes at most the client's timeout; then each chunk does.

        Args:
            app: our app.
            tenant_id: the organisation.
            request: which.
            lane: why; for the call record.
            again: as for :meth:`send`.

        Yields:
            The file: media type, size if Xero says, and chunks.

        Raises:
            MissingFileError: there is none.
            XeroError: see ``xero_api.errors``; before the first chunk, and from the iteration.
        """

        async def attempt(token: AccessToken, deadline: float) -> tuple[_Exchange, httpx.Response, FileStream]:
            headers = {**request.headers, "Accept-Encoding": "identity", "xero-tenant-id": tenant_id}
            exchange = self._departing(app, tenant_id, lane, request.endpoint, request.path, headers, token)
            try:
                opened = await self._within(deadline, exchange.endpoint, self._opened(exchange, request))
            except BaseException as error:
                self._tell(exchange, outcome_of(error) if isinstance(error, XeroError) else Outcome.CANCELLED)
                raise
            return exchange, *opened

        exchange, response, file = await self._authorised(app, tenant_id, request.endpoint, again, attempt)
        try:
            yield file
        finally:
            exchange.bytes_in = response.num_bytes_downloaded
            try:
                await response.aclose()
            finally:
                self._tell(exchange, file.outcome)

    async def connections(
        self, app: AppName, token: AccessToken, *, lane: Lane = Lane.COMMAND, auth_event_id: str | None = None
    ) -> list[Connection]:
        """The organisations a token reaches. Costs no tenant's budget, only one of the app's calls a minute.

        Args:
            app: our app.
            token: a token of the grant.
            lane: why; for the call record.
            auth_event_id: only those connected by this consent.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        target = connections_target(auth_event_id)
        exchange = self._departing(app, None, lane, "connections", target, {}, token)
        deadline = asyncio.get_running_loop().time() + self._timeout

        async def understand(headers: Mapping[str, str], body: bytes) -> list[Connection]:
            if exchange.status == HTTPStatus.OK:
                return parse_connections(body)
            raise error_of("connections", exchange.status or 0, headers, body)

        return await self._reported(exchange, deadline, understand)

    async def _authorised(
        self,
        app: AppName,
        tenant_id: TenantId,
        endpoint: str,
        again: Callable[[], Awaitable[bool]] | None,
        attempt: Callable[[AccessToken, float], Awaitable[T]],
    ) -> T:
        """An attempt with a token, and after a 401 one with another."""
        deadline = asyncio.get_running_loop().time() + self._timeout
        token = await self._before_sending(self._within(deadline, endpoint, self._tokens.token(app, tenant_id)))
        try:
            return await attempt(token, deadline)
        except UnauthorisedError:
            token = await self._before_sending(self._within(deadline, endpoint, self._tokens.replacement(token)))
            if again is not None and not await self._before_sending(self._within(deadline, endpoint, again())):
                raise
        return await attempt(token, deadline)

    @staticmethod
    async def _before_sending(awaitable: Awaitable[T]) -> T:
        try:
            return await awaitable
        except XeroError as error:
            error.sent = False
            raise

    async def _wrote(
        self, app: AppName, tenant_id: TenantId, request: WriteRequest, lane: Lane, token: AccessToken, deadline: float
    ) -> WriteAnswer:
        headers = {**request.headers, "xero-tenant-id": tenant_id}
        exchange = self._departing(app, tenant_id, lane, request.endpoint, request.target, headers, token)
        exchange.method, exchange.body = request.method, request.body

        async def understand(headers: Mapping[str, str], body: bytes) -> WriteAnswer:
            answer = decipher_write(request, exchange.status or 0, headers, body)
            return replace(answer, timing=self._timing(exchange, answer.server_time))

        return await self._reported(exchange, deadline, understand)

    async def disconnect(
        self, app: AppName, token: AccessToken, connection_id: str, *, lane: Lane = Lane.COMMAND
    ) -> bool:
        """Take a connection away. Repeating is harmless.

        Args:
            app: our app.
            token: a token of the grant.
            connection_id: ``Connection.id``; not the tenant's id, nor the consent's.
            lane: why; for the call record.

        Returns:
            False if it was gone already.

        Raises:
            NotAConnectionError: the id is of something else.
            XeroError: see ``xero_api.errors``.
        """
        exchange = self._departing(app, None, lane, "connections", connection_target(connection_id), {}, token)
        exchange.method = "DELETE"
        deadline = asyncio.get_running_loop().time() + self._timeout

        async def understand(headers: Mapping[str, str], body: bytes) -> bool:
            return parse_disconnection(exchange.status or 0, headers, body)

        return await self._reported(exchange, deadline, understand)

    async def _read(
        self,
        app: AppName,
        tenant_id: TenantId,
        request: Request,
        lane: Lane,
        token: AccessToken,
        deadline: float,
        before_unpacking: Callable[[int], Awaitable[None]] | None,
    ) -> Answer:
        headers = {**request.headers, "xero-tenant-id": tenant_id}
        exchange = self._departing(app, tenant_id, lane, request.endpoint, request.target, headers, token)

        async def understand(headers: Mapping[str, str], body: bytes) -> Answer:
            if before_unpacking is not None:
                await before_unpacking(len(body))
            answer = await _with_pauses(decipher_in_steps(request, exchange.status or 0, headers, body))
            return replace(answer, timing=self._timing(exchange, answer.server_time))

        return await self._reported(exchange, deadline, understand)

    def _departing(
        self,
        app: AppName,
        tenant_id: TenantId | None,
        lane: Lane,
        endpoint: str,
        target: str,
        headers: Mapping[str, str],
        token: AccessToken,
    ) -> _Exchange:
        return _Exchange(
            app=app,
            tenant_id=tenant_id,
            lane=lane,
            endpoint=endpoint,
            target=target,
            headers={**headers, "Authorization": f"Bearer {token.value}"},
            departure=self._server_clock.depart(self._clock.monotonic()),
            sent_at=self._clock.now(),
        )

    async def _reported(
        self, exchange: _Exchange, deadline: float, understand: Callable[[Mapping[str, str], bytes], Awaitable[T]]
    ) -> T:
        """Exchange, make sense, and tell the hook, whatever happens."""
        outcome = Outcome.CANCELLED
        try:
            try:
                headers, body = await self._within(deadline, exchange.endpoint, self._exchanged(exchange))
            finally:
                exchange.ended = self._clock.monotonic()
            result = await understand(headers, body)
            outcome = Outcome.MISSING if isinstance(result, Answer) and result.missing else Outcome.OK
        except XeroError as error:
            outcome = outcome_of(error)
            raise
        finally:
            self._on_call(self._record(exchange, outcome))
        return result

    async def _opened(self, exchange: _Exchange, request: FileRequest) -> tuple[httpx.Response, FileStream]:
        response = await self._sent(exchange)
        try:
            if exchange.status == HTTPStatus.OK:
                return response, FileStream(request, response, self._timeout)
            raise file_error(request, response, await self._body(exchange, response))
        except BaseException:
            exchange.bytes_in = response.num_bytes_downloaded
            await response.aclose()
            raise

    async def _exchanged(self, exchange: _Exchange) -> tuple[Mapping[str, str], bytes]:
        response = await self._sent(exchange)
        try:
            return response.headers, await self._body(exchange, response)
        finally:
            exchange.bytes_in = response.num_bytes_downloaded
            await response.aclose()

    async def _sent(self, exchange: _Exchange) -> httpx.Response:
        url = self._base.copy_with(raw_path=exchange.target.encode())
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port) or url.userinfo:
            error = MisdirectedError(f"{exchange.endpoint}: the address left the configured host; no token was sent")
            error.sent = False
            raise error
        request = self._http.build_request(
            exchange.method, url, headers=exchange.headers, content=exchange.body or None
        )
        exchange.bytes_out = _size(request)
        try:
            response = await self._http.send(request, stream=True)
        except httpx.RequestError as error:
            raise _wrapped(exchange, error) from None
        exchange.status = response.status_code
        exchange.received = self._clock.monotonic()
        exchange.meta = read_meta(response.headers)
        return response

    async def _body(self, exchange: _Exchange, response: httpx.Response) -> bytes:
        body = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UnmappableAnswerError(
                        f"{exchange.endpoint}: an answer of over {MOST_BYTES} bytes", status=200
                    )
        except httpx.RequestError as error:
            raise _wrapped(exchange, error) from None
        return bytes(body)

    async def _within(self, deadline: float, endpoint: str, awaitable: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout_at(deadline):
                return await awaitable
        except TimeoutError:
            raise TimedOutError(f"{endpoint}: not complete within {self._timeout:g} s") from None

    def _timing(self, exchange: _Exchange, server_time: datetime | None) -> Timing:
        received = exchange.received if exchange.received is not None else self._clock.monotonic()
        at_server = self._server_clock.arrive(exchange.departure, exchange.meta.server_date, received)
        if at_server is None:  # no answer ever had a Date
            elapsed = timedelta(seconds=received - exchange.departure.sent)
            at_server = (server_time or exchange.sent_at - _BEFORE_ANY_CLOCK) - elapsed
        elif server_time is not None and at_server > server_time:
            # The header lies: Xero's own stamp, of the same clock as the records', was written after the sending.
            at_server = server_time - timedelta(seconds=received - exchange.departure.sent)
        return Timing(
            sent=exchange.departure.sent,
            received=received,
            sent_at=exchange.sent_at,
            fetched_at=self._clock.now(),
            server_sent_at=at_server,
        )

    def _tell(self, exchange: _Exchange, outcome: Outcome) -> None:
        exchange.ended = self._clock.monotonic()
        self._on_call(self._record(exchange, outcome))

    def _record(self, exchange: _Exchange, outcome: Outcome) -> CallRecord:
        return CallRecord(
            app=exchange.app,
            tenant_id=exchange.tenant_id,
            lane=exchange.lane,
            endpoint=exchange.endpoint,
            sent_at=exchange.sent_at,
            status=exchange.status,
            ms=((exchange.ended or self._clock.monotonic()) - exchange.departure.sent) * 1_000,
            bytes_out=exchange.bytes_out,
            bytes_in=exchange.bytes_in,
            correlation_id=exchange.meta.correlation_id,
            outcome=outcome,
            limits=exchange.meta.limits,
        )


async def _with_pauses(steps: Generator[None, None, T]) -> T:
    """Run the steps, letting the other tasks have a turn at each pause."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await asyncio.sleep(0)


def _base_address(api_url: str) -> httpx.URL:
    url = httpx.URL(api_url)
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.path not in {"", "/"} or url.query:
        raise MisdirectedError("XERO_API_URL must be a base address like https://api.xero.com")
    return url


def _wrapped(exchange: _Exchange, error: httpx.RequestError) -> XeroError:
    found: XeroError
    if isinstance(error, httpx.TimeoutException):
        found = TimedOutError(f"{exchange.endpoint}: no answer in time")
    else:  # httpx's messages may quote header values; its class says enough
        kind = GarbledAnswerError if exchange.status == HTTPStatus.OK else UnreachableError
        found = kind(f"{exchange.endpoint}: {type(error).__name__}", status=exchange.status)
    found.sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return found


def _size(request: httpx.Request) -> int:
    fields = (len(name) + len(value) + 4 for name, value in request.headers.raw if name.lower() != b"authorization")
    line = len(request.method) + len(request.url.raw_path) + len(" HTTP/1.1\r\n\r\n") + 1
    return line + sum(fields) + len(request.content)
