"""What holds a tenant's slots back."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processors.planner.plan import GetOne, Slot
from processors.tenants.troubles import Troubles
from xero_api.call import Lane
from xero_api.errors import UnauthorisedError
from xero_stream.contracts.names import DEFAULT_APP, EntityName, TenantId

SLOT = Slot(lane=Lane.WEBHOOK, entity=EntityName.INVOICES)
OTHER = Slot(lane=Lane.WEBHOOK, entity=EntityName.CONTACTS)


def test_answers_that_can_not_be_recorded_cost_fewer_and_fewer_calls() -> None:
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
    troubles.succeeded(SLOT)
    assert troubles.held(time.monotonic()) == {}
    assert held_for() == pytest.approx(1, abs=0.1)


async def test_a_refused_token_stops_its_entity_for_longer_and_longer() -> None:
    """Xero may refuse a good one once; a missing scope stays missing. Other entities go on."""
    unused: Any = cast("Any", None)
    services: Any = cast("Any", SimpleNamespace())
    troubles = Troubles(
        services=services,
        lease=unused,
        app=DEFAULT_APP,
        tenant_id=TenantId("t"),
        memory=unused,
        parked_until=None,
        roused=0,
        on_change=unused,
    )
    work = GetOne(slot=SLOT, entity=EntityName.INVOICES, record_id="r")

    async def held_for() -> float:
        await troubles.failed(work, UnauthorisedError("401", status=401))
        now = time.monotonic()
        return troubles.held(now)[SLOT] - now

    assert [await held_for() for _ in range(6)] == pytest.approx([5, 30, 30, 150, 600, 600], abs=0.1)
    assert OTHER not in troubles.held(time.monotonic())
    assert troubles.parked_until is None
    troubles.succeeded(SLOT)
    assert await held_for() == pytest.approx(5, abs=0.1)
