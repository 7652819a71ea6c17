"""The broker's clock, as acknowledgements show it. Pure."""

from typing import Any

_LOG_APPEND_TIME = 1


def append_time(acknowledged: Any) -> float | None:
    """When the broker appended a record, Unix time of its clock; None where the answer does not say so.

    Args:
        acknowledged: aiokafka's ``RecordMetadata``. It has no such time for a batch that the broker knew already, and for a
            topic that lets producers stamp records.
    """
    if acknowledged is None or acknowledged.timestamp_type != _LOG_APPEND_TIME:
        return None
    return float(acknowledged.timestamp) / 1000
