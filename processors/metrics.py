"""What the processors count. One class, one verb per measurement, on an injected registry."""

import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry

from processors.fetch.judge import Verdict
from processors.recorder.recorder import Recorded
from processors.tenants.watchdog import Watchdog
from xero_api.budget.day import DAY_SECONDS
from xero_api.call import CallRecord, Lane, Outcome
from xero_stream.contracts.change_event import Op
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.telemetry.metrics import counter, gauge, histogram

WAITS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

_DAY_FORGOTTEN_SECONDS = 3600.0


class LeaseChange(StrEnum):
    """What happened to a lease."""

    TAKEN = "taken"
    RELEASED = "released"
    FENCED = "fenced"


class ProcessorMetrics:
    """The processors' metrics; also the relay's observer."""

    def __init__(
        self,
        registry: CollectorRegistry,
        watchdog: Watchdog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watchdog = watchdog or Watchdog()
        self._clock = clock
        self._events = counter(registry, "xero_stream_events_total", "Webhook events taken in.")
        self._ignored = counter(
            registry, "xero_stream_events_ignored_total", "Webhook events of categories that are not processed."
        )
        self._marked = counter(registry, "xero_stream_records_marked_total", "Records marked as changed by events.")
        self._intake = histogram(
            registry, "xero_stream_intake_seconds", "Time to write a poll of events and its offset to the store."
        )
        self._calls = counter(
            registry,
            "xero_stream_xero_calls_total",
            "Calls to Xero, by lane and outcome.",
            lane=Lane,
            outcome=Outcome,
        )
        self._call_seconds = histogram(
            registry,
            "xero_stream_xero_call_seconds",
            "Time of a call to Xero, from sending to the complete answer.",
            buckets=WAITS,
            lane=Lane,
        )
        self._call_bytes = counter(
            registry,
            "xero_stream_xero_received_bytes_total",
            "Bytes received from Xero (it bills them), by lane.",
            lane=Lane,
        )
        self._changes = counter(
            registry, "xero_stream_changes_total", "Changes recorded, by operation.", entity=EntityName, op=Op
        )
        self._omitted = counter(
            registry, "xero_stream_changes_shortened_total", "Changes that left something out because of their size."
        )
        self._verdicts = counter(
            registry, "xero_stream_reads_judged_total", "What reads of marked records led to.", verdict=Verdict
        )
        self._freshness = histogram(
            registry,
            "xero_stream_event_to_record_seconds",
            "Time from the receipt of a record's first unsettled event until it is settled.",
            buckets=WAITS,
        )
        self._recorded = histogram(registry, "xero_stream_recorder_seconds", "Time of one recorder transaction.")
        self._relayed = counter(registry, "xero_stream_relayed_changes_total", "Changes published to Kafka.")
        self._relay_seconds = histogram(registry, "xero_stream_relay_seconds", "Time of one Kafka transaction.")
        self._relay_rebuilds = counter(
            registry, "xero_stream_relay_rebuilds_total", "Transactional producers thrown away and made anew."
        )
        self._behind: dict[int, int] = {}
        gauge(registry, "xero_stream_relay_lag_changes", "Recorded changes that are not on Kafka yet.").set_function(
            lambda: float(sum(self._behind.values()))
        )
        self._went_back = counter(
            registry,
            "xero_stream_store_went_back_total",
            "Times the store was found older than Kafka (a restored backup).",
        )
        self._emptied = counter(
            registry,
            "xero_stream_topics_emptied_total",
            "Times all changes of an entity were gone from Kafka; its records were loaded again.",
        )
        self._lost = counter(
            registry,
            "xero_stream_events_lost_total",
            "Times Kafka no longer had events that were not taken in; catch-up passes were opened.",
        )
        self._missed = counter(
            registry,
            "xero_stream_events_missed_total",
            "Events that Xero numbered and never delivered; catch-up passes were opened.",
        )
        self._leases = counter(registry, "xero_stream_lease_changes_total", "Leases on partitions.", change=LeaseChange)
        self._owned = gauge(registry, "xero_stream_partitions_owned", "Partitions this process works on.")
        self._partitions = gauge(registry, "xero_stream_partitions", "Partitions the deployment has.")
        self._quarantined = counter(
            registry, "xero_stream_quarantined_total", "What was put into quarantine.", stage=Stage
        )
        self.dirty = gauge(registry, "xero_stream_dirty_records", "Records marked as changed and not yet settled.")
        self.oldest = gauge(
            registry, "xero_stream_oldest_unsettled_seconds", "Age of the oldest unsettled event of a connected tenant."
        )
        self.quarantine_open = gauge(registry, "xero_stream_quarantine_open", "Open quarantine entries.")
        self.parked = gauge(registry, "xero_stream_parked_tenants", "Tenants that wait for a limit to pass.")
        self.suspended = gauge(registry, "xero_stream_suspended_tenants", "Tenants that wait for a human.")
        self.lowest_day = gauge(
            registry, "xero_stream_lowest_day_calls_left", "Calls left today for the tenant that has fewest."
        )

        self._minutes: dict[AppName, tuple[int, int]] = {}
        gauge(
            registry, "xero_stream_app_minute_held_calls", "Calls a minute of the apps' 10,000 that this process holds."
        ).set_function(lambda: float(sum(held for held, _ in self._minutes.values())))
        gauge(
            registry, "xero_stream_app_minute_used_calls", "Of those, the calls that count at the moment."
        ).set_function(lambda: float(sum(used for _, used in self._minutes.values())))
        self._short = counter(
            registry,
            "xero_stream_app_minute_short_total",
            "Times this process got fewer calls of an app's minute than it asked for.",
        )
        self._day_lasts: dict[TenantId, tuple[float, float]] = {}
        gauge(
            registry,
            "xero_stream_day_budget_lasts_seconds",
            "How long the day's calls last at the present pace, for the tenant of this process that runs out first; "
            "86400: a day or longer.",
        ).set_function(self._shortest_day)
        self._egress = gauge(
            registry, "xero_stream_egress_month_bytes", "Bytes read from Xero this month that it bills, over all apps."
        )
        self._egress_forecast = gauge(
            registry, "xero_stream_egress_forecast_bytes", "What the month will come to, over all apps."
        )
        self._egress_share = gauge(
            registry,
            "xero_stream_egress_forecast_ratio",
            "What the month will come to, of what the app's tier includes; the worst app. Above 1 costs extra.",
        )

    def batch_recorded(self, entity: EntityName, recorded: Recorded, seconds: float, now: datetime) -> None:
        """A recorder transaction was committed.

        Args:
            entity: what it was about.
            recorded: what it came to.
            seconds: how long it took.
            now: the local clock.
        """
        self._recorded.observe(seconds)
        for op, count in recorded.changes.items():
            self._changes.labels(entity, op).inc(count)
        for verdict, count in recorded.verdicts.items():
            self._verdicts.labels(verdict).inc(count)
        for received in recorded.settled_received:
            self._freshness.observe(max(0.0, (now - received).total_seconds()))
        self._omitted.inc(recorded.omitted)
        if recorded.quarantined:
            self.quarantined(Stage.FETCH, recorded.quarantined)

    def events_taken_in(self, events: int, ignored: int, marked: int, seconds: float) -> None:
        """A poll was written."""
        self._events.inc(events)
        self._ignored.inc(ignored)
        self._marked.inc(marked)
        self._intake.observe(seconds)

    def called(self, call: CallRecord) -> None:
        """A call to Xero ended."""
        self._calls.labels(call.lane, call.outcome).inc()
        self._call_seconds.labels(call.lane).observe(call.ms / 1000)
        self._call_bytes.labels(call.lane).inc(call.bytes_in)

    def app_minute(self, app: AppName, *, held: int, used: int, short: bool) -> None:
        """Our part of an app's minute was renewed."""
        self._minutes[app] = (held, used)
        self._short.inc(short)

    def day_lasts(self, tenant_id: TenantId, seconds: float) -> None:
        """So long will a tenant's day last."""
        if seconds < DAY_SECONDS:
            self._day_lasts[tenant_id] = (self._clock(), seconds)
        else:
            self._day_lasts.pop(tenant_id, None)

    def egress(self, *, read: int, forecast: int, share: float) -> None:
        """So many bytes were read this month, and will have been at its end; the worst app's share of its tier's."""
        self._egress.set(read)
        self._egress_forecast.set(forecast)
        self._egress_share.set(share)

    def _shortest_day(self) -> float:
        now = self._clock()
        # Who made no call for an hour is at rest, or parked.
        self._day_lasts = {t: (at, s) for t, (at, s) in self._day_lasts.items() if now - at < _DAY_FORGOTTEN_SECONDS}
        return min((max(0.0, at + seconds - now) for at, seconds in self._day_lasts.values()), default=DAY_SECONDS)

    def quarantined(self, stage: Stage, count: int = 1) -> None:
        """Something could not be applied."""
        self._quarantined.labels(stage).inc(count)

    def lease(self, change: LeaseChange) -> None:
        """A lease changed hands."""
        self._leases.labels(change).inc()

    def deployed(self, partitions: int) -> None:
        """The deployment has so many partitions."""
        self._partitions.set(partitions)

    def owned(self, count: int) -> None:
        """We work on so many partitions."""
        self._owned.set(count)

    def events_lost(self) -> None:
        """Kafka no longer has what we have not read."""
        self._lost.inc()

    def events_missed(self, count: int) -> None:
        """Xero numbered so many events and never delivered them."""
        self._missed.inc(count)

    def relayed(self, partition: int, count: int, seconds: float) -> None:
        """A transaction of so many changes was committed."""
        self._relayed.inc(count)
        self._relay_seconds.observe(seconds)
        self._behind[partition] = max(0, self._behind.get(partition, 0) - count)

    def relay_rebuilt(self, partition: int) -> None:
        """A producer was thrown away."""
        del partition
        self._relay_rebuilds.inc()

    def relay_standing(self, partition: int, behind: int) -> None:
        """So many changes are not on Kafka yet."""
        self._behind[partition] = behind

    def store_went_back(self, partition: int) -> None:
        """The store is older than Kafka."""
        del partition
        self._went_back.inc()

    def topics_emptied(self, partition: int) -> None:
        """Kafka has lost all changes of an entity."""
        del partition
        self._emptied.inc()

    def forget(self, partition: int) -> None:
        """The partition is no longer ours."""
        self._behind.pop(partition, None)
        self._watchdog.done(f"relay-{partition}")

    def beat_done(self, name: str) -> None:
        """The task ended; it owes no more signs of life."""
        self._watchdog.done(name)

    def beat(self, name: str, *, limit: float | None = None) -> None:
        """Still alive and not stuck.

        Args:
            name: of the task.
            limit: seconds it may be silent from here, where that is not what all others may.
        """
        self._watchdog.beat(name, self._clock(), limit=limit)
