"""The simulator's own time."""

import asyncio

import pytest

from simulator.clock import Clock, ClockError


class Monotonic:
    """A hand-moved monotonic clock."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.now


def test_it_runs_at_its_rate() -> None:
    """Two real seconds at rate 60 are two minutes."""
    hand = Monotonic()
    clock = Clock(start_ms=1_000, rate=60, monotonic=hand)

    hand.now += 2

    assert clock.now_ms() == 121_000


def test_it_starts_at_the_machines_time() -> None:
    """Without a start it shows the wall clock."""
    clock = Clock(monotonic=Monotonic(), wall=lambda: 12.5)

    assert clock.now_ms() == 12_500


def test_stamps_only_grow_even_when_it_stands_still() -> None:
    """Each change has a later stamp than the one before; now is never before the last stamp."""
    clock = Clock(start_ms=1_000, rate=0, monotonic=Monotonic())

    stamps = [clock.stamp() for _ in range(3)]

    assert stamps == [1_000, 1_001, 1_002]
    assert clock.now_ms() == 1_002


def test_stamps_continue_after_kept_books() -> None:
    """Books from a later time don't get older stamps."""
    clock = Clock(start_ms=1_000, monotonic=Monotonic())

    clock.not_before(5_000)

    assert clock.stamp() == 5_001


def test_it_jumps_ahead_and_changes_pace() -> None:
    """After a jump time goes on from there."""
    hand = Monotonic()
    clock = Clock(start_ms=0, monotonic=hand)

    clock.set(now_ms=60_000, rate=10)
    hand.now += 1

    assert clock.now_ms() == 70_000
    assert clock.rate == 10


def test_it_never_goes_back() -> None:
    """A jump back would make UpdatedDateUTC lie."""
    clock = Clock(start_ms=60_000, monotonic=Monotonic())

    with pytest.raises(ClockError, match="never goes back"):
        clock.set(now_ms=59_000)


async def test_a_jump_wakes_who_sleeps_by_it() -> None:
    """A sleep of an hour ends when the clock jumps past its end, and not before."""
    clock = Clock(start_ms=0, rate=0, monotonic=Monotonic())
    sleeper = asyncio.create_task(clock.sleep(3_600))
    await asyncio.sleep(0)

    clock.set(now_ms=3_599_000)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not sleeper.done()
    clock.set(now_ms=3_600_000)

    await asyncio.wait_for(sleeper, 1)


async def test_a_short_sleep_ends_by_itself() -> None:
    """Without jumps a sleep lasts as long as it should."""
    clock = Clock(start_ms=0, rate=1000)

    await asyncio.wait_for(clock.sleep(5), 1)

    assert clock.now_ms() >= 5_000
