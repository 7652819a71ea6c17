"""What happens rarely and an operator should know of: how long ago each kind last happened in this process."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry

from xero_stream.telemetry.computed import Ages


class Incident(StrEnum):
    """Something that happens rarely, and that an operator should know of."""

    EVENTS_LOST = "events_lost"
    EVENTS_MISSED = "events_missed"
    STORE_ROLLED_BACK = "store_rolled_back"
    TOPICS_EMPTIED = "topics_emptied"


class Incidents:
    """The age of the last incident of each kind; the features report them."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        self._ages = Ages(
            registry,
            clock,
            "xero_stream_incident_age_seconds",
            f"Seconds since the last incident of a kind in this process ({', '.join(Incident)}); absent before the first.",
            label="incident",
        )

    def now(self, incident: Incident) -> None:
        """An incident happened."""
        self._ages.now(incident)
