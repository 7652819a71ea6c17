"""What intake counts."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from prometheus_client import CollectorRegistry

from processors.incidents import Incident, Incidents
from processors.intake.fold import Refusal
from processors.intake.stuck import Stuck
from xero_stream.telemetry.computed import Computed
from xero_stream.telemetry.metrics import counter, histogram


class Ignoring(StrEnum):
    """Why an event is not read."""

    DISABLED = "disabled"  # its entity is known, and not in XERO_STREAM_ENTITIES
    UNKNOWN = "unknown"  # we have no records of its category


class IntakeMetrics:
    """Events taken in, ignored, refused, lost, and those that wait."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float], incidents: Incidents) -> None:
        self._clock = clock
        self._incidents = incidents
        self._events = counter(registry, "xero_stream_events_total", "Webhook events read by intake.")
        self._ignored = counter(
            registry,
            "xero_stream_events_ignored_total",
            "Webhook events that are not read: of an entity that is not enabled, or of a category without records.",
            reason=Ignoring,
        )
        self._refused = counter(
            registry,
            "xero_stream_events_refused_total",
            "Records of webhook-events that were quarantined, by reason.",
            reason=Refusal,
        )
        self._marked = counter(registry, "xero_stream_records_marked_total", "Records marked as changed by events.")
        self._intake = histogram(
            registry, "xero_stream_intake_seconds", "Time to write a poll of events and its offset to the store."
        )
        self._unconnected_dropped = counter(
            registry,
            "xero_stream_unconnected_dropped_events_total",
            "Events of organisations that are not connected that were dropped because the limit of waiting records was reached.",
        )
        self._unconnected_expired = counter(
            registry,
            "xero_stream_unconnected_expired_records_total",
            "Marks of records of organisations that are not connected that expired.",
        )
        self._lost = counter(
            registry,
            "xero_stream_events_lost_total",
            "Times Kafka deleted events before intake read them; catch-up passes were opened.",
        )
        self._stuck = Stuck()
        Computed(
            registry,
            "xero_stream_intake_stuck_seconds",
            "Seconds for which events have waited on Kafka while intake read none; the partition that has waited longest.",
            lambda: {"": self._stuck.longest(clock())},
        )

    def events_taken_in(self, events: int, marked: int, seconds: float) -> None:
        """A poll was written."""
        self._events.inc(events)
        self._marked.inc(marked)
        self._intake.observe(seconds)

    def events_ignored(self, reason: Ignoring, count: int) -> None:
        """So many events are not read."""
        self._ignored.labels(reason).inc(count)

    def events_refused(self, reasons: Mapping[Refusal, int]) -> None:
        """So many records of a poll went into quarantine."""
        for reason, count in reasons.items():
            self._refused.labels(reason).inc(count)

    def events_lost(self) -> None:
        """Kafka no longer has what we have not read."""
        self._lost.inc()
        self._incidents.now(Incident.EVENTS_LOST)

    def unconnected_dropped(self, events: int) -> None:
        """So many events of organisations that are not connected marked nothing."""
        self._unconnected_dropped.inc(events)

    def unconnected_expired(self, records: int) -> None:
        """So many records of organisations that are not connected are marked no more."""
        self._unconnected_expired.inc(records)

    def stands(self, places: Mapping[int, tuple[int, int]]) -> None:
        """Where intake and topic are in each partition: the next offset to take in, and the end."""
        self._stuck.look(places, self._clock())
