"""What holds a tenant's slots back."""

import time
from typing import Any, cast

import pytest

from processors.planner.plan import GetIds, GetOne, OpenPass, PassPage, Slot, Sweep, Work
from processors.tenants.troubles import Troubles, subject_of
from xero_api.call import Priority
from xero_api.paging import Keyset
from xero_api.verdicts import Subject
from xero_stream.contracts.names import DEFAULT_APP, EntityName, TenantId
from xero_stream.store.states import PassKind

SLOT = Slot(priority=Priority.WEBHOOK, entity=EntityName.INVOICES)
OTHER = Slot(priority=Priority.WEBHOOK, entity=EntityName.CONTACTS)
STEP = OpenPass(entity=EntityName.INVOICES, kind=PassKind.BACKFILL, place=Keyset(since=None))


async def test_answers_that_can_not_be_recorded_cost_fewer_and_fewer_calls() -> None:
    """A store that takes no changes for an hour must not spend a tenant's day; one that works again is used again."""
    unused: Any = cast("Any", None)
    troubles = Troubles(
        services=unused,
        lease=unused,
        app=DEFAULT_APP,
        tenant_id=TenantId("t"),
        memory=unused,
        parked_until=None,
        roused=0,
        on_change=unused,
    )

    def held_for() -> float:
        troubles.not_recorded(SLOT)
        now = time.monotonic()
        return troubles.held(now)[SLOT] - now

    assert [held_for() for _ in range(6)] == pytest.approx([1, 2, 4, 8, 15, 15], abs=0.1)
    assert OTHER not in troubles.held(time.monotonic())
    await troubles.succeeded(GetOne(slot=SLOT, entity=EntityName.INVOICES, record_id="r"))
    assert troubles.held(time.monotonic()) == {}
    assert held_for() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("work", "subject"),
    [
        (GetOne(slot=SLOT, entity=EntityName.INVOICES, record_id="r"), Subject.RECORD),
        (GetIds(slot=SLOT, entity=EntityName.INVOICES, record_ids=("r", "s")), Subject.BATCH),
        (Sweep(slot=SLOT, entity=EntityName.INVOICES), Subject.LIST),
        (PassPage(slot=Slot(priority=Priority.BACKFILL, entity=None), step=STEP), Subject.LIST),
    ],
)
def test_every_work_has_a_subject_and_an_entity(work: Work, subject: Subject) -> None:
    """Also a page of a pass, whose slot is shared by all entities."""
    assert subject_of(work) is subject
    assert work.entity is EntityName.INVOICES
