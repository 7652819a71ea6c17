"""Live means progress; ready does not depend on Kafka."""

from dataclasses import dataclass

from receiver.health import SILENT_SECONDS, live, ready


@dataclass
class Seen:
    """What a worker's cells say."""

    last_beat: float = 0.0
    is_serving: bool = True
    has_producer: bool = True


def test_live() -> None:
    """Every worker must have given a sign of life lately."""
    now = 1_000.0
    well, silent = Seen(last_beat=now - 1), Seen(last_beat=now - SILENT_SECONDS - 1)

    assert live([well, well], now, started=0.0).ok
    health = live([well, silent], now, started=0.0)
    assert not health.ok
    assert health.reasons == {"workers": "no sign of life from 1"}


def test_live_while_starting() -> None:
    """A worker that has just been started is given time."""
    assert live([Seen(last_beat=0.0)], 1_000.0, started=999.0).ok
    assert not live([Seen(last_beat=0.0)], 1_000.0, started=900.0).ok


def test_ready_without_kafka() -> None:
    """The receiver stays ready while Kafka is down: it has to say 503 itself. Kafka is named."""
    health = ready([Seen(has_producer=False), Seen(has_producer=False)])

    assert health.ok
    assert health.reasons["kafka"] == "0 of 2 workers connected"


def test_not_ready_without_a_worker() -> None:
    """With no worker that answers it is not ready."""
    assert ready([Seen(), Seen(is_serving=False)]).ok
    assert not ready([Seen(is_serving=False)] * 2).ok
