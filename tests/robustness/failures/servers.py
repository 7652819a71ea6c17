"""What can happen to any server, or on the way to it. Each call makes it happen, waits as long as it lasts and heals it."""

import asyncio
import random
from typing import Protocol

from tests.support.no_room import leave_no_room
from tests.support.proxy import Proxy
from xero_stream.local.server import Server

HAPPENS_SECONDS = 30.0


class Freezable(Protocol):
    """A server, or the proxy in front of it."""

    async def freeze(self) -> None:
        """Stand still."""

    async def thaw(self) -> None:
        """Go on."""


async def die(server: Server, chance: random.Random) -> None:
    """``kill -9`` at a random moment, and a new start on the same data."""
    await asyncio.sleep(chance.uniform(0.0, 1.0))
    await server.kill()
    try:
        await asyncio.sleep(chance.uniform(0.0, 3.0))
    finally:
        await server.start()


async def freeze(what: Freezable, seconds: float) -> None:
    """A server stands still, its connections open; or nothing gets through, nobody is told, and all arrives afterwards."""
    await what.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        await what.thaw()


async def drag(proxy: Proxy, *, latency: float, seconds: float) -> None:
    """Every message takes its time, each way.

    Args:
        proxy: in front of the server.
        latency: seconds one way.
        seconds: for how long.
    """
    proxy.latency = latency
    try:
        await asyncio.sleep(seconds)
    finally:
        proxy.latency = 0.0


async def refuse(proxy: Proxy, seconds: float) -> None:
    """All connections are reset and none is taken.

    Raises:
        AssertionError: there was none.
    """
    await proxy.refuse()
    try:
        assert await proxy.cut(), "nobody was connected"
        await asyncio.sleep(seconds)
    finally:
        await proxy.accept()


async def cut(proxy: Proxy, chance: random.Random) -> None:
    """All connections are reset, three times.

    Raises:
        AssertionError: there was none.
    """
    for _ in range(3):
        assert await proxy.cut(), "nobody was connected"
        await asyncio.sleep(chance.uniform(0.1, 1.5))


async def run_out_of_room(server: Server) -> None:
    """No file can be written; the server gives up by itself, and starts again when there is room.

    Raises:
        AssertionError: it ended for another reason.
        TimeoutError: it went on.
    """
    try:
        leave_no_room(server.pid)
        async with asyncio.timeout(HAPPENS_SECONDS):
            assert await server.exited() == 1, "it ended for another reason"
    finally:
        await server.stop()
        await server.start()
