"""Strangers that hold connections open: heads and bodies that drip, and idle ones. In a process of their own.

``python -m tests.robustness.slow_strangers PORT COUNT`` reads ``on`` and ``off`` from standard input and answers each with
the number of connections that are open.
"""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

DRIP_SECONDS = 1.0
_HEAD = b"POST /webhooks/xero HTTP/1.1\r\nHost: receiver\r\n"
_BODY = _HEAD + b"x-xero-signature: AAAA\r\nContent-Length: 1000000\r\n\r\n"
_IDLE = _HEAD + b"x-xero-signature: AAAA\r\nContent-Length: 0\r\n\r\n"

Manner = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, beginning: bytes) -> None:
    """A letter a second, until the other side has enough."""
    writer.write(beginning)
    while not reader.at_eof():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1024), DRIP_SECONDS)
        writer.write(b"a")
        await writer.drain()


async def drip_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header that never ends."""
    await _drip(reader, writer, _HEAD)


async def drip_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body that never ends."""
    await _drip(reader, writer, _BODY)


async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, then silence."""
    writer.write(_IDLE)
    while await reader.read(1024):
        pass


class Crowd:
    """Connections that are opened again whenever they are closed."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count
        self._open = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self) -> int:
        """All of them; answers how many are in."""
        manners: Iterator[Manner] = itertools.cycle((drip_head, drip_body, idle))
        self._tasks = [asyncio.create_task(self._stay(next(manners))) for _ in range(self._count)]
        await asyncio.sleep(2 * DRIP_SECONDS)
        return self._open

    async def go(self) -> int:
        """All of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self._open

    async def _stay(self, manner: Manner) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                self._open += 1
                try:
                    await manner(reader, writer)
                finally:
                    self._open -= 1
                    writer.transport.abort()
            await asyncio.sleep(DRIP_SECONDS / 10)


async def _orders() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().strip()


async def main(port: int, count: int) -> None:
    """Come and go as told."""
    crowd = Crowd(port, count)
    async for order in _orders():
        print(await (crowd.come() if order == "on" else crowd.go()), flush=True)  # noqa: T201 - the answer to the order
    await crowd.go()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
