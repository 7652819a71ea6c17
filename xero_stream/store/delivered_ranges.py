"""The table ``delivered_ranges``: numbers of events that came and are not reckoned up yet. Every statement that writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xero_stream.contracts.names import AppName

_ADD = """
INSERT INTO delivered_ranges (app, first, last, received_at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredRange:
    """The numbers of one delivery.

    Attributes:
        app: whose events.
        first: the lowest.
        last: the highest.
        received_at: when the delivery was received.
    """

    app: AppName
    first: int
    last: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRange(DeliveredRange):
    """The same as the table gives it up.

    Attributes:
        noted_at: when it was taken in.
    """

    noted_at: datetime


async def add(connection: Any, ranges: Sequence[DeliveredRange]) -> None:
    """Note the deliveries of a poll, in the transaction that takes it in."""
    await connection.execute(
        _ADD,
        [one.app for one in ranges],
        [one.first for one in ranges],
        [one.last for one in ranges],
        [one.received_at for one in ranges],
    )


async def take(connection: Any) -> list[TakenRange]:
    """Take out what came, in the transaction that reckons it up."""
    rows = await connection.fetch("DELETE FROM delivered_ranges RETURNING app, first, last, noted_at, received_at")
    return [TakenRange(**{**dict(row), "app": AppName(row["app"])}) for row in rows]
