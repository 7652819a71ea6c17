"""How metrics are made and listed: one class per service, on a registry given to it, one verb per measurement.

Names start ``xero_stream_``; units are seconds and bytes; counters end ``_total``. Labels come from closed sets, so that
the number of series is known beforehand, and every series exists, at zero, from the start: a rate over the first event
would be lost otherwise. Histograms never carry a tenant. ``docs/metrics.md`` is written from :func:`listing`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

PREFIX = "xero_stream_"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for waiting on Kafka, PostgreSQL or Xero, in seconds."""

M = TypeVar("M", bound=MetricWrapperBase)

_NAME = re.compile(rf"{PREFIX}[a-z][a-z0-9_]*")


def checked_name(name: str, kind: str) -> str:
    """The name, if it follows the conventions.

    Args:
        name: the metric's full name.
        kind: ``counter``, ``gauge`` or ``histogram``.

    Raises:
        ValueError: it does not.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name}: metrics are called {PREFIX}…, in lower case")
    if (kind == "counter") != name.endswith("_total"):
        raise ValueError(f"{name}: counters, and only they, end in _total")
    return name


def counter(registry: CollectorRegistry, name: str, meaning: str, **labels: Iterable[str]) -> Counter:
    """A counter with all its series at zero.

    Args:
        registry: where it is registered.
        name: ``xero_stream_…_total``.
        meaning: one sentence for people.
        labels: each label's closed set of values, usually a StrEnum.
    """
    return _preset(Counter(checked_name(name, "counter"), meaning, tuple(labels), registry=registry), labels)


def gauge(registry: CollectorRegistry, name: str, meaning: str, **labels: Iterable[str]) -> Gauge:
    """A gauge with all its series at zero; arguments as :func:`counter`."""
    return _preset(Gauge(checked_name(name, "gauge"), meaning, tuple(labels), registry=registry), labels)


def histogram(
    registry: CollectorRegistry, name: str, meaning: str, *, buckets: Sequence[float] = SECONDS, **labels: Iterable[str]
) -> Histogram:
    """A histogram with all its series at zero; arguments as :func:`counter`, and the upper bounds of its buckets."""
    made = Histogram(checked_name(name, "histogram"), meaning, tuple(labels), buckets=tuple(buckets), registry=registry)
    return _preset(made, labels)


def _preset(metric: M, labels: dict[str, Iterable[str]]) -> M:
    if labels:
        for values in product(*labels.values()):
            metric.labels(*map(str, values))
    return metric


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDoc:
    """One metric as documented.

    Attributes:
        name: as Prometheus shows it.
        kind: counter, gauge or histogram.
        meaning: one sentence.
        labels: label names with the values present.
    """

    name: str
    kind: str
    meaning: str
    labels: dict[str, tuple[str, ...]]


def listing(registry: CollectorRegistry) -> list[MetricDoc]:
    """Every metric of a registry, by name."""
    docs = []
    for family in registry.collect():
        labels: dict[str, dict[str, None]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label != "le":
                    labels.setdefault(label, {})[value] = None
        docs.append(
            MetricDoc(
                name=f"{family.name}_total" if family.type == "counter" else family.name,
                kind=family.type,
                meaning=family.documentation,
                labels={label: tuple(values) for label, values in labels.items()},
            )
        )
    return sorted(docs, key=lambda doc: doc.name)
