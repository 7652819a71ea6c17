"""A partition's queue: order, what fits, what nobody waits for any more."""

from collections.abc import Callable

import pytest

from xero_stream.kafka.partition_queue import Append, Outcome, PartitionQueue, Record, Waiting, cost


def waiting(name: str, *, deadline: float = 10.0, attempts: int = 0) -> Waiting:
    """A record that somebody waits for."""
    append = Append(records=1, deadline=deadline, settled=lambda _: None)
    return Waiting(Record("t", 0, None, name.encode(), []), append, attempts)


def queue_of(*waiting: Waiting) -> PartitionQueue:
    """A queue in which these wait."""
    queue = PartitionQueue("t", 0)
    queue.waiting.extend(waiting)
    return queue


def first(count: int) -> Callable[[Record], bool]:
    """Room for that many records."""
    room = iter([True] * count)
    return lambda _: next(room, False)


def names(taken: list[Waiting]) -> list[str]:
    """The records' names."""
    return [item.record.value.decode() for item in taken]


def test_takes_from_the_front_what_fits() -> None:
    """A batch is the front of the queue, in order; the rest stays in order."""
    queue = queue_of(*map(waiting, "abcd"))

    taken, dropped = queue.take(first(3), now=0)

    assert names(taken) == ["a", "b", "c"]
    assert names(list(queue.waiting)) == ["d"]
    assert dropped == 0


def test_drops_what_is_overdue() -> None:
    """A record past its deadline is told so and not sent; the bytes are given back."""
    late = waiting("late", deadline=5.0)
    queue = queue_of(late, waiting("good"))

    taken, dropped = queue.take(first(10), now=5.0)

    assert names(taken) == ["good"]
    assert late.append.outcome is Outcome.TIMED_OUT
    assert dropped == cost(late.record)


def test_drops_what_is_settled() -> None:
    """A record whose append has ended otherwise is not sent, and its outcome stands."""
    over = waiting("over")
    over.append.settle(Outcome.REFUSED)
    queue = queue_of(over)

    assert queue.take(first(10), now=0) == ([], cost(over.record))
    assert over.append.outcome is Outcome.REFUSED


def test_put_back() -> None:
    """Records of a failed batch go to the front again, in order, with one more attempt."""
    queue = queue_of(waiting("c"))

    queue.put_back([waiting("a"), waiting("b", attempts=1)])

    assert names(list(queue.waiting)) == ["a", "b", "c"]
    assert [item.attempts for item in queue.waiting] == [1, 2, 0]


def test_failing_to_add_loses_nothing() -> None:
    """When a record can't be added to the batch, everything taken so far is in the queue again."""
    queue = queue_of(*map(waiting, "abc"))

    def explode(record: Record) -> bool:
        if record.value == b"c":
            raise TypeError
        return True

    with pytest.raises(TypeError):
        queue.take(explode, now=0)

    assert names(list(queue.waiting)) == ["a", "b", "c"]


def test_drop_settled() -> None:
    """What nobody waits for is let go without waiting for its turn."""
    over, stays = waiting("over"), waiting("stays")
    over.append.settle(Outcome.TIMED_OUT)
    queue = queue_of(over, stays)

    assert queue.drop_settled() == cost(over.record)
    assert names(list(queue.waiting)) == ["stays"]


def test_stalled() -> None:
    """A queue is stalled while the batch ahead has been out for longer than anybody may wait."""
    queue = PartitionQueue("t", 0)
    assert not queue.stalled(100.0, 4.0)

    queue.ahead_since = 10.0

    assert not queue.stalled(14.0, 4.0)
    assert queue.stalled(14.1, 4.0)


def test_append_settles_once() -> None:
    """An append ends once, with the last acknowledgement or the first trouble."""
    outcomes: list[Outcome] = []
    whole = Append(records=2, deadline=0, settled=outcomes.append)
    whole.acknowledged()
    assert outcomes == []
    whole.acknowledged()
    whole.settle(Outcome.TIMED_OUT)
    assert outcomes == [Outcome.ACKNOWLEDGED]

    half = Append(records=2, deadline=0, settled=outcomes.append)
    half.acknowledged()
    half.settle(Outcome.TIMED_OUT)
    half.acknowledged()
    assert outcomes[1:] == [Outcome.TIMED_OUT]
