"""The receiver with one defect: it answers 200 first, and appends a moment later. ``python -m tests.support.defective_receiver``."""

import asyncio
import sys
from typing import Any

from receiver.__main__ import main
from xero_stream.kafka.appender import Appender
from xero_stream.kafka.partition_queue import Outcome

LATER_SECONDS = 1.0

_append = Appender.append
_running: set[asyncio.Task[Any]] = set()


async def append_later(self: Appender, records: Any, deadline: float) -> Outcome:
    """Say yes, then do it."""

    async def work() -> None:
        await asyncio.sleep(LATER_SECONDS)
        await _append(self, records, deadline + LATER_SECONDS)

    task = asyncio.create_task(work())
    _running.add(task)
    task.add_done_callback(_running.discard)
    return Outcome.ACKNOWLEDGED


if __name__ == "__main__":
    Appender.append = append_later  # type: ignore[method-assign]  # that is the defect
    sys.exit(main())
