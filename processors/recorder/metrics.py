"""What the recorder counts."""

from datetime import datetime

from prometheus_client import CollectorRegistry

from processors.quarantine.metrics import QuarantineMetrics
from processors.recorder.judge import Verdict
from processors.recorder.recorder import Recorded
from xero_api.unify.oddities import Oddity, OddityKind
from xero_stream.contracts.change_event import Op
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import EntityName
from xero_stream.telemetry.metrics import counter, histogram

WAITS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_MOST_ODD_FIELDS = 1_000


class RecorderMetrics:
    """Changes, verdicts, freshness, and what was odd about records."""

    def __init__(self, registry: CollectorRegistry, quarantine: QuarantineMetrics) -> None:
        self._quarantine = quarantine
        self._changes = counter(
            registry, "xero_stream_changes_total", "Changes recorded, by operation.", entity=EntityName, op=Op
        )
        self._omitted = counter(
            registry,
            "xero_stream_changes_shortened_total",
            "Changes published without some content because of their size.",
        )
        self._verdicts = counter(
            registry, "xero_stream_reads_judged_total", "Reads of dirty records, by result.", verdict=Verdict
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
            self._quarantine.quarantined(Stage.FETCH, recorded.quarantined)

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
