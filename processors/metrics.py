"""The processors' metrics: each feature's own class, on one registry."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from processors.heartbeats import Heartbeats
from processors.incidents import Incidents
from processors.intake.metrics import IntakeMetrics
from processors.maintenance.metrics import MaintenanceMetrics
from processors.partitions.metrics import PartitionMetrics
from processors.quarantine.metrics import QuarantineMetrics
from processors.quotas.metrics import QuotaMetrics
from processors.recorder.metrics import RecorderMetrics
from processors.relay.metrics import RelayMetrics
from processors.sync.metrics import SyncMetrics
from processors.tenants.metrics import TenantMetrics
from xero_stream.telemetry.watchdog import Watchdog


class ProcessorMetrics:
    """One attribute per feature."""

    def __init__(
        self,
        registry: CollectorRegistry,
        watchdog: Watchdog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        incidents = Incidents(registry, clock)
        self.heartbeats = Heartbeats(watchdog, clock)
        self.quarantine = QuarantineMetrics(registry)
        self.intake = IntakeMetrics(registry, clock, incidents)
        self.quotas = QuotaMetrics(registry, clock)
        self.recorder = RecorderMetrics(registry, self.quarantine)
        self.relay = RelayMetrics(registry, clock, incidents, self.heartbeats)
        self.sync = SyncMetrics(registry, incidents)
        self.tenants = TenantMetrics(
            registry,
            heartbeats=self.heartbeats,
            quotas=self.quotas,
            quarantine=self.quarantine,
            recorder=self.recorder,
        )
        self.partitions = PartitionMetrics(
            registry,
            heartbeats=self.heartbeats,
            intake=self.intake,
            relay=self.relay,
            quarantine=self.quarantine,
        )
        self.maintenance = MaintenanceMetrics(
            registry,
            clock,
            heartbeats=self.heartbeats,
            intake=self.intake,
            sync=self.sync,
            quarantine=self.quarantine,
        )
