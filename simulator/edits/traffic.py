"""Live traffic: random edits at a steady rate, over all organisations."""

import asyncio
import contextlib
import math
import random

from simulator.books.organisation import Organisation
from simulator.books.words import RuleError
from simulator.edits.editor import edit
from simulator.edits.kinds import Edit, Wish
from simulator.webhooks.events import Event
from simulator.world import World


class Traffic:
    """Edits by request and by itself; both draw from one stream, so a seed decides them all."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._source: random.Random = world.chance.stream("edits")
        self._pauses: random.Random = world.chance.stream("pauses")
        self._rate = world.settings.edits_per_second
        self._changed = asyncio.Event()
        self.made = 0
        self.everything = world.settings.everything

    @property
    def rate(self) -> float:
        """Edits a second."""
        return self._rate

    def set_rate(self, rate: float, *, everything: bool = False) -> None:
        """Edit that often from now on; 0 stops, and with it the edit that was due next.

        Args:
            rate: edits a second.
            everything: of every kind, not only of what Xero announces.
        """
        self._rate = rate
        self.everything = everything
        self._changed.set()

    def draw_organisation(self) -> Organisation:
        """Any organisation.

        Raises:
            RuleError: there is none.
        """
        organisations = list(self._world.organisations.values())
        if not organisations:
            raise RuleError("there are no organisations")
        return self._source.choice(organisations)

    def edit(
        self, organisation: Organisation, wish: Wish, *, announce: bool = True, dated_as_record: bool = False
    ) -> tuple[Edit, list[Event]]:
        """Make an edit, keep it and announce it.

        Raises:
            RuleError: nothing fits the wish.
        """
        done = edit(self._source, organisation, wish, self._world.clock.stamp())
        events = self._world.commit(organisation, done.changes, announce=announce, dated_as_record=dated_as_record)
        self.made += 1
        return done, events

    async def run(self) -> None:
        """Edit until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._changed.clear()
            pause = self._pauses.expovariate(self._rate) if self._rate else math.inf
            due = max(due + pause, loop.time() - 1)
            if await self._told_otherwise(due):
                due = loop.time()
                continue
            with contextlib.suppress(RuleError):  # books so small that nothing can be edited right now
                self.edit(self.draw_organisation(), Wish(everything=self.everything))

    async def _told_otherwise(self, due: float) -> bool:
        """Whether another rate is set before the loop's clock shows ``due``."""
        try:
            async with asyncio.timeout_at(None if math.isinf(due) else due):
                return await self._changed.wait()
        except TimeoutError:
            return self._changed.is_set()  # told after the time had passed, before this came to see it
