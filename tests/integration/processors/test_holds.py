"""Holds of one kind of record, on the real PostgreSQL: what is left out of the work, for how long, and what ends it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from processors.jobs.passes.kind import Page
from processors.jobs.passes.plan import OpenPass, PassPage
from processors.jobs.refresh.plan import GetIds, GetOne, Sweep
from processors.recorder.policy import NO_POLICY
from processors.recorder.recorder import Recorder
from processors.tenants import agenda as agendas
from processors.tenants.app_holds import AppHolds
from processors.tenants.caller import Caller, NotNowError
from processors.tenants.job import Slot
from processors.tenants.runner import Runner
from processors.tenants.services import Memory, RunnerServices
from processors.tenants.troubles import Troubles
from tests.support.jobs import job, kinds_of
from xero_api.budget.tenant import TenantBudget, app_minute
from xero_api.call import Priority
from xero_api.errors import (
    BadRequestError,
    ForbiddenError,
    InterceptedError,
    ServerError,
    UnauthorisedError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.paging import first
from xero_stream.contracts.names import DEFAULT_APP, STREAMED, AppName, EntityName, TenantId
from xero_stream.store import entity_holds, passes
from xero_stream.store.leases import Lease
from xero_stream.store.passes import PassId
from xero_stream.store.queries.tenants import with_work
from xero_stream.store.states import HoldState, PassKind

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")
GRANT = UUID(int=1)
CONTACTS, INVOICES = EntityName.CONTACTS, EntityName.INVOICES


@pytest.fixture
async def connected(pool: "asyncpg.Pool[Any]", lease: Lease) -> "asyncpg.Pool[Any]":
    """An organisation with two first loads and an event of each of the two kinds."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute("INSERT INTO grants (grant_id, app, kind) VALUES ($1, 'default', 'authorization_code')", GRANT)
    await pool.execute(
        "INSERT INTO tenants (tenant_id, app, grant_id, partition) VALUES ($1, 'default', $2, $3)",
        TENANT,
        GRANT,
        lease.partition,
    )
    for entity in ("contacts", "invoices"):
        await pool.execute(
            "INSERT INTO passes (tenant_id, entity, kind, partition) VALUES ($1, $2, 'backfill', $3)",
            TENANT,
            entity,
            lease.partition,
        )
        await pool.execute(
            "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at) "
            "VALUES ($1, $2, 'r', $3, $4, $4)",
            TENANT,
            entity,
            lease.partition,
            T,
        )
    return pool


async def hold(pool: "asyncpg.Pool[Any]", lease: Lease, now: datetime, entity: EntityName = CONTACTS) -> datetime:
    """Contacts are refused."""
    return await entity_holds.hold(
        pool, TENANT, entity, lease.partition, state=HoldState.FORBIDDEN, error="403", hint="role", now=now
    )


async def test_waits_grow_and_calls_that_were_under_way_together_are_one_attempt(
    connected: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """5 s to half an hour; since stays."""
    now, waits = T, []
    for _ in range(8):
        until = await hold(connected, lease, now)
        assert await hold(connected, lease, now + S) == until, "another call of the same moment"
        waits.append((until - now).total_seconds())
        now = until

    assert waits == [5, 20, 80, 300, 900, 1800, 1800, 1800]
    (shown,) = await entity_holds.shown(connected)
    assert (shown.since, shown.attempts, shown.state, shown.hint) == (T, 8, HoldState.FORBIDDEN, "role")


async def test_what_is_held_is_left_out_and_the_rest_goes_on(connected: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """Neither events nor loads of it, until its wait is over; the organisation has work as long as anything else has."""
    partition = lease.partition

    async def work(now: datetime) -> tuple[set[EntityName], set[EntityName], datetime | None]:
        events, loads = kinds_of(connected, TENANT, partition)
        found = await agendas.agenda(connected, partition, TENANT, STREAMED, now, kinds=[events])
        loading = set[EntityName]()
        for entity in (CONTACTS, INVOICES):  # one at a time over all entities
            one = await agendas.agenda(connected, partition, TENANT, [entity], now, kinds=[loads])
            loading |= {job.entity for job in one.jobs}
        every = await agendas.agenda(connected, partition, TENANT, STREAMED, now, kinds=[events, loads])
        return {job.entity for job in found.jobs}, loading, every.next_at

    assert await work(T) == ({CONTACTS, INVOICES}, {CONTACTS, INVOICES}, None)
    until = await hold(connected, lease, T)
    assert await work(T) == ({INVOICES}, {INVOICES}, until)
    assert await with_work(connected, partition, STREAMED, T) == [TENANT]
    await hold(connected, lease, T, INVOICES)
    assert await work(T) == (set(), set(), until)
    assert await with_work(connected, partition, STREAMED, T) == []
    assert await with_work(connected, partition, STREAMED, until) == [TENANT]
    assert (await work(until))[0] == {CONTACTS, INVOICES}

    await hold(connected, lease, until)
    assert await entity_holds.retry(connected, TENANT, CONTACTS) == {(TENANT, "contacts")}
    assert CONTACTS in (await work(until))[0]
    assert await entity_holds.retry(connected, TenantId("another"), None) == set()

    await connected.execute(
        "UPDATE dirty SET attempts = 12, not_before = now() + interval '1 hour' WHERE entity = 'contacts'"
    )
    assert (TENANT, "contacts") in await entity_holds.retry(connected, None, None)
    assert await connected.fetchval("SELECT max(not_before) < now() FROM dirty WHERE entity = 'contacts'")


async def test_a_pass_that_fails_is_left_out_until_its_wait_is_over(
    connected: "asyncpg.Pool[Any]", lease: Lease
) -> None:
    """It takes no turn from the others meanwhile. What went wrong is kept, and since when."""

    async def fails(now: datetime) -> None:
        await passes.failed(
            connected,
            PassId(tenant_id=TENANT, entity=INVOICES, kind=PassKind.BACKFILL, generation=0),
            error="500",
            hint="wait",
            now=now,
            not_before=now + 10 * S,
        )

    await fails(T)
    await fails(T + 10 * S)

    async def steps(now: datetime) -> list[tuple[EntityName, int]]:
        kinds, found = kinds_of(connected, TENANT, lease.partition), list[tuple[EntityName, int]]()
        for entity in (CONTACTS, INVOICES):
            due = await agendas.agenda(connected, lease.partition, TENANT, [entity], now, kinds=kinds)
            found += [(one.entity, one.page.step.attempts) for one in due.jobs if isinstance(one, Page)]
        return found

    assert await steps(T + 15 * S) == [(CONTACTS, 0)]
    assert await steps(T + 20 * S) == [(CONTACTS, 0), (INVOICES, 2)]
    (shown,) = await entity_holds.shown(connected)
    assert (shown.entity, shown.state, shown.error, shown.hint) == (INVOICES, "backfill_failing", "500", "wait")
    assert (shown.since, shown.attempts) == (T, 2)
    assert await entity_holds.count(connected) == 1


async def test_scopes_are_compared_when_they_change(connected: "asyncpg.Pool[Any]") -> None:
    """What lacks one is held at once; a hold that a call ended stays ended as long as the scopes are the same."""

    async def seen(*granted: str, lacking: dict[EntityName, str]) -> bool:
        async with connected.acquire() as connection, connection.transaction():
            return await entity_holds.scopes_seen(connection, GRANT, granted, lacking, T)

    lacking = {CONTACTS: "accounting.contacts.read"}
    assert await seen("b", "a", lacking=lacking)
    (shown,) = await entity_holds.shown(connected)
    assert (shown.entity, shown.state) == (CONTACTS, HoldState.NO_SCOPE)
    assert "accounting.contacts.read" in shown.error
    assert "accounting.contacts.read" in shown.hint

    # The 401 that follows from it, an hour later, changes neither the reason nor the wait.
    until = await entity_holds.hold(
        connected, TENANT, CONTACTS, 1, state=HoldState.UNAUTHORISED, error="401", hint="?", now=T + 3600 * S
    )
    (again,) = await entity_holds.shown(connected)
    assert (again.state, again.error, again.hint) == (shown.state, shown.error, shown.hint)
    assert until == again.not_before == T + 7200 * S

    assert await entity_holds.end(connected, TENANT, CONTACTS) == 2
    assert not await seen("a", "b", lacking=lacking)
    assert await entity_holds.shown(connected) == []

    assert await seen("a", lacking=lacking)
    assert await seen("a", "accounting.contacts.read", lacking={})
    assert await entity_holds.shown(connected) == []


async def test_other_entities_are_compared_with_the_same_scopes(connected: "asyncpg.Pool[Any]", lease: Lease) -> None:
    """What is read from now on may lack a scope; what is read no more is held no more."""
    await hold(connected, lease, T)
    async with connected.acquire() as connection, connection.transaction():
        assert await entity_holds.scopes_seen(connection, GRANT, ["a"], {}, T)
        await entity_holds.entities_changed(connection, added=[INVOICES], gone=[CONTACTS])
        assert await entity_holds.scopes_seen(connection, GRANT, ["a"], {INVOICES: "b"}, T)

    assert [one.entity for one in await entity_holds.shown(connected)] == [INVOICES]


class FakeClient:
    """Says whether an organisation is still listed."""

    def __init__(self, says: bool | XeroError) -> None:
        self.says = says
        self.asked = 0

    async def reaches(self, app: AppName, tenant_id: TenantId, *, priority: Priority) -> bool:
        """What it was told to say."""
        assert (app, tenant_id, priority) == (DEFAULT_APP, TENANT, Priority.WEBHOOK)
        self.asked += 1
        if isinstance(self.says, XeroError):
            raise self.says
        return self.says


Make = Callable[[bool | XeroError], tuple[Troubles, FakeClient]]


@pytest.fixture
def make(connected: "asyncpg.Pool[Any]", lease: Lease) -> Make:
    """Troubles of the organisation, with a Xero that lists it, or not, or does not say."""

    def made(says: bool | XeroError) -> tuple[Troubles, FakeClient]:
        client = FakeClient(says)
        metrics = SimpleNamespace(quarantine=SimpleNamespace(quarantined=lambda *_: None))
        some = SimpleNamespace(
            pool=connected,
            client=client,
            policy=NO_POLICY,
            metrics=metrics,
            entities=[INVOICES],
            app_holds=AppHolds(connected),
        )
        troubles = Troubles(
            services=cast("RunnerServices", some),
            lease=lease,
            app=DEFAULT_APP,
            tenant_id=TENANT,
            memory=Memory(budget=TenantBudget(day_limit=5_000, app=app_minute())),
            parked_until=None,
            roused=0,
            outbox=asyncio.Event(),
        )
        return troubles, client

    return made


SLOT = Slot(priority=Priority.WEBHOOK, entity=INVOICES)
ONE = GetOne(slot=SLOT, entity=INVOICES, record_id="r")
MANY = GetIds(slot=SLOT, entity=INVOICES, record_ids=("r", "s"))
SWEEP = Sweep(slot=SLOT, entity=INVOICES)
PAGE = PassPage(
    slot=Slot(priority=Priority.BACKFILL, entity=None),
    step=OpenPass(entity=INVOICES, kind=PassKind.BACKFILL, place=first(None)),
)


@pytest.mark.parametrize(
    ("says", "state", "held"),
    [
        (True, "connected", ["invoices"]),
        (False, "disconnected", []),
        (ServerError("503"), "connected", ["invoices"]),
        (UnmappableAnswerError("it may be unreadable"), "connected", ["invoices"]),
        (UnauthorisedError("401"), "connected", ["invoices"]),
    ],
)
async def test_a_403_asks_for_the_connections(
    connected: "asyncpg.Pool[Any]", make: Make, says: bool | XeroError, state: str, held: list[str]
) -> None:
    """Listed, or nobody knows: the kind of record; gone: the organisation."""
    troubles, client = make(says)

    await troubles.failed(job(connected, TENANT, ONE), ForbiddenError("403", status=403))
    if says is True:
        await troubles.failed(job(connected, TENANT, ONE), ForbiddenError("403", status=403))

    assert await connected.fetchval("SELECT state FROM tenants") == state
    assert [row["entity"] for row in await connected.fetch("SELECT entity FROM entity_holds")] == held
    assert (troubles.parked_until is None) is (state == "connected")
    assert client.asked == 1, "Xero's word is good for a minute"


@pytest.mark.parametrize("work", [ONE, MANY, SWEEP, PAGE])
async def test_a_stranger_harms_nobody(connected: "asyncpg.Pool[Any]", make: Make, work: Any) -> None:
    """Whatever it answers, however often: nothing is suspended, parked, dropped or put into quarantine; it is shown."""
    troubles, client = make(True)

    for _ in range(6):
        await troubles.failed(
            job(connected, TENANT, work),
            InterceptedError("407, answered by something between here and Xero", status=407),
        )

    assert await connected.fetchval("SELECT state FROM tenants") == "connected"
    assert troubles.parked_until is None
    assert client.asked == 0
    assert await connected.fetchval("SELECT count(*) FROM quarantine") == 0
    assert await connected.fetchval("SELECT count(*) FROM dirty WHERE entity = 'invoices'") == 1
    (shown,) = await entity_holds.shown(connected)
    assert (shown.entity, "between here and Xero" in shown.error) == (INVOICES, True)
    assert shown.state is (HoldState.BACKFILL_FAILING if work is PAGE else HoldState.FAILING)
    kinds = kinds_of(connected, TENANT)
    agenda = await agendas.agenda(connected, 1, TENANT, STREAMED, datetime.now(UTC), kinds=kinds)
    assert [one.entity for one in agenda.jobs if not isinstance(one, Page)].count(CONTACTS) == 1
    assert CONTACTS in {one.entity for one in agenda.jobs if isinstance(one, Page)}


async def test_a_refused_list_waits_for_itself_and_a_refused_batch_is_split(
    connected: "asyncpg.Pool[Any]", make: Make
) -> None:
    """400: the pass is read later, the records of a batch one by one, one record goes into quarantine."""
    troubles, _ = make(True)

    await troubles.failed(job(connected, TENANT, PAGE), BadRequestError("400", status=400, body=b"no"))
    row = await connected.fetchrow(
        "SELECT attempts, error, not_before > now() AS waits FROM passes WHERE entity = 'invoices'"
    )
    assert row is not None
    assert dict(row) == {"attempts": 1, "error": "400", "waits": True}
    assert PAGE.slot not in troubles.held(0), "the slot of all passes is free for the others"

    await troubles.failed(job(connected, TENANT, MANY), BadRequestError("400", status=400))
    assert await connected.fetchval("SELECT mode FROM dirty WHERE entity = 'invoices'") == "alone"

    await troubles.failed(job(connected, TENANT, ONE), BadRequestError("400", status=400, body=b"no"))
    kept = await connected.fetchrow("SELECT reason, value FROM quarantine")
    assert kept is not None
    assert dict(kept) == {"reason": "refused", "value": b"no"}


async def test_a_hold_that_ended_a_moment_ago_goes_on_where_it_was(connected: "asyncpg.Pool[Any]", make: Make) -> None:
    """What is forbidden for lists may work for one record: the waits grow all the same."""
    troubles, _ = make(True)
    waits = []
    for _ in range(3):
        await troubles.failed(job(connected, TENANT, PAGE), UnauthorisedError("401", status=401))
        row = await connected.fetchrow(
            "SELECT attempts, extract(epoch FROM not_before - now()) AS wait FROM entity_holds"
        )
        assert row is not None
        waits.append((row["attempts"], round(float(row["wait"]), -1)))
        await troubles.succeeded(job(connected, TENANT, ONE))

    assert await entity_holds.shown(connected) == []
    assert waits == [(1, 0 if waits[0][1] == 0 else 10), (2, 20), (3, 80)]


async def test_a_fault_of_ours_is_held_against_what_the_call_was_for(
    connected: "asyncpg.Pool[Any]", make: Make
) -> None:
    """Before an answer the kind of record; behind it the record, three times; a pass for itself."""
    troubles, _ = make(True)

    for _ in range(2):
        await troubles.unforeseen(job(connected, TENANT, ONE), KeyError("SECRET"), answered=True)
    assert await connected.fetchval("SELECT broke FROM dirty WHERE entity = 'invoices'") == 2
    await troubles.unforeseen(job(connected, TENANT, ONE), KeyError("SECRET"), answered=True)
    kept = await connected.fetchrow("SELECT reason, error FROM quarantine")
    assert kept is not None
    assert dict(kept) == {"reason": "broke", "error": "KeyError"}
    assert await connected.fetchval("SELECT count(*) FROM dirty WHERE entity = 'invoices'") == 0

    await troubles.unforeseen(job(connected, TENANT, PAGE), KeyError("SECRET"), answered=True)
    assert await connected.fetchval("SELECT error FROM passes WHERE entity = 'invoices'") == "KeyError"

    await troubles.unforeseen(job(connected, TENANT, SWEEP), KeyError("SECRET"), answered=False)
    assert [(one.entity, one.state, one.error) for one in await entity_holds.shown(connected)] == [
        (INVOICES, HoldState.BROKEN, "KeyError")
    ]


@pytest.mark.parametrize("unforeseen", [False, True])
async def test_a_record_in_quarantine_ends_what_its_failures_showed(
    connected: "asyncpg.Pool[Any]", make: Make, unforeseen: bool
) -> None:
    """Nothing else of its kind fails; and the next failure of another record is the first."""
    troubles, _ = make(True)
    for _ in range(5):
        await troubles.failed(job(connected, TENANT, ONE), ServerError("500", status=500))
    assert [one.state for one in await entity_holds.shown(connected)] == [HoldState.FAILING]

    if unforeseen:
        for _ in range(3):
            await troubles.unforeseen(job(connected, TENANT, ONE), KeyError("SECRET"), answered=True, marks=2**40)
    else:
        await troubles.failed(job(connected, TENANT, ONE), BadRequestError("400", status=400, body=b"no"), 2**40)

    assert await connected.fetchval("SELECT count(*) FROM quarantine") == 1
    assert await entity_holds.shown(connected) == []
    assert troubles.holds == frozenset()
    await troubles.failed(job(connected, TENANT, ONE), ServerError("500", status=500))
    assert await entity_holds.shown(connected) == []


async def test_a_record_in_quarantine_ends_no_hold_for_another_reason(
    connected: "asyncpg.Pool[Any]", lease: Lease, make: Make
) -> None:
    """A role that is missing for lists stays missing."""
    troubles, _ = make(True)
    await hold(connected, lease, datetime.now(UTC), INVOICES)
    troubles.holds = frozenset({INVOICES})

    await troubles.failed(job(connected, TENANT, ONE), BadRequestError("400", status=400, body=b"no"), 2**40)

    assert [one.state for one in await entity_holds.shown(connected)] == [HoldState.FORBIDDEN]
    assert troubles.holds == {INVOICES}


@pytest.mark.parametrize("came", [False, True])
@pytest.mark.parametrize("unforeseen", [False, True])
async def test_an_event_that_came_during_the_call_stays_when_the_record_goes_into_quarantine(
    connected: "asyncpg.Pool[Any]", make: Make, unforeseen: bool, came: bool
) -> None:
    """The call says nothing of it: the record is asked for again."""
    troubles, _ = make(True)
    sent: int = await connected.fetchval("SELECT last_value FROM dirty_marks")
    if came:
        await connected.execute("UPDATE dirty SET marks = nextval('dirty_marks'), created = true")

    if unforeseen:
        await connected.execute("UPDATE dirty SET broke = 2")
        await troubles.unforeseen(job(connected, TENANT, ONE), KeyError("SECRET"), answered=True, marks=sent)
    else:
        await troubles.failed(job(connected, TENANT, ONE), BadRequestError("400", status=400, body=b"no"), sent)

    assert await connected.fetchval("SELECT created FROM quarantine") is came
    assert await connected.fetchval("SELECT count(*) FROM dirty WHERE entity = 'invoices'") == int(came)


async def test_a_sweep_without_a_call_shows_nothing_to_go_well(
    connected: "asyncpg.Pool[Any]", lease: Lease, make: Make
) -> None:
    """What was due was settled a moment ago, or it is time to stop: a hold stays, nothing counts as a success."""
    troubles, _ = make(True)
    await connected.execute("DELETE FROM dirty")
    await hold(connected, lease, T, INVOICES)
    runner = Runner(
        services=troubles._services,
        lease=lease,
        recorder=cast("Recorder", None),
        tenant_id=TENANT,
        memories={},
        kinds=(),
    )
    runner._troubles, runner._app = troubles, DEFAULT_APP
    runner._caller = cast("Caller", SimpleNamespace(ended=lambda _: None))
    troubles.holds = frozenset({INVOICES})

    with pytest.raises(NotNowError):
        await runner._attempted(job(connected, TENANT, SWEEP))
    await _mark_invoice(connected, lease)
    runner.stop()
    with pytest.raises(NotNowError):
        await runner._attempted(job(connected, TENANT, SWEEP))

    assert [one.state for one in await entity_holds.shown(connected)] == [HoldState.FORBIDDEN]


async def _mark_invoice(pool: "asyncpg.Pool[Any]", lease: Lease) -> None:
    await pool.execute(
        "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at) "
        "VALUES ($1, 'invoices', 'r', $2, $3, $3)",
        TENANT,
        lease.partition,
        T,
    )
