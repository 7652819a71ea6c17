"""The store's clock, as a process carries it on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from xero_stream.store.clock import StoreClock

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Machine:
    """Its clocks, and a store that answers after a while."""

    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.wall = T.timestamp()
        self.store = T
        self.delay = 0.0

    async def fetchval(self, sql: str) -> datetime:
        """The store's time, half way between question and answer."""
        assert "clock_timestamp" in sql
        self.monotonic += self.delay
        return self.store

    def clock(self) -> Any:
        """A clock on this machine."""
        return StoreClock(monotonic=lambda: self.monotonic, wall=lambda: self.wall)


def test_setting_the_machines_clock_moves_nothing() -> None:
    """Only seconds that passed count."""
    machine = Machine()
    clock = machine.clock()
    machine.wall += 3600
    machine.monotonic += 5
    assert clock.now() == T + timedelta(seconds=5)


async def test_the_store_knows_better() -> None:
    """A machine an hour ahead takes over the store's time, half of the round trip added."""
    machine = Machine()
    machine.wall += 3600
    clock = machine.clock()
    machine.delay = 0.1
    await clock.set(machine)
    assert abs(clock.now() - (T + timedelta(seconds=0.05))) < timedelta(microseconds=10)


async def test_the_first_look_is_believed_however_long_it_took() -> None:
    """The machine's own clock may be a day off; half a slow answer is less."""
    machine = Machine()
    machine.wall += 86_400
    clock = machine.clock()
    machine.delay = 6.0
    await clock.set(machine)
    assert abs(clock.now() - (T + timedelta(seconds=3))) < timedelta(microseconds=10)


async def test_a_late_answer_says_nothing() -> None:
    """Once the time is known: a store that needs seconds to answer could be off by them."""
    machine = Machine()
    clock = machine.clock()
    await clock.set(machine)
    machine.delay = 2.0
    machine.store = T + timedelta(hours=1)
    await clock.set(machine)
    assert clock.now() == T + timedelta(seconds=2)
