"""Gauges that are read from a server on a timer, the same whichever process reads them; and clocks compared with the store's."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from prometheus_client import CollectorRegistry

from processors.heartbeats import Heartbeats
from processors.intake.metrics import IntakeMetrics
from processors.quarantine.metrics import QuarantineMetrics
from processors.sync.metrics import SyncMetrics
from xero_stream.telemetry.computed import Computed, Readings


class Source(StrEnum):
    """A server that gauges are read from."""

    STORE = "store"
    KAFKA = "kafka"


class Clock(StrEnum):
    """A clock that is compared with the store's."""

    MACHINE = "machine"
    KAFKA = "kafka"
    XERO = "xero"


class Standing(StrEnum):
    """A gauge that is read from a server on a timer, the same whichever process reads it."""

    DIRTY = "xero_stream_dirty_records"
    OLDEST_UNSETTLED = "xero_stream_oldest_unsettled_seconds"
    QUARANTINE_OPEN = "xero_stream_quarantine_open"
    PARKED = "xero_stream_parked_tenants"
    SUSPENDED = "xero_stream_suspended_tenants"
    UNCONNECTED = "xero_stream_unconnected_organisations"
    UNCONNECTED_RECORDS = "xero_stream_unconnected_records"
    UNCONNECTED_DROPPED = "xero_stream_unconnected_dropped_age_seconds"
    HELD = "xero_stream_entity_holds"
    LOWEST_DAY = "xero_stream_lowest_day_calls_left"
    RELAY_LAG = "xero_stream_relay_lag_changes"
    RELAY_OLDEST = "xero_stream_relay_oldest_seconds"
    EGRESS_MONTH = "xero_stream_egress_month_bytes"
    EGRESS_FORECAST = "xero_stream_egress_forecast_bytes"
    EGRESS_SHARE = "xero_stream_egress_forecast_ratio"
    INTAKE_LAG = "xero_stream_intake_lag_events"


STANDING: Mapping[Source, Mapping[Standing, str]] = {
    Source.STORE: {
        Standing.DIRTY: "Records marked as changed and not yet settled.",
        Standing.OLDEST_UNSETTLED: "Age of the oldest unsettled event of a connected tenant.",
        Standing.QUARANTINE_OPEN: "Open quarantine entries.",
        Standing.PARKED: "Tenants parked until a limit is reset.",
        Standing.SUSPENDED: "Tenants that wait for an operator.",
        Standing.UNCONNECTED: "Organisations that are not connected and that Xero sends events of.",
        Standing.UNCONNECTED_RECORDS: "Dirty records of organisations that are not connected.",
        Standing.UNCONNECTED_DROPPED: "Seconds since an event of such an organisation was dropped; absent if none was.",
        Standing.HELD: "Entities of an organisation that are held or keep failing.",
        Standing.LOWEST_DAY: "Calls left today for the tenant that has fewest; absent if none made a call today.",
        Standing.RELAY_LAG: "Recorded changes that are not on Kafka yet, over all partitions.",
        Standing.RELAY_OLDEST: "Age of the oldest recorded change that is not on Kafka yet; 0 if there is none.",
        Standing.EGRESS_MONTH: "Billable bytes read from Xero this month, over all apps.",
        Standing.EGRESS_FORECAST: "Forecast of the bytes of this month, over all apps.",
        Standing.EGRESS_SHARE: "Forecast of this month's bytes as a share of what the app's tier includes; the highest of all apps. Above 1 costs extra.",
    },
    Source.KAFKA: {
        Standing.INTAKE_LAG: "Webhook events on Kafka that intake has not read yet, over all partitions.",
    },
}


class MaintenanceMetrics:
    """What the servers said, and the metrics of the features that maintenance works for.

    Attributes:
        heartbeats: signs of life.
        intake: events.
        sync: events that never came.
        quarantine: what was put aside.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        clock: Callable[[], float],
        *,
        heartbeats: Heartbeats,
        intake: IntakeMetrics,
        sync: SyncMetrics,
        quarantine: QuarantineMetrics,
    ) -> None:
        self.heartbeats = heartbeats
        self.intake = intake
        self.sync = sync
        self.quarantine = quarantine
        self._readings = Readings(registry, clock, Source)
        for source, gauges in STANDING.items():
            for name, meaning in gauges.items():
                self._readings.gauge(source, name, meaning)
        self._clocks: Mapping[Clock, Callable[[], float | None]] = {}
        Computed(
            registry,
            "xero_stream_clock_difference_seconds",
            "By how much a clock is ahead of the store's: this machine's, the Kafka broker's, Xero's; absent until it was seen.",
            self._differences,
            label="clock",
        )

    def stands(self, source: Source, numbers: Mapping[Standing, float | None]) -> None:
        """A server was read on a timer; a gauge without a number is left out."""
        self._readings.read(source, {str(name): number for name, number in numbers.items()})

    def compare_clocks(self, clocks: Mapping[Clock, Callable[[], float | None]]) -> None:
        """Show by how much each of these is ahead of the store's; a clock that was not seen yet says None."""
        self._clocks = clocks

    def _differences(self) -> dict[str, float]:
        found = {clock: ahead() for clock, ahead in self._clocks.items()}
        return {str(clock): ahead for clock, ahead in found.items() if ahead is not None}
