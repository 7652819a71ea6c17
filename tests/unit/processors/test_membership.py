"""The group member while Kafka is not there."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.structs import ConsumerRecord, TopicPartition
from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.partitions import consumer
from processors.partitions.consumer import Membership
from tests.support.stack import free_port
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.processors import ProcessorSettings
from xero_stream.telemetry.watchdog import Watchdog


class Beats(Watchdog):
    """Counts signs of life."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.changed = asyncio.Event()

    def beat(self, name: str, now: float, *, limit: float | None = None) -> None:
        """Count it."""
        super().beat(name, now, limit=limit)
        self.names.append(name)
        self.changed.set()


class Interrupted(Membership):
    """Its sessions end as if somebody had cancelled them."""

    async def _session(self) -> None:
        raise asyncio.CancelledError


def membership_of(kind: type[Membership], beats: Beats, clock: Callable[[], float]) -> Membership:
    """A member whose Kafka is not there."""
    services = cast(
        "Any", SimpleNamespace(owner="test", metrics=ProcessorMetrics(CollectorRegistry(), beats).partitions)
    )
    return kind(
        kafka=KafkaSettings.read(bootstrap_servers=f"127.0.0.1:{free_port()}"),
        settings=ProcessorSettings.read(),
        services=services,
        on_fatal=print,
        clock=clock,
    )


async def test_a_cancellation_from_inside_the_library_ends_nothing() -> None:
    """While Kafka is away, aiokafka awaits tasks that it has cancelled; the process would end with 0, indefinitely."""
    member = membership_of(Interrupted, Beats(), time.monotonic)
    task = asyncio.create_task(member.run())

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_trying_again_is_a_sign_of_life() -> None:
    """However long Kafka is away, the process is not stuck; it knows that it has no assignment, and since when."""
    beats, now = Beats(), 100.0

    def clock() -> float:
        nonlocal now
        now += 0.001
        return now

    membership = membership_of(Membership, beats, clock)
    task = asyncio.create_task(membership.run())

    async with asyncio.timeout(20):
        while beats.names.count("consumer") < 2:
            beats.changed.clear()
            await beats.changed.wait()
    now = 130.0

    assert membership.joining_seconds == pytest.approx(30.0, abs=0.1)
    task.cancel()
    await asyncio.wait([task])


async def test_a_request_that_is_never_answered_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default aiokafka waits 40 s, and a partition gets no events meanwhile; a rebalance has to fit in."""
    asked_for: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def remember(**arguments: Any) -> Any:
        if not asked_for.done():
            asked_for.set_result(arguments)
        raise asyncio.CancelledError

    monkeypatch.setattr(consumer, "AIOKafkaConsumer", remember)
    task = asyncio.create_task(membership_of(Membership, Beats(), time.monotonic).run())
    made = await asyncio.wait_for(asked_for, 5)
    task.cancel()
    await asyncio.wait([task])

    assert made["session_timeout_ms"] < made["request_timeout_ms"] <= made["session_timeout_ms"] + 10_000


class Log:
    """A consumer that answers one poll with what it had before somebody asked for another offset."""

    def __init__(self, place: TopicPartition) -> None:
        self.place = place
        self.sought: list[int] = []
        self.polls = 0
        self.polled_twice = asyncio.Event()
        self.before_the_answer: Callable[[], None] = lambda: None

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Records 7 and 8, once; then nothing."""
        self.polls += 1
        await asyncio.sleep(0)
        if self.polls > 1:
            self.polled_twice.set()
            await asyncio.Event().wait()
        self.before_the_answer()
        record = ConsumerRecord(
            topic=self.place.topic, partition=self.place.partition, offset=7, timestamp=0, timestamp_type=0, key=b"t",
            value=b"{}", checksum=None, serialized_key_size=1, serialized_value_size=2, headers=(),
        )  # fmt: skip
        return {self.place: [record, dataclasses.replace(record, offset=8)]}

    def assignment(self) -> set[TopicPartition]:
        """What is assigned."""
        return {self.place}

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Go on at another offset."""
        assert place == self.place
        self.sought.append(offset)

    def resume(self, place: TopicPartition) -> None:
        """Deliver again."""


@pytest.mark.parametrize("asked_meanwhile", [True, False])
async def test_records_polled_before_a_worker_asked_for_another_offset(asked_meanwhile: bool) -> None:
    """They are not handed out: the worker would take them for a jump in the log. They are read again from where it stands."""
    membership = membership_of(Membership, Beats(), time.monotonic)
    place = TopicPartition(membership._topic, 1)
    log = Log(place)
    arrived: list[int] = []

    async def take(records: Sequence[Any]) -> None:
        arrived.extend(record.offset for record in records)

    worker = SimpleNamespace(partition=1, ready=True, next_offset=3, deliver_from=2, arrived=take)
    membership._workers[1] = cast("Any", worker)
    membership._consumer = log
    if asked_meanwhile:
        log.before_the_answer = lambda: membership.go_on(1, 2)

    task = asyncio.create_task(membership._poll(log))
    async with asyncio.timeout(5):
        await log.polled_twice.wait()
    task.cancel()
    await asyncio.wait([task])

    assert (arrived, log.sought) == (([], [2, 2]) if asked_meanwhile else ([7, 8], []))


async def test_an_offset_asked_for_while_others_take_their_records_in() -> None:
    """Partitions are served one after the other: what one of them brings may be old by the time its turn comes."""
    membership = membership_of(Membership, Beats(), time.monotonic)
    first, second = (TopicPartition(membership._topic, partition) for partition in (0, 1))
    log = Log(second)
    arrived: list[int] = []
    late = SimpleNamespace(partition=1, ready=False, next_offset=3, deliver_from=3)

    async def becomes_ready(_: Sequence[Any]) -> None:
        membership.go_on(1, 3)
        late.ready = True

    async def take(records: Sequence[Any]) -> None:
        arrived.extend(record.offset for record in records)

    late.arrived = take
    membership._workers[0] = cast("Any", SimpleNamespace(partition=0, ready=True, arrived=becomes_ready))
    membership._workers[1] = cast("Any", late)
    membership._consumer = log

    async def poll(**_: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        polled = await Log.getmany(log)
        return {first: polled[second], second: polled[second]}

    log.getmany = poll  # type: ignore[method-assign]
    task = asyncio.create_task(membership._poll(log))
    async with asyncio.timeout(5):
        await log.polled_twice.wait()
    task.cancel()
    await asyncio.wait([task])

    assert (arrived, log.sought) == ([], [3, 3])


@pytest.mark.parametrize("came_back", [True, False])
async def test_a_partition_that_came_back_is_not_forgotten_when_its_former_worker_ends(came_back: bool) -> None:
    """Else a relay that never gets to work there would raise no alert."""
    membership = membership_of(Membership, Beats(), time.monotonic)
    forgotten: list[int] = []
    relay = SimpleNamespace(relay_forgotten=forgotten.append)
    membership._services = cast("Any", SimpleNamespace(metrics=SimpleNamespace(relay=relay)))

    async def ends(_: float) -> None:
        if came_back:
            membership._workers[1] = cast("Any", SimpleNamespace(partition=1))

    await membership._give_up(cast("Any", SimpleNamespace(partition=1, stop=ends)))

    assert forgotten == ([] if came_back else [1])


async def test_events_that_could_not_be_taken_in_come_again_with_the_record_before_them() -> None:
    """Without it nobody would notice a topic that was recreated, if the store was away when that showed for the first time."""
    membership = membership_of(Membership, Beats(), time.monotonic)
    place = TopicPartition(membership._topic, 1)
    log = Log(place)

    async def fails(_: Sequence[Any]) -> None:
        raise OSError("the store is away")

    membership._workers[1] = cast(
        "Any", SimpleNamespace(partition=1, ready=True, next_offset=7, deliver_from=6, arrived=fails)
    )

    assert await membership._hand_out(log, place, (await log.getmany())[place], 0)
    assert log.sought == [6]
