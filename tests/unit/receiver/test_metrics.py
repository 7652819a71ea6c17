"""The receiver's metrics: every verb shows, under names that follow the conventions, and the page is up to date."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from receiver.metrics import Answered, Cut, Intent, ReceiverMetrics, Rejected, Unavailable
from receiver.parse import Category, Unreadable
from xero_stream.kafka.partition_queue import Outcome
from xero_stream.kafka.supervision import Reason
from xero_stream.telemetry.metrics import listing
from xero_stream.telemetry.page import documented

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_every_verb_shows() -> None:
    """Each verb moves its number, and only that."""
    registry = CollectorRegistry()
    worker = ReceiverMetrics(registry=registry, clock=lambda: 100.0, wall_clock=lambda: 90_100.0).worker()
    events = {Category.INVOICE: 2, Category.OTHER: 1}

    worker.answered(Answered.ACCEPTED)
    worker.verified(0, 600)
    worker.verified(2, 400)
    worker.rejected(Rejected.UNKNOWN_APP)
    worker.unavailable(Unavailable.STALLED)
    worker.appended(0.002, events, Unreadable.TOO_LARGE, 30.0)
    worker.intent(Intent.ACCEPTED, 1_700_000_000.0)
    worker.in_flight(17)
    worker.connections(3)
    worker.cut(Cut.HEADER)
    worker.producer_built(Reason.BROKEN)
    worker.producer_available(True)
    worker.serving(True)
    worker.beat(99.0, 0.25)
    worker.restarted()
    worker.broker_time(3_690.0, 90.0)

    lines = generate_latest(registry).decode().splitlines()
    told = {line for line in lines if not line.startswith("#") and not line.endswith(" 0.0") and "_bucket" not in line}
    assert told == {
        'xero_stream_receiver_requests_total{outcome="accepted"} 1.0',
        'xero_stream_receiver_verified_total{key="newest"} 1.0',
        'xero_stream_receiver_verified_total{key="older"} 1.0',
        "xero_stream_receiver_received_bytes_total 1000.0",
        'xero_stream_receiver_rejected_total{reason="unknown_app"} 1.0',
        'xero_stream_receiver_unavailable_total{reason="stalled"} 1.0',
        'xero_stream_receiver_events_total{category="invoice"} 2.0',
        'xero_stream_receiver_events_total{category="other"} 1.0',
        'xero_stream_receiver_dead_letters_total{reason="too_large"} 1.0',
        'xero_stream_receiver_intent_to_receive_total{outcome="accepted"} 1.0',
        'xero_stream_receiver_intent_to_receive_timestamp_seconds{outcome="accepted"} 1.7e+09',
        "xero_stream_receiver_append_seconds_count 1.0",
        "xero_stream_receiver_append_seconds_sum 0.002",
        "xero_stream_receiver_in_flight_bytes 17.0",
        "xero_stream_receiver_connections 3.0",
        'xero_stream_receiver_connections_cut_total{reason="header"} 1.0',
        'xero_stream_receiver_producer_builds_total{reason="broken"} 1.0',
        "xero_stream_receiver_producer_available 1.0",
        "xero_stream_receiver_workers 1.0",
        "xero_stream_receiver_loop_lag_seconds 0.25",
        "xero_stream_receiver_silent_seconds 1.0",
        "xero_stream_receiver_dead_letter_age_seconds 70.0",
        "xero_stream_receiver_clock_difference_seconds 86400.0",
        "xero_stream_receiver_worker_restarts_total 1.0",
    }


def test_names() -> None:
    """All metrics carry the receiver's name, and none a tenant or an app."""
    registry = CollectorRegistry()
    ReceiverMetrics(registry=registry)

    for doc in listing(registry):
        assert doc.name.startswith("xero_stream_receiver_")
        assert not {"tenant", "tenant_id", "app"} & set(doc.labels)
        assert doc.meaning.endswith(".")


def test_page_is_up_to_date() -> None:
    """``docs/metrics.md`` says what the code does."""
    _, docs = documented("receiver.metrics:ReceiverMetrics")

    text = PAGE.read_text(encoding="utf-8")

    for doc in docs:
        assert f"| `{doc.name}` | {doc.kind} |" in text, f"{doc.name}: write docs/metrics.md anew"
        assert doc.meaning in text


@pytest.mark.parametrize("outcome", list(Unavailable))
def test_outcomes_match(outcome: Unavailable) -> None:
    """Every way in which an append ends without an acknowledgement has a label."""
    assert Outcome(outcome.value) is not Outcome.ACKNOWLEDGED
    assert len(Unavailable) == len(Outcome) - 1
