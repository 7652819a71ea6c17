"""What the processors count. One class, one verb per measurement, on an injected registry."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry

from processors.intake.fold import Refusal
from processors.intake.stuck import Stuck
from processors.recorder.judge import Verdict
from processors.recorder.recorder import Recorded
from xero_api.budget.day import DAY_SECONDS
from xero_api.call import CallRecord, Lane, Outcome
from xero_api.unify.oddities import Oddity, OddityKind
from xero_stream.contracts.change_event import Op
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.store.quarantine import Trimmed
from xero_stream.telemetry.computed import Ages, Computed, Readings
from xero_stream.telemetry.metrics import counter, gauge, histogram
from xero_stream.telemetry.watchdog import Watchdog

WAITS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

_DAY_FORGOTTEN_SECONDS = 3600.0
_MINUTE_FORGOTTEN_SECONDS = 60.0
"""Calls of an app's minute that were granted longer ago than this no longer count."""
_MOST_ODD_FIELDS = 1_000


class Ignoring(StrEnum):
    """Why an event is not read."""

    DISABLED = "disabled"  # its entity is known, and not in XERO_STREAM_ENTITIES
    UNKNOWN = "unknown"  # we have no records of its category


class LeaseChange(StrEnum):
    """What happened to a lease."""

    TAKEN = "taken"
    RELEASED = "released"
    FENCED = "fenced"


class NeverSeen(StrEnum):
    """How a record that no read ever gave was put aside."""

    ASKED = "asked"  # after its last try
    OVER_BUDGET = "over_budget"  # without it: the hour's calls for such records were used up


class Trim(StrEnum):
    """What became of an entry of the quarantine that is old, or one too many."""

    RESOLVED = "resolved"  # it was resolved, and is deleted
    EMPTIED = "emptied"  # it is open, and has no bytes any more
    OPEN = "open"  # it was open, and is deleted


class Source(StrEnum):
    """A server that gauges are read from."""

    STORE = "store"
    KAFKA = "kafka"


class Incident(StrEnum):
    """Something that happens rarely, and that a human should know of."""

    EVENTS_LOST = "events_lost"
    EVENTS_MISSED = "events_missed"
    STORE_ROLLED_BACK = "store_rolled_back"
    TOPICS_EMPTIED = "topics_emptied"


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
        Standing.PARKED: "Tenants that wait for a limit to pass.",
        Standing.SUSPENDED: "Tenants that wait for a human.",
        Standing.UNCONNECTED: "Organisations that Xero sends events of and that are not connected.",
        Standing.UNCONNECTED_RECORDS: "Records of such organisations that are kept marked.",
        Standing.UNCONNECTED_DROPPED: "Time since an event of such an organisation was only counted; absent if none was.",
        Standing.HELD: "Kinds of record of an organisation that are not read for now or keep failing.",
        Standing.LOWEST_DAY: "Calls left today for the tenant that has fewest; absent if none made a call today.",
        Standing.RELAY_LAG: "Recorded changes that are not on Kafka yet, over all partitions.",
        Standing.RELAY_OLDEST: "Age of the oldest recorded change that is not on Kafka yet; 0 if there is none.",
        Standing.EGRESS_MONTH: "Bytes read from Xero this month that it bills, over all apps.",
        Standing.EGRESS_FORECAST: "What the month will come to, over all apps.",
        Standing.EGRESS_SHARE: "What the month will come to, of what the app's tier includes; the worst app. Above 1 costs extra.",
    },
    Source.KAFKA: {
        Standing.INTAKE_LAG: "Webhook events on Kafka that were not taken in yet, over all partitions.",
    },
}


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
            registry,
            "xero_stream_events_ignored_total",
            "Webhook events that are not read: of an entity that is not enabled, or of a category without records.",
            reason=Ignoring,
        )
        self._refused = counter(
            registry,
            "xero_stream_events_refused_total",
            "Records of webhook-events that were put into quarantine, by reason.",
            reason=Refusal,
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
        self._different: set[tuple[EntityName, tuple[str, ...]]] = set()
        self._form_differences = counter(
            registry,
            "xero_stream_form_differences_total",
            "Changes of records whose stamp had not moved, found by reading in another way than before (single, by ids, page) and "
            "not explained by what that way is known to leave out.",
            entity=EntityName,
        )
        self._odd_fields: set[tuple[EntityName, Oddity]] = set()
        self._oddities = counter(
            registry,
            "xero_stream_record_oddities_total",
            "Fields of Xero's records that could not be read (null or false was recorded), or that contradict each other.",
            entity=EntityName,
            kind=OddityKind,
        )
        self._recorded = histogram(registry, "xero_stream_recorder_seconds", "Time of one recorder transaction.")
        self._relayed = counter(registry, "xero_stream_relayed_changes_total", "Changes published to Kafka.")
        self._relay_seconds = histogram(registry, "xero_stream_relay_seconds", "Time of one Kafka transaction.")
        self._relay_rebuilds = counter(
            registry, "xero_stream_relay_rebuilds_total", "Transactional producers thrown away and made anew."
        )
        self._relay_worked_at: dict[int, float] = {}
        Computed(
            registry,
            "xero_stream_relay_silent_seconds",
            "Seconds since the relay of a partition of this process last worked, having published or found nothing to "
            "publish; the partition that has waited longest. Absent without a partition.",
            self._longest_silence,
        )
        self._went_back = counter(
            registry,
            "xero_stream_store_rolled_back_total",
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
        self._incidents = Ages(
            registry,
            clock,
            "xero_stream_incident_age_seconds",
            f"Seconds since the last incident of a kind in this process ({', '.join(Incident)}); absent before the first.",
            label="incident",
        )
        self._leases = counter(registry, "xero_stream_lease_changes_total", "Leases on partitions.", change=LeaseChange)
        self._count_owned: Callable[[], int] = int
        gauge(registry, "xero_stream_partitions_owned", "Partitions this process works on.").set_function(
            lambda: float(self._count_owned())
        )
        self._partitions = gauge(registry, "xero_stream_partitions", "Partitions the deployment has.")
        self._quarantined, self._trimmed = (
            counter(registry, "xero_stream_quarantined_total", "What was put into quarantine.", stage=Stage),
            counter(
                registry,
                "xero_stream_quarantine_trimmed_total",
                "Quarantine entries that were deleted (resolved, open) or lost their bytes (emptied), for their age or an app's limit.",
                what=Trim,
            ),
        )
        self._never_seen = counter(
            registry,
            "xero_stream_records_never_seen_total",
            "Records that events named, that no read ever gave, and that were put into quarantine.",
            how=NeverSeen,
        )
        self._unconnected_dropped = counter(
            registry,
            "xero_stream_unconnected_dropped_events_total",
            "Events of organisations that are not connected that were only counted, because as many records wait as may.",
        )
        self._unconnected_expired = counter(
            registry,
            "xero_stream_unconnected_expired_records_total",
            "Records of organisations that are not connected that waited for too long and are no longer marked.",
        )
        self._readings = Readings(registry, clock, Source)
        for source, gauges in STANDING.items():
            for name, meaning in gauges.items():
                self._readings.gauge(source, name, meaning)
        self._intake_stuck = Stuck()
        Computed(
            registry,
            "xero_stream_intake_stuck_seconds",
            "Seconds for which events have waited on Kafka without any being taken in; the partition that has waited longest.",
            lambda: {"": self._intake_stuck.longest(clock())},
        )
        self._broker_ahead: float | None = None
        self._clocks: Mapping[Clock, Callable[[], float | None]] = {}
        Computed(
            registry,
            "xero_stream_clock_difference_seconds",
            "By how much a clock is ahead of the store's: this machine's, the Kafka broker's, Xero's; absent until it was seen.",
            self._differences,
            label="clock",
        )

        self._minutes: dict[AppName, tuple[float, int, int]] = {}
        gauge(
            registry, "xero_stream_app_minute_held_calls", "Calls a minute of the apps' 10,000 that this process holds."
        ).set_function(lambda: float(sum(held for held, _ in self._fresh_minutes())))
        gauge(
            registry, "xero_stream_app_minute_used_calls", "Of those, the calls that count at the moment."
        ).set_function(lambda: float(sum(used for _, used in self._fresh_minutes())))
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

    def batch_recorded(self, entity: EntityName, recorded: Recorded, seconds: float, now: datetime) -> None:
        """A recorder transaction was committed.

        Args:
            entity: what it was about.
            recorded: what it came to.
            seconds: how long it took.
            now: the store's clock.
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

    def forms_differ(self, entity: EntityName, paths: tuple[str, ...]) -> bool:
        """A record was different in another form, with the same stamp.

        Returns:
            Whether this process had not seen that entity differ in these fields before.
        """
        self._form_differences.labels(entity).inc()
        known = len(self._different)
        if known < _MOST_ODD_FIELDS:
            self._different.add((entity, paths))
        return len(self._different) > known

    def odd_field(self, entity: EntityName, oddity: Oddity) -> bool:
        """A field of a record was odd.

        Returns:
            Whether this process had not seen that field of that entity be odd in this way before.
        """
        self._oddities.labels(entity, oddity.kind).inc()
        known = len(self._odd_fields)
        if known < _MOST_ODD_FIELDS:
            self._odd_fields.add((entity, oddity))
        return len(self._odd_fields) > known

    def events_ignored(self, reason: Ignoring, count: int) -> None:
        """So many events are not read."""
        self._ignored.labels(reason).inc(count)

    def events_taken_in(self, events: int, marked: int, seconds: float) -> None:
        """A poll was written."""
        self._events.inc(events)
        self._marked.inc(marked)
        self._intake.observe(seconds)

    def events_refused(self, reasons: Mapping[Refusal, int]) -> None:
        """So many records of a poll went into quarantine."""
        for reason, count in reasons.items():
            self._refused.labels(reason).inc(count)

    def unconnected_dropped(self, events: int) -> None:
        """So many events of organisations that are not connected marked nothing."""
        self._unconnected_dropped.inc(events)

    def unconnected_expired(self, records: int) -> None:
        """So many records of organisations that are not connected are marked no more."""
        self._unconnected_expired.inc(records)

    def called(self, call: CallRecord) -> None:
        """A call to Xero ended."""
        self._calls.labels(call.lane, call.outcome).inc()
        self._call_seconds.labels(call.lane).observe(call.ms / 1000)
        self._call_bytes.labels(call.lane).inc(call.bytes_in)

    def app_minute(self, app: AppName, *, held: int, used: int, short: bool) -> None:
        """Our part of an app's minute was renewed."""
        self._minutes[app] = (self._clock(), held, used)
        self._short.inc(short)

    def day_lasts(self, tenant_id: TenantId, seconds: float) -> None:
        """So long will a tenant's day last."""
        if seconds < DAY_SECONDS:
            self._day_lasts[tenant_id] = (self._clock(), seconds)
        else:
            self._day_lasts.pop(tenant_id, None)

    def tenants_left(self, tenants: Iterable[TenantId]) -> None:
        """These tenants are no longer this process's."""
        for tenant_id in tenants:
            self._day_lasts.pop(tenant_id, None)

    def stands(self, source: Source, numbers: Mapping[Standing, float | None]) -> None:
        """A server was read on a timer; a gauge without a number is left out."""
        self._readings.read(source, {str(name): number for name, number in numbers.items()})

    def intake_stands(self, places: Mapping[int, tuple[int, int]]) -> None:
        """Where intake and topic are in each partition: the next offset to take in, and the end."""
        self._intake_stuck.look(places, self._clock())

    def compare_clocks(self, clocks: Mapping[Clock, Callable[[], float | None]]) -> None:
        """Show by how much each of these is ahead of the store's; a clock that was not seen yet says None."""
        self._clocks = clocks

    def _differences(self) -> dict[str, float]:
        found = {clock: ahead() for clock, ahead in self._clocks.items()}
        return {str(clock): ahead for clock, ahead in found.items() if ahead is not None}

    def _fresh_minutes(self) -> list[tuple[int, int]]:
        now = self._clock()
        return [(held, used) for at, held, used in self._minutes.values() if now - at < _MINUTE_FORGOTTEN_SECONDS]

    def _longest_silence(self) -> dict[str, float]:
        now = self._clock()
        return {"": max(now - at for at in self._relay_worked_at.values())} if self._relay_worked_at else {}

    def _shortest_day(self) -> float:
        now = self._clock()
        # Who made no call for an hour is at rest, or parked.
        self._day_lasts = {t: (at, s) for t, (at, s) in self._day_lasts.items() if now - at < _DAY_FORGOTTEN_SECONDS}
        return min((max(0.0, at + seconds - now) for at, seconds in self._day_lasts.values()), default=DAY_SECONDS)

    def quarantined(self, stage: Stage, count: int = 1) -> None:
        """Something could not be applied."""
        self._quarantined.labels(stage).inc(count)

    def trimmed(self, trimmed: Trimmed) -> None:
        """Old entries of the quarantine, or too many, were deleted or lost their bytes."""
        for what, count in (
            (Trim.RESOLVED, trimmed.resolved),
            (Trim.EMPTIED, trimmed.emptied),
            (Trim.OPEN, trimmed.open),
        ):
            self._trimmed.labels(what).inc(count)

    def never_seen(self, how: NeverSeen, count: int = 1) -> None:
        """Records that no read ever gave were put aside."""
        self._never_seen.labels(how).inc(count)

    def lease(self, change: LeaseChange) -> None:
        """A lease changed hands."""
        self._leases.labels(change).inc()

    def deployed(self, partitions: int) -> None:
        """The deployment has so many partitions."""
        self._partitions.set(partitions)

    def count_owned(self, count: Callable[[], int]) -> None:
        """Ask this for how many partitions we work on."""
        self._count_owned = count

    def events_lost(self) -> None:
        """Kafka no longer has what we have not read."""
        self._lost.inc()
        self._incidents.now(Incident.EVENTS_LOST)

    def events_missed(self, count: int) -> None:
        """Xero numbered so many events and never delivered them."""
        self._missed.inc(count)
        self._incidents.now(Incident.EVENTS_MISSED)

    def relayed(self, partition: int, count: int, seconds: float) -> None:
        """A transaction of so many changes was committed."""
        self._relayed.inc(count)
        self._relay_seconds.observe(seconds)
        self.relay_works(partition)

    def relay_rebuilt(self, partition: int) -> None:
        """A producer was thrown away."""
        del partition
        self._relay_rebuilds.inc()

    def relay_works(self, partition: int) -> None:
        """The partition's relay published something or has nothing to publish; or the partition was given to us just now."""
        self._relay_worked_at[partition] = self._clock()

    def broker_time(self, broker: float) -> None:
        """The broker's clock shows that Unix time now."""
        self._broker_ahead = broker - self._clock()

    def broker_now(self) -> float | None:
        """The broker's clock, carried on by ours; None before the first transaction."""
        return None if self._broker_ahead is None else self._clock() + self._broker_ahead

    def store_went_back(self, partition: int) -> None:
        """The store is older than Kafka."""
        del partition
        self._went_back.inc()
        self._incidents.now(Incident.STORE_ROLLED_BACK)

    def topics_emptied(self, partition: int) -> None:
        """Kafka has lost all changes of an entity."""
        del partition
        self._emptied.inc()
        self._incidents.now(Incident.TOPICS_EMPTIED)

    def relay_forgotten(self, partition: int) -> None:
        """The partition is no longer ours."""
        self._relay_worked_at.pop(partition, None)

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
