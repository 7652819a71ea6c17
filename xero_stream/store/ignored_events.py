"""The table ``ignored_events``: events of entities that are known and not enabled. Every statement that writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.names import EntityName

_COUNT = """
INSERT INTO ignored_events (partition, entity, events, first_at, last_at)
SELECT $1, i.entity, i.events, $4, $4 FROM unnest($2::text[], $3::bigint[]) AS i(entity, events) ORDER BY i.entity
ON CONFLICT (partition, entity) DO UPDATE SET events = ignored_events.events + excluded.events,
    last_at = greatest(ignored_events.last_at, excluded.last_at)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Events of an entity that is known and not enabled.

    Attributes:
        entity: which.
        events: how many.
        last_at: when the last one was received.
    """

    entity: EntityName
    events: int
    last_at: datetime


async def count(
    connection: Any, partition: int, events: Mapping[EntityName, int], received_at: datetime | None
) -> None:
    """Count events of a poll, in the transaction that takes it in.

    Args:
        connection: of that transaction.
        partition: the partition polled.
        events: how many, by entity.
        received_at: latest receipt in the poll.
    """
    await connection.execute(_COUNT, partition, [one.value for one in events], list(events.values()), received_at)


async def forget(connection: Any, entities: Sequence[EntityName]) -> None:
    """A load reads what was ignored of these."""
    await connection.execute(
        "DELETE FROM ignored_events WHERE entity = ANY($1::text[])", [entity.value for entity in entities]
    )


async def ignored(pool: "asyncpg.Pool[Any]") -> list[Ignored]:
    """What was ignored, by entity."""
    rows = await pool.fetch(
        "SELECT entity, sum(events)::bigint AS events, max(last_at) AS last_at FROM ignored_events GROUP BY entity "
        "ORDER BY entity"
    )
    return [Ignored(entity=EntityName(row["entity"]), events=row["events"], last_at=row["last_at"]) for row in rows]
