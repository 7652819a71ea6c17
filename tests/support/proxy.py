"""TCP proxies between our processes and their servers, for the harm that networks and slow servers do.

They run in a thread of their own: a test that waits for a process must not stop what that process talks through.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from tests.support.kafka_wire import Api, Fate, KafkaWire, Rule, Step
from tests.support.stack import free_port

T = TypeVar("T")

HOST = "127.0.0.1"
_CHUNK = 256 * 1024
_HELD = 64
"""Chunks held back in one direction; then the sender feels it."""

_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER of zero: closing resets the connection."""


class Wire(Protocol):
    """Decides about the bytes of one connection."""

    def from_client(self, data: bytes) -> list[Step]:
        """What to do about bytes from the client."""

    def from_server(self, data: bytes) -> list[Step]:
        """What to do about bytes from the server."""


class PlainWire:
    """Passes everything on."""

    def from_client(self, data: bytes) -> list[Step]:
        """As they are."""
        return [Step(data=data)]

    def from_server(self, data: bytes) -> list[Step]:
        """As they are."""
        return [Step(data=data)]


@dataclass(frozen=True, slots=True)
class _Held:
    step: Step
    due: float


class Proxy:
    """Forwards a port to another, whatever is spoken there.

    Args:
        target: the server's port.
        port: where it listens, below the ephemeral range like every port that clients keep dialling.
    """

    def __init__(self, target: int, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.latency = 0.0
        """Seconds that everything takes each way; the order is kept."""
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{target}", daemon=True)
        self._thawed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._errors: list[BaseException] = []
        self.accepted = 0
        """Connections so far."""

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"{HOST}:{self.port}"

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._links)

    async def __aenter__(self) -> Self:
        """Listen."""
        self._thread.start()
        await self._there(self._accept())
        await self.thaw()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and reset every connection."""
        await self._there(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._errors:
            raise BaseExceptionGroup("the proxy broke down", self._errors)

    async def refuse(self) -> None:
        """Refuse new connections; those that are open stay."""
        await self._there(self._refuse())

    async def accept(self) -> None:
        """Take connections again."""
        await self._there(self._accept())

    async def freeze(self) -> None:
        """Hold every byte back, both ways; connections are taken and hear nothing."""
        self._loop.call_soon_threadsafe(self._thawed.clear)

    async def thaw(self) -> None:
        """Deliver what was held back, and go on."""
        self._loop.call_soon_threadsafe(self._thawed.set)

    async def cut(self) -> int:
        """Reset all connections; answers how many."""
        return await self._there(self._cut())

    async def heal(self) -> None:
        """End everything that is going wrong."""
        self.latency = 0.0
        await self.accept()
        await self.thaw()

    def wire(self) -> Wire:
        """Who decides about a new connection."""
        return PlainWire()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _accept(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port, limit=_CHUNK, backlog=512)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self) -> int:
        links = tuple(self._links)
        for link in links:
            link.reset()
        return len(links)

    async def _close(self) -> None:
        await self._refuse()
        await self._cut()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        link = _Link(self, self.wire(), reader, writer)
        self._links.add(link)
        task = asyncio.create_task(link.run(self._target))
        task.add_done_callback(lambda task: self._ended(link, task))

    def _ended(self, link: "_Link", task: "asyncio.Task[None]") -> None:
        self._links.discard(link)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)

    @property
    def now(self) -> float:
        """Seconds by the clock of its event loop."""
        return self._loop.time()

    async def passing(self, due: float) -> None:
        """Wait until something may go on: its time has come and nothing is frozen."""
        if due > self.now:
            await asyncio.sleep(due - self.now)
        await self._thawed.wait()


class _Link:
    """One connection through a proxy."""

    def __init__(self, proxy: Proxy, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._wire = wire
        self._reader = reader
        self._writers = [writer]
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, target: int) -> None:
        """Pass bytes on until the server has ended, or :meth:`reset`."""
        whole = asyncio.current_task()
        assert whole is not None
        self._tasks.append(whole)
        try:
            await self._proxy.passing(0.0)
            with contextlib.suppress(OSError):  # no server: the client sees its connection end
                await self._both_ways(*await asyncio.open_connection(HOST, target, limit=_CHUNK))
        finally:
            rest = [task for task in self._tasks if task is not whole]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        """End both sides at once."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            if sock is not None and not writer.transport.is_closing():
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = self._writers[0]
        self._writers.append(writer)
        up = asyncio.create_task(self._direction(self._reader, writer, self._wire.from_client))
        down = asyncio.create_task(self._direction(reader, client, self._wire.from_server))
        self._tasks += (up, down)
        # A server that ended has nothing more to hear. A client that ended may have sent what is still under way.
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        if up.done():
            up.result()
        await down

    async def _direction(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decide: Callable[[bytes], Sequence[Step]]
    ) -> None:
        held: asyncio.Queue[_Held | None] = asyncio.Queue(_HELD)
        delivering = asyncio.create_task(self._deliver(held, writer))
        self._tasks.append(delivering)
        late = 0.0
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                for step in decide(data):
                    late = max(late, self._proxy.now + step.late) if step.late else late
                    await held.put(_Held(step, max(late, self._proxy.now + self._proxy.latency)))
        await held.put(None)
        await delivering

    async def _deliver(self, held: "asyncio.Queue[_Held | None]", writer: asyncio.StreamWriter) -> None:
        gone = False
        while (item := await held.get()) is not None:
            await self._proxy.passing(item.due)
            if item.step.rule is not None:
                item.step.rule.done += 1
            if item.step.reset:
                self.reset()
                return
            if item.step.data and not gone:
                try:
                    writer.write(item.step.data)
                    await writer.drain()
                except ConnectionError:
                    gone = True  # a reader that is gone is no reason to stop what its own requests do
        await self._proxy.passing(0.0)
        with contextlib.suppress(OSError):
            if not writer.transport.is_closing():
                writer.write_eof()


class KafkaProxy(Proxy):
    """Knows Kafka's framing, and does harm to single requests by rule."""

    def __init__(self, target: int, *, port: int | None = None) -> None:
        super().__init__(target, port=port)
        self._rules: tuple[Rule, ...] = ()

    def plan(self, api: Api, fate: Fate, *, times: int = 1, seconds: float = 0.0, client: str = "") -> Rule:
        """Have something happen to the next requests of a kind.

        Args:
            api: which.
            fate: what becomes of them.
            times: how many.
            seconds: how late, with DELAY.
            client: only of clients whose id contains this.

        Returns:
            The rule; it counts how often it fired.
        """
        rule = Rule(api=api, fate=fate, times=times, seconds=seconds, client=client)
        self._rules = (*self._rules, rule)
        return rule

    def forget_rules(self) -> None:
        """Let every request pass; what is late stays late."""
        self._rules = ()

    async def heal(self) -> None:
        """End everything that is going wrong."""
        self.forget_rules()
        await super().heal()

    def wire(self) -> Wire:
        """By the rules in force."""
        return KafkaWire(lambda: self._rules)
