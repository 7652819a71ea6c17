"""What the relays of a process count; also the relay's observer."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from processors.heartbeats import Heartbeats
from processors.incidents import Incident, Incidents
from xero_stream.telemetry.computed import Computed
from xero_stream.telemetry.metrics import counter, histogram


class RelayMetrics:
    """Changes published, producers rebuilt, silence, and what Kafka or the store had lost."""

    def __init__(
        self,
        registry: CollectorRegistry,
        clock: Callable[[], float],
        incidents: Incidents,
        heartbeats: Heartbeats,
    ) -> None:
        self._clock = clock
        self._incidents = incidents
        self._heartbeats = heartbeats
        self._relayed = counter(registry, "xero_stream_relayed_changes_total", "Changes published to Kafka.")
        self._seconds = histogram(registry, "xero_stream_relay_seconds", "Time of one Kafka transaction.")
        self._rebuilds = counter(
            registry, "xero_stream_relay_rebuilds_total", "Transactional producers discarded and recreated."
        )
        self._worked_at: dict[int, float] = {}
        Computed(
            registry,
            "xero_stream_relay_silent_seconds",
            "Seconds since the relay of a partition of this process last worked, having published or found nothing to "
            "publish; the partition that has waited longest. Absent without a partition.",
            self._longest_silence,
        )
        self._rolled_back = counter(
            registry,
            "xero_stream_store_rolled_back_total",
            "Rollbacks of the store detected (a restored backup).",
        )
        self._emptied = counter(
            registry,
            "xero_stream_topics_emptied_total",
            "Times Kafka had lost all changes of an entity; its records were loaded again.",
        )
        self._broker_ahead: float | None = None

    def relayed(self, partition: int, count: int, seconds: float) -> None:
        """A transaction of so many changes was committed."""
        self._relayed.inc(count)
        self._seconds.observe(seconds)
        self.relay_works(partition)

    def relay_rebuilt(self, partition: int) -> None:
        """A producer was thrown away."""
        del partition
        self._rebuilds.inc()

    def relay_works(self, partition: int) -> None:
        """The partition's relay published something or has nothing to publish; or the partition was given to us just now."""
        self._worked_at[partition] = self._clock()

    def relay_forgotten(self, partition: int) -> None:
        """The partition is no longer ours."""
        self._worked_at.pop(partition, None)

    def broker_time(self, broker: float) -> None:
        """The broker's clock shows that Unix time now."""
        self._broker_ahead = broker - self._clock()

    def broker_now(self) -> float | None:
        """The broker's clock, carried on by ours; None before the first transaction."""
        return None if self._broker_ahead is None else self._clock() + self._broker_ahead

    def store_rolled_back(self, partition: int) -> None:
        """The store is older than Kafka."""
        del partition
        self._rolled_back.inc()
        self._incidents.now(Incident.STORE_ROLLED_BACK)

    def topics_emptied(self, partition: int) -> None:
        """Kafka has lost all changes of an entity."""
        del partition
        self._emptied.inc()
        self._incidents.now(Incident.TOPICS_EMPTIED)

    def beat(self, name: str) -> None:
        """Still alive and not stuck."""
        self._heartbeats.beat(name)

    def _longest_silence(self) -> dict[str, float]:
        now = self._clock()
        return {"": max(now - at for at in self._worked_at.values())} if self._worked_at else {}
