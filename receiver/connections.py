"""Connections: how many, how long, and what aiohttp itself would answer. The parsing stays aiohttp's.

aiohttp bounds idle time only, and by an hour; a head that stops half-way has no bound of its own. Here a sweep cuts off
heads that don't arrive, and beyond the cap the connection that has been idle for longest makes room.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web

from receiver.answers import Answers
from receiver.limits import Limits
from receiver.metrics import Answered, Cut, WorkerMetrics

_log = structlog.get_logger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """One connection, with the moments that the sweep looks at."""

    __slots__ = ("_answers", "_clock", "_held_up", "_metrics", "busy", "head_since", "idle_since")

    def __init__(self, listener: "Listener", **options: Any) -> None:
        super().__init__(listener, loop=asyncio.get_running_loop(), **options)
        self._answers = listener.answers
        self._metrics = listener.metrics
        self._clock = listener.clock
        self._held_up = False
        self.busy = False
        """Whether a request is being answered."""
        self.head_since: float | None = None
        """When the first byte of a request came whose head is not complete."""
        self.idle_since = listener.clock()
        """When it last had nothing to do."""

    def data_received(self, data: bytes) -> None:
        """Note when a request begins to arrive."""
        # aiohttp also calls this with nothing, to go on with what it has buffered.
        if data and self.head_since is None and not self.busy:
            self.head_since = self._clock()
        super().data_received(data)

    def pause_reading(self) -> None:
        """Stop reading, because a body is larger than what may be buffered of it."""
        self._held_up = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading. aiohttp asks for it after every read; only after a pause is there anything to do."""
        if self._held_up:
            self._held_up = False
            super().resume_reading(resume_parser)

    def began(self) -> None:
        """A request's head is complete."""
        self.busy = True
        self.head_since = None

    def ended(self) -> None:
        """The request has its answer."""
        self.busy = False
        self.idle_since = self._clock()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and our own mistakes, without a body.

        Args:
            request: what could be made of the request.
            status: 400 or 500.
            message: aiohttp's words; they quote the request and are dropped.
        """
        del request, message
        if status >= 500:
            self._metrics.answered(Answered.FAILED)
            _log.error("request_failed", exc_info=exc)
            return self._answers.get(500, keep=False)
        self._metrics.answered(Answered.MALFORMED)
        return self._answers.get(400, keep=False)


class Listener(web.Server):
    """Makes connections and keeps them within bounds."""

    def __init__(
        self,
        handler: Handler,
        *,
        answers: Answers,
        metrics: WorkerMetrics,
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        """Nothing listens yet; pass it to ``loop.create_server``.

        Args:
            handler: answers a request whose head is complete.
            metrics: where connections are counted.
            clock: monotonic seconds.
        """
        super().__init__(handler)
        self.answers = answers
        self.metrics = metrics
        self.clock = clock
        self._limits = limits
        self._open: dict[Connection, None] = {}

    def __call__(self) -> Connection:
        """A connection's protocol."""
        return Connection(
            self,
            access_log=None,
            keepalive_timeout=self._limits.keep_alive_seconds,
            lingering_time=self._limits.linger_seconds,
            # A compressed body is refused, never unpacked.
            auto_decompress=False,
            read_bufsize=_READ_BYTES,
        )

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count it, and make room if there are too many."""
        super().connection_made(handler, transport)
        assert isinstance(handler, Connection)
        self._open[handler] = None
        if len(self._open) > self._limits.connections:
            idle = [connection for connection in self._open if not connection.busy and connection is not handler]
            self._cut(min(idle, key=lambda connection: connection.idle_since, default=handler), Cut.CROWDED)
        self.metrics.connections(len(self._open))

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Count it off."""
        super().connection_lost(handler, exc)
        assert isinstance(handler, Connection)
        self._open.pop(handler, None)
        self.metrics.connections(len(self._open))

    def sweep(self) -> None:
        """Cut off the connections whose request's head does not arrive. Call it about once a second."""
        latest = self.clock() - self._limits.header_seconds
        for connection in list(self._open):
            if connection.head_since is not None and not connection.busy and connection.head_since < latest:
                self._cut(connection, Cut.HEADER)

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    def _cut(self, connection: Connection, reason: Cut) -> None:
        self._open.pop(connection, None)
        self.metrics.cut(reason)
        connection.force_close()


_READ_BYTES = 32_768
