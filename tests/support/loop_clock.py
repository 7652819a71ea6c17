"""An event loop's clock that can be put forward: a deadline comes without waiting for it, however busy the machine is."""

import asyncio
from typing import Any

import pytest

_STEP_SECONDS = 0.5
_PAUSE_SECONDS = 0.01


class LoopClock:
    """The clock of the running loop. All that waits on the loop goes by it, a simulator in the same process included."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It goes as before until :meth:`hurry`.

        Args:
            monkeypatch: restores the loop's own clock in the end.
        """
        loop = asyncio.get_running_loop()
        self._true = loop.time
        self._ahead = 0.0
        monkeypatch.setattr(loop, "time", self.time)

    def time(self) -> float:
        """Seconds that never go back."""
        return self._true() + self._ahead

    async def hurry(self, task: asyncio.Task[Any]) -> None:
        """Put it forward until the task is done, in steps that leave what falls due in between time to happen.

        Args:
            task: what is waited for.
        """
        while not task.done():
            self._ahead += _STEP_SECONDS
            await asyncio.wait({task}, timeout=_PAUSE_SECONDS)
