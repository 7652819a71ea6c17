"""What holds a tenant's slots back."""

import time
from typing import Any, cast

import pytest

from processors.planner.plan import Slot
from processors.tenants.troubles import Troubles
from xero_api.call import Lane
from xero_stream.contracts.names import EntityName, TenantId

SLOT = Slot(lane=Lane.WEBHOOK, entity=EntityName.INVOICES)
OTHER = Slot(lane=Lane.WEBHOOK, entity=EntityName.CONTACTS)


def test_answers_that_can_not_be_recorded_cost_fewer_and_fewer_calls() -> None:
    """A store that takes no changes for an hour must not spend a tenant's day; one that works again is used again."""
    unused: Any = cast("Any", None)
    troubles = Troubles(
        services=unused,
        lease=unused,
        tenant_id=TenantId("t"),
        memory=unused,
        parked_until=None,
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
