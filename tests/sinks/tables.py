"""What a sink's table must hold: the simulator's books, scalars to the last digit."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from tests.support.published import Published
from tests.support.servers import run_apart
from xero_stream.contracts.names import EntityName

Row = Mapping[str, Any]


def rows(url: str, table: str) -> dict[str, Row]:
    """A table's rows by id."""

    async def fetch() -> list[Row]:
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(f'SELECT * FROM "{table}"')]
        finally:
            await connection.close()

    found = run_apart(fetch())
    by_id: dict[str, Row] = {row["id"]: row for row in found}
    assert len(by_id) == len(found), "a record has two rows"
    return by_id


def execute(url: str, statement: str) -> None:
    """Run a statement."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    run_apart(run())


def differences(found: Mapping[str, Row], published: Published, entity: EntityName) -> list[str]:
    """How a table differs from the books, one line each; columns that the record lacks are not looked at."""
    wanted = published.rows(entity)
    lines = [f"{record_id} is missing" for record_id in wanted.keys() - found.keys()]
    lines += [f"{record_id} should be gone" for record_id in found.keys() - wanted.keys()]
    for record_id in wanted.keys() & found.keys():
        flat = _flat(wanted[record_id])
        for column, value in found[record_id].items():
            if column in flat and not _same(flat[column], value):
                lines.append(f"{record_id}.{column}: {value!r}, should be {flat[column]!r}")
    return lines


def compared(found: Mapping[str, Row], published: Published, entity: EntityName) -> set[str]:
    """The columns that :func:`differences` compared."""
    columns = {column for row in found.values() for column in row}
    return columns & {column for row in published.rows(entity).values() for column in _flat(row)}


def _flat(record: Row, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}_")
        elif not isinstance(value, list):
            flat[f"{prefix}{name}"] = value
    return flat


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(found, Decimal):
        return isinstance(wanted, int | float | Decimal) and Decimal(str(wanted)) == found
    if isinstance(found, datetime):
        return isinstance(wanted, str) and datetime.fromisoformat(wanted) == found
    return bool(wanted == found)
