"""For the first half hour of a connection minute and day don't limit: from the store, by Xero's clock."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from processors.metrics import ProcessorMetrics
from processors.tenants.caller import Caller, restored_budget
from processors.tenants.job import Slot
from processors.tenants.room import Room
from processors.tenants.services import Memory, RunnerServices
from xero_api.answers import Answer, Timing
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import AT_ONCE, PER_MINUTE, Go, Wait, app_minute
from xero_api.call import Priority
from xero_api.errors import LimitKind, TransientError
from xero_api.meta import Limits, Meta
from xero_api.registry import INVOICES
from xero_api.requests import get_one
from xero_stream.contracts.names import DEFAULT_APP, AppName, EntityName, RecordId, TenantId
from xero_stream.settings.apps import App
from xero_stream.settings.xero import AppTier
from xero_stream.store import tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.connections import Organisation, connect
from xero_stream.store.grants import SealedTokens
from xero_stream.store.leases import Lease

TENANT = TenantId("11111111-1111-4111-8111-111111111111")
SLOT = Slot(priority=Priority.COMMAND, entity=EntityName.INVOICES)
READ = get_one(INVOICES, RecordId("22222222-2222-4222-8222-222222222222"))


@dataclass
class Xero:
    """Answers each call; its clock is as far ahead of the store's as told."""

    ahead: timedelta = timedelta()
    left: Limits = field(default_factory=Limits)
    breaks: bool = False

    async def send(self, *_: Any, **__: Any) -> Answer:
        """A good answer, or none at all."""
        if self.breaks:
            raise TransientError("the connection broke")
        now = utc_now()
        timing = Timing(
            sent=time.monotonic(), received=time.monotonic(), sent_at=now, fetched_at=now, server_sent_at=now
        )
        date = (now + self.ahead).replace(microsecond=0)
        return Answer(request=READ, meta=Meta(server_date=date, limits=self.left), timing=timing)


def services_of(pool: "asyncpg.Pool[Any]", xero: Xero, tier: AppTier) -> RunnerServices:
    """As much of them as calls need."""

    async def app_minute_of(_: AppName) -> Minute:
        return app_minute()

    some = SimpleNamespace(
        pool=pool,
        fast=pool,
        client=xero,
        tier_of=lambda _: tier,
        app_minute_of=app_minute_of,
        http_timeout=30.0,
        room=Room(),
        metrics=ProcessorMetrics(CollectorRegistry()).tenants,
    )
    return cast("RunnerServices", some)


async def connected(pool: "asyncpg.Pool[Any]", made: datetime | None, tier: AppTier) -> tenants.TenantRow:
    """An organisation whose minute is used up by calls an earlier process made."""
    now = datetime.now(UTC)
    await connect(
        pool,
        app=App(name=DEFAULT_APP, client_id="id", client_secret="s", tier=tier),
        kind="authorization_code",
        tokens=SealedTokens(grant_id=uuid4(), access_token=b"a", refresh_token=b"r", refreshed_at=now, expires_at=now),
        tenants=[Organisation(tenant_id=TENANT, connection_created_at=made)],
        entities=[EntityName.INVOICES],
        partitions=3,
    )
    await pool.execute(
        "INSERT INTO calls (tenant_id, call_id, started_at, finished_at) "
        "SELECT $1, n, now() - interval '2 s', now() - interval '1 s' FROM generate_series(1, $2) n",
        TENANT,
        PER_MINUTE,
    )
    tenant = await tenants.load(pool, TENANT)
    assert tenant is not None
    return tenant


async def caller_of(services: RunnerServices, lease: Lease, tenant: tenants.TenantRow) -> tuple[Caller, Memory]:
    """Who makes the calls, and what is remembered of them."""
    memory = Memory(budget=await restored_budget(services, tenant))

    async def goes_on(_: Wait, __: float) -> bool:
        return True

    return Caller(services=services, lease=lease, tenant=tenant, memory=memory, on_wait=goes_on), memory


async def call(caller: Caller) -> None:
    """One call."""
    async with caller.call(READ, SLOT):
        pass


@pytest.mark.parametrize(
    ("tier", "minutes", "goes"),
    [
        (AppTier.PLUS, 1, True),
        (AppTier.PLUS, 23, True),
        (AppTier.PLUS, 25, False),  # as long as no answer has shown Xero's clock, it may be five minutes ahead
        (AppTier.PLUS, 24 * 60, False),
        (AppTier.PLUS, None, False),
        (AppTier.CORE, 1, False),
    ],
)
async def test_who_takes_over_a_new_connection_is_not_limited_by_its_minute(
    pool: "asyncpg.Pool[Any]", tier: AppTier, minutes: int | None, goes: bool
) -> None:
    """Where the tier has Rapid Sync, and as long as it lasts for certain; five at once are still the most."""
    made = None if minutes is None else utc_now() - timedelta(minutes=minutes)
    tenant = await connected(pool, made, tier)
    budget = await restored_budget(services_of(pool, Xero(), tier), tenant)

    now = time.monotonic()
    decision = budget.decide(Priority.COMMAND, now)

    assert isinstance(decision, Go) is goes
    if goes:
        for number in range(AT_ONCE):
            budget.started(number, now)
        assert isinstance(budget.decide(Priority.COMMAND, now), Wait)


async def test_every_answer_says_by_xeros_clock_how_long_it_lasts(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Where that is twenty minutes ahead of the store's, it is over twenty minutes earlier; set back, it goes on."""
    tenant = await connected(pool, utc_now() - timedelta(minutes=5), AppTier.PLUS)
    xero = Xero(ahead=timedelta(minutes=20))
    caller, memory = await caller_of(services_of(pool, xero, AppTier.PLUS), lease, tenant)

    await call(caller)
    now = time.monotonic()
    assert [memory.budget.lifted(now + minute * 60) for minute in (3.9, 4.1)] == [True, False]

    xero.ahead = timedelta(minutes=30)
    await call(caller)
    assert not memory.budget.lifted(time.monotonic())
    assert isinstance(memory.budget.decide(Priority.COMMAND, time.monotonic()), Wait)
    await caller.flush()


async def test_the_first_answer_may_show_that_a_connection_is_new(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """By the store's clock, hours ahead of Xero's, it looked old."""
    tenant = await connected(pool, utc_now() - timedelta(hours=3, minutes=1), AppTier.ADVANCED)
    await pool.execute("DELETE FROM calls")
    services = services_of(pool, Xero(ahead=timedelta(hours=-3)), AppTier.ADVANCED)
    caller, memory = await caller_of(services, lease, tenant)
    assert not memory.budget.lifted(time.monotonic())

    await call(caller)

    assert memory.budget.lifted(time.monotonic() + 27 * 60)
    await caller.flush()


async def test_calls_for_events_keep_the_distance_of_a_whole_day(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """A load may have used the day up: events don't wait for that, while it doesn't limit."""
    tenant = await connected(pool, utc_now() - timedelta(minutes=1), AppTier.PLUS)
    services = services_of(pool, Xero(left=Limits(day=10)), AppTier.PLUS)
    caller, memory = await caller_of(services, lease, tenant)
    await call(caller)
    now = time.monotonic()
    caller.starts(Priority.WEBHOOK, now)

    assert caller.may_start(Priority.WEBHOOK, now + 0.1) == pytest.approx(now + 1.3)
    memory.budget.limited(LimitKind.DAY, now, 2.0, 0.0)
    assert isinstance(caller.may_start(Priority.WEBHOOK, now + 0.1), float | Wait)
    assert not memory.budget.lifted(now)
    await caller.flush()


async def test_a_call_given_up_on_keeps_its_slot_from_the_next_owner_too(
    pool: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """Xero may be busy with it for ten seconds more: with five of them, whoever takes over waits for that."""
    tenant = await connected(pool, utc_now(), AppTier.PLUS)
    await pool.execute("DELETE FROM calls")
    services = services_of(pool, Xero(breaks=True), AppTier.PLUS)
    caller, _ = await caller_of(services, lease, tenant)
    for _ in range(AT_ONCE):
        with pytest.raises(TransientError):
            await call(caller)
    await caller.flush()

    taken_over = await restored_budget(services, tenant)

    now = time.monotonic()
    assert isinstance(taken_over.decide(Priority.COMMAND, now + 5), Wait)
    assert isinstance(taken_over.decide(Priority.COMMAND, now + 11), Go)
