"""The table ``sequences``: which numbers of an app's events came. Every statement that writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from xero_stream.contracts.names import AppName

_KEEP = (
    "INSERT INTO sequences (app, settled, settled_at, islands, lost_since) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (app) DO UPDATE SET settled = $2, settled_at = $3, islands = $4, lost_since = $5"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRow:
    """What is known of an app's numbers.

    Attributes:
        app: which.
        settled: every number up to here came, or was given up.
        settled_at: when the delivery that brought it was received.
        islands: first, last, and Unix times of noting and receipt of each range that came beyond.
        lost_since: records changed since then may have been missed.
        healed_at: when that was last done something about; not written by :func:`keep`.
    """

    app: AppName
    settled: int
    settled_at: datetime
    islands: Sequence[tuple[int, int, float, float]]
    lost_since: datetime | None
    healed_at: datetime | None = None


async def sequences(connection: Any) -> list[SequenceRow]:
    """Every app's."""
    rows = await connection.fetch("SELECT app, settled, settled_at, islands, lost_since, healed_at FROM sequences")
    return [
        SequenceRow(
            app=AppName(row["app"]),
            settled=row["settled"],
            settled_at=row["settled_at"],
            islands=[(first, last, noted, received) for first, last, noted, received in orjson.loads(row["islands"])],
            lost_since=row["lost_since"],
            healed_at=row["healed_at"],
        )
        for row in rows
    ]


async def keep(connection: Any, row: SequenceRow) -> None:
    """Write an app's numbers."""
    await connection.execute(
        _KEEP, row.app, row.settled, row.settled_at, orjson.dumps([list(one) for one in row.islands]), row.lost_since
    )


async def healed(connection: Any, app: AppName, now: datetime) -> None:
    """What was lost is read again."""
    await connection.execute("UPDATE sequences SET lost_since = NULL, healed_at = $2 WHERE app = $1", app, now)
