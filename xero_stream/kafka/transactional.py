"""A transactional producer whose EndTxn is sent once, and only when the broker has every record.

aiokafka repeats EndTxn by itself when an answer is late. Repeated, it can end a *later* transaction of the same producer
in the middle (seen on a real broker: EndTxn of transaction 1 sent again during transaction 2 is answered with success,
and readers see a torn transaction). So here any failure of EndTxn means "outcome unknown": the producer is finished,
and its owner makes a new one (InitProducerId ends what was open) and reads the committed offset to learn what happened.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError
from aiokafka.producer.sender import EndTxnHandler, Sender
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from xero_stream.failpoints import Failpoint, reach
from xero_stream.kafka.append_time import append_time
from xero_stream.kafka.compression import compression
from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings

LARGEST_REQUEST = 9 * 1024 * 1024
TRANSACTION_SECONDS = 9.0
"""How long a transaction may take; the broker ends it after ten."""


class OutcomeUnknownError(Exception):
    """A transaction failed or its end got no clear answer; the producer must not be used again."""


class _OnceSender(Sender):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's sender, with one attempt at EndTxn."""

    async def _do_txn_commit(self, commit_result: Any) -> None:
        await self._message_accumulator.flush_for_commit()
        manager = self._txn_manager
        if manager.is_empty_transaction():
            manager.complete_transaction()
            return
        node_id = await self._find_coordinator(CoordinationType.TRANSACTION, manager.transactional_id)
        if not await EndTxnHandler(self, commit_result).do(node_id):
            raise KafkaError("EndTxn got no clear answer")


class _OnceProducer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's producer over that sender."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._sender = _OnceSender(
            self.client,
            acks=-1,
            txn_manager=self._txn_manager,
            retry_backoff_ms=arguments["retry_backoff_ms"],
            message_accumulator=self._message_accumulator,
            request_timeout_ms=arguments["request_timeout_ms"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One record to publish: topic, key, value (None: a tombstone) and headers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class TransactionalProducer:
    """One transactional id, from InitProducerId to the first failure."""

    def __init__(self, producer: AIOKafkaProducer, partition: int) -> None:
        self._producer = producer
        self._partition = partition

    @classmethod
    async def start(
        cls, settings: KafkaSettings, *, transactional_id: str, partition: int, timeout: float = 15.0
    ) -> "TransactionalProducer":
        """Connect and fence whoever used the transactional id before.

        Args:
            transactional_id: one per partition.
            partition: where every record goes.
            timeout: seconds for it all.

        Raises:
            OutcomeUnknownError: Kafka did not answer in time, or refused.
        """
        producer = _OnceProducer(
            **connection(settings, client_id=transactional_id),
            **compression(settings),
            transactional_id=transactional_id,
            # Long enough for a busy broker, short enough for readers that wait behind a dead transaction.
            transaction_timeout_ms=10_000,
            # Longer than a transaction may take: what is not answered is never sent again inside it. The first attempt could
            # arrive later, under a transaction that follows, with an old offset or an old record.
            request_timeout_ms=round(1_000 * (TRANSACTION_SECONDS + 1)),
            # The broker makes this generation of the protocol wait and retry: the back-off is the latency.
            retry_backoff_ms=5,
            max_request_size=LARGEST_REQUEST,
            max_batch_size=1024 * 1024,
            linger_ms=0,
            metadata_max_age_ms=60_000,
        )
        try:
            async with asyncio.timeout(timeout):
                await producer.start()
        except Exception as error:
            # AssertionError among them: a broker that has just come back tells clients of no broker at all.
            await _discard(producer)
            raise OutcomeUnknownError(
                f"InitProducerId of {transactional_id}: {type(error).__name__}: {error}"
            ) from error
        except BaseException:
            await _discard(producer)
            raise
        return cls(producer, partition)

    async def publish(
        self,
        records: Sequence[Outgoing],
        *,
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group: str,
        timeout: float = TRANSACTION_SECONDS,
    ) -> float | None:
        """Publish records and commit offsets in one transaction; nothing else is awaited inside.

        Args:
            records: in order.
            offsets: what to commit with them; may be empty.
            group: for which group.
            timeout: seconds for it all.

        Returns:
            When the broker appended the last record, Unix time of its clock, where it said so.

        Raises:
            OutcomeUnknownError: it is unknown whether it was published; throw this producer away.
        """
        producer = self._producer
        sent: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(timeout):
                await producer.begin_transaction()
                for record in records:
                    future = await producer.send(
                        record.topic,
                        value=record.value,
                        key=record.key,
                        partition=self._partition,
                        headers=list(record.headers),
                    )
                    sent.append(future)
                if offsets:
                    await producer.send_offsets_to_transaction(dict(offsets), group)
                # aiokafka commits a transaction whose records were refused: only their futures tell.
                for future in sent:
                    await future
                await reach(Failpoint.RELAY_OPEN)
                await producer.commit_transaction()
                return append_time(sent[-1].result()) if sent else None
        except Exception as error:
            # Not only KafkaError: aiokafka raises AssertionError, IllegalOperation and others when its sender has failed the
            # transaction from below. Whatever it was, the producer is finished.
            raise OutcomeUnknownError(f"{type(error).__name__}: {error}") from error
        finally:
            for future in sent:
                future.add_done_callback(_heard)

    async def discard(self) -> None:
        """Close without flushing: what is open is ended by the next owner's InitProducerId."""
        await _discard(self._producer)


def _heard(future: "asyncio.Future[Any]") -> None:
    """The transaction as a whole tells what became of a record; unheard, its own failure would be logged when collected."""
    if not future.cancelled():
        future.exception()


async def _discard(producer: AIOKafkaProducer) -> None:
    # stop() would flush, indefinitely if the broker is gone. Closing the connections first makes every waiter fail.
    producer._closed = True  # noqa: SLF001 - aiokafka offers no close without flush
    with contextlib.suppress(Exception):
        async with asyncio.timeout(2):
            await producer.client.close()
    sender = producer._sender.sender_task  # noqa: SLF001 - the same
    if sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait([sender], timeout=2)
    manager = producer._txn_manager  # noqa: SLF001 - a waiter nobody awaits would warn when collected
    waiter = getattr(manager, "_transaction_waiter", None)
    if waiter is not None and waiter.done() and not waiter.cancelled():
        waiter.exception()
