"""What a tenant's jobs work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from processors.recorder.recorder import Recorder
from processors.recorder.scribe import Scribe
from processors.tenants.job import Slot
from processors.tenants.metrics import TenantMetrics
from processors.tenants.services import Memory
from xero_stream.contracts.names import TenantId
from xero_stream.settings.xero import AppTier


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantContext:
    """The same for all jobs of a tenant's task.

    Attributes:
        pool: the store.
        partition: the tenant's.
        tenant_id: whose jobs.
        tier: of the app that it is connected through.
        scribe: has answers recorded.
        recorder: of the partition.
        memory: what outlives the task.
        metrics: what is counted.
        alive: told that the work of a slot makes progress.
    """

    pool: "asyncpg.Pool[Any]"
    partition: int
    tenant_id: TenantId
    tier: AppTier
    scribe: Scribe
    recorder: Recorder
    memory: Memory
    metrics: TenantMetrics
    alive: Callable[[Slot], None]

    @property
    def patience(self) -> timedelta:
        """How long after an event an answer that does not show it is taken for a stale read."""
        return self.recorder.patience
