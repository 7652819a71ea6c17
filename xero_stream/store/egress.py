"""The table ``egress``: bytes read from Xero, by app, day, organisation and entity. Every statement that writes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from xero_stream.contracts.names import AppName

_ADD = """
INSERT INTO egress AS known (app, day, tenant_id, entity, calls, bytes)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
ON CONFLICT (day, app, tenant_id, entity)
DO UPDATE SET calls = known.calls + excluded.calls, bytes = known.bytes + excluded.bytes
"""

_BILLED = """
SELECT app, day, sum(bytes)::bigint AS bytes FROM egress WHERE day >= $1 AND entity <> ALL($2) GROUP BY app, day
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read from Xero.

    Attributes:
        app: for which app.
        day: when, UTC.
        tenant_id: of which organisation; empty for none.
        entity: what.
        calls: in how many calls.
        bytes: bodies as they came over the wire.
    """

    app: str
    day: date
    tenant_id: str
    entity: str
    calls: int
    bytes: int


async def add(pool: "asyncpg.Pool[Any]", reads: Sequence[Read]) -> None:
    """Add to what was read.

    Args:
        pool: the store.
        reads: no two of the same app, day, organisation and entity.
    """
    columns = zip(*((one.app, one.day, one.tenant_id, one.entity, one.calls, one.bytes) for one in reads), strict=True)
    await pool.execute(_ADD, *(list(column) for column in columns))


async def billed(
    pool: "asyncpg.Pool[Any]", since: date, *, free: Collection[str]
) -> Mapping[AppName, Mapping[date, int]]:
    """Bytes that Xero bills, by app and day.

    Args:
        pool: the store.
        since: the first day.
        free: the entities that are not billed.
    """
    found: dict[AppName, dict[date, int]] = {}
    for row in await pool.fetch(_BILLED, since, list(free)):
        found.setdefault(AppName(row["app"]), {})[row["day"]] = row["bytes"]
    return found


async def forget(pool: "asyncpg.Pool[Any]", before: date) -> None:
    """Forget what was read on earlier days.

    Args:
        pool: the store.
        before: the first day to keep.
    """
    await pool.execute("DELETE FROM egress WHERE day < $1", before)
