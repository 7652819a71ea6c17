"""Waits that Xero asked for, and what is left of them after a change of owner."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from processors.jobs.refresh.plan import GetOne
from processors.tenants.caller import Caller, restored_budget
from processors.tenants.job import Slot
from processors.tenants.services import Memory, RunnerServices
from processors.tenants.troubles import Troubles
from tests.support.jobs import job
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import Go, TenantBudget, Wait, app_minute
from xero_api.call import Priority
from xero_api.errors import LimitKind, RateLimitedError
from xero_api.meta import Limits, Meta
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName, TenantId
from xero_stream.settings.xero import AppTier
from xero_stream.store import tenants
from xero_stream.store.leases import Lease

TENANT = TenantId("11111111-1111-1111-1111-111111111111")
SLOT = Slot(priority=Priority.WEBHOOK, entity=EntityName.INVOICES)
WORK = GetOne(slot=SLOT, entity=EntityName.INVOICES, record_id="r")


@pytest.fixture
async def services(pool: "asyncpg.Pool[Any]", lease: Lease) -> RunnerServices:
    """As much of them as waiting needs, and a connected organisation in the store."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute(
        "INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", UUID(int=1)
    )
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, $3)",
        TENANT,
        UUID(int=1),
        lease.partition,
    )

    async def app_minute_of(_: AppName) -> Minute:
        return app_minute()

    some = SimpleNamespace(
        pool=pool, fast=pool, tier_of=lambda _: AppTier.CORE, app_minute_of=app_minute_of, http_timeout=30.0
    )
    return cast("RunnerServices", some)


async def refused(services: RunnerServices, lease: Lease, *, retry_after: float) -> None:
    """Xero refuses a call for the day's sake."""
    budget = TenantBudget(day_limit=5_000, app=app_minute())
    limits = Limits(day=0)
    budget.started("call", time.monotonic())
    budget.finished("call", time.monotonic(), limits, ok=False)
    troubles = Troubles(
        services=services,
        lease=lease,
        app=DEFAULT_APP,
        tenant_id=TENANT,
        memory=Memory(budget=budget),
        parked_until=None,
        roused=0,
        outbox=asyncio.Event(),
    )
    error = RateLimitedError("429", limit=LimitKind.DAY, status=429, meta=Meta(limits=limits, retry_after=retry_after))
    await troubles.failed(job(services.pool, TENANT, WORK), error)


async def next_call(services: RunnerServices, *, after: float) -> Go | Wait:
    """What a new owner's budget says so many seconds from now."""
    tenant = await tenants.load(services.pool, TENANT)
    assert tenant is not None
    budget = await restored_budget(services, tenant)
    return budget.decide(Priority.WEBHOOK, time.monotonic() + after)


@pytest.mark.parametrize("retry_after", [4, 80, 40_000])
async def test_the_end_of_a_used_up_day_outlives_its_process(
    services: RunnerServices, lease: Lease, retry_after: float
) -> None:
    """Whoever takes over waits as long as Xero said, and neither goes on before nor takes the day for one of 24 hours."""
    await refused(services, lease, retry_after=retry_after)

    assert isinstance(await next_call(services, after=retry_after - 2), Wait)
    assert isinstance(await next_call(services, after=retry_after + 2), Go)


async def test_an_old_wait_does_not_tell_when_another_day_ends(services: RunnerServices, lease: Lease) -> None:
    """Nothing is left of today by Xero's own count: that one was parked last week means nothing for it."""
    await refused(services, lease, retry_after=4)
    last_week = datetime.now(UTC) - timedelta(days=7)
    await services.pool.execute("UPDATE tenants SET parked_until = $1, day_seen_at = now()", last_week)

    decision = await next_call(services, after=0)

    assert isinstance(decision, Wait)
    assert decision.until > time.monotonic() + 80_000


async def test_a_first_call_without_an_answer_does_not_make_the_day_look_used_up(
    services: RunnerServices, lease: Lease
) -> None:
    """After the day turned, calls go on, one at a time, until one is told what is left."""
    await refused(services, lease, retry_after=0)
    tenant = await tenants.load(services.pool, TENANT)
    assert tenant is not None
    memory = Memory(budget=await restored_budget(services, tenant))

    async def never(_: Wait, __: float) -> bool:
        raise AssertionError

    caller = Caller(services=services, lease=lease, tenant=tenant, memory=memory, on_wait=never)
    turned = time.monotonic() + 30
    for name in ("no answer", "none either"):
        assert isinstance(caller.may_start(Priority.WEBHOOK, turned), Go)
        caller.starts(Priority.WEBHOOK, turned)
        memory.budget.started(name, turned)
        assert isinstance(caller.may_start(Priority.WEBHOOK, turned), Wait)
        memory.budget.finished(name, turned + 1, ok=False, abandoned=True)
        turned += 2
    memory.budget.started("answered", turned)
    memory.budget.finished("answered", turned, Limits(day=40))

    caller.starts(Priority.WEBHOOK, turned)
    apart = caller.may_start(Priority.WEBHOOK, turned)
    assert apart == turned + 90, "forty of five thousand are left: far apart"
