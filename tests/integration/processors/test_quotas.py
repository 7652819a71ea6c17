"""An app's minute drawn from by many at once, on the real PostgreSQL and against the simulator; bytes counted by day."""

import asyncio
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from processors.maintenance.gauges import survey
from processors.metrics import ProcessorMetrics
from processors.quotas import egress
from processors.quotas.egress import Egress
from processors.quotas.ledgers import StoredLedgers
from tests.integration.simulator.rig import SimulatorProcess, Talk
from tests.support.backlog import Order
from tests.support.quotas import LIMIT, TIMEOUT, Calls, at_pace, minutes
from tests.support.stacks import SOAK
from xero_api.budget.shared import USE_SECONDS, Ask
from xero_api.budget.tenant import ABANDONED_SECONDS
from xero_api.call import CallRecord, Outcome, Priority
from xero_api.meta import Limits
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId
from xero_stream.settings.xero import AppTier
from xero_stream.store import egress as stored
from xero_stream.store.clock import utc_now
from xero_stream.store.pool import open_pool

APP = DEFAULT_APP
PROCESSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Of the backlog after an outage."""

    tenants: int
    calls: int
    app_minute: int
    pace: float


# The large one has Xero's own figure, and time enough for it on a busy machine.
SIZE = (
    Size(tenants=400, calls=32, app_minute=10_000, pace=0.2)
    if SOAK
    else Size(tenants=24, calls=4, app_minute=40, pace=10.0)
)


def busiest(made: list[float], seconds: float = 60.0) -> int:
    """The most calls in any so many seconds."""
    made, most, first = sorted(made), 0, 0
    for last, at in enumerate(made):
        while made[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.fixture
async def pools(database_url: str) -> AsyncIterator[Callable[[], Any]]:
    """Opens pools, one for each process."""
    opened: list[asyncpg.Pool[Any]] = []

    async def open_one() -> "asyncpg.Pool[Any]":
        opened.append(await open_pool(database_url, size=2))
        return opened[-1]

    yield open_one
    for pool in opened:
        await pool.close()


async def test_four_draw_at_once_and_never_more_than_the_limit(pools: Callable[[], Any]) -> None:
    """No 60 seconds hold more than the limit, all of it is used, and each has its turn."""
    made: list[float] = []
    kept = [minutes(await pools()) for _ in range(4)]
    callers = [Calls(one, made) for one in kept]

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(caller.run(40))
    for one in kept:
        await one.aclose()

    assert 0.8 * LIMIT <= busiest(made) <= LIMIT


async def test_what_is_left_is_given_back_at_the_end(pools: Callable[[], Any]) -> None:
    """Another has it at once; what was used counts for its minute."""
    one, other = minutes(await pools()), minutes(await pools())
    made: list[float] = []
    minute = await one.of(APP)
    for call in range(10):
        minute.start(call, at_pace())
        minute.end(call, at_pace(), at_pace())
    ended = at_pace()
    await one.aclose()

    async with asyncio.timeout(20):
        await Calls(other, made).run(LIMIT + 5)
    await other.aclose()

    assert sum(1 for at in made if at < ended + 60) == LIMIT - 10
    assert busiest([*made, *[ended] * 10]) <= LIMIT


CHILD = """
import asyncio, sys
from tests.support.quotas import Calls, minutes
from xero_stream.store.pool import open_pool

async def main():
    pool = await open_pool(sys.argv[1], size=2)
    kept = minutes(pool)
    caller = Calls(kept, [])
    task = asyncio.create_task(caller.run())
    while caller.count < int(sys.argv[2]):
        await asyncio.sleep(0.01)
    print("made", flush=True)
    await task

asyncio.run(main())
"""


async def test_a_killed_ones_part_comes_back(database_url: str, pools: Callable[[], Any]) -> None:
    """Nobody gave it back: it counts as used until no call of it can count any more, and not for longer."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, database_url, str(LIMIT), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"made\n"
    killed = at_pace()
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    survivor = minutes(await pools())
    made: list[float] = []

    caller = asyncio.create_task(Calls(survivor, made).run(LIMIT))
    async with asyncio.timeout(20):
        await caller
    await survivor.aclose()

    assert made[0] >= killed + 60
    assert made[0] <= killed + 60 + USE_SECONDS + TIMEOUT + ABANDONED_SECONDS + 30


async def test_nobody_waits_for_the_store_on_the_calm_path(pools: Callable[[], Any]) -> None:
    """A lone call finds a part of the minute held ahead, however long ago the last one was; each app has its own."""
    kept = minutes(
        await pools(), pace=1.0
    )  # a part is renewed every two seconds and holds for six, on a busy machine too
    one, other = await kept.of(APP), await kept.of(AppName("other"))
    for _ in range(2):
        await asyncio.sleep(USE_SECONDS * 0.6)
        now = time.monotonic()
        assert one.free_at(now) == now
        assert other.free_at(now) == now
    await kept.aclose()


async def test_a_frozen_process_keeps_nobody_waiting(pools: Callable[[], Any]) -> None:
    """It read the ledger and did not write yet: no lock is held."""
    frozen, pool = await pools(), await pools()
    async with frozen.acquire() as connection:
        await connection.fetchrow("SELECT version FROM app_minutes WHERE app = $1", APP)

        started = time.monotonic()
        grant = await StoredLedgers(pool, limit=LIMIT).exchange(APP, "one", Ask(keeps=0, wish=5, lasts=60.0))

        assert time.monotonic() - started < 1
    assert grant.calls == 5


async def test_two_that_write_at_once_both_count(pools: Callable[[], Any]) -> None:
    """Forty exchanges at a time over four connections: no part is lost, none given twice."""
    ledgers = [StoredLedgers(await pools(), limit=LIMIT) for _ in range(2)]

    grants = await asyncio.gather(
        *(
            ledgers[number % 2].exchange(APP, f"process-{number}", Ask(keeps=0, wish=5, lasts=60.0))
            for number in range(40)
        )
    )

    assert sum(grant.calls for grant in grants) == LIMIT


async def _processes(orders: list[Order]) -> list[dict[str, Any]]:
    """What came of each, all begun at the same moment."""
    children = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.backlog", json.dumps(dataclasses.asdict(order))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for order in orders
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert await child.stdout.readline() == b"ready\n"
        said = await asyncio.gather(*(child.communicate(b"begin\n") for child in children))
    finally:
        for child in children:
            if child.returncode is None:
                child.kill()
                await child.wait()
    return [json.loads(out.splitlines()[-1]) for out, _ in said]  # a slow store is warned of on the lines before


async def test_after_an_outage_no_limit_is_overdrawn(database_url: str) -> None:
    """Four processes with a backlog for all their organisations, more than the app's minute holds: no call is refused.

    The limits' clock is the simulator's and the budgets': they run at one pace, faster or slower than ours.
    """
    size = SIZE
    options = {"tenants": size.tenants, "clock_rate": size.pace, "contacts": 1, "invoices": 0, "credit_notes": 0}
    simulator = SimulatorProcess(*(f"--{name.replace('_', '-')}={value}" for name, value in options.items()))
    simulator.start()
    talk = Talk(simulator.port)
    try:
        await talk.connect()
        await talk.control("PUT", "/limits", {"appMinute": size.app_minute})
        order = Order(
            database_url=database_url,
            api_url=talk.url,
            token=talk.access_token,
            tenants=(),
            calls=size.calls,
            limit=size.app_minute,
            pace=size.pace,
        )
        began = time.monotonic()
        came = await _processes(
            [dataclasses.replace(order, tenants=tuple(talk.tenants[place::PROCESSES])) for place in range(PROCESSES)]
        )
        took = (time.monotonic() - began) * size.pace
        report = await talk.control("GET", "/calls")
    finally:
        await talk.close()
        simulator.end()

    fullest = size.app_minute - min(one["least_left"] for one in came)
    calls = report["calls"]
    sys.stdout.write(
        f"{calls} calls of {size.tenants} organisations in {took:.0f} s, {fullest} in the fullest minute\n"
    )
    assert report["refusedEarned"] == {}
    assert [(one["refused"], one["failed"]) for one in came] == [({}, {})] * PROCESSES
    assert calls == sum(one["good"] for one in came) == size.tenants * size.calls
    assert report["mostInSlidingMinute"] <= 60
    assert report["mostConcurrent"] <= 5
    assert fullest >= size.app_minute / 2, "the app's minute was never in question"


async def test_bytes_are_counted_by_day_organisation_and_entity(pool: "asyncpg.Pool[Any]") -> None:
    """Sums of all processes; what could not be written is written the next time; the organisation itself is free."""

    def call(endpoint: str, tenant: str | None, count: int) -> CallRecord:
        return CallRecord(
            app=APP,
            tenant_id=TenantId(tenant) if tenant else None,
            priority=Priority.WEBHOOK,
            endpoint=endpoint,
            sent_at=utc_now(),
            status=200,
            ms=1.0,
            bytes_out=10,
            bytes_in=count,
            correlation_id=None,
            outcome=Outcome.OK,
            limits=Limits(),
        )

    one, other = Egress(), Egress()
    for read in (one, other):
        read.called(call("CreditNotes/ids", "t1", 100))
        read.called(call("CreditNotes/page", "t1", 1_000))
        read.called(call("Contacts/one", "t2", 7))
    one.called(call("connections", None, 5))
    one.called(call("Organisation/page", "t1", 1_000_000))
    closed = await asyncpg.create_pool(dsn="postgres://127.0.0.1:1/none", min_size=0)
    with pytest.raises(OSError, match=r"refused|Connect"):
        await one.write(closed)
    await closed.close()

    await one.write(pool)
    await one.write(pool)
    await other.write(pool)

    rows = await pool.fetch("SELECT tenant_id, entity, calls, bytes FROM egress WHERE app = $1", APP)
    assert {(row["tenant_id"], row["entity"]): (row["calls"], row["bytes"]) for row in rows} == {
        ("t1", "credit-notes"): (4, 2_200),
        ("t2", "contacts"): (2, 14),
        ("", "connections"): (1, 5),
        ("t1", "organisations"): (1, 1_000_000),
    }
    today = utc_now().date()
    assert await stored.billed(pool, today, free=egress.FREE) == {APP: {today: 2_219}}


async def test_a_months_bytes_are_shown(pool: "asyncpg.Pool[Any]") -> None:
    """Against what the tier of the worst app includes."""
    today = utc_now().date()
    read = stored.Read(app="small", day=today, tenant_id="t", entity="contacts", calls=1, bytes=20_000_000_000)
    await stored.add(pool, [read])
    registry = CollectorRegistry()

    await survey(pool, ProcessorMetrics(registry).maintenance, lambda _: AppTier.CORE)

    assert registry.get_sample_value("xero_stream_egress_month_bytes") == 20_000_000_000
    ratio = registry.get_sample_value("xero_stream_egress_forecast_ratio")
    assert ratio is not None
    assert ratio >= 2
