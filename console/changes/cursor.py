"""The cursor of the feed: a position for each partition, as text. Pure.

``0:152,1:98,2:0`` says that everything up to these positions was seen. A partition's changes are in order, and partitions are not
compared: a change that commits late in one never lies behind the cursor of another.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 16 * 1024
_PLACE = re.compile(r"([0-9]{1,6}):([0-9]{1,19})")
_MOST = 2**63 - 1


class BadCursorError(ValueError):
    """A text that is no cursor of this deployment; the message says why."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader is.

    Attributes:
        positions: the last position seen, by partition.
    """

    positions: Mapping[int, int]

    def at(self, partition: int, position: int) -> "Cursor":
        """The cursor after a change.

        Args:
            partition: its partition.
            position: its position.
        """
        return Cursor({**self.positions, partition: position})

    def __str__(self) -> str:
        """As callers have it."""
        return ",".join(f"{partition}:{position}" for partition, position in sorted(self.positions.items()))


def read(text: str, partitions: int) -> Cursor:
    """Read a cursor.

    Args:
        text: what a caller sent.
        partitions: of the deployment: a cursor has a position for each.

    Raises:
        BadCursorError: it is none.
    """
    if len(text) > LONGEST:
        raise BadCursorError("it is too long")
    positions: dict[int, int] = {}
    for part in text.split(","):
        match = _PLACE.fullmatch(part)
        if match is None:
            raise BadCursorError("it is not a list of PARTITION:POSITION")
        partition, position = int(match[1]), int(match[2])
        if partition in positions:
            raise BadCursorError(f"it names partition {partition} twice")
        if position > _MOST:
            raise BadCursorError(f"no position is as high as {position}")
        positions[partition] = position
    if sorted(positions) != list(range(partitions)):
        raise BadCursorError(f"this deployment has the partitions 0 to {partitions - 1}")
    return Cursor(positions)
