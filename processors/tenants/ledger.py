"""The ledger of calls in the store: whoever takes a partition over knows the calls of the last minutes."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from xero_api.budget.tenant import ABANDONED_SECONDS
from xero_api.call import Priority
from xero_stream.contracts.names import TenantId
from xero_stream.store import calls, tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.leases import Lease
from xero_stream.store.pool import STORE_ERRORS


class StoredPermit(NamedTuple):
    """A permit.

    Attributes:
        marks: where the marks sequence stood when it was given.
    """

    marks: int


class StoredLedger:
    """The ledger of one organisation. Today its partition's owner alone calls it, so the lease is the condition."""

    def __init__(self, fast: "asyncpg.Pool[Any]", lease: Lease, tenant_id: TenantId) -> None:
        """Write nothing yet.

        Args:
            fast: the store without waiting for its disk.
            lease: on the organisation's partition.
        """
        self._fast = fast
        self._lease = lease
        self._tenant_id = tenant_id
        self._writing: set[asyncio.Task[None]] = set()

    async def permit(self, call_id: int, priority: Priority) -> StoredPermit:  # noqa: ARG002 - the budget of the owner decided
        """Write an exchange down.

        Raises:
            FencedError: the partition has another owner.
        """
        return StoredPermit(await calls.started(self._fast, self._lease, self._tenant_id, call_id, utc_now()))

    def finished(self, call_id: int, *, day_left: int | None, abandoned: bool) -> None:
        """Write an exchange's end down, in a task: the work on its answer does not wait."""
        # Xero may still be busy with one given up on: whoever takes over must not use its slot yet.
        end = utc_now() + timedelta(seconds=ABANDONED_SECONDS if abandoned else 0)
        task = asyncio.create_task(self._finish(call_id, end, day_left))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def flush(self) -> None:
        """Wait until the ends of all exchanges are written down."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=5)

    async def _finish(self, call_id: int, now: datetime, day_left: int | None) -> None:
        try:
            await calls.finished(self._fast, self._tenant_id, call_id, now)
            if day_left is not None:
                await tenants.day_seen(self._fast, self._tenant_id, day_left, now)
        except STORE_ERRORS:
            return  # left open, it counts for longer: on the safe side
