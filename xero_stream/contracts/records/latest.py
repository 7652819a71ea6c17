"""``LatestRecord``: the value on ``records.<entity>``, the compacted topic with the last state of each record."""

from typing import Any

from pydantic import Field

from xero_stream.contracts.records.common import Part


class LatestRecord(Part):
    """The last known state of a record. A deleted record has a tombstone (null) instead."""

    position: int = Field(ge=1)
    """Position of the change that led to this state."""
    partition: int = Field(ge=0)
    """Partition of the tenant."""
    ts_ms: int
    """When we recorded it, epoch milliseconds."""
    version_ts_ms: int | None
    """Xero's UpdatedDateUTC, epoch milliseconds."""
    record: dict[str, Any]
    """The unified record."""
    omitted: list[str] | None = None
    """What was left out because the record would not fit Kafka's message size: ``record.<field>``. Those fields are null, or
    empty where null is not allowed."""
