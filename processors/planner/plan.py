"""Which calls to make next for a tenant. Pure.

No fixed delay: the first event goes at once, what arrives meanwhile rides the next call. That works because there is at
most one call in flight per slot (priority and entity): while it is out, events gather.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from xero_api.call import Priority
from xero_api.paging import Keyset
from xero_stream.contracts.names import EntityName
from xero_stream.store.states import Mode, PassKind

SWEEP_ABOVE = 1
"""More calls by id than this, and one pass since the oldest event is cheaper: it brings 1,000 records a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What at most one call at a time is made for."""

    priority: Priority
    entity: EntityName | None
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A dirty row that is due."""

    record_id: str
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPass:
    """A pass that is due.

    Attributes:
        place: where the next page is.
        seen: records read so far.
        generation: how often it was begun anew.
        attempts: failures in a row.
    """

    entity: EntityName
    kind: PassKind
    place: Keyset
    seen: int = 0
    generation: int = 0
    attempts: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PassPage:
    """The next page of a pass."""

    slot: Slot
    step: OpenPass

    @property
    def entity(self) -> EntityName:
        """What is read."""
        return self.step.entity


Work = GetOne | GetIds | Sweep | PassPage


def plan(
    due: Mapping[EntityName, Sequence[Due]],
    passes: Sequence[OpenPass],
    *,
    busy: Collection[Slot],
    ids_per_call: Mapping[EntityName, int],
    most: Mapping[Slot, int] | None = None,
    turns: Mapping[tuple[PassKind, EntityName], int] | None = None,
) -> list[Work]:
    """Plan the calls that can start now, most urgent first.

    Args:
        due: due dirty rows per entity, oldest first; a list may be cut off, as long as it is longer than a sweep's
            threshold.
        passes: due passes.
        busy: slots with a call in flight.
        ids_per_call: how many ids one call may name; 0 where the entity has no such call.
        most: how many records a slot may ask for by id in one call, where that is fewer.
        turns: when each pass had its last turn, by any count; those that had none come first.
    """
    work: list[Work] = []
    for entity, rows in due.items():
        work += _for_entity(entity, rows, busy=busy, limit=ids_per_call.get(entity, 0), most=most or {})
    return work + _for_passes(passes, busy=busy, turns=turns or {})


def _for_entity(
    entity: EntityName, rows: Sequence[Due], *, busy: Collection[Slot], limit: int, most: Mapping[Slot, int]
) -> list[Work]:
    work: list[Work] = []
    together = [row for row in rows if row.mode is not Mode.ALONE]
    sweepable = sum(1 for row in rows if row.mode is Mode.ANY)
    slot = Slot(priority=Priority.WEBHOOK, entity=entity)
    if together and slot not in busy:
        at_once = min(limit, most.get(slot, limit))
        if sweepable > SWEEP_ABOVE * max(limit, 1):
            work.append(Sweep(slot=slot, entity=entity))
        elif len(together) == 1 or at_once <= 1:
            work.append(GetOne(slot=slot, entity=entity, record_id=together[0].record_id))
        else:
            ids = tuple(row.record_id for row in together[:at_once])
            work.append(GetIds(slot=slot, entity=entity, record_ids=ids))
    alone = [row for row in rows if row.mode is Mode.ALONE]
    slot = Slot(priority=Priority.WEBHOOK, entity=entity, alone=True)
    if alone and slot not in busy:
        work.append(GetOne(slot=slot, entity=entity, record_id=alone[0].record_id))
    return work


def _for_passes(
    passes: Sequence[OpenPass], *, busy: Collection[Slot], turns: Mapping[tuple[PassKind, EntityName], int]
) -> list[Work]:
    work: list[Work] = []
    for kind, priority in ((PassKind.CATCH_UP, Priority.POLL), (PassKind.BACKFILL, Priority.BACKFILL)):
        # One at a time over all entities: a load must leave slots for what is fresh. They take turns, so that one that fails,
        # or takes long to, delays each of the others by a call at most.
        slot = Slot(priority=priority, entity=None)
        of_kind = (step for step in passes if step.kind is kind)
        step = min(of_kind, key=lambda step: turns.get((step.kind, step.entity), 0), default=None)
        if step is not None and slot not in busy:
            work.append(PassPage(slot=slot, step=step))
    return work
