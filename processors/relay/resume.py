"""Where the relay goes on after a start or a rebuild, and whether the store is older than Kafka. Pure.

Three witnesses say what is on Kafka: the offset C that was committed inside the transactions themselves (exact, but Kafka
forgets it when the group is idle for long), the mark in the store (written after each transaction, so it may lag), and,
where C is absent, the positions of the last changes on Kafka.

The mark can be ahead of C: after a broker's crash the group's coordinator may answer with an offset that was committed
before. What is known of the change at C says nothing about the change at the mark then.

C's metadata names the store and when the change at C was recorded. A store that lost its tail and has given out the same
positions again has another change there.
"""

from dataclasses import dataclass
from uuid import UUID


class ForeignStoreError(Exception):
    """The topics carry another store's positions; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The offset of the relay's group.

    Attributes:
        position: C.
        store_id: from its metadata; None where it has none.
        stamp: from its metadata: when the change at C was recorded, in microseconds since 1970; None where it has none.
    """

    position: int
    store_id: UUID | None
    stamp: int | None = None

    @property
    def metadata(self) -> str:
        """What is committed beside the position."""
        return str(self.store_id) if self.stamp is None else f"{self.store_id} {self.stamp}"


def committed_offset(found: tuple[int, str] | None) -> Committed | None:
    """The relay group's offset as a value.

    Args:
        found: position and metadata.
    """
    if found is None:
        return None
    position, metadata = found
    store_id, _, stamp = metadata.partition(" ")
    try:
        return Committed(position=position, store_id=UUID(store_id), stamp=int(stamp) if stamp else None)
    except ValueError:
        return Committed(position=position, store_id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """How to go on.

    Attributes:
        after: the last position that is on Kafka.
        rolled_back: whether the store is older than Kafka, or has gone on from an older state.
        stamp: when the change there was recorded, as far as known.
    """

    after: int
    rolled_back: bool = False
    stamp: int | None = None


def check_owner(store_id: UUID, committed: Committed | None) -> None:
    """Refuse topics of another store.

    Args:
        store_id: our store's identity.
        committed: what Kafka says.

    Raises:
        ForeignStoreError: Kafka's offset was written for another store.
    """
    if committed is not None and committed.store_id != store_id:
        raise ForeignStoreError(
            f"the topics of this prefix carry the changes of another store ({committed.store_id}; this one is {store_id}): "
            "set DATABASE_URL back to it, or use a new KAFKA_TOPIC_PREFIX with this store"
        )


def resume(*, reached: int, committed: Committed | None, last_position: int, mark: int, stamp: int | None) -> Resume:
    """Decide where to go on.

    Args:
        reached: the last position that Kafka says it has, from C or from its last changes.
        committed: the offset, read after InitProducerId (before it, a commit may still be under way).
        last_position: the last position our store gave out.
        mark: the last position our store knows to be on Kafka.
        stamp: when our store recorded the change at ``reached``; None where it has none there.
    """
    after = max(mark, reached)
    stored = stamp if after == reached else None
    known = committed.stamp if committed is not None and committed.position == after else None
    if after > last_position or is_another(stored, known):
        return Resume(after=after, rolled_back=True, stamp=known)
    return Resume(after=after, stamp=known if stored is None else stored)


def is_another(stamp: int | None, published: int | None) -> bool:
    """Whether the store's change at a position is another one than that which was published there.

    Args:
        stamp: when the store's was recorded; None where it has none there (any more).
        published: when the published one was recorded; None where that is not known.
    """
    return stamp is not None and published is not None and stamp != published
