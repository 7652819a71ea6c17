"""What an organisation has to do, as its kinds of job say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from processors.tenants.job import Job, JobKind, Look, Slot
from xero_api.call import Priority
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store import entity_holds

_URGENCY = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a tenant has to do.

    Attributes:
        jobs: those that can start now, most urgent first.
        holds: kinds of record with a hold; those whose wait is over are tried again.
        next_at: when the next thing falls due, or None for nothing more.
    """

    jobs: Sequence[Job]
    holds: frozenset[EntityName] = frozenset()
    next_at: datetime | None = None


async def agenda(
    pool: "asyncpg.Pool[Any]",
    partition: int,
    tenant_id: TenantId,
    entities: Sequence[EntityName],
    now: datetime,
    *,
    kinds: Sequence[JobKind],
    busy: Collection[Slot] = (),
    most: Mapping[Slot, int] | None = None,
) -> Agenda:
    """What the tenant has to do now, and when there is more.

    Args:
        pool: the store.
        partition: the tenant's.
        tenant_id: the tenant.
        entities: what may be read of it.
        now: the store's time.
        kinds: asked in this order; jobs of the same priority stay in it.
        busy: slots with a call in flight, or that wait.
        most: how many records a slot may ask for in one call, where that is fewer than usual.
    """
    async with pool.acquire() as connection:
        holds = {
            EntityName(name): until for name, until in (await entity_holds.held_until(connection, tenant_id)).items()
        }
        look = Look(
            connection=connection,
            partition=partition,
            tenant_id=tenant_id,
            entities=entities,
            now=now,
            held={entity: until for entity, until in holds.items() if until > now},
            busy=busy,
            most=most or {},
        )
        found = [await kind.due(look) for kind in kinds]
    jobs = sorted((job for due in found for job in due.jobs), key=lambda job: _URGENCY[job.slot.priority])
    next_at = min((due.next_at for due in found if due.next_at is not None), default=None)
    return Agenda(jobs=jobs, holds=frozenset(holds), next_at=next_at)
