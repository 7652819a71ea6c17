"""Apps that Xero refuses as a whole (a wrong secret, say): nothing is called for them until an operator acted or a minute passed."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from xero_api.errors import MisconfiguredError
from xero_stream.contracts.names import AppName
from xero_stream.store import apps

HOLD_SECONDS = 60.0


@dataclass(slots=True)
class AppHolds:
    """What this process holds back for an app's sake. The store is told why: every process shows it.

    Attributes:
        pool: the store.
        version: grows with each end of a hold: whoever waits looks again.
    """

    pool: "asyncpg.Pool[Any]"
    version: int = 0
    _until: dict[AppName, float] = field(default_factory=dict)
    _refused_at: dict[AppName, float] = field(default_factory=dict)
    _working: set[AppName] = field(default_factory=set)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def seconds(self, app: AppName) -> float:
        """For how long the app's organisations still wait; 0: they don't."""
        return max(0.0, self._until.get(app, 0.0) - time.monotonic())

    async def refused(self, app: AppName, error: MisconfiguredError) -> None:
        """A call was refused for the app's sake."""
        self._working.discard(app)
        self._refused_at[app] = time.monotonic()
        self._until[app] = self._refused_at[app] + HOLD_SECONDS
        async with self._writing:
            await apps.refused(self.pool, app, str(error), error.hint)

    async def works(self, app: AppName, begun: float) -> None:
        """A call of the app went well.

        Args:
            app: which.
            begun: monotonic seconds when the work on the call began. A call that was under way when another one was refused
                does not end the hold: it may have gone out with what was right before.
        """
        if app in self._working or begun <= self._refused_before(app):
            return
        async with self._writing:
            await apps.works(self.pool, app)
            if begun <= self._refused_before(app):
                return  # refused while this was written; the store is told behind us
        self._working.add(app)
        self._end(app)

    def _refused_before(self, app: AppName) -> float:
        return self._refused_at.get(app, -math.inf)

    def changed(self, app: AppName | None = None) -> None:
        """An operator changed something about an app, or about any: it is tried at once."""
        for held in [app] if app is not None else list(self._until):
            self._end(held)

    def _end(self, app: AppName) -> None:
        if self._until.pop(app, None) is not None:
            self.version += 1
