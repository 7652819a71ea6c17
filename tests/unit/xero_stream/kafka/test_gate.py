"""When batches leave for a broker: in rounds, together, not too often."""

import asyncio

from xero_stream.kafka.gate import Gate


class Clock:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def turns(gate: Gate, count: int) -> "list[asyncio.Task[None]]":
    """Partitions that have something to send."""
    return [asyncio.create_task(gate.turn()) for _ in range(count)]


async def rounds(count: int = 4) -> None:
    """Let the loop come round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_those_of_the_same_moment_leave_together() -> None:
    """All partitions that have records when the broker is free share a round."""
    gate = Gate(0.0, Clock())

    asked = turns(gate, 3)
    await rounds()

    assert all(turn.done() for turn in asked)


async def test_who_comes_while_a_request_is_out_waits_for_its_end() -> None:
    """Until every batch of the round has its answer; then all who came meanwhile leave together."""
    clock = Clock()
    gate = Gate(0.0, clock)
    await gate.turn()
    gate.left(100)
    clock.now += 1
    gate.left(100)
    assert gate.since == 100.0

    asked = turns(gate, 2)
    await rounds()
    assert not any(turn.done() for turn in asked)
    gate.ended()
    await rounds()
    assert not any(turn.done() for turn in asked)
    gate.ended()
    await rounds()

    assert all(turn.done() for turn in asked)
    assert gate.since is None


async def test_a_pause_between_rounds() -> None:
    """The first leaves at once; a round that would follow at its heels waits for the rest of the pause."""
    clock = Clock()
    gate = Gate(0.02, clock)
    (first,) = turns(gate, 1)
    await rounds()
    assert first.done()

    (second,) = turns(gate, 1)
    await rounds()
    assert not second.done()
    await asyncio.wait_for(second, 5)

    clock.now += 1
    (third,) = turns(gate, 1)
    await rounds()
    assert third.done()


async def test_released() -> None:
    """When the producer is replaced nobody waits for what the one before has out, nor for a pause."""
    gate = Gate(60.0, Clock())
    await gate.turn()
    paused = turns(gate, 1)
    await rounds()
    gate.left(100)
    behind = turns(gate, 1)
    await rounds()

    gate.release()
    await rounds()

    assert all(turn.done() for turn in (*paused, *behind))


async def test_who_was_cancelled_is_passed_over() -> None:
    """A partition that gave up does not keep the others."""
    gate = Gate(0.0, Clock())
    await gate.turn()
    gate.left(100)
    left, stays = turns(gate, 2)
    await rounds()

    left.cancel()
    await rounds()
    gate.ended()
    await rounds()

    assert stays.done()
