"""Organisations that were just connected, over HTTP: as fast as Xero allows then, and no faster."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.tenants.caller import Caller, NotNowError, restored_budget
from processors.tenants.job import Slot
from processors.tenants.room import Room
from processors.tenants.services import Memory, RunnerServices
from processors.xero import open_xero
from tests.integration.simulator.rig import Talk, simulate
from tests.support.connecting import connect_all
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import AT_ONCE, PER_MINUTE, Reason, TenantBudget, Wait, app_minute
from xero_api.call import Priority
from xero_api.errors import LimitKind, RateLimitedError
from xero_api.registry import CONTACTS
from xero_api.requests import get_page
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.settings.apps import Apps
from xero_stream.settings.store import EncryptionSettings
from xero_stream.settings.xero import AppTier, XeroSettings
from xero_stream.store import tenants
from xero_stream.store.crypto import TokenCipher
from xero_stream.store.ownership import take

SLOT = Slot(priority=Priority.COMMAND, entity=EntityName.CONTACTS)
EACH = 15
ROUND = AT_ONCE * EACH


@dataclass(slots=True)
class Calls:
    """The calls of one organisation, five at a time, none waiting for its turn."""

    talk: Talk
    services: RunnerServices
    caller: Caller
    budget: TenantBudget

    async def one(self) -> None:
        """One call; a refusal is told to the budget, as the task of an organisation does."""
        try:
            async with self.caller.call(get_page(CONTACTS, None, page_size=1), SLOT):
                pass
        except RateLimitedError as error:
            self.budget.limited(error.limit, time.monotonic(), error.meta.retry_after, 0.0)
            raise

    async def many(self) -> set[type[Exception]]:
        """A round, five at once; answers what stopped some of the five."""

        async def some() -> None:
            for _ in range(EACH):
                await self.one()

        ends = await asyncio.gather(*(some() for _ in range(AT_ONCE)), return_exceptions=True)
        return {type(end) for end in ends if isinstance(end, Exception)}

    async def counted(self) -> dict[str, Any]:
        """What the simulator counted."""
        found: dict[str, Any] = await self.talk.control("GET", "/calls")
        return found


@asynccontextmanager
async def connected(
    pool: "asyncpg.Pool[Any]", database_url: str, monkeypatch: pytest.MonkeyPatch, tier: str
) -> AsyncIterator[Calls]:
    """A simulated organisation, connected this moment, and who calls it."""
    simulated = await simulate(tenants=1, tier="plus")
    await connect_all(simulated.talk, database_url, monkeypatch, tier=tier, entities=[EntityName.CONTACTS])
    metrics = ProcessorMetrics(CollectorRegistry())
    keys = EncryptionSettings.read().keys
    xero = open_xero(
        XeroSettings.read(), Apps.read(), pool, TokenCipher(keys), metrics.quotas, lambda _: None, lambda _: ()
    )
    made = SimpleNamespace(
        pool=pool,
        fast=pool,
        client=xero.client,
        tier_of=lambda _: AppTier(tier),
        app_minute_of=_app_minute_of,
        http_timeout=30.0,
        room=Room(),
        metrics=metrics.tenants,
    )
    services = cast("RunnerServices", made)
    tenant_id: str = await pool.fetchval("SELECT tenant_id FROM tenants")
    tenant = await tenants.load(pool, TenantId(tenant_id))
    assert tenant is not None
    memory = Memory(budget=await restored_budget(services, tenant))
    caller = Caller(
        services=services, lease=await take(pool, 1, "test"), tenant=tenant, memory=memory, on_wait=_only_for_a_slot
    )
    yield Calls(simulated.talk, services, caller, memory.budget)
    await caller.flush()
    await xero.aclose()
    await simulated.close()


async def _app_minute_of(_: AppName) -> Minute:
    return app_minute()


async def _only_for_a_slot(wait: Wait, _: float) -> bool:
    """Nobody waits for minute or day here."""
    return wait.reason is Reason.AT_ONCE


Connected = Callable[..., Any]


@pytest.fixture
def begin(pool: "asyncpg.Pool[Any]", database_url: str, monkeypatch: pytest.MonkeyPatch) -> Connected:
    """Connects on a tier."""
    return lambda tier: connected(pool, database_url, monkeypatch, tier)


async def test_a_first_load_goes_as_fast_as_xero_lets_it(begin: Connected) -> None:
    """For half an hour by Xero's clock, less a margin; then what was called in the last minute counts as ever."""
    async with begin("plus") as calls:
        assert await calls.many() == set()
        in_time = await calls.counted()
        await calls.talk.ahead(29 * 60 + 2)
        await calls.one()
        with pytest.raises(NotNowError):
            await calls.one()
        after = await calls.counted()

        decision = calls.budget.decide(Priority.COMMAND, time.monotonic())

    assert (in_time["rapidSync"], in_time["calls"], in_time["refusedEarned"]) == (ROUND, ROUND, {})
    assert in_time["mostConcurrent"] <= AT_ONCE
    assert (after["calls"], after["refusedEarned"]) == (ROUND + 1, {})
    assert isinstance(decision, Wait)
    assert decision.reason is Reason.MINUTE


async def test_without_rapid_sync_a_minute_is_sixty_calls(begin: Connected) -> None:
    """The tier in the settings decides, whatever Xero would allow."""
    async with begin("core") as calls:
        stopped = await calls.many()
        counted = await calls.counted()

    assert stopped == {NotNowError}
    assert (counted["calls"], counted["refusedEarned"]) == (PER_MINUTE, {})


async def test_a_refusal_is_believed(begin: Connected) -> None:
    """Xero limits what should be lifted: after the calls it refused at once, none is made that its minute has no room for."""
    async with begin("plus") as calls:
        await calls.talk.control("PUT", "/limits", {"rapidSyncSeconds": 0, "minute": 20})
        stopped = await calls.many()
        refused = (await calls.counted())["refusedEarned"]
        with pytest.raises(NotNowError):
            await calls.one()
        counted = await calls.counted()

    assert RateLimitedError in stopped
    assert 1 <= refused[LimitKind.MINUTE] <= AT_ONCE
    assert counted["refusedEarned"] == refused
    assert not calls.budget.lifted(time.monotonic())
