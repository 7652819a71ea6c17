"""Which of two reads of a record is the newer. Pure: the rule that makes duplicates, reordering and replays converge."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """How new a read is.

    Attributes:
        updated_at: V, Xero's UpdatedDateUTC; None where the entity has none (or the record is gone without one).
        read_at: S, Xero's clock when the request was sent.
    """

    updated_at: datetime | None
    read_at: datetime


class Order(StrEnum):
    """How a read compares with what is stored."""

    NEWER = "newer"
    OLDER = "older"
    UNCERTAIN = "uncertain"  # same stamp and not read later: either may be the newer


def compare(stored: Version | None, read: Version, *, tombstone: bool = False) -> Order:
    """Compare (V, S).

    Args:
        stored: what the store has; None for nothing.
        tombstone: whether what is stored is a tombstone: only a later S revives it, whatever V says.

    Returns:
        NEWER: apply it. OLDER: discard it. UNCERTAIN: apply only if nothing differs, else read again.
    """
    if stored is None:
        return Order.NEWER
    if stored.updated_at is not None and read.updated_at is not None:
        if read.updated_at < stored.updated_at:
            return Order.OLDER
        if read.updated_at > stored.updated_at and not tombstone:
            return Order.NEWER
    return Order.NEWER if read.read_at > stored.read_at else Order.UNCERTAIN
