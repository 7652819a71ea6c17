"""An app's minute drawn from by many at once, on the real PostgreSQL and against the simulator; bytes counted by day."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.quotas import egress, store
from processors.quotas.egress import Egress
from processors.quotas.minutes import AppMinutes
from processors.quotas.store import StoredLedgers
from tests.integration.xero_api.conftest import Api, Begin, begin
from tests.support.quotas import LIMIT, PACE, TIMEOUT, Calls, at_pace, minutes
from xero_api.budget.shared import USE_SECONDS, Ask
from xero_api.budget.tenant import ABANDONED_SECONDS, Go, TenantBudget
from xero_api.call import CallRecord, Lane, Outcome
from xero_api.errors import RateLimitedError, XeroError
from xero_api.meta import Limits
from xero_api.registry import CONTACTS
from xero_api.requests import get_page
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId
from xero_stream.settings.xero import AppTier
from xero_stream.store.clock import utc_now
from xero_stream.store.pool import open_pool

__all__ = ["begin"]

APP = DEFAULT_APP


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


class Client:
    """One process against the simulator: its budgets, over many organisations."""

    def __init__(self, api: Api, kept: AppMinutes, tenants: list[TenantId], refusals: list[str]) -> None:
        self._api = api
        self._kept = kept
        self._tenants = tenants
        self._refusals = refusals
        self.made = 0

    async def run(self, calls: int) -> None:
        """That many calls of each organisation, as fast as allowed."""
        minute = await self._kept.of(APP)
        async with asyncio.TaskGroup() as group:
            for tenant in self._tenants:
                group.create_task(self._drain(tenant, TenantBudget(day_limit=5_000, app=minute), calls))

    async def _turn(self, budget: TenantBudget) -> None:
        while True:
            decision = budget.decide(Lane.WEBHOOK, at_pace())
            if isinstance(decision, Go):
                return
            await asyncio.sleep(max(0.0, min(1.0, (decision.until - at_pace()) / PACE)))

    async def _drain(self, tenant: TenantId, budget: TenantBudget, calls: int) -> None:
        for number in range(calls):
            await self._turn(budget)
            name = (tenant, number)
            budget.started(name, at_pace())
            limits, ok = Limits(), False
            try:
                limits = (await self._api.send(get_page(CONTACTS, None, page_size=1), tenant=tenant)).meta.limits
                ok = True
            except XeroError as error:
                limits = error.meta.limits
                if isinstance(error, RateLimitedError):
                    self._refusals.append(error.limit)
            finally:
                budget.finished(name, at_pace(), limits, ok=ok, abandoned=not ok)
            self.made += 1


async def test_after_an_outage_the_apps_minute_is_not_overdrawn(begin: Begin, pools: Callable[[], Any]) -> None:
    """Four processes with a backlog for 24 organisations, an app's minute of 30: not one call is refused."""
    api = await begin(clock_rate=PACE, tenants=24, contacts=1, invoices=0, credit_notes=0)
    await api.talk.control("PUT", "/limits", {"appMinute": 30})
    tenants = [TenantId(tenant) for tenant in api.talk.tenants]
    refusals: list[str] = []
    kept = [minutes(await pools(), limit=30) for _ in range(4)]
    clients = [Client(api, one, tenants[place::4], refusals) for place, one in enumerate(kept)]

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run(4))
    for one in kept:
        await one.aclose()

    report = await api.talk.control("GET", "/calls")
    assert report["refusedEarned"] == {}
    assert refusals == []
    assert report["calls"] == 4 * 24


async def test_bytes_are_counted_by_day_organisation_and_entity(pool: "asyncpg.Pool[Any]") -> None:
    """Sums of all processes; what could not be written is written the next time; the organisation itself is free."""

    def call(endpoint: str, tenant: str | None, count: int) -> CallRecord:
        return CallRecord(
            app=APP,
            tenant_id=TenantId(tenant) if tenant else None,
            lane=Lane.WEBHOOK,
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
        ("t1", egress.FREE): (1, 1_000_000),
    }
    today = utc_now().date()
    assert await store.billed(pool, today, free=egress.FREE) == {APP: {today: 2_219}}


async def test_a_months_bytes_are_shown(pool: "asyncpg.Pool[Any]") -> None:
    """Against what the tier of the worst app includes."""
    today = utc_now().date()
    read = store.Read(app="small", day=today, tenant_id="t", entity="contacts", calls=1, bytes=20_000_000_000)
    await store.add_egress(pool, [read])
    registry = CollectorRegistry()

    await egress.survey(pool, ProcessorMetrics(registry), lambda _: AppTier.CORE)

    assert registry.get_sample_value("xero_stream_egress_month_bytes") == 20_000_000_000
    ratio = registry.get_sample_value("xero_stream_egress_forecast_ratio")
    assert ratio is not None
    assert ratio >= 2
