"""Which pass reads its next page. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from processors.tenants.job import Slot
from xero_api.call import Priority
from xero_api.passes import Place
from xero_stream.contracts.names import EntityName
from xero_stream.store.states import PassKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPass:
    """A pass that is due.

    Attributes:
        place: where the next page is.
        seen: records read so far.
        generation: how often it was started again.
        attempts: failures in a row.
    """

    entity: EntityName
    kind: PassKind
    place: Place
    seen: int = 0
    generation: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PassPage:
    """The next page of a pass."""

    slot: Slot
    step: OpenPass

    @property
    def entity(self) -> EntityName:
        """What is read."""
        return self.step.entity


def plan(
    passes: Sequence[OpenPass], *, busy: Collection[Slot], turns: Mapping[tuple[PassKind, EntityName], int]
) -> list[PassPage]:
    """Plan the pages that can be asked for now, most urgent first.

    Args:
        passes: due passes.
        busy: slots with a call in flight.
        turns: when each pass had its last turn, by any count; those that had none come first.
    """
    pages: list[PassPage] = []
    for kind, priority in ((PassKind.CATCH_UP, Priority.POLL), (PassKind.BACKFILL, Priority.BACKFILL)):
        # One at a time over all entities: a load must leave slots for what is fresh. They take turns, so that one that fails,
        # or takes long to, delays each of the others by a call at most.
        slot = Slot(priority=priority, entity=None)
        of_kind = (step for step in passes if step.kind is kind)
        step = min(of_kind, key=lambda step: turns.get((step.kind, step.entity), 0), default=None)
        if step is not None and slot not in busy:
            pages.append(PassPage(slot=slot, step=step))
    return pages
