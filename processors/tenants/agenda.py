"""What an organisation has to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from processors.planner.plan import Due, OpenPass
from xero_api.paging import Keyset, first
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.store import dirty, entity_holds, passes
from xero_stream.store.states import Mode, PassKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a tenant has to do.

    Attributes:
        due: due dirty rows per entity, oldest first.
        passes: due passes.
        holds: kinds of record with a hold; those whose wait is over are tried again, and in ``due`` and ``passes``.
        next_at: when the next thing falls due, or None for nothing more.
    """

    due: Mapping[EntityName, Sequence[Due]]
    passes: Sequence[OpenPass]
    holds: frozenset[EntityName] = frozenset()
    next_at: datetime | None = None


async def agenda(
    pool: "asyncpg.Pool[Any]", partition: int, tenant_id: TenantId, entities: Sequence[EntityName], now: datetime
) -> Agenda:
    """What the tenant has to do now, and when there is more."""
    async with pool.acquire() as connection:
        rows = await dirty.waiting(connection, partition, tenant_id, entities)
        unfinished = await passes.open_of(connection, partition, tenant_id)
        holds = await entity_holds.held_until(connection, tenant_id)
    due: dict[EntityName, list[Due]] = {}
    held = {entity for entity, until in holds.items() if until > now}
    later: list[datetime] = [
        holds[entity] for entity in held & ({row.entity for row in rows} | {one.entity for one in unfinished})
    ]
    for row in rows:
        if row.entity in held:
            continue
        if row.not_before <= now:
            entity = EntityName(row.entity)
            due.setdefault(entity, []).append(Due(record_id=row.record_id, mode=Mode(row.mode)))
        else:
            later.append(row.not_before)
    steps = []
    for one in unfinished:
        if one.entity in held:
            continue
        if one.not_before > now:
            later.append(one.not_before)
        elif one.entity in {e.value for e in entities}:
            steps.append(
                OpenPass(
                    entity=EntityName(one.entity),
                    kind=PassKind(one.kind),
                    place=Keyset.from_json(orjson.loads(one.place)) if one.place else first(one.since),
                    seen=one.seen,
                    generation=one.generation,
                    attempts=one.attempts,
                )
            )
    return Agenda(due=due, passes=steps, holds=frozenset(map(EntityName, holds)), next_at=min(later, default=None))
