"""A transaction whose end is unknown, whatever the client library calls it."""

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from aiokafka.errors import IllegalOperation, OutOfOrderSequenceNumber, ProducerFenced

from xero_stream.kafka import transactional
from xero_stream.kafka.transactional import TRANSACTION_SECONDS, OutcomeUnknownError, Outgoing, TransactionalProducer
from xero_stream.settings.kafka import KafkaSettings


class Client:
    """aiokafka's producer, as far as a transaction needs it; fails where it is told to."""

    def __init__(
        self, *, send: Exception | None = None, record: Exception | None = None, commit: Exception | None = None
    ) -> None:
        self._send, self._record, self._commit = send, record, commit
        self.commits = 0
        self.sent: list[asyncio.Future[None]] = []

    async def begin_transaction(self) -> None:
        """Nothing."""

    async def send(self, topic: str, **record: Any) -> "asyncio.Future[None]":
        """Fail from the second record on, or let the second record fail later."""
        assert topic
        assert "partition" in record
        if self._send is not None and self.sent:
            raise self._send
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._record is not None and self.sent:
            future.set_exception(self._record)
        elif self._send is None:
            future.set_result(None)
        self.sent.append(future)
        return future

    async def commit_transaction(self) -> None:
        """Fail, or not."""
        self.commits += 1
        if self._commit is not None:
            raise self._commit


@pytest.mark.parametrize(
    "client",
    [
        Client(send=IllegalOperation("Can't send messages while not in transaction")),
        Client(commit=ProducerFenced()),
        Client(commit=AssertionError()),
        Client(commit=TypeError("a fault of the library")),
    ],
    ids=["illegal-operation", "fenced", "assertion", "any"],
)
async def test_every_failure_inside_a_transaction_means_unknown(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The library raises what is no KafkaError when its sender fails a transaction from below; nobody else may see it.

    What became of single records is told by the transaction: nothing is logged about futures that nobody awaited.
    """
    producer = TransactionalProducer(cast("Any", client), 0)
    record = Outgoing(topic="t", key=None, value=b"")

    with pytest.raises(OutcomeUnknownError):
        await producer.publish([record, record], offsets={}, group="g")

    for future in client.sent:
        if not future.done():
            future.set_exception(ProducerFenced())
    client.sent.clear()
    del future
    await asyncio.sleep(0)
    assert caplog.messages == []


async def test_nothing_is_committed_without_every_record() -> None:
    """The library's commit ignores records that the broker refused: readers would miss them indefinitely."""
    client = Client(record=OutOfOrderSequenceNumber())
    producer = TransactionalProducer(cast("Any", client), 0)
    record = Outgoing(topic="t", key=None, value=b"")

    with pytest.raises(OutcomeUnknownError, match="OutOfOrderSequenceNumber"):
        await producer.publish([record, record], offsets={}, group="g")

    assert client.commits == 0


class JustThawed:
    """aiokafka's producer before a broker that has only just come back; keeps what it was made of."""

    made: ClassVar[list["JustThawed"]] = []

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.client, self._sender, self._txn_manager = self, SimpleNamespace(sender_task=None), None
        self.closed = False
        self.made.append(self)

    async def start(self) -> None:
        """As aiokafka does where the broker tells of no broker at all."""
        raise AssertionError

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


async def test_a_broker_that_has_just_come_back_is_one_that_did_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aiokafka asserts that there is a broker; the owner tries again, and nothing is left open."""
    monkeypatch.setattr(transactional, "_OnceProducer", JustThawed)

    with pytest.raises(OutcomeUnknownError, match="AssertionError"):
        await TransactionalProducer.start(KafkaSettings(), transactional_id="t", partition=0)

    (producer,) = JustThawed.made
    assert producer.closed
    assert producer.arguments["request_timeout_ms"] > 1_000 * TRANSACTION_SECONDS, (
        "a request could be sent again inside"
    )
    assert producer.arguments["transaction_timeout_ms"] > 1_000 * TRANSACTION_SECONDS
