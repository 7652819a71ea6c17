"""Waiting for servers at the start."""

import asyncio
import time
from collections.abc import Iterator

import asyncpg
import pytest
from aiokafka.errors import NodeNotReadyError

from xero_stream.kafka.admin import KafkaUnreachableError, kafka_unreachable
from xero_stream.process.backoff import Backoff
from xero_stream.process.dependencies import Waiting, wait_for_dependencies
from xero_stream.store.pool import StoreRefusesError, StoreUnreachableError, store_unreachable

PATIENCE = 5.0
UNREACHABLE = {"Kafka": kafka_unreachable, "PostgreSQL": store_unreachable}


class Servers:
    """Preparations that fail in turn, then succeed."""

    def __init__(self, *failures: BaseException) -> None:
        self._failures: Iterator[BaseException] = iter(failures)
        self.waiting = Waiting()
        self.waited_for: list[str | None] = []

    async def prepare(self) -> str:
        """Fail, or give what was prepared."""
        self.waited_for.append(self.waiting.reason)
        failure = next(self._failures, None)
        if failure is not None:
            raise failure
        return "prepared"


async def test_servers_that_come_late_are_waited_for() -> None:
    """Kafka or PostgreSQL, whatever way they say it; meanwhile it is known who is waited for."""
    servers = Servers(
        StoreUnreachableError("no answer"),
        asyncpg.CannotConnectNowError("starting up"),
        ConnectionResetError(),
        KafkaUnreachableError("no answer"),
        NodeNotReadyError(),
    )

    async with asyncio.timeout(PATIENCE):
        found = await wait_for_dependencies(
            servers.prepare,
            asyncio.Event(),
            servers.waiting,
            unreachable=UNREACHABLE,
            backoff=Backoff(first=0.001, longest=0.01),
        )

    assert found == "prepared"
    assert servers.waited_for == ["starting", "PostgreSQL", "PostgreSQL", "PostgreSQL", "Kafka", "Kafka"]
    assert servers.waiting.reason is None


@pytest.mark.parametrize(
    "refusal",
    [
        StoreRefusesError("password"),
        asyncpg.InsufficientPrivilegeError("permission denied for table leases"),
        ValueError("a fault of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_waiting_would_not_mend_is_told_at_once(refusal: Exception) -> None:
    """Wrong settings, missing rights, our own faults."""
    servers = Servers(refusal)

    with pytest.raises(type(refusal)):
        await wait_for_dependencies(servers.prepare, asyncio.Event(), servers.waiting, unreachable=UNREACHABLE)

    assert len(servers.waited_for) == 1


async def test_the_end_comes_at_once_between_attempts() -> None:
    """Nobody waits for the next attempt."""
    servers, stop = Servers(*[StoreUnreachableError("no answer")] * 9), asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)

    began = time.monotonic()
    assert (
        await wait_for_dependencies(
            servers.prepare, stop, servers.waiting, unreachable=UNREACHABLE, backoff=Backoff(first=60, longest=60)
        )
        is None
    )
    assert time.monotonic() - began < PATIENCE


async def test_the_end_comes_at_once_during_an_attempt() -> None:
    """An attempt that hangs is cancelled, and cleans up after itself."""
    stop, cleaned = asyncio.Event(), asyncio.Event()

    async def prepare() -> str:
        try:
            stop.set()
            await asyncio.sleep(60)
        finally:
            cleaned.set()
        return "too late"

    async with asyncio.timeout(PATIENCE):
        assert await wait_for_dependencies(prepare, stop, Waiting(), unreachable=UNREACHABLE) is None
    assert cleaned.is_set()
