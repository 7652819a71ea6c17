"""How records that are due are asked for. Pure.

No fixed delay: the first event goes at once, what arrives meanwhile rides the next call. That works because there is at
most one call in flight per slot (priority and entity): while it is out, events gather.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from processors.tenants.job import Slot
from xero_api.call import Priority
from xero_stream.contracts.names import EntityName
from xero_stream.store.states import Mode

SWEEP_ABOVE = 1
"""More calls by id than this, and one pass since the oldest event is cheaper: it brings 1,000 records a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """A dirty row that is due."""

    record_id: str
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class GetOne:
    """A single GET: the only proof of absence."""

    slot: Slot
    entity: EntityName
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetIds:
    """One call for several ids."""

    slot: Slot
    entity: EntityName
    record_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Pages of everything since the oldest due event."""

    slot: Slot
    entity: EntityName


Read = GetOne | GetIds | Sweep


def plan(
    due: Mapping[EntityName, Sequence[DueRow]],
    *,
    busy: Collection[Slot],
    ids_per_call: Mapping[EntityName, int],
    most: Mapping[Slot, int] | None = None,
) -> list[Read]:
    """Plan the calls that can start now, most urgent first.

    Args:
        due: due dirty rows per entity, oldest first; a list may be cut off, as long as it is longer than a sweep's
            threshold.
        busy: slots with a call in flight.
        ids_per_call: how many ids one call may name; 0 where the entity has no such call.
        most: how many records a slot may ask for by id in one call, where that is fewer.
    """
    reads: list[Read] = []
    for entity, rows in due.items():
        reads += _for_entity(entity, rows, busy=busy, limit=ids_per_call.get(entity, 0), most=most or {})
    return reads


def _for_entity(
    entity: EntityName, rows: Sequence[DueRow], *, busy: Collection[Slot], limit: int, most: Mapping[Slot, int]
) -> list[Read]:
    reads: list[Read] = []
    together = [row for row in rows if row.mode is not Mode.ALONE]
    sweepable = sum(1 for row in rows if row.mode is Mode.ANY)
    slot = Slot(priority=Priority.WEBHOOK, entity=entity)
    if together and slot not in busy:
        at_once = min(limit, most.get(slot, limit))
        if sweepable > SWEEP_ABOVE * max(limit, 1):
            reads.append(Sweep(slot=slot, entity=entity))
        elif len(together) == 1 or at_once <= 1:
            reads.append(GetOne(slot=slot, entity=entity, record_id=together[0].record_id))
        else:
            ids = tuple(row.record_id for row in together[:at_once])
            reads.append(GetIds(slot=slot, entity=entity, record_ids=ids))
    alone = [row for row in rows if row.mode is Mode.ALONE]
    slot = Slot(priority=Priority.WEBHOOK, entity=entity, alone=True)
    if alone and slot not in busy:
        reads.append(GetOne(slot=slot, entity=entity, record_id=alone[0].record_id))
    return reads
