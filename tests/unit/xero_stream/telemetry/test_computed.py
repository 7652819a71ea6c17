"""Gauges that don't keep an old value after their updater has stopped."""

from enum import StrEnum

from prometheus_client import CollectorRegistry

from xero_stream.telemetry.computed import FRESH_SECONDS, Ages, Readings


class Source(StrEnum):
    """Where numbers are read from."""

    STORE = "store"
    KAFKA = "kafka"


class Kind(StrEnum):
    """What may happen."""

    LOST = "lost"
    FOUND = "found"


def test_readings_disappear_when_they_are_old() -> None:
    """A server that is no longer read leaves no number behind, and the age of its readings goes on."""
    registry, now = CollectorRegistry(), [1_000.0]
    readings = Readings(registry, lambda: now[0], Source)
    readings.gauge(Source.STORE, "xero_stream_a", "A.")
    readings.gauge(Source.STORE, "xero_stream_b", "B.")
    readings.gauge(Source.KAFKA, "xero_stream_c", "C.")
    assert registry.get_sample_value("xero_stream_a") is None

    readings.read(Source.STORE, {"xero_stream_a": 7, "xero_stream_b": None})
    assert registry.get_sample_value("xero_stream_a") == 7.0
    assert registry.get_sample_value("xero_stream_b") is None
    assert registry.get_sample_value("xero_stream_c") is None

    now[0] += FRESH_SECONDS + 1
    readings.read(Source.KAFKA, {"xero_stream_c": 3})
    assert registry.get_sample_value("xero_stream_a") is None
    assert registry.get_sample_value("xero_stream_c") == 3.0
    ages = {s: registry.get_sample_value("xero_stream_readings_age_seconds", {"source": s}) for s in Source}
    assert ages == {Source.STORE: FRESH_SECONDS + 1, Source.KAFKA: 0.0}


def test_ages_begin_with_the_first_time() -> None:
    """What never happened has no age; what happened grows older at every look."""
    registry, now = CollectorRegistry(), [50.0]
    ages = Ages(registry, lambda: now[0], "xero_stream_x_age_seconds", "X.", label="what")
    ages.now(Kind.LOST)
    for later in (0.0, 9.0):
        now[0] = 50.0 + later
        assert registry.get_sample_value("xero_stream_x_age_seconds", {"what": "lost"}) == later
        assert registry.get_sample_value("xero_stream_x_age_seconds", {"what": "found"}) is None
