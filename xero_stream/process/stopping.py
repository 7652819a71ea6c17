"""Work that is abandoned when the process is asked to stop."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """The process was asked to stop before the work was done; the work was cancelled."""


async def unless_stopped(stop: asyncio.Event, work: Awaitable[T], *, cancel_seconds: float | None = None) -> T:
    """The result of some work.

    Args:
        stop: set when the process is asked to stop.
        work: cancelled then.
        cancel_seconds: how long it may take to clean up; None for as long as it needs.

    Raises:
        StoppedError: ``stop`` was set first.
        Exception: what the work raised.
    """
    task, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StoppedError
        return task.result()
    finally:
        stopping.cancel()
        task.cancel()
        await asyncio.wait({task, stopping}, timeout=cancel_seconds)
