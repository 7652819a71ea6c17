"""The appender against a producer that does what the test says: bounds, order, recovery."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    UnknownTopicOrPartitionError,
)

from tests.support.fake_producer import FakeProducers, Measured
from xero_stream.kafka.appender import Appender, OpenAppend
from xero_stream.kafka.partition_queue import Outcome, Record, cost
from xero_stream.kafka.producer import PartitionsDifferError
from xero_stream.kafka.supervision import Reason, Supervision
from xero_stream.process.backoff import Backoff

PATIENCE = 0.3


def record(value: bytes, partition: int = 0) -> Record:
    """A record."""
    return Record("topic", partition, None, value, [])


class Bench:
    """An appender over fakes."""

    def __init__(self, *, limit: int = 1_000_000, stuck: float = 10.0, retirement: float = 0.1) -> None:
        self.producers = FakeProducers()
        self.measured = Measured()
        self.appender = Appender(
            producers=self.producers,
            observer=self.measured,
            limit_bytes=limit,
            patience=PATIENCE,
            retirement_seconds=retirement,
            supervision=Supervision(stuck_seconds=stuck, backoff=Backoff(first=0.01, longest=0.02, spread=(0.5, 1.0))),
        )

    def append(self, *values: bytes, partition: int = 0, seconds: float = PATIENCE) -> "asyncio.Task[Outcome]":
        """Start appending."""
        records = [record(value, partition) for value in values]
        return asyncio.create_task(self.appender.append(records, time.monotonic() + seconds))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A started appender."""
    bench = Bench()
    bench.appender.start()
    yield bench
    await bench.appender.stop(0)


async def test_acknowledged_after_every_record(bench: Bench) -> None:
    """An append is acknowledged when the last of its partitions has answered, not before."""
    producer = await bench.producers.producer(0)
    records = [record(b"a", 0), record(b"b", 1)]
    answer = asyncio.create_task(bench.appender.append(records, time.monotonic() + 5))
    await producer.batches(2)

    producer.waiting[0].set_result(None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not answer.done()
    producer.waiting[1].set_result(None)

    assert await answer is Outcome.ACKNOWLEDGED
    assert bench.measured.held == 0


async def test_nothing_to_append(bench: Bench) -> None:
    """An append of nothing is acknowledged at once, with or without Kafka."""
    assert await bench.appender.append([], time.monotonic()) is Outcome.ACKNOWLEDGED


async def test_order_within_a_partition(bench: Bench) -> None:
    """What arrives while a batch is out rides the next ones, in order, split where a batch is full."""
    bench.producers.room = 3
    producer = await bench.producers.producer(0)
    producer.room = 3
    answers = [bench.append(b"0", seconds=5)]
    await producer.batches(1)
    answers += [bench.append(b"%d" % number, seconds=5) for number in range(1, 8)]
    await asyncio.sleep(0)

    for expected in range(1, 5):
        await producer.batches(min(expected, 4))
        producer.acknowledge()

    assert await asyncio.gather(*answers) == [Outcome.ACKNOWLEDGED] * 8
    assert [values for _, _, values in producer.sent] == [[b"0"], [b"1", b"2", b"3"], [b"4", b"5", b"6"], [b"7"]]


async def test_caller_is_never_held_longer(bench: Bench) -> None:
    """Without an answer from Kafka the caller is told so at its deadline."""
    await bench.producers.producer(0)
    started = time.monotonic()

    assert await bench.append(b"x") is Outcome.TIMED_OUT

    assert PATIENCE <= time.monotonic() - started < PATIENCE + 0.2


async def test_deadlines_out_of_order(bench: Bench) -> None:
    """A caller with less time left than those before it is not made to wait for them."""
    await bench.producers.producer(0)
    patient = bench.append(b"a", seconds=5)
    await asyncio.sleep(0)
    started = time.monotonic()

    assert await bench.append(b"b", seconds=0.1) is Outcome.TIMED_OUT

    assert time.monotonic() - started < 0.3
    assert not patient.done()
    patient.cancel()


async def test_newcomers_behind_an_overdue_batch(bench: Bench) -> None:
    """Once a batch is overdue newcomers of its partition are refused at once; other partitions go on."""
    producer = await bench.producers.producer(0)
    assert await bench.append(b"x") is Outcome.TIMED_OUT

    started = time.monotonic()
    assert await bench.append(b"y") is Outcome.STALLED
    assert time.monotonic() - started < 0.1
    other = bench.append(b"z", partition=1)
    await producer.batches(2)
    producer.waiting[1].set_result(None)
    assert await other is Outcome.ACKNOWLEDGED

    producer.acknowledge()
    await asyncio.sleep(0.01)
    again = bench.append(b"again")
    await producer.batches(3)
    producer.acknowledge()
    assert await again is Outcome.ACKNOWLEDGED


async def test_what_nobody_waits_for_is_not_sent(bench: Bench) -> None:
    """A record whose caller has been told no is dropped, unless it is out already."""
    producer = await bench.producers.producer(0)
    first, second = bench.append(b"first"), bench.append(b"second", seconds=0.05)
    await producer.batches(1)
    third = bench.append(b"third", seconds=0.1)
    assert {await first, await second, await third} == {Outcome.TIMED_OUT}

    producer.acknowledge()
    last = bench.append(b"last")
    await producer.batches(2)
    producer.acknowledge()

    assert await last is Outcome.ACKNOWLEDGED
    assert [values for _, _, values in producer.sent] == [[b"first", b"second"], [b"last"]]
    assert bench.measured.held == 0


async def test_bytes_are_bounded() -> None:
    """Beyond the limit newcomers are refused at once, and the memory held never exceeds it."""
    bench = Bench(limit=10_000)
    bench.appender.start()
    await bench.producers.producer(0)

    outcomes = await asyncio.gather(*[bench.append(b"x" * 1_000) for _ in range(100)])

    assert outcomes.count(Outcome.OVERLOADED) == 96
    assert bench.measured.most <= 10_000
    await bench.appender.stop(0)


async def test_refused_batch_means_a_new_producer(bench: Bench) -> None:
    """After a refusal the producer is thrown away and the records go once more, with the next one."""
    first = await bench.producers.producer(0)
    answer = bench.append(b"x", seconds=5)
    await first.batches(1)

    first.refuse(OutOfOrderSequenceNumber())
    second = await bench.producers.producer(1)
    await second.batches(1)
    second.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED
    assert second.sent == first.sent
    assert bench.measured.built == [Reason.START, Reason.BROKEN]
    await asyncio.wait_for(first.gone.wait(), 5)


async def test_refused_twice(bench: Bench) -> None:
    """A record is not tried a third time."""
    answer = bench.append(b"x", seconds=5)
    for number in range(2):
        producer = await bench.producers.producer(number)
        await producer.batches(1)
        producer.refuse(OutOfOrderSequenceNumber())

    assert await answer is Outcome.REFUSED


async def test_too_large_is_not_tried_again(bench: Bench) -> None:
    """A record too large for the topic is refused at once."""
    producer = await bench.producers.producer(0)
    answer = bench.append(b"x", seconds=5)
    await producer.batches(1)

    producer.refuse(MessageSizeTooLargeError())

    assert await answer is Outcome.REFUSED


async def test_other_partitions_of_a_broken_producer() -> None:
    """What the broken producer still has out may be acknowledged; nothing is sent twice that need not be."""
    bench = Bench(retirement=30)
    bench.appender.start()
    first = await bench.producers.producer(0)
    bad, good = bench.append(b"bad", seconds=5), bench.append(b"good", partition=1, seconds=5)
    await first.batches(2)

    first.waiting[0].set_exception(OutOfOrderSequenceNumber())
    second = await bench.producers.producer(1)
    first.waiting[1].set_result(None)
    await second.batches(1)
    second.acknowledge()

    assert (await bad, await good) == (Outcome.ACKNOWLEDGED, Outcome.ACKNOWLEDGED)
    assert [values for _, _, values in second.sent] == [[b"bad"]]
    await bench.appender.stop(0)


async def test_producer_that_dies_between_batches(bench: Bench) -> None:
    """An error on handing over, which is how a dead sender shows, is a broken producer too."""
    first = await bench.producers.producer(0)
    first.on_send = KafkaConnectionError
    answer = bench.append(b"x", seconds=5)

    second = await bench.producers.producer(1)
    await second.batches(1)
    second.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED


async def test_missing_topic(bench: Bench) -> None:
    """A topic that does not exist is no reason to build a producer anew."""
    producer = await bench.producers.producer(0)
    producer.on_send = UnknownTopicOrPartitionError

    assert await bench.append(b"x") is Outcome.REFUSED
    assert len(bench.producers.made) == 1


async def test_a_record_that_cannot_be_encoded(bench: Bench) -> None:
    """A mistake of ours in a record is refused; the queue goes on."""
    producer = await bench.producers.producer(0)

    assert await bench.append(b"fine", b"poison") is Outcome.REFUSED
    assert bench.measured.held == 0
    answer = bench.append(b"x")
    await producer.batches(1)
    producer.acknowledge()
    assert await answer is Outcome.ACKNOWLEDGED


async def test_kafka_down_at_start() -> None:
    """Without Kafka callers wait within their time; later ones are refused at once; then it works by itself."""
    bench = Bench()
    bench.producers.failure = KafkaConnectionError()
    bench.appender.start()

    assert await bench.append(b"x") is Outcome.TIMED_OUT
    started = time.monotonic()
    assert await bench.append(b"y") is Outcome.STALLED
    assert time.monotonic() - started < 0.1

    bench.producers.failure = None
    producer = await bench.producers.producer(0)
    answer = bench.append(b"z")
    await producer.batches(1)
    producer.acknowledge()
    assert await answer is Outcome.ACKNOWLEDGED
    await bench.appender.first_build
    await bench.appender.stop(0)


async def test_waits_for_the_first_producer() -> None:
    """Who comes while the producer is being built is served as soon as it is there."""
    bench = Bench()
    bench.producers.failure = KafkaConnectionError()
    bench.appender.start()
    await bench.producers.tried.wait()
    answer = bench.append(b"x")
    bench.producers.failure = None

    producer = await bench.producers.producer(0)
    await producer.batches(1)
    producer.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED
    await bench.appender.stop(0)


async def test_wrong_number_of_partitions() -> None:
    """A topic that doesn't fit the settings is refused, and said."""
    bench = Bench()
    bench.producers.failure = PartitionsDifferError("topic t has 4 partitions")
    bench.appender.start()

    with pytest.raises(PartitionsDifferError):
        await bench.appender.first_build

    assert bench.appender.misfit == "topic t has 4 partitions"
    assert await bench.append(b"x") is Outcome.STALLED
    await bench.appender.stop(0)


async def test_stuck_producer_is_replaced() -> None:
    """When nothing is acknowledged for long, another producer is tried, and takes over if it can connect."""
    bench = Bench(stuck=0.4)
    bench.appender.start()
    first = await bench.producers.producer(0)
    assert await bench.append(b"x") is Outcome.TIMED_OUT

    second = await bench.producers.producer(1)
    await asyncio.wait_for(first.gone.wait(), 5)
    answer = bench.append(b"y")
    await second.batches(1)
    second.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED
    assert bench.measured.built == [Reason.START, Reason.STUCK]
    assert bench.measured.held == 0
    await bench.appender.stop(0)


async def test_stuck_producer_is_kept_while_kafka_is_away() -> None:
    """A producer that is merely waiting for Kafka is not thrown away for one that can't connect either."""
    bench = Bench(stuck=0.2)
    bench.appender.start()
    first = await bench.producers.producer(0)
    bench.producers.failure = KafkaConnectionError()
    bench.producers.tried.clear()
    assert await bench.append(b"x") is Outcome.TIMED_OUT
    await bench.producers.tried.wait()

    first.acknowledge()
    await asyncio.sleep(0.02)
    answer = bench.append(b"y")
    await first.batches(2)
    first.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED
    await bench.appender.stop(0)


async def test_stop_waits_for_what_is_under_way(bench: Bench) -> None:
    """Stopping refuses newcomers and lets the others have their answer."""
    producer = await bench.producers.producer(0)
    answer = bench.append(b"x", seconds=5)
    await producer.batches(1)

    stopping = asyncio.create_task(bench.appender.stop(5))
    await asyncio.sleep(0.01)
    assert await bench.append(b"y") is Outcome.CLOSED
    producer.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED
    assert await stopping
    assert producer.gone.is_set()


async def test_stop_is_bounded(bench: Bench) -> None:
    """Stopping does not wait for Kafka beyond its time; who still waits is told."""
    producer = await bench.producers.producer(0)
    answer = bench.append(b"x", seconds=60)
    await producer.batches(1)

    assert not await bench.appender.stop(0)

    assert await answer is Outcome.CLOSED


async def test_caller_that_gives_up(bench: Bench) -> None:
    """A cancelled caller disturbs nobody."""
    producer = await bench.producers.producer(0)
    gone, stays = bench.append(b"a", seconds=5), bench.append(b"b", seconds=5)
    await producer.batches(1)
    gone.cancel()
    await asyncio.sleep(0)

    producer.acknowledge()

    assert await stays is Outcome.ACKNOWLEDGED
    assert bench.measured.held == 0


async def test_piece_by_piece(bench: Bench) -> None:
    """Records that come in pieces are answered for together, after the last; the room asked for is held until it is used."""
    producer = await bench.producers.producer(0)
    opened = bench.appender.open(100_000, time.monotonic() + 5)
    assert isinstance(opened, OpenAppend)
    assert bench.measured.held == 100_000

    with opened:
        assert opened.add([record(b"a")])
        assert opened.add([record(b"b"), record(b"c", 1)])
        assert bench.measured.held == 100_000
    assert bench.measured.held == sum(cost(record(value)) for value in (b"a", b"b", b"c"))
    answer = asyncio.create_task(opened.outcome())
    await producer.batches(2)
    producer.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED
    assert sorted(values for _, _, values in producer.sent) == [[b"a", b"b"], [b"c"]]
    assert bench.measured.held == 0


async def test_pieces_are_acknowledged_only_once_all_are_known(bench: Bench) -> None:
    """That the pieces so far are in the log is no answer yet."""
    producer = await bench.producers.producer(0)
    opened = bench.appender.open(10_000, time.monotonic() + 5)
    assert isinstance(opened, OpenAppend)

    with opened:
        opened.add([record(b"a")])
        await producer.batches(1)
        producer.acknowledge()
        await asyncio.sleep(0.01)
        assert opened.add([record(b"b")])
    answer = asyncio.create_task(opened.outcome())
    await producer.batches(2)
    assert not answer.done()
    producer.acknowledge()

    assert await answer is Outcome.ACKNOWLEDGED


async def test_no_room_for_pieces(bench: Bench) -> None:
    """What does not fit is refused before anything of it is made, and holds nothing."""
    await bench.producers.producer(0)

    assert bench.appender.open(bench.appender.limit_bytes + 1, time.monotonic() + 5) is Outcome.OVERLOADED
    assert bench.measured.held == 0


async def test_pieces_out_of_time(bench: Bench) -> None:
    """Once the time is up no further piece is taken; a piece larger than the room that is left is held all the same."""
    await bench.producers.producer(0)
    opened = bench.appender.open(10, time.monotonic() + 0.1)
    assert isinstance(opened, OpenAppend)

    with opened:
        assert opened.add([record(b"a")])
        assert bench.measured.held == cost(record(b"a"))
        await asyncio.sleep(0.2)
        assert not opened.add([record(b"b")])

    assert await opened.outcome() is Outcome.TIMED_OUT


async def test_pieces_given_up(bench: Bench) -> None:
    """An error while the pieces are made gives the room back, and leaves nothing that somebody waits for."""
    producer = await bench.producers.producer(0)
    opened = bench.appender.open(100_000, time.monotonic() + 5)
    assert isinstance(opened, OpenAppend)

    with pytest.raises(RuntimeError), opened:
        raise RuntimeError

    assert bench.measured.held == 0
    assert await opened.outcome() is Outcome.CLOSED
    assert producer.sent == []


async def test_pieces_for_an_overdue_partition(bench: Bench) -> None:
    """A piece for a partition whose batch ahead is overdue ends it at once."""
    producer = await bench.producers.producer(0)
    first = bench.append(b"x", seconds=5)
    await producer.batches(1)
    await asyncio.sleep(PATIENCE + 0.05)
    opened = bench.appender.open(10_000, time.monotonic() + 5)
    assert isinstance(opened, OpenAppend)

    with opened:
        assert not opened.add([record(b"a")])

    assert await opened.outcome() is Outcome.STALLED
    producer.acknowledge()
    await first


async def test_late_deadlines_are_swept_together(bench: Bench) -> None:
    """Callers with less time than those before them do not make the appender look through its queues for each of them."""
    await bench.producers.producer(0)
    first = bench.append(b"x", seconds=5)
    looks = 0
    let_go = bench.appender._let_go

    def counted() -> None:
        nonlocal looks
        looks += 1
        let_go()

    bench.appender._let_go = counted  # type: ignore[method-assign]

    late = [bench.append(b"y", seconds=0.1) for _ in range(50)]

    assert await asyncio.gather(*late) == [Outcome.TIMED_OUT] * 50
    assert looks <= 3
    first.cancel()


async def test_partitions_of_a_broker_share_its_requests(bench: Bench) -> None:
    """While a broker has a request, its other partitions gather records; then all leave together, each with all it has."""
    bench.producers.brokers = 1
    producer = await bench.producers.producer(0)
    answers = [bench.append(b"0", seconds=5)]
    await producer.batches(1)

    for number in range(1, 7):
        answers.append(bench.append(b"%d" % number, partition=number % 3, seconds=5))
        await asyncio.sleep(0.01)
    assert len(producer.sent) == 1
    producer.acknowledge()
    await producer.batches(4)
    producer.acknowledge()

    assert await asyncio.gather(*answers) == [Outcome.ACKNOWLEDGED] * 7
    assert sorted(values for _, _, values in producer.sent[1:]) == [[b"1", b"4"], [b"2", b"5"], [b"3", b"6"]]


async def test_a_broker_that_is_overdue_holds_up_its_partitions_only(bench: Bench) -> None:
    """Newcomers for any of its partitions are refused at once; another broker's are served."""
    bench.producers.brokers = 2
    producer = await bench.producers.producer(0)
    first = bench.append(b"0", partition=0, seconds=5)
    await producer.batches(1)
    waiting = bench.append(b"2", partition=2, seconds=5)
    await asyncio.sleep(PATIENCE + 0.05)

    assert await bench.append(b"more", partition=2, seconds=5) is Outcome.STALLED
    other = bench.append(b"1", partition=1, seconds=5)
    await producer.batches(2)
    producer.acknowledge()

    assert await other is Outcome.ACKNOWLEDGED
    assert await first is Outcome.ACKNOWLEDGED
    await producer.batches(3)
    producer.acknowledge()
    assert await waiting is Outcome.ACKNOWLEDGED


async def test_a_new_producer_does_not_wait_for_the_old_ones_request() -> None:
    """What the broken producer has out holds up nobody once there is another."""
    bench = Bench(retirement=60.0)
    bench.producers.brokers = 1
    bench.appender.start()
    producer = await bench.producers.producer(0)
    stuck = bench.append(b"stuck", partition=0, seconds=5)
    await producer.batches(1)
    waiting = bench.append(b"x", partition=1, seconds=5)
    await asyncio.sleep(0.02)

    bench.appender.broken(producer, OutOfOrderSequenceNumber())
    second = await bench.producers.producer(1)
    await second.batches(1)
    second.acknowledge()

    assert await waiting is Outcome.ACKNOWLEDGED
    stuck.cancel()
    await bench.appender.stop(0)


async def test_large_batches_leave_one_at_a_time() -> None:
    """A broker's request has no more than one large batch: compressing several would hold up everybody."""
    bench = Bench(limit=20_000_000)
    bench.producers.brokers = 1
    bench.appender.start()
    producer = await bench.producers.producer(0)
    answers = [bench.append(b"%d" % number * 2_000_000, partition=number, seconds=5) for number in range(3)]

    for expected in range(1, 4):
        await producer.batches(expected)
        await asyncio.sleep(0.02)
        assert len(producer.sent) == expected
        producer.acknowledge()

    assert await asyncio.gather(*answers) == [Outcome.ACKNOWLEDGED] * 3
    await bench.appender.stop(0)
