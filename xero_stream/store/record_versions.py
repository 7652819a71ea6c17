"""The table ``record_versions``: the history of records. Every statement that writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

_ADD = """
INSERT INTO record_versions (tenant_id, entity, record_id, position, op, version_at, recorded_at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A state of a record; the fields are the table's columns, in their order.

    Attributes:
        op: of the change that made it.
        version_at: Xero's stamp.
        body: the unified record; None: it is gone.
    """

    tenant_id: str
    entity: str
    record_id: str
    position: int
    op: str
    version_at: datetime | None
    recorded_at: datetime
    body: bytes | None


_COLUMNS = attrgetter(*VersionRow.__dataclass_fields__)


async def add(connection: Any, rows: Sequence[VersionRow]) -> None:
    """Insert states."""
    await connection.executemany(_ADD, map(_COLUMNS, rows))


async def drop_after(connection: Any, partition: int, position: int) -> None:
    """Forget states that were recorded behind a position and never published."""
    await connection.execute(
        "DELETE FROM record_versions v USING tenants t "
        "WHERE v.tenant_id = t.tenant_id AND t.partition = $1 AND v.position > $2",
        partition,
        position,
    )
