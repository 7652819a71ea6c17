"""Local servers that end are started again, at growing intervals."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from cli.kept_running import kept_running
from xero_stream.local.errors import ServerFailedError


class Fragile:
    """A server that ends at once, and does not start every time."""

    name = "Kafka"
    log = Path("kafka.log")

    def __init__(self, starts: list[bool]) -> None:
        self.starts = starts
        self.started = 0

    async def exited(self) -> int:
        """Killed."""
        return -9

    async def start(self) -> None:
        """As the list says."""
        if not self.starts.pop(0):
            raise ServerFailedError("the port is taken")
        self.started += 1
        if not self.starts:
            raise asyncio.CancelledError


async def test_ended_server_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.5 s after the first end and twice as long after each further one, also where a start failed."""
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    server = Fragile([True, False, False, True])

    with pytest.raises(asyncio.CancelledError):
        await kept_running(cast("Any", server))

    assert server.started == 2
    assert pauses == [0.5, 1.0, 2.0, 4.0]
