"""Is this still the log that we read before? Pure.

A topic that was deleted and recreated counts its offsets from zero again. Once it has grown past the offset where we
stopped, nothing but its content shows that the events before that offset were never read.
"""

from collections.abc import Sequence
from hashlib import blake2b

from processors.intake.fold import Arrived


def digest(record: Arrived) -> bytes:
    """What a record is known again by: sixteen bytes of its key and value (each holds a delivery's id and its receipt)."""
    found = blake2b(record.key or b"", digest_size=16)
    found.update(b"\0")
    found.update(record.value)
    return found.digest()


def is_another(records: Sequence[Arrived], expected: int, witness: bytes) -> bool:
    """Whether the record before the first new one is not the one that was taken in last.

    Args:
        records: as read, in offset order, from the one before ``expected`` on where it is still there.
        expected: the first offset not taken in yet.
        witness: :func:`digest` of the record before it, when it was taken in.
    """
    return any(record.offset == expected - 1 and digest(record) != witness for record in records)
