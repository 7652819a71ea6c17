"""What holds a tenant's slots back."""

import asyncio
import time
from typing import Any, cast

import pytest

from processors.jobs.passes.plan import OpenPass, PassPage
from processors.jobs.refresh.plan import GetIds, GetOne, Read, Sweep
from processors.tenants.job import Failure, Quarantine, Reaction, Retry, Slot, Split
from processors.tenants.troubles import Troubles
from tests.support.jobs import job
from xero_api.call import Priority
from xero_api.errors import BadRequestError, ServerError, UnforeseenError, XeroError
from xero_api.paging import Keyset
from xero_api.verdicts import Act, Subject
from xero_stream.contracts.names import DEFAULT_APP, EntityName, TenantId
from xero_stream.store.states import PassKind

TENANT = TenantId("t")
SLOT = Slot(priority=Priority.WEBHOOK, entity=EntityName.INVOICES)
OTHER = Slot(priority=Priority.WEBHOOK, entity=EntityName.CONTACTS)
STEP = OpenPass(entity=EntityName.INVOICES, kind=PassKind.BACKFILL, place=Keyset(since=None))
ONE = GetOne(slot=SLOT, entity=EntityName.INVOICES, record_id="r")
MANY = GetIds(slot=SLOT, entity=EntityName.INVOICES, record_ids=("r", "s"))
SWEEP = Sweep(slot=SLOT, entity=EntityName.INVOICES)
PAGE = PassPage(slot=Slot(priority=Priority.BACKFILL, entity=None), step=STEP)


async def test_answers_that_can_not_be_recorded_cost_fewer_and_fewer_calls() -> None:
    """A store that takes no changes for an hour must not spend a tenant's day; one that works again is used again."""
    unused: Any = cast("Any", None)
    troubles = Troubles(
        services=unused,
        lease=unused,
        app=DEFAULT_APP,
        tenant_id=TENANT,
        memory=unused,
        parked_until=None,
        roused=0,
        outbox=asyncio.Event(),
    )

    def held_for() -> float:
        troubles.not_recorded(SLOT)
        now = time.monotonic()
        return troubles.held(now)[SLOT] - now

    assert [held_for() for _ in range(6)] == pytest.approx([1, 2, 4, 8, 15, 15], abs=0.1)
    assert OTHER not in troubles.held(time.monotonic())
    await troubles.succeeded(job(None, TENANT, ONE))
    assert troubles.held(time.monotonic()) == {}
    assert held_for() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("read", "subject", "record"),
    [
        (ONE, Subject.RECORD, "r"),
        (MANY, Subject.BATCH, None),
        (SWEEP, Subject.LIST, None),
        (PAGE, Subject.LIST, None),
    ],
)
def test_every_job_has_a_subject_and_what_it_stands_for(
    read: Read | PassPage, subject: Subject, record: str | None
) -> None:
    """Also a page of a pass, whose slot is shared by all entities."""
    made = job(None, TENANT, read)
    assert made.subject is subject
    assert (made.entity, made.record_id) == (EntityName.INVOICES, record)


def failure(error: XeroError, act: Act, *, others: bool, failures: int = 1) -> Failure:
    """A failure after which the slot would wait for eight seconds."""
    return Failure(error=error, act=act, delay=8.0, failures=failures, others_succeed=others, draw=1.0)


@pytest.mark.parametrize(
    ("read", "others", "failures", "reaction"),
    [
        (ONE, True, 1, Retry(put_off=8.0, pause=2.0)),
        (ONE, False, 1, Retry(put_off=8.0, pause=8.0)),
        (MANY, True, 1, Retry(pause=8.0, fewer=2)),
        (SWEEP, True, 1, Retry(pause=8.0)),
        (SWEEP, True, 3, Split(pause=8.0, failing=True)),
        (SWEEP, False, 9, Retry(pause=8.0)),
        (PAGE, True, 1, Retry(put_off=1.0, shown=True)),
        (PAGE, False, 1, Retry(put_off=1.0, pause=8.0, shown=True)),
    ],
)
def test_what_may_work_later_is_tried_again(
    read: Read | PassPage, others: bool, failures: int, reaction: Reaction
) -> None:
    """A record and a pass wait by themselves; while nothing else works either, so does their slot."""
    failed = failure(ServerError("500", status=500), Act.RETRY, others=others, failures=failures)

    assert job(None, TENANT, read).on_error(failed) == reaction


@pytest.mark.parametrize(
    ("read", "error", "reaction"),
    [
        (ONE, BadRequestError("400", status=400), Quarantine()),
        (ONE, UnforeseenError("KeyError"), Quarantine(after_some=True)),
        (MANY, BadRequestError("400", status=400), Split()),
        (SWEEP, BadRequestError("400", status=400), Split(pause=5.0)),
        (PAGE, BadRequestError("400", status=400), Retry(put_off=5.0, shown=True)),
    ],
)
def test_what_will_never_work_is_held_against_exactly_what_failed(
    read: Read | PassPage, error: XeroError, reaction: Reaction
) -> None:
    """The record, the records of a batch each, the list, the pass: nothing wider."""
    assert job(None, TENANT, read).on_error(failure(error, Act.SET_ASIDE, others=True)) == reaction
