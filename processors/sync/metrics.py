"""What sync counts."""

from prometheus_client import CollectorRegistry

from processors.incidents import Incident, Incidents
from xero_stream.telemetry.metrics import counter


class SyncMetrics:
    """Events that Xero never delivered."""

    def __init__(self, registry: CollectorRegistry, incidents: Incidents) -> None:
        self._incidents = incidents
        self._missed = counter(
            registry,
            "xero_stream_events_missed_total",
            "Sequence numbers of events that Xero never delivered; catch-up passes were opened.",
        )

    def events_missed(self, count: int) -> None:
        """Xero numbered so many events and never delivered them."""
        self._missed.inc(count)
        self._incidents.now(Incident.EVENTS_MISSED)
