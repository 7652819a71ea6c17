"""Appending records to Kafka with a bound on every wait: one idempotent producer, queues in front of it, a supervisor.

:class:`Appender` is for a process that must answer somebody whatever Kafka does. It never holds a caller beyond its
deadline, holds a bounded number of bytes, and goes on by itself when Kafka comes back.

Within a partition records keep their order. After an outage a record may be in the log twice, or be in the log though
its caller was told that it timed out; consumers fold duplicates.
"""

import asyncio
import heapq
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from itertools import count
from types import TracebackType
from typing import Protocol, Self

import structlog
from aiokafka import AIOKafkaProducer

from xero_stream.kafka.gate import Gate
from xero_stream.kafka.partition_queue import Append, Outcome, PartitionQueue, Record, Waiting, costs
from xero_stream.kafka.partition_sender import PartitionSender
from xero_stream.kafka.producer import PartitionsDifferError, Producers
from xero_stream.kafka.supervision import Reason, Supervision
from xero_stream.telemetry.repeats import Repeats

_log = structlog.get_logger(__name__)

_SWEEP_SECONDS = 0.05
_TICK_SECONDS = 0.25
_CLOSING_SECONDS = 1.0


class Observer(Protocol):
    """Where an appender's measurements go."""

    def producer_built(self, reason: Reason) -> None:
        """A producer was built."""

    def producer_available(self, available: bool) -> None:
        """Whether there is a producer now."""

    def in_flight(self, size: int) -> None:
        """Bytes held until Kafka acknowledges them."""

    def broker_time(self, broker: float, now: float) -> None:
        """The broker's clock showed that Unix time, at that time of the appender's clock."""


class Appender:
    """Appends records in time or says that it could not."""

    def __init__(
        self,
        *,
        producers: Producers,
        observer: Observer,
        limit_bytes: int,
        patience: float = 4.0,
        build_seconds: float = 5.0,
        retirement_seconds: float = 1.0,
        pause_seconds: float = 0.005,
        supervision: Supervision | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing runs before :meth:`start`.

        Args:
            producers: makes producers.
            observer: gets the measurements.
            limit_bytes: how much may be held at a time.
            patience: the longest that a caller may wait, in seconds.
            build_seconds: the longest that connecting may take.
            retirement_seconds: how long a replaced producer's batches may still be acknowledged.
            pause_seconds: between two produce requests to a broker, at least; what comes meanwhile shares the second.
            supervision: when to build a producer.
            clock: monotonic seconds.
        """
        self._producers = producers
        self._observer = observer
        self._limit = limit_bytes
        self._patience = patience
        self._build_seconds = build_seconds
        self._retirement_seconds = retirement_seconds
        self._supervision = supervision or Supervision()
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None
        self._without_since = clock()
        self._available = asyncio.Event()
        self._trouble = asyncio.Event()
        self._senders: dict[tuple[str, int], PartitionSender] = {}
        self._pause_seconds = pause_seconds
        self._gates: dict[Hashable, Gate] = {}
        self._deadlines: deque[Append] = deque()
        self._earlier: list[tuple[float, int, Append]] = []
        self._numbers = count()
        self._sweeping: asyncio.TimerHandle | None = None
        self._held = 0
        self._drained: asyncio.Future[None] | None = None
        self._closing = False
        self._retiring: set[asyncio.Task[None]] = set()
        self._supervisor: asyncio.Task[None] | None = None
        self._repeats = Repeats()
        self.first_build: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the first producer was built; fails with :class:`PartitionsDifferError`."""
        self.misfit: str | None = None
        """What is wrong with the topic, if it doesn't fit the settings."""
        self.beat = clock()
        """When the supervisor last came round, in the clock's seconds."""

    def start(self) -> None:
        """Begin connecting, in the background."""
        self._without_since = self.beat = self._clock()
        self._supervisor = asyncio.create_task(self._supervise(), name="producer-supervisor")

    async def append(self, records: Sequence[Record], deadline: float) -> Outcome:
        """Append records, all or say why not.

        Args:
            records: what to append; those of a partition keep their order.
            deadline: until when to wait, in the clock's seconds.

        Returns:
            ACKNOWLEDGED only if every record is in the log.
        """
        if not records:
            return Outcome.ACKNOWLEDGED
        senders = self._senders_of(records)
        size = costs(records)
        refusal = self._refusal(senders, size, self._clock())
        if refusal is not None:
            return refusal
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        append = Append(records=len(records), deadline=deadline, settled=_tell(answer))
        self._hold(size)
        self._watch(append)
        for sender, record in zip(senders, records, strict=True):
            sender.add(Waiting(record, append))
        return await answer

    @property
    def limit_bytes(self) -> int:
        """How much may be held at a time."""
        return self._limit

    def open(self, room: int, deadline: float) -> "OpenAppend | Outcome":
        """Begin to append records that are made piece by piece, or say why not.

        Args:
            room: bytes that they, and what they are made of, take at most; held from now on.
            deadline: until when to wait, in the clock's seconds.
        """
        refusal = self._refusal((), room, self._clock())
        return refusal if refusal is not None else OpenAppend(self, room, deadline)

    def _refusal(self, senders: Collection[PartitionSender], size: int, now: float) -> Outcome | None:
        if self._closing:
            return Outcome.CLOSED
        if self._producer is None and (self.misfit or now - self._without_since > self._patience):
            return Outcome.STALLED
        if self._held + size > self._limit:
            return Outcome.OVERLOADED
        for sender in senders if len(senders) == 1 else set(senders):
            if sender.queue.stalled(now, self._patience):
                return Outcome.STALLED
        return None

    def _hold(self, size: int) -> None:
        self._held += size
        self._observer.in_flight(self._held)
        if self._drained is not None and not self._held and not self._drained.done():
            self._drained.set_result(None)

    def _senders_of(self, records: Sequence[Record]) -> list[PartitionSender]:
        """The sender of each record's partition."""
        known = self._senders
        return [
            known.get((topic, partition)) or self._sender(topic, partition) for topic, partition, _, _, _ in records
        ]

    def _sender(self, topic: str, partition: int) -> PartitionSender:
        sender = self._senders[topic, partition] = PartitionSender(self, PartitionQueue(topic, partition), self._clock)
        return sender

    # -- deadlines ----------------------------------------------------------------------------------------------------

    def _watch(self, append: Append) -> None:
        if self._deadlines and append.deadline < self._deadlines[-1].deadline:
            # Out of order: its body was slow to arrive.
            heapq.heappush(self._earlier, (append.deadline, next(self._numbers), append))
        else:
            self._deadlines.append(append)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        now = self._clock()
        expired = False
        deadlines, earlier = self._deadlines, self._earlier
        while deadlines and (deadlines[0].outcome is not None or deadlines[0].deadline <= now):
            append = deadlines.popleft()
            if append.outcome is None:
                append.settle(Outcome.TIMED_OUT)
                expired = True
        while earlier and (earlier[0][2].outcome is not None or earlier[0][0] <= now):
            append = heapq.heappop(earlier)[2]
            if append.outcome is None:
                append.settle(Outcome.TIMED_OUT)
                expired = True
        if expired:
            self._let_go()
        again = deadlines or earlier
        self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep) if again else None

    def _let_go(self) -> None:
        for sender in self._senders.values():
            self._hold(-sender.queue.drop_settled())

    # -- what senders say -----------------------------------------------------------------------------------------------

    @property
    def producer(self) -> AIOKafkaProducer | None:
        """The producer in use."""
        return self._producer

    async def wait_for_producer(self) -> None:
        """Until there is one."""
        await self._available.wait()

    def gate(self, producer: AIOKafkaProducer, queue: PartitionQueue) -> Gate:
        """The way to the broker that leads the queue's partition; of its own where nobody is known to lead it."""
        leader = self._producers.leader(producer, queue.topic, queue.partition)
        key = (queue.topic, queue.partition) if leader is None else leader
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = Gate(self._pause_seconds, self._clock)
        return gate

    def released(self, size: int) -> None:
        """That many bytes are held no longer."""
        self._hold(-size)

    def acknowledged(self, appended_at: float | None) -> None:
        """Kafka took a batch, at that time of the broker's clock where it said so."""
        self._supervision.acknowledged()
        if appended_at is not None:
            self._observer.broker_time(appended_at, self._clock())

    def broken(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        """The producer can't be trusted any more."""
        if self._producer is not producer:
            return
        _log.warning("producer_broken", error=type(error).__name__, detail=str(error))
        self._use(None)
        self._retire(producer)
        self._trouble.set()

    # -- the supervisor -----------------------------------------------------------------------------------------------

    def _use(self, producer: AIOKafkaProducer | None) -> None:
        self._producer = producer
        if producer is None:
            self._without_since = self._clock()
            self._available.clear()
        else:
            self._available.set()
        # What the producer before has out holds up nobody any longer.
        gates, self._gates = self._gates, {}
        for gate in gates.values():
            gate.release()
        self._observer.producer_available(producer is not None)

    async def _supervise(self) -> None:
        while True:
            now = self.beat = self._clock()
            reason = self._supervision.reason(
                now, available=self._producer is not None, oldest_ahead=self._oldest_ahead()
            )
            if reason is not None:
                await self._rebuild(reason)
                continue
            self._trouble.clear()
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._trouble.wait()
            except TimeoutError:
                continue

    def _oldest_ahead(self) -> float | None:
        """When the oldest batch was sent that the present producer has no answer to."""
        sent = [sender.queue.ahead_since for sender in self._senders.values() if sender.using is self._producer]
        return min((since for since in sent if since is not None), default=None)

    async def _rebuild(self, reason: Reason) -> None:
        try:
            async with asyncio.timeout(self._build_seconds):
                fresh = await self._producers.build()
        except PartitionsDifferError as error:
            self.misfit = str(error)
            if not self.first_build.done():
                self.first_build.set_exception(error)
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, it is tried again
            self._failed(error)
        else:
            self.misfit = None
            old = self._producer
            self._use(fresh)
            self._supervision.built(self._clock(), random.random())
            self._observer.producer_built(reason)
            _log.info("producer_built", reason=reason.value)
            if not self.first_build.done():
                self.first_build.set_result(None)
            if old is not None:
                self._retire(old)

    def _failed(self, error: BaseException) -> None:
        now = self._clock()
        self._supervision.failed(now, random.random())
        held_back = self._repeats.allow(type(error).__name__, now)
        if held_back is not None:
            _log.warning("kafka_unavailable", error=type(error).__name__, detail=str(error), held_back=held_back)

    def _retire(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(self._close(producer), name="producer-retirement")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _close(self, producer: AIOKafkaProducer) -> None:
        # What it has under way may still be acknowledged; after that moment its queues belong to the next one.
        flushed = asyncio.ensure_future(producer.flush())
        await asyncio.wait({flushed}, timeout=self._retirement_seconds)
        flushed.cancel()
        for sender in self._senders.values():
            sender.release(producer)
        await self._producers.discard(producer, flush_seconds=0)

    async def stop(self, seconds: float) -> bool:
        """Refuse newcomers, wait for what is under way, close.

        Args:
            seconds: how long that may take in all.

        Returns:
            Whether nothing was left behind.
        """
        self._closing = True
        end = self._clock() + seconds
        self._drained = asyncio.get_running_loop().create_future()
        self._hold(0)
        await asyncio.wait({self._drained}, timeout=max(0.0, seconds - _CLOSING_SECONDS))
        clean = not self._held
        tasks = [sender.task for sender in self._senders.values()] + ([self._supervisor] if self._supervisor else [])
        for task in (*tasks, *self._retiring):
            task.cancel()
        await asyncio.gather(*tasks, *self._retiring, return_exceptions=True)
        for sender in self._senders.values():
            sender.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
        producer, self._producer = self._producer, None
        if producer is not None:
            closing = asyncio.ensure_future(self._producers.discard(producer, flush_seconds=_CLOSING_SECONDS / 2))
            await asyncio.wait({closing}, timeout=max(0.1, end - self._clock()))
            closing.cancel()
        return clean


def _tell(answer: asyncio.Future[Outcome]) -> Callable[[Outcome], None]:
    """What tells an outcome to who waits for it, unless they have left."""

    def settled(outcome: Outcome) -> None:
        if not answer.done():
            answer.set_result(outcome)

    return settled


class OpenAppend:
    """Records that are answered for together and appended piece by piece; made by :meth:`Appender.open`.

    A context manager: at its end the room that no record has taken is given back.
    """

    def __init__(self, appender: Appender, room: int, deadline: float) -> None:
        self._appender = appender
        self._room = room
        self._answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        # One more than its records, until the last of them is known.
        self._append = Append(records=1, deadline=deadline, settled=_tell(self._answer))
        appender._hold(room)  # noqa: SLF001 - a part of the appender that lives for one append
        appender._watch(self._append)  # noqa: SLF001 - as above

    def __enter__(self) -> Self:
        """Hold the room."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Give back what room is left; after an error nobody waits for the records any more."""
        self._appender._hold(-self._room)  # noqa: SLF001 - as above
        self._room = 0
        if error is not None:
            self._append.settle(Outcome.CLOSED)

    def add(self, records: Sequence[Record]) -> bool:
        """Append some more.

        Args:
            records: those of a partition keep their order, also with those of an earlier call.

        Returns:
            Whether it is worth to go on: nothing is appended once the outcome is known.
        """
        appender = self._appender
        senders = appender._senders_of(records)  # noqa: SLF001 - as above
        if self._append.outcome is None:
            refusal = appender._refusal(senders, 0, appender._clock())  # noqa: SLF001 - as above
            if refusal is not None:
                self._append.settle(refusal)
        if self._append.outcome is not None:
            return False
        size = costs(records)
        taken = min(size, self._room)
        self._room -= taken
        appender._hold(size - taken)  # noqa: SLF001 - as above
        self._append.outstanding += len(records)
        for sender, record in zip(senders, records, strict=True):
            sender.add(Waiting(record, self._append))
        return True

    async def outcome(self) -> Outcome:
        """Wait for the outcome; no more records follow.

        Returns:
            ACKNOWLEDGED only if every record is in the log.
        """
        self._append.acknowledged()
        return await self._answer
