"""What the tasks of all tenants share, and what outlives one tenant's task."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from processors.recorder.amounts import Amounts
from processors.recorder.policy import FieldPolicy
from processors.tenants.app_holds import AppHolds
from processors.tenants.metrics import TenantMetrics
from processors.tenants.room import Room
from processors.tenants.unseen import UnseenCalls
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import TenantBudget
from xero_api.client import XeroClient
from xero_api.registry import by_name
from xero_api.scopes import open_to
from xero_stream.contracts.names import AppName, EntityName
from xero_stream.settings.xero import AppTier


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerServices:
    """What all tenants' tasks of a process share.

    Attributes:
        pool: the store.
        fast: the store without waiting for its disk: the ledger of calls.
        client: Xero.
        entities: the enabled ones; an app reads those its tier includes (:meth:`entities_of`).
        tier_of: an app's tier.
        room: for answers, until they are recorded.
        app_holds: apps that Xero refuses as a whole.
        app_minute_of: our part of an app's calls a minute, shared by its tenants in this process.
        keep_raw: publish Xero's own JSON too.
        policy: what of the records must not be passed on.
        amounts: how amounts are written.
        http_timeout: seconds a call may take.
        metrics: what is counted.
    """

    pool: "asyncpg.Pool[Any]"
    fast: "asyncpg.Pool[Any]"
    client: XeroClient
    entities: Sequence[EntityName]
    tier_of: Callable[[AppName], AppTier]
    room: Room
    app_holds: AppHolds
    app_minute_of: Callable[[AppName], Awaitable[Minute]]
    keep_raw: bool
    policy: FieldPolicy
    amounts: Amounts
    http_timeout: float
    metrics: TenantMetrics

    def entities_of(self, app: AppName) -> tuple[EntityName, ...]:
        """The enabled entities that an app may read.

        Args:
            app: which.
        """
        return tuple(row.name for row in open_to(self.tier_of(app), map(by_name, self.entities)))


@dataclass(slots=True, kw_only=True)
class Memory:
    """What outlives a tenant's task, while the lease is ours.

    Attributes:
        budget: what may still be called.
        last_for_events: monotonic seconds of the last call for events.
        day_told_at: monotonic seconds when it was last said that the day's calls will not last.
        listed_at: monotonic seconds when Xero last listed the organisation among the connections.
        unseen: calls of this hour for records never seen.
        ended: holds of kinds of record that a call ended: how often in a row it had been refused, and when that was.
    """

    budget: TenantBudget
    last_for_events: float = -math.inf
    day_told_at: float = -math.inf
    listed_at: float = -math.inf
    unseen: UnseenCalls = field(default_factory=UnseenCalls)
    ended: dict[EntityName, tuple[int, float]] = field(default_factory=dict)
