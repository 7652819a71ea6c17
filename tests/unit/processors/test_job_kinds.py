"""A kind of job that the tenant's task has never heard of works by the protocol alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processors.jobs.passes.kind import Passes
from processors.tenants.agenda import agenda
from processors.tenants.caller import NotNowError
from processors.tenants.job import (
    Due,
    Failure,
    Hold,
    Job,
    JobKind,
    Look,
    OutcomeUnknown,
    Quarantine,
    Reaction,
    Retry,
    Slot,
    Split,
)
from processors.tenants.runner import Runner
from processors.tenants.troubles import Troubles
from tests.support.jobs import context_of, kinds_of
from xero_api.call import Priority
from xero_api.errors import BadRequestError, XeroError
from xero_api.registry import ENTITIES, by_name
from xero_api.requests import Request, get_one
from xero_api.verdicts import Subject
from xero_stream.contracts.names import DEFAULT_APP, EntityName, RecordId, TenantId
from xero_stream.store.states import HoldState

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
TENANT = TenantId("11111111-1111-1111-1111-111111111111")
RECORD = RecordId("22222222-2222-2222-2222-222222222222")
REFUSED = BadRequestError("400", status=400)


@dataclass
class _Stocktake(Job):
    """Reads one item twice, and compares: two calls, whose state is how many are done."""

    reaction: Reaction = field(default_factory=Retry)
    priority: Priority = Priority.COMMAND
    calls: int = 2
    log: list[str] = field(default_factory=list)
    entity: EntityName = EntityName.ITEMS
    record_id: RecordId | None = RECORD
    subject: Subject = Subject.RECORD

    @property
    def slot(self) -> Slot:
        return Slot(priority=self.priority, entity=self.entity)

    async def begin(self) -> int | None:
        self.log.append("written down")
        return 0 if self.calls else None

    def request(self, state: int) -> Request:
        self.log.append(f"request {state}")
        return get_one(by_name(self.entity), RECORD)

    async def apply(self, state: int, answer: Any, marks: int) -> int | None:
        self.log.append(f"applied {answer} at {marks}")
        return state + 1 if state + 1 < self.calls else None

    def on_error(self, failure: Failure) -> Reaction:
        self.log.append(f"{failure.act} {failure.failures}")
        return self.reaction

    async def put_off(self, until: datetime, error: XeroError) -> None:
        del until
        self.log.append(f"put off: {error}")

    async def split(self) -> None:
        self.log.append("split")


class _Stocktakes(JobKind):
    """Always has one to do, and says when there is more."""

    def __init__(self, job: Job, next_at: datetime | None = None) -> None:
        self.due_now = Due(jobs=[job], next_at=next_at)
        self.looks: list[Look] = []

    async def due(self, look: Look) -> Due:
        self.looks.append(look)
        return self.due_now


class _Store:
    """Holds nothing; notes what is written."""

    def __init__(self) -> None:
        self.written: list[tuple[str, tuple[Any, ...]]] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["_Store"]:
        yield self

    def transaction(self) -> Any:
        return self.acquire()

    async def fetch(self, *_: Any) -> list[Any]:
        return []

    async def fetchval(self, statement: str, *values: Any) -> Any:
        self.written.append((" ".join(statement.split()[:3]), values))
        return NOW

    async def execute(self, statement: str, *values: Any) -> str:
        self.written.append((" ".join(statement.split()[:3]), values))
        return "UPDATE 1"


def troubles_of(store: _Store) -> Troubles:
    """What reacts to failures, over a store."""
    metrics = SimpleNamespace(quarantine=SimpleNamespace(quarantined=lambda *_: None))
    policy = SimpleNamespace(covers=lambda _: False)
    return Troubles(
        services=cast("Any", SimpleNamespace(pool=store, metrics=metrics, policy=policy)),
        lease=cast("Any", SimpleNamespace(partition=1, epoch=1)),
        app=DEFAULT_APP,
        tenant_id=TENANT,
        memory=cast("Any", SimpleNamespace(ended={})),
        parked_until=None,
        roused=0,
        outbox=asyncio.Event(),
    )


class _Calls:
    """Answers every request by a number."""

    def __init__(self, job: _Stocktake) -> None:
        self._log, self._sent = job.log, 0

    @asynccontextmanager
    async def call(self, request: Request, _: Slot) -> AsyncIterator[tuple[str, int]]:
        self._sent += 1
        self._log.append(f"sent {request.endpoint.split('/')[0]}")
        yield f"answer {self._sent}", 7


def runner_of(job: _Stocktake) -> Runner:
    """The tenant's task, as far as it makes the calls of a job."""
    runner = Runner(
        services=cast("Any", None),
        lease=cast("Any", None),
        recorder=cast("Any", None),
        tenant_id=TENANT,
        memories={},
        kinds=(),
    )
    runner._caller = cast("Any", _Calls(job))
    return runner


async def test_a_job_writes_itself_down_before_anything_is_sent_and_goes_on_from_its_state() -> None:
    """What must survive a crash between sending and the answer is in the store by then."""
    job = _Stocktake()

    await runner_of(job)._do(job)

    assert job.log == [
        "written down",
        "request 0",
        "sent Items",
        "applied answer 1 at 7",
        "request 1",
        "sent Items",
        "applied answer 2 at 7",
    ]


async def test_a_job_without_anything_to_do_makes_no_call_and_counts_as_no_success() -> None:
    """What was due was done a moment ago."""
    job = _Stocktake(calls=0)

    with pytest.raises(NotNowError):
        await runner_of(job)._do(job)
    assert job.log == ["written down"]


async def test_a_task_that_stops_sends_nothing_more() -> None:
    """The state that the job wrote down is where it goes on after the restart."""
    job, runner = _Stocktake(), runner_of(_Stocktake())
    runner.stop()

    with pytest.raises(NotNowError):
        await runner._do(job)
    assert job.log == ["written down"]


async def test_the_most_urgent_lane_goes_first_whatever_kind_it_is_of() -> None:
    """A kind that is registered last takes its place by the priorities of its jobs; all look at the same moment."""
    load, command = _Stocktake(priority=Priority.BACKFILL), _Stocktake(priority=Priority.COMMAND)
    kinds = [_Stocktakes(load, next_at=NOW.replace(hour=12)), _Stocktakes(command, next_at=NOW.replace(hour=11))]

    found = await agenda(cast("Any", _Store()), 1, TENANT, [EntityName.ITEMS], NOW, kinds=kinds, busy={load.slot})

    assert list(found.jobs) == [command, load]
    assert found.next_at == NOW.replace(hour=11)
    assert [one.looks[0].busy for one in kinds] == [{load.slot}] * 2


async def test_a_job_that_is_put_off_lets_its_slot_wait_too() -> None:
    """By exactly as much as it said."""
    job, troubles = _Stocktake(reaction=Retry(put_off=60.0, pause=1e9)), troubles_of(_Store())

    await troubles.failed(job, REFUSED)

    assert job.log == ["set_aside 1", "put off: 400"]
    assert list(troubles.held(0)) == [job.slot]


async def test_a_job_that_is_split_leaves_its_slot_to_the_parts() -> None:
    """No other job waits for it."""
    job, troubles = _Stocktake(reaction=Split()), troubles_of(_Store())

    await troubles.failed(job, REFUSED)

    assert job.log == ["set_aside 1", "split"]
    assert troubles.held(0) == {}


async def test_a_quarantine_is_of_exactly_the_jobs_record() -> None:
    """Tenant, entity and record; the kind of record and the tenant go on."""
    job, store = _Stocktake(reaction=Quarantine()), _Store()
    troubles = troubles_of(store)

    await troubles.failed(job, REFUSED, 5)

    dropped, kept, _ = store.written
    assert dropped[1] == (TENANT, "items", RECORD, 5)
    assert kept[0] == "INSERT INTO quarantine"
    assert kept[1][2:5] == (TENANT, "items", RECORD)
    assert (troubles.parked_until, troubles.holds) == (None, frozenset())


async def test_a_job_without_a_record_puts_none_into_quarantine() -> None:
    """A list that says so has a fault; nothing is dropped for it."""
    job, store = _Stocktake(reaction=Quarantine(), record_id=None), _Store()

    with pytest.raises(ValueError, match="stands for no record"):
        await troubles_of(store).failed(job, REFUSED)
    assert store.written == []


async def test_a_hold_is_of_the_jobs_kind_of_record() -> None:
    """The others of the tenant go on."""
    job, store = _Stocktake(reaction=Hold(state=HoldState.FORBIDDEN)), _Store()
    troubles = troubles_of(store)

    await troubles.failed(job, REFUSED)

    assert store.written[0][1][:4] == (TENANT, "items", 1, "forbidden")
    assert troubles.holds == {EntityName.ITEMS}


async def test_an_unknown_outcome_sends_nothing_again() -> None:
    """What is to be looked up stands in what the job wrote down in ``begin``."""
    job, store = _Stocktake(reaction=OutcomeUnknown()), _Store()
    troubles = troubles_of(store)

    await troubles.failed(job, REFUSED)

    assert (job.log, store.written, troubles.held(0)) == (["set_aside 1"], [], {})


@pytest.mark.parametrize("entity", [row.name for row in ENTITIES])
async def test_a_load_of_any_entity_has_a_request(entity: EntityName) -> None:
    """Also of those that Xero gives whole or by an offset: a bare ValueError would be tried again for ever."""
    row = {
        "entity": entity.value,
        "kind": "backfill",
        "since": None,
        "place": None,
        "seen": 0,
        "generation": 0,
        "not_before": datetime(1970, 1, 1, tzinfo=UTC),
        "attempts": 0,
    }

    class _OneLoad(_Store):
        async def fetch(self, statement: str, *_: Any) -> list[Any]:
            return [row] if "FROM passes" in statement else []

    loads = Passes(context_of(None, TENANT))
    (job,) = (await agenda(cast("Any", _OneLoad()), 1, TENANT, [entity], NOW, kinds=[loads])).jobs

    assert job.request(await job.begin()).entity.name is entity


async def test_what_is_registered_finds_nothing_to_do_in_an_empty_store() -> None:
    """And asks for no time to look again."""
    found = await agenda(cast("Any", _Store()), 1, TENANT, list(EntityName), NOW, kinds=kinds_of(None, TENANT))

    assert (list(found.jobs), found.next_at) == ([], None)
