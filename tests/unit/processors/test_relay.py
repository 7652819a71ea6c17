"""How long the relay waits before it begins again."""

import asyncio
import random
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from processors.relay import relay as relay_module
from processors.relay.relay import Relay
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.kafka.transactional import OutcomeUnknownError, TransactionalProducer
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store.leases import Lease

FAILURES = 8


class Unlucky(Relay):
    """Fails eight times in a row, gets a transaction through, fails again, then is stopped."""

    attempts = 0

    async def _session(self) -> None:
        self.attempts += 1
        if self.attempts == FAILURES + 1:
            await self._transaction(cast("TransactionalProducer", Willing()), [], 1, None)
        if self.attempts == FAILURES + 2:
            self.stop()
        raise OutcomeUnknownError


class Willing:
    """A producer that commits."""

    async def publish(self, records: Any, **_: Any) -> None:
        """Nothing to it."""
        assert records == []


def relay_of(kind: type[Relay]) -> Relay:
    """A relay without a store."""
    unused: Any = cast("Any", None)
    return kind(
        pool=unused,
        marks=unused,
        lease=cast("Lease", SimpleNamespace(partition=0)),
        store_id=UUID(int=1),
        kafka=KafkaSettings(),
        entities=(),
        observer=cast("Any", SimpleNamespace(beat=lambda _: None, relay_rebuilt=lambda _: None)),
    )


async def test_old_failures_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait grows to two seconds while nothing is committed, and begins small again after a commit."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    monkeypatch.setattr(random, "random", lambda: 1.0)

    await relay_of(Unlucky).run()

    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2, 0.1, 0.2])


class Silent:
    """An admin client that never connects."""

    def __init__(self, _: KafkaSettings) -> None:
        """Of whatever Kafka."""

    async def __aenter__(self) -> "Silent":
        await asyncio.Event().wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""


async def test_question_for_the_offset_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the answer is there, nothing of the partition begins: it is asked again with another client."""
    monkeypatch.setattr(relay_module, "TopicAdmin", Silent)
    monkeypatch.setattr(relay_module, "_ANSWER_SECONDS", 0.05)

    async with asyncio.timeout(5):
        with pytest.raises(KafkaUnreachableError, match="did not return the offset"):
            await relay_of(Relay)._offset()
