"""Connections: how many, how long, and what aiohttp itself would answer. The parsing stays aiohttp's.

aiohttp bounds idle time only, and by an hour; a head that stops half-way has no bound of its own. Here a sweep cuts off
heads that don't arrive, and beyond the cap a connection makes room: the oldest unfinished head, else the oldest that never had
a 200, else the one idle for longest. Whoever sends rightly signed webhooks is the last to go.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

import structlog
from aiohttp import web

from receiver.answers import Answers
from receiver.limits import Limits
from receiver.metrics import Answered, Cut, WorkerMetrics

_log = structlog.get_logger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Stage(Enum):
    """What a connection is doing; in the order in which they make room."""

    HEAD = 0  # the head of a request has begun and is not complete
    STRANGER = 1  # idle, and has never been answered 200
    IDLE = 2  # idle, and has been answered 200
    BUSY = 3  # a request is complete and has no answer yet: never closed to make room

    # Enum's own hash is written in Python; this one is looked up several times a request.
    __hash__ = object.__hash__


class Connection(web.RequestHandler):
    """One connection, with what decides when it is closed."""

    __slots__ = (
        "_accepted",
        "_answers",
        "_clock",
        "_held_up",
        "_listener",
        "_metrics",
        "head_since",
        "stage",
    )

    def __init__(self, listener: "Listener", **options: Any) -> None:
        super().__init__(listener, loop=asyncio.get_running_loop(), **options)
        self._listener = listener
        self._answers = listener.answers
        self._metrics = listener.metrics
        self._clock = listener.clock
        self._held_up = False
        self._accepted = False
        self.stage = Stage.STRANGER
        """What it is doing."""
        self.head_since = 0.0
        """When the head that is not complete began to arrive."""

    def data_received(self, data: bytes) -> None:
        """Note when a request begins to arrive."""
        super().data_received(data)
        # aiohttp also calls this with nothing, to go on with what it has buffered.
        if not data or self.stage is Stage.BUSY:
            return
        if self._messages:
            self._listener.moved(self, Stage.BUSY)
        elif self.stage is not Stage.HEAD:
            self.head_since = self._clock()
            self._listener.moved(self, Stage.HEAD)

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
        if self.stage is not Stage.BUSY:
            self._listener.moved(self, Stage.BUSY)

    def ended(self, *, accepted: bool) -> None:
        """The request has its answer.

        Args:
            accepted: it is 200.
        """
        self._accepted = self._accepted or accepted
        if not self._messages:
            self._listener.moved(self, Stage.IDLE if self._accepted else Stage.STRANGER)

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
        # By stage, each in the order in which they came to it. No dict: finding its first after many were taken from its
        # front is no constant work.
        self._stages: dict[Stage, OrderedDict[Connection, None]] = {stage: OrderedDict() for stage in Stage}

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
        crowded = self.open >= self._limits.connections
        first = self._first_to_go() if crowded else None
        if crowded:
            self._cut(first or handler, Cut.EVICTED)
        if first is not None or not crowded:
            self._stages[handler.stage][handler] = None
        self.metrics.connections(self.open)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Count it off."""
        super().connection_lost(handler, exc)
        assert isinstance(handler, Connection)
        self._stages[handler.stage].pop(handler, None)
        self.metrics.connections(self.open)

    def sweep(self) -> None:
        """Cut off the connections whose request's head does not arrive. Call it about once a second."""
        latest = self.clock() - self._limits.header_seconds
        heads = self._stages[Stage.HEAD]
        while heads and (first := next(iter(heads))).head_since < latest:
            self._cut(first, Cut.HEADER)

    def moved(self, connection: Connection, stage: Stage) -> None:
        """A connection does something else now; one that was cut is not taken in again."""
        came_from = self._stages[connection.stage]
        connection.stage = stage
        if came_from.pop(connection, self) is None:
            self._stages[stage][connection] = None

    @property
    def open(self) -> int:
        """How many connections there are."""
        return sum(map(len, self._stages.values()))

    def _first_to_go(self) -> Connection | None:
        """Who makes room; None where everybody is being answered."""
        for stage in (Stage.HEAD, Stage.STRANGER, Stage.IDLE):
            if connections := self._stages[stage]:
                return next(iter(connections))
        return None

    def _cut(self, connection: Connection, reason: Cut) -> None:
        self._stages[connection.stage].pop(connection, None)
        self.metrics.cut(reason)
        connection.force_close()


_READ_BYTES = 32_768
