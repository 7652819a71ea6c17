"""Beginning to work while a server is not there yet: it is waited for, aloud, until it is or we are told to stop."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.store.pool import STORE_ERRORS, StoreRefusesError, StoreUnreachableError, passes

log = structlog.get_logger(__name__)

T = TypeVar("T")

_KAFKA = (KafkaUnreachableError, KafkaError)
_STORE = (StoreUnreachableError, *STORE_ERRORS)
_LONGEST_PAUSE = 5.0
_CANCEL_SECONDS = 3.0


@dataclass(slots=True)
class Waiting:
    """What is waited for now, for the health page."""

    reason: str | None = "starting"


async def until_there(
    prepare: Callable[[], Awaitable[T]], stop: asyncio.Event, waiting: Waiting, *, first_pause: float = 0.5
) -> T | None:
    """Prepare the work, again and again while Kafka or PostgreSQL does not answer.

    Args:
        prepare: leaves nothing behind when it fails or is cancelled.
        stop: set by whoever wants the end.
        waiting: told what is waited for.
        first_pause: seconds after the first failure; they grow to five.

    Returns:
        What was prepared, or None if the end came first.

    Raises:
        Exception: whatever else went wrong; waiting would not mend it.
    """
    attempt = 0
    while True:
        try:
            found = await _unless(stop, prepare())
        except (*_KAFKA, *_STORE) as error:
            if isinstance(error, StoreRefusesError) or (
                isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError) and not passes(error)
            ):
                raise
            attempt += 1
            server = "Kafka" if isinstance(error, _KAFKA) else "PostgreSQL"
            waiting.reason = server
            log.warning(
                "waiting_for_server", server=server, attempt=attempt, reason=f"{type(error).__name__}: {error}"[:300]
            )
        else:
            waiting.reason = None
            return found
        await _unless(stop, asyncio.sleep(min(_LONGEST_PAUSE, first_pause * 2**attempt) * random.uniform(0.5, 1.0)))
        if stop.is_set():
            return None


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """The result of some work, or None when the end came before it."""
    task, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopping.cancel()
        task.cancel()
        await asyncio.wait({task, stopping}, timeout=_CANCEL_SECONDS)
