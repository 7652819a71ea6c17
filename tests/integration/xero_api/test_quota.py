"""The budget against the simulator's own counting: as many calls as allowed, not one too many."""

import asyncio
import contextlib
import math
import time

import pytest

from tests.integration.xero_api.conftest import Api, Begin
from xero_api.budget.tenant import Go, TenantBudget, app_minute
from xero_api.call import Priority
from xero_api.errors import XeroError
from xero_api.registry import CONTACTS
from xero_api.requests import get_page

RATE = 30.0
"""Simulated seconds per second: a minute of quota passes in two seconds."""


class Driver:
    """Makes calls as fast as the budget lets it, on the simulator's pace."""

    def __init__(self, api: Api, budget: TenantBudget) -> None:
        self._api = api
        self._budget = budget
        self._ended = asyncio.Event()
        self._names = iter(range(10**6))

    def now(self) -> float:
        """Seconds as the simulator counts them."""
        return time.monotonic() * RATE

    async def drive(self, calls: int, priority: Priority) -> None:
        """That many calls, one task each."""
        async with asyncio.TaskGroup() as group:
            for _ in range(calls):
                await self._turn(priority)
                name = next(self._names)
                self._budget.started(name, self.now())
                group.create_task(self._call(name, priority))

    async def _turn(self, priority: Priority) -> None:
        while not isinstance(decision := self._budget.decide(priority, self.now()), Go):
            self._ended.clear()
            pause = (decision.until - self.now()) / RATE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(pause) else pause):
                    await self._ended.wait()

    async def _call(self, name: int, priority: Priority) -> None:
        limits, ok, abandoned = None, False, False
        try:
            limits = (await self._api.send(get_page(CONTACTS, None, page_size=1), priority=priority)).meta.limits
            ok = True
        except XeroError as error:
            limits, abandoned = error.meta.limits, error.status is None
        finally:
            self._budget.finished(name, self.now(), limits, ok=ok, abandoned=abandoned)
            self._ended.set()


@pytest.mark.parametrize("latency", [0, 40])
async def test_no_limit_is_reached_by_our_doing(begin: Begin, latency: int) -> None:
    """A hundred and fifty calls as fast as allowed: 60 a minute, five at once, no 429."""
    api = await begin(clock_rate=RATE, api_latency_ms=latency)
    budget = TenantBudget(day_limit=5_000, app=app_minute())

    await Driver(api, budget).drive(150, Priority.COMMAND)

    report = await api.talk.control("GET", "/calls")
    assert report["calls"] == 150
    assert report["refusedEarned"] == {}
    assert report["mostInSlidingMinute"] <= 60
    assert report["mostConcurrent"] <= 5
    assert report["mostInSlidingMinute"] >= 55, "the budget is not used"


async def test_a_day_that_ends_is_not_overdrawn(begin: Begin) -> None:
    """Thirty calls left: they are made, and none after them."""
    api = await begin(clock_rate=RATE)
    await api.talk.control("PUT", "/limits", {"tenantId": api.tenant, "dayRemaining": 30})
    budget = TenantBudget(day_limit=5_000, app=app_minute())
    driver = Driver(api, budget)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4):
            await driver.drive(100, Priority.COMMAND)

    report = await api.talk.control("GET", "/calls")
    assert report["calls"] == 30
    assert report["refusedEarned"] == {}


async def test_calls_of_another_process_are_noticed(begin: Begin) -> None:
    """Fifty calls we don't know of: the headers tell, and the rest of the minute is shared out."""
    api = await begin(clock_rate=RATE)
    for _ in range(50):
        await api.send(get_page(CONTACTS, None, page_size=1))
    budget = TenantBudget(day_limit=5_000, app=app_minute())

    await Driver(api, budget).drive(1, Priority.COMMAND)
    await Driver(api, budget).drive(40, Priority.COMMAND)

    report = await api.talk.control("GET", "/calls")
    assert report["refusedEarned"] == {}
