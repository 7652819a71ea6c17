"""Gauges that are computed when they are shown, so that none keeps an old value after whoever updates it has stopped.

A gauge that is set stays as it was set: when its updater hangs, or the server it is read from is down, it still says that
all is well. Here a value that was read from a server disappears when it has grown old, and how old the readings are is a gauge
of its own; what happened last is shown as an age.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xero_stream.telemetry.metrics import checked_name

FRESH_SECONDS = 30.0
"""How long a value that was read is shown: longer than a few readings take."""


class Computed(Collector):
    """One gauge, computed when shown; label values without a number are left out."""

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        meaning: str,
        values: Callable[[], Mapping[str, float]],
        *,
        label: str = "",
    ) -> None:
        """Register.

        Args:
            registry: where it is shown.
            name: full name.
            meaning: one sentence for people.
            values: the present numbers by label value; by "" where there is no label.
        """
        self._name = checked_name(name, "gauge")
        self._meaning = meaning
        self._values = values
        self._labels = [label] if label else []
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The numbers of now."""
        metric = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for value, number in self._values().items():
            metric.add_metric([value] if self._labels else [], number)
        yield metric


class Readings:
    """Numbers that a timer reads from a server: shown while they are fresh, and their age always."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float], sources: Iterable[StrEnum]) -> None:
        """Nothing was read yet.

        Args:
            clock: monotonic seconds.
            sources: where numbers are read from.
        """
        self._registry = registry
        self._clock = clock
        self._read_at = dict.fromkeys(map(str, sources), clock())
        self._numbers: dict[str, Mapping[str, float | None]] = {}
        Computed(
            registry,
            "xero_stream_readings_age_seconds",
            "Seconds since the gauges that come from this server were last read; they are left out after "
            f"{FRESH_SECONDS:.0f}.",
            lambda: {source: max(0.0, clock() - at) for source, at in self._read_at.items()},
            label="source",
        )

    def gauge(self, source: StrEnum, name: str, meaning: str) -> None:
        """Declare a gauge.

        Args:
            source: where it is read.
            name: full name.
            meaning: one sentence for people.
        """
        Computed(self._registry, name, meaning, lambda: self._fresh(str(source), name))

    def read(self, source: StrEnum, numbers: Mapping[str, float | None]) -> None:
        """A server was read.

        Args:
            numbers: by the names of its gauges; None where there is nothing to say.
        """
        self._numbers[str(source)] = numbers
        self._read_at[str(source)] = self._clock()

    def _fresh(self, source: str, name: str) -> dict[str, float]:
        number = self._numbers.get(source, {}).get(name)
        if number is None or self._clock() - self._read_at[source] > FRESH_SECONDS:
            return {}
        return {"": float(number)}


class Ages:
    """Seconds since something last happened, by kind; what has not happened is left out."""

    def __init__(
        self, registry: CollectorRegistry, clock: Callable[[], float], name: str, meaning: str, *, label: str
    ) -> None:
        """Nothing happened yet.

        Args:
            clock: monotonic seconds.
            name: full name.
            meaning: one sentence for people.
            label: what tells the kinds apart.
        """
        self._clock = clock
        self._at: dict[str, float] = {}
        Computed(
            registry,
            name,
            meaning,
            lambda: {kind: max(0.0, clock() - at) for kind, at in self._at.items()},
            label=label,
        )

    def now(self, kind: StrEnum) -> None:
        """It happens now."""
        self._at[str(kind)] = self._clock()
