"""Start while a server is still down: prepare again and again until it answers, or until the process is asked to stop."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from xero_stream.process.backoff import Backoff
from xero_stream.process.stopping import StoppedError, unless_stopped

log = structlog.get_logger(__name__)

T = TypeVar("T")

BACKOFF = Backoff(first=1.0, longest=5.0, spread=(0.5, 1.0))
_CANCEL_SECONDS = 3.0


@dataclass(slots=True)
class Waiting:
    """What is waited for now, for the health page."""

    reason: str | None = "starting"


async def wait_for_dependencies(
    prepare: Callable[[], Awaitable[T]],
    stop: asyncio.Event,
    waiting: Waiting,
    *,
    unreachable: Mapping[str, Callable[[Exception], bool]],
    backoff: Backoff = BACKOFF,
) -> T | None:
    """Prepare the work, again and again while a server does not answer.

    Args:
        prepare: leaves nothing behind when it fails or is cancelled.
        stop: set when the process is asked to stop.
        waiting: updated with the server waited for.
        unreachable: for each server, whether an error means that it does not answer yet; the first that says so is named.

    Returns:
        What was prepared, or None if ``stop`` was set first.

    Raises:
        Exception: any other error of ``prepare``: waiting would not help.
    """
    attempt = 0
    while True:
        try:
            found = await unless_stopped(stop, prepare(), cancel_seconds=_CANCEL_SECONDS)
        except StoppedError:
            return None
        except Exception as error:
            server = next((name for name, is_down in unreachable.items() if is_down(error)), None)
            if server is None:
                raise
            attempt += 1
            waiting.reason = server
            log.warning(
                "waiting_for_server", server=server, attempt=attempt, reason=f"{type(error).__name__}: {error}"[:300]
            )
        else:
            waiting.reason = None
            return found
        try:
            await unless_stopped(stop, asyncio.sleep(backoff.delay(attempt, random.random())))
        except StoppedError:
            return None
