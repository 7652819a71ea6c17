"""The public edge under attack: strangers that hold it up, and signed events that try to lead us elsewhere."""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.receivers import Line, RunningReceiver, create_topics
from tests.support.stack import WEBHOOK_KEY, Stack, free_port
from tests.support.stacks import StartStack
from tests.support.webhooks import Maker, sign

STRANGERS = 500
ROUNDS, POSTS = 5, 200


@dataclass(frozen=True, slots=True)
class Strangers:
    """The attacker, told when to come and when to go."""

    process: "subprocess.Popen[str]"

    async def order(self, what: str) -> int:
        """Tell it; answers how many connections it then has open."""
        async with asyncio.timeout(60):
            return await asyncio.to_thread(self._order, what)

    def _order(self, what: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(what, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@contextlib.contextmanager
def strangers(port: int) -> Iterator[Strangers]:
    """An attacker in a process of its own, which holds no connection yet."""
    command = [sys.executable, "-m", "tests.robustness.slow_strangers", str(port), str(STRANGERS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Strangers(process)
        finally:
            process.kill()


@pytest.fixture
async def receiver(kafka: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[RunningReceiver]:
    """A receiver of this test's own."""
    await create_topics(kafka, topic_prefix)
    async with RunningReceiver(bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path) as running:
        await running.connected()
        yield running


async def slowest_hundredth(line: Line, maker: Maker) -> float:
    """p99 of good requests, one after another."""
    seconds = []
    for _ in range(POSTS):
        status, took = await line.post(maker.body())
        assert status == 200
        seconds.append(took)
    return sorted(seconds)[POSTS - POSTS // 100 - 1]


async def test_slow_strangers_cost_good_requests_little(receiver: RunningReceiver) -> None:
    """500 dripping heads, dripping bodies and idle connections: p99 of good requests at most doubles, all are cut in time.

    With and without them in turns, medians over the rounds; what else the machine does falls on both. More rounds are
    played before the verdict is a bad one.
    """
    maker = Maker(seed=31)
    before = await receiver.metrics()
    resident = receiver.resident_bytes()
    calm: list[float] = []
    held_up: list[float] = []
    with contextlib.closing(Line(receiver.port)) as line, strangers(receiver.port) as crowd:
        await slowest_hundredth(line, maker)
        for played in range(1, 3 * ROUNDS + 1):
            assert await crowd.order("off") == 0
            calm.append(await slowest_hundredth(line, maker))
            # Those that were cut off a moment ago are about to come again.
            assert await crowd.order("on") > 0.8 * STRANGERS
            held_up.append(await slowest_hundredth(line, maker))
            if played % ROUNDS == 0 and statistics.median(held_up) <= 2 * statistics.median(calm):
                break
        else:
            pytest.fail(f"p99 {statistics.median(held_up):.4f} s, without them {statistics.median(calm):.4f} s")
        await asyncio.sleep(6)  # long enough for every head and body of the last round to be overdue
        after = await receiver.metrics()
        assert await crowd.order("off") == 0

    cut = 'xero_stream_receiver_connections_cut_total{reason="header"}'
    slow = 'xero_stream_receiver_requests_total{outcome="slow"}'
    assert after[cut] - before[cut] > STRANGERS / 4
    assert after[slow] - before[slow] > STRANGERS / 4
    assert after["xero_stream_receiver_connections"] > 0.8 * STRANGERS
    assert receiver.resident_bytes() - resident < 30_000_000


HOSTILE_URLS = (
    "http://127.0.0.1:{port}/api.xro/2.0/Contacts/{id}",
    "http://169.254.169.254/latest/meta-data/{id}",
    "file:///etc/passwd",
    "https://api.xero.com.evil.example/api.xro/2.0/Contacts/{id}",
    "http://api.xero.com@127.0.0.1:{port}/Contacts/{id}",
    "https://api.xero.com:{port}/api.xro/2.0/Contacts/{id}",
    "//127.0.0.1:{port}/{id}",
    "https://api.xero.com/api.xro/2.0/Contacts/../../../connect/token",
    "http://127.0.0.1:{port}/\r\nAuthorization: none",
    "",
)

NO_IDS = (
    "",
    "../../../connect/token",
    "..%2f..%2fOrganisation",
    "' OR 1=1 --",
    "00000000-0000-0000-0000-00000000000g",
    "http://127.0.0.1:{port}/",
    "0" * 10_000,
    "a\x00b",
    "\u0660" * 31 + "x",
    None,
    7,
    ["00000000-0000-0000-0000-000000000000"],
)


async def deliver(stack: Stack, *events: dict[str, Any]) -> None:
    """A signed webhook that does not come from the simulator."""
    body = orjson.dumps({"events": events, "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "X"})
    answer = await stack.http.post(
        stack.webhook_url, content=body, headers={"x-xero-signature": sign(body, WEBHOOK_KEY)}
    )
    assert answer.status_code == 200


async def test_events_lead_to_xero_and_nowhere_else(new_stack: StartStack) -> None:
    """A record is asked for by its kind and id alone: no address in an event is followed, no odd id becomes a path."""
    connections: list[str] = []

    async def trap(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append("somebody called")
        writer.close()

    port = free_port()
    async with (
        await asyncio.start_server(trap, "127.0.0.1", port),
        new_stack("--tenants=2", "--invoices=5", "--contacts=20", "--credit-notes=1") as stack,
    ):
        ours, theirs = await stack.tenants()
        await stack.connect([ours])
        await stack.drained()
        await stack.control("DELETE", "/calls")
        contacts = [
            row["ContactID"]
            for row in (await stack.control("GET", f"/truth/{ours}/Contacts"))["Contacts"]
            if row["ContactStatus"] == "ACTIVE"
        ]
        edited = contacts[: len(HOSTILE_URLS)]
        for record_id in edited:
            await stack.edit(
                tenantId=ours, endpoint="Contacts", kind="change", count=1, recordId=record_id, webhook=False
            )
        good = [await stack.event_of(ours, "Contacts", record_id) for record_id in edited]

        for event, url in zip(good, HOSTILE_URLS, strict=True):
            await deliver(stack, event | {"resourceUrl": url.format(port=port, id=event["resourceId"])})
        bad = [value.format(port=port) if isinstance(value, str) else value for value in NO_IDS]
        await deliver(stack, *({**good[0], "resourceId": value} for value in bad))
        for stranger in (theirs, str(uuid.uuid4())):
            await deliver(stack, {**good[0], "tenantId": stranger})
        await stack.drained()

        assert not connections
        calls = await stack.control("GET", "/calls")
        assert set(calls["tenants"]) == {ours}
        assert set(calls["tenants"][ours]["endpoints"]) == {"Contacts"}
        assert set(calls["tenants"][ours]["endpoints"]["Contacts"]["statuses"]) == {"200"}
        assert calls["calls"] <= len(HOSTILE_URLS)
        (row,) = await stack.fetch("SELECT count(*) AS entries FROM quarantine WHERE reason = 'unreadable_event'")
        assert row["entries"] == len(NO_IDS)
        # Drawn books may hold a record that is deleted from the start: such a one is never published.
        published = sum(record is not None for record in (await stack.truth([ours])).values())
        await stack.judged([ours], least=published + len(HOSTILE_URLS))
