"""Where the relay goes on after a start or a rebuild. Pure.

Two witnesses say what is on Kafka: the offset C that was committed inside the transactions themselves (exact, but Kafka
forgets it when the group is idle for long), and the mark in the store (written after each transaction, so it may lag).
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
    """

    position: int
    store_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """How to go on.

    Attributes:
        after: the last position that is on Kafka.
        went_back_to: set where the store is older than Kafka: the position it has to jump to.
    """

    after: int
    went_back_to: int | None = None


def resume(*, store_id: UUID, last_position: int, mark: int, committed: Committed | None) -> Resume:
    """Decide where to go on.

    Args:
        store_id: our store's identity.
        last_position: the last position our store gave out.
        mark: the last position our store knows to be on Kafka.
        committed: what Kafka says, read after InitProducerId (before it, a commit may still be under way).

    Raises:
        ForeignStoreError: Kafka's offset was written for another store.
    """
    if committed is not None and committed.store_id != store_id:
        raise ForeignStoreError(
            f"the topics of this prefix carry the changes of another store ({committed.store_id}; this one is {store_id}): "
            "set DATABASE_URL back to it, or use a new KAFKA_TOPIC_PREFIX with this store"
        )
    after = max(mark, committed.position if committed else 0)
    if after > last_position:
        return Resume(after=after, went_back_to=after)
    return Resume(after=after)
