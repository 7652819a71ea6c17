"""What is counted of partitions: leases, and how many this process works on."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry

from processors.heartbeats import Heartbeats
from processors.intake.metrics import IntakeMetrics
from processors.quarantine.metrics import QuarantineMetrics
from processors.relay.metrics import RelayMetrics
from xero_stream.telemetry.metrics import counter, gauge


class LeaseChange(StrEnum):
    """What happened to a lease."""

    TAKEN = "taken"
    RELEASED = "released"
    FENCED = "fenced"


class PartitionMetrics:
    """Their own, and those of the features that a partition's worker is made of.

    Attributes:
        heartbeats: signs of life.
        intake: events.
        relay: changes on Kafka.
        quarantine: what was put aside.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        heartbeats: Heartbeats,
        intake: IntakeMetrics,
        relay: RelayMetrics,
        quarantine: QuarantineMetrics,
    ) -> None:
        self.heartbeats = heartbeats
        self.intake = intake
        self.relay = relay
        self.quarantine = quarantine
        self._leases = counter(registry, "xero_stream_lease_changes_total", "Leases on partitions.", change=LeaseChange)
        self._count_owned: Callable[[], int] = int
        gauge(registry, "xero_stream_partitions_owned", "Partitions this process works on.").set_function(
            lambda: float(self._count_owned())
        )
        self._partitions = gauge(registry, "xero_stream_partitions", "Partitions of the deployment.")

    def lease(self, change: LeaseChange) -> None:
        """A lease changed hands."""
        self._leases.labels(change).inc()

    def deployed(self, partitions: int) -> None:
        """The deployment has so many partitions."""
        self._partitions.set(partitions)

    def count_owned(self, count: Callable[[], int]) -> None:
        """Ask this for how many partitions we work on."""
        self._count_owned = count
