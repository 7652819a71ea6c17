"""Whether a log is the one that was read before."""

from datetime import UTC, datetime

from processors.intake.fold import Arrived
from processors.intake.line import digest, is_another


def record(offset: int, value: bytes = b"event", key: bytes | None = b"tenant") -> Arrived:
    """A record of webhook-events."""
    return Arrived(offset=offset, key=key, value=value, appended_at=datetime(2026, 11, 22, tzinfo=UTC))


def test_the_same_record_at_the_same_place_is_the_same_log() -> None:
    """Whatever follows it."""
    assert not is_another([record(6), record(7, b"new")], 7, digest(record(99)))


def test_another_record_at_its_place_is_another_log() -> None:
    """Another value, or another key."""
    for other in (record(6, b"other"), record(6, key=b"other"), record(6, b"", key=b"tenant\0event")):
        assert is_another([other, record(7)], 7, digest(record(6)))


def test_a_log_that_no_longer_has_the_record_is_no_proof() -> None:
    """Retention took it: what comes first is new, and offsets tell about what is missing."""
    assert not is_another([record(7, b"new")], 7, digest(record(6)))
    assert not is_another([], 7, digest(record(6)))
