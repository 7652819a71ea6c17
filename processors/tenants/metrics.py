"""What the tenants' tasks count."""

from enum import StrEnum

from prometheus_client import CollectorRegistry

from processors.heartbeats import Heartbeats
from processors.quarantine.metrics import QuarantineMetrics
from processors.quotas.metrics import QuotaMetrics
from processors.recorder.metrics import RecorderMetrics
from xero_stream.telemetry.metrics import counter


class NeverSeen(StrEnum):
    """How a record that no read ever gave was put aside."""

    ASKED = "asked"  # after its last try
    OVER_BUDGET = "over_budget"  # without it: the hour's calls for such records were used up


class TenantMetrics:
    """Their own, and those of the features below that they report to.

    Attributes:
        heartbeats: signs of life.
        quotas: what calls cost.
        quarantine: what was put aside.
        recorder: what was recorded.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        heartbeats: Heartbeats,
        quotas: QuotaMetrics,
        quarantine: QuarantineMetrics,
        recorder: RecorderMetrics,
    ) -> None:
        self.heartbeats = heartbeats
        self.quotas = quotas
        self.quarantine = quarantine
        self.recorder = recorder
        self._never_seen = counter(
            registry,
            "xero_stream_records_never_seen_total",
            "Records named by events that no read returned and that were quarantined.",
            how=NeverSeen,
        )

    def never_seen(self, how: NeverSeen, count: int = 1) -> None:
        """Records that no read ever gave were put aside."""
        self._never_seen.labels(how).inc(count)
