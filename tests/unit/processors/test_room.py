"""What a process unpacks at once is bounded, in the order asked for, and few records wait for nobody."""

import asyncio
from collections.abc import Callable

import pytest

from processors.tenants import room as room_module
from processors.tenants.room import Room

KIB = 1024


class Reader:
    """Takes a share and keeps it until told to end."""

    def __init__(self, room: Room, size: int, alive: Callable[[], None] = lambda: None) -> None:
        self.inside = asyncio.Event()
        self.end = asyncio.Event()
        self.task = asyncio.create_task(self._read(room, size, alive))

    async def _read(self, room: Room, size: int, alive: Callable[[], None]) -> None:
        async with room.share(alive) as take:
            await take(size)
            await take(size)
            self.inside.set()
            await self.end.wait()


async def settled() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_does_not_fit_waits_and_the_order_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third does not fit; the fourth would, and still comes after it, however often it looks."""
    monkeypatch.setattr(room_module, "_SIGN_OF_LIFE", 0.001)
    room = Room(100 * KIB)
    readers = [Reader(room, size * KIB) for size in (60, 40, 50, 30)]
    await settled()
    assert [reader.inside.is_set() for reader in readers] == [True, True, False, False]

    readers[1].end.set()
    await asyncio.sleep(0.02)
    assert [reader.inside.is_set() for reader in readers[2:]] == [False, False]
    assert room.taken == 60 * KIB

    readers[0].end.set()
    await settled()
    assert [reader.inside.is_set() for reader in readers[2:]] == [True, True]
    assert room.taken == 80 * KIB

    for reader in readers:
        reader.end.set()
    await asyncio.gather(*(reader.task for reader in readers))
    assert room.taken == 0


async def test_few_records_wait_for_nobody_and_a_huge_answer_is_let_in_alone() -> None:
    """A webhook's record goes by; an answer larger than the room gets all of it."""
    room = Room(100 * KIB)
    huge = Reader(room, 5_000 * KIB)
    await settled()
    small, next_one = Reader(room, 16 * KIB), Reader(room, 17 * KIB)
    await settled()
    assert (huge.inside.is_set(), small.inside.is_set(), next_one.inside.is_set()) == (True, True, False)

    for reader in (huge, small, next_one):
        reader.end.set()
    await asyncio.gather(huge.task, small.task, next_one.task)
    assert room.taken == 0


async def test_who_gives_up_or_fails_keeps_nothing() -> None:
    """The one behind a cancelled wait goes on; a broken block gives its share back."""
    room = Room(100 * KIB)
    first, second, third = Reader(room, 60 * KIB), Reader(room, 90 * KIB), Reader(room, 40 * KIB)
    await settled()
    second.task.cancel()
    await settled()
    assert third.inside.is_set()
    assert room.taken == 100 * KIB

    first.task.cancel()
    third.end.set()
    await asyncio.gather(first.task, second.task, third.task, return_exceptions=True)
    assert room.taken == 0


async def test_a_wait_shows_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog must not take a queue for a standstill."""
    monkeypatch.setattr(room_module, "_SIGN_OF_LIFE", 0.001)
    room, signs = Room(100 * KIB), asyncio.Queue[None]()
    holder = Reader(room, 90 * KIB)
    await settled()
    waiting = Reader(room, 90 * KIB, lambda: signs.put_nowait(None))
    for _ in range(3):
        await asyncio.wait_for(signs.get(), 5)

    holder.end.set()
    waiting.end.set()
    await asyncio.gather(holder.task, waiting.task)
