"""What is counted of the quarantine."""

from enum import StrEnum

from prometheus_client import CollectorRegistry

from xero_stream.contracts.dead_letter import Stage
from xero_stream.store.quarantine import Trimmed
from xero_stream.telemetry.metrics import counter


class Trim(StrEnum):
    """What became of an entry of the quarantine that is old, or one too many."""

    RESOLVED = "resolved"  # it was resolved, and is deleted
    EMPTIED = "emptied"  # it is open, and has no bytes any more
    OPEN = "open"  # it was open, and is deleted


class QuarantineMetrics:
    """Entries made by any feature, and entries that retention ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._quarantined = counter(
            registry, "xero_stream_quarantined_total", "Quarantine entries created, by stage.", stage=Stage
        )
        self._trimmed = counter(
            registry,
            "xero_stream_quarantine_trimmed_total",
            "Quarantine entries deleted (resolved, open) or stripped of their bytes (emptied) because of their age or an app's limit.",
            what=Trim,
        )

    def quarantined(self, stage: Stage, count: int = 1) -> None:
        """Something could not be applied."""
        self._quarantined.labels(stage).inc(count)

    def trimmed(self, trimmed: Trimmed) -> None:
        """Old entries, or too many, were deleted or lost their bytes."""
        for what, count in (
            (Trim.RESOLVED, trimmed.resolved),
            (Trim.EMPTIED, trimmed.emptied),
            (Trim.OPEN, trimmed.open),
        ):
            self._trimmed.labels(what).inc(count)
