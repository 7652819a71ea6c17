"""Xero's calls, one method each: what is sent, with which token, and who makes sense of the answer.

The exchange itself is in ``xero_api.exchange``, the sense in pure modules.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

import httpx
import structlog

from xero_api.answers import Answer, decipher, decipher_in_steps, error_of
from xero_api.call import CallRecord, Outcome, Priority, outcome_of
from xero_api.calling.context import CallContext
from xero_api.connections import (
    Connection,
    Listed,
    connection_target,
    connections_target,
    own_connection,
    parse_connections,
    parse_disconnection,
)
from xero_api.errors import AccessError, InterceptedError, UnauthorisedError, UnmappableAnswerError, XeroError
from xero_api.exchange import Call, Clock, Deadline, Exchange, Wire
from xero_api.oauth.source import AccessToken, TokenSource
from xero_api.parts import FileRequest, PartAnswer, PartRequest, decipher_part
from xero_api.registry import ORGANISATIONS
from xero_api.reports import ReportAnswer, ReportRequest, decipher_report
from xero_api.requests import Request, get_all
from xero_api.salvage import salvage
from xero_api.streams import FileStream, file_error
from xero_api.verdicts import Subject
from xero_api.writes.answers import WriteAnswer
from xero_api.writes.answers import decipher as decipher_write
from xero_api.writes.requests import WriteRequest
from xero_stream.contracts.names import AppName, TenantId

_SHOWN = 5

log = structlog.get_logger()
T = TypeVar("T")


def _nobody(call: CallRecord) -> None:
    del call


class XeroClient:
    """Calls Xero. One per process; safe for any number of tasks."""

    def __init__(
        self,
        *,
        api_url: str,
        tokens: TokenSource,
        on_call: Callable[[CallRecord], None] = _nobody,
        timeout: float,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Nothing is called yet.

        Args:
            api_url: the API's base address.
            tokens: where calls get their tokens.
            on_call: called after every exchange, when it ended. An error it raises is logged, and changes nothing.
            timeout: seconds that a call may take in all.
            transport: another way to send than over the network.
            clock: another clock than the machine's.

        Raises:
            MisdirectedError: the address is none.
        """
        self._tokens = tokens
        self._timeout = timeout
        self._wire = Wire(api_url=api_url, on_call=on_call, timeout=timeout, transport=transport, clock=clock)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    def server_now(self) -> float | None:
        """Xero's clock now, Unix time to a second or so; None before the first answer."""
        return self._wire.server_now()

    async def send(
        self,
        context: CallContext,
        request: Request,
        *,
        before_unpacking: Callable[[int], Awaitable[None]] | None = None,
    ) -> Answer:
        """Make a call. A 401 of Xero's is tried once more with a new token; nothing else is repeated here.

        Everything together, tokens included, takes at most the client's timeout (but for ``before_unpacking``).

        Args:
            before_unpacking: waited for when an answer's bytes are here, given their number: records take about ten
                times as much memory.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        call = Call(
            context.app,
            context.tenant_id,
            context.priority,
            endpoint=request.endpoint,
            target=request.target,
            headers=request.headers,
        )
        async with self._authorised(call, context) as exchange:
            status, headers, body = await exchange.read()
            if before_unpacking is not None:
                await before_unpacking(len(body))
            try:
                answer = await _with_pauses(decipher_in_steps(request, status, headers, body))
            except XeroError:
                raise
            except Exception as failure:  # noqa: BLE001 - one record must not cost the others
                answer = await _with_pauses(salvage(request, status, headers, body, failure))
            if answer.missing:
                exchange.outcome = Outcome.MISSING
            return replace(answer, timing=exchange.timing(answer.server_time))

    async def write(
        self,
        context: CallContext,
        request: WriteRequest,
    ) -> WriteAnswer:
        """Write. Nothing is sent twice here, but after a 401, which Xero gives before it does anything.

        Whether a failed write may be sent again says ``xero_api.writes.again``, for the error's ``sent`` and ``status``.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        call = Call(
            context.app,
            context.tenant_id,
            context.priority,
            endpoint=request.endpoint,
            target=request.target,
            headers=request.headers,
            method=request.method,
            body=request.body,
        )
        async with self._authorised(call, context) as exchange:
            answer = decipher_write(request, *await exchange.read())
            return replace(answer, timing=exchange.timing(answer.server_time))

    async def report(
        self,
        context: CallContext,
        request: ReportRequest,
    ) -> ReportAnswer:
        """Read a report.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        call = Call(context.app, context.tenant_id, context.priority, endpoint=request.endpoint, target=request.target)
        async with self._authorised(call, context) as exchange:
            return decipher_report(request, *await exchange.read())

    async def part(
        self,
        context: CallContext,
        request: PartRequest,
    ) -> PartAnswer:
        """Read a list below a record: its attachments, its history.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        call = Call(context.app, context.tenant_id, context.priority, endpoint=request.endpoint, target=request.path)
        async with self._authorised(call, context) as exchange:
            return decipher_part(request, *await exchange.read())

    @asynccontextmanager
    async def stream(
        self,
        context: CallContext,
        request: FileRequest,
    ) -> AsyncIterator[FileStream]:
        """Read a file, chunk by chunk: an attachment, a PDF. The call ends with the block.

        Up to the headers of the answer everything together takes at most the client's timeout; then each chunk does.

        Yields:
            The file: media type, size if Xero says, and chunks.

        Raises:
            MissingFileError: there is none.
            XeroError: see ``xero_api.errors``; before the first chunk, and from the iteration.
        """
        headers = {**request.headers, "Accept-Encoding": "identity"}
        call = Call(
            context.app,
            context.tenant_id,
            context.priority,
            endpoint=request.endpoint,
            target=request.path,
            headers=headers,
        )
        async with self._authorised(call, context) as exchange:
            if exchange.status != HTTPStatus.OK:
                raise file_error(request, *await exchange.read())
            file = FileStream(request, exchange.headers, exchange.chunks(), self._timeout)
            try:
                yield file
            finally:
                exchange.outcome = file.outcome

    async def connections(
        self,
        app: AppName,
        token: AccessToken,
        *,
        priority: Priority = Priority.COMMAND,
        auth_event_id: str | None = None,
    ) -> list[Connection]:
        """The organisations a token reaches. Costs no tenant's budget, only one of the app's calls a minute.

        Args:
            token: a token of the grant.
            auth_event_id: only those connected by this consent.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        return list((await self._listed(app, token, priority, auth_event_id)).connections)

    async def _listed(self, app: AppName, token: AccessToken, priority: Priority, auth_event_id: str | None) -> Listed:
        target = connections_target(auth_event_id)
        call = Call(app, None, priority, endpoint="connections", target=target)
        async with self._wire.exchange(call, token, Deadline(call.endpoint, self._timeout)) as exchange:
            status, headers, body = await exchange.read()
            if status != HTTPStatus.OK:
                raise error_of(call.endpoint, status, headers, body, Subject.CONNECTIONS)
            listed = parse_connections(body)
        if listed.unreadable:
            reasons = [f"{one.index}: {one.reason}" for one in listed.unreadable[:_SHOWN]]
            log.warning("connections_unreadable", app=app, count=len(listed.unreadable), reasons=reasons)
        return listed

    async def own_connection(
        self, app: AppName, token: AccessToken, *, priority: Priority = Priority.COMMAND
    ) -> Connection:
        """The one organisation of a custom connection, read as a record: its token may not list connections.

        Args:
            token: of client credentials.

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        request = get_all(ORGANISATIONS)
        call = Call(app, None, priority, endpoint=request.endpoint, target=request.target, headers=request.headers)
        async with self._wire.exchange(call, token, Deadline(call.endpoint, self._timeout)) as exchange:
            return own_connection(decipher(request, *await exchange.read()))

    async def reached(
        self, app: AppName, token: AccessToken, *, custom: bool, priority: Priority = Priority.COMMAND
    ) -> list[Connection]:
        """The organisations a grant reaches, of either kind of grant.

        ``/connections`` refuses the tokens of some custom connections (XeroAPI/xero-mcp-server#278); such a connection has one
        organisation, which is asked for itself.

        Args:
            token: a token of the grant.
            custom: whether the grant is a custom connection (client credentials).

        Raises:
            XeroError: see ``xero_api.errors``.
        """
        try:
            return await self.connections(app, token, priority=priority)
        except AccessError as refusal:
            if not custom:
                raise
            log.info("connections_refused", app=app, reason=str(refusal))
        try:
            return [await self.own_connection(app, token, priority=priority)]
        except AccessError as error:
            error.hint = (
                "Xero lets this custom connection neither list its connections nor read its organisation: in the developer "
                "portal, add the scope accounting.settings.read (or accounting.settings) and authorise it again."
            )
            raise

    async def reaches(self, app: AppName, tenant_id: TenantId, *, priority: Priority) -> bool:
        """Whether Xero still lists an organisation among those that its grant's token reaches. Costs none of its budget.

        Raises:
            XeroError: see ``xero_api.errors``: the outcome is unknown.
        """
        listed = await self._listed(app, await self._tokens.token(app, tenant_id), priority, None)
        found = any(one.tenant_id == tenant_id for one in listed.connections)
        if listed.unreadable and not found:
            raise UnmappableAnswerError("connections: it may be one of those that can't be read", status=200)
        return found

    async def disconnect(
        self, app: AppName, token: AccessToken, connection_id: str, *, priority: Priority = Priority.COMMAND
    ) -> bool:
        """Take a connection away. Repeating is harmless.

        Args:
            token: a token of the grant.
            connection_id: ``Connection.id``; not the tenant's id, nor the consent's.

        Returns:
            False if it was gone already.

        Raises:
            NotAConnectionError: the id is of something else.
            XeroError: see ``xero_api.errors``.
        """
        target = connection_target(connection_id)
        call = Call(app, None, priority, endpoint="connections", target=target, method="DELETE")
        async with self._wire.exchange(call, token, Deadline(call.endpoint, self._timeout)) as exchange:
            return parse_disconnection(*await exchange.read())

    @asynccontextmanager
    async def _authorised(self, call: Call, context: CallContext) -> AsyncIterator[Exchange]:
        """The exchange that counts: where a token is refused, the one with another. Within the client's timeout."""
        deadline = Deadline(call.endpoint, self._timeout)
        token = await _before_sending(deadline.keep(self._tokens.token(context.app, context.tenant_id)))
        async with self._wire.exchange(call, token, deadline) as exchange:
            if exchange.status != HTTPStatus.UNAUTHORIZED:
                yield exchange
                return
            refusal = error_of(call.endpoint, *await exchange.read())
            exchange.outcome = outcome_of(refusal)
            if isinstance(refusal, InterceptedError):
                raise refusal  # a stranger's 401 says nothing about the token
        try:
            token = await _before_sending(deadline.keep(self._tokens.replacement(token)))
        except UnauthorisedError as no_other:
            raise refusal from no_other
        if context.again is not None and not await _before_sending(deadline.keep(context.again())):
            raise refusal
        async with self._wire.exchange(call, token, deadline) as exchange:
            yield exchange


async def _before_sending(awaitable: Awaitable[T]) -> T:
    """Wait for something without which nothing is sent."""
    try:
        return await awaitable
    except XeroError as error:
        error.sent = False
        raise


async def _with_pauses(steps: Generator[None, None, T]) -> T:
    """Run the steps, letting the other tasks have a turn at each pause."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await asyncio.sleep(0)
