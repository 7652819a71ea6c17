"""Asking where topics end, of a client library that waits indefinitely."""

import asyncio
from typing import Any

import pytest

from xero_stream.kafka import admin
from xero_stream.kafka.admin import KafkaUnreachableError, end_offsets
from xero_stream.settings.kafka import KafkaSettings


class Stuck:
    """A consumer of which one step never ends."""

    step = "start"

    def __init__(self, **_: Any) -> None:
        """Whatever it is given."""

    async def _at(self, step: str) -> None:
        if step == self.step:
            await asyncio.Event().wait()

    async def start(self) -> None:
        """Connect."""
        await self._at("start")

    async def end_offsets(self, places: list[Any]) -> dict[Any, int]:
        """Ask."""
        await self._at("end_offsets")
        return dict.fromkeys(places, 7)

    async def stop(self) -> None:
        """Disconnect."""
        await self._at("stop")


@pytest.mark.parametrize("step", ["start", "end_offsets", "stop"])
async def test_no_step_waits_for_ever(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that waits here publishes nothing, and its partition begins nothing: it is told, and tries again."""
    monkeypatch.setattr(admin, "_ENDS_SECONDS", 0.05)
    monkeypatch.setattr(admin, "_STOP_SECONDS", 0.05)
    monkeypatch.setattr(admin, "AIOKafkaConsumer", type("StuckThere", (Stuck,), {"step": step}))

    async with asyncio.timeout(5):
        if step == "stop":
            assert await end_offsets(KafkaSettings.read(), ["a"], 1) == {"a": 7}
        else:
            with pytest.raises(KafkaUnreachableError, match="did not return the end offsets of topics"):
                await end_offsets(KafkaSettings.read(), ["a"], 1)
