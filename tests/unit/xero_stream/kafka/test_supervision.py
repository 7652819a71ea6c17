"""When a producer is replaced, and how long to wait between tries."""

from xero_stream.kafka.supervision import Reason, Supervision
from xero_stream.process.backoff import Backoff


def test_first_and_next() -> None:
    """Without a producer one is built at once: the first as a start, later ones because the last broke."""
    supervision = Supervision()
    assert supervision.reason(0.0, available=False, oldest_ahead=None) is Reason.START

    supervision.built(0.0, 0.0)
    supervision.acknowledged()

    assert supervision.reason(1.0, available=True, oldest_ahead=None) is None
    assert supervision.reason(1.0, available=False, oldest_ahead=None) is Reason.BROKEN


def test_stuck() -> None:
    """A batch out for too long is a reason to try another producer; one that has just left is none."""
    supervision = Supervision(stuck_seconds=10)
    supervision.built(0.0, 0.0)
    supervision.acknowledged()

    assert supervision.reason(20.0, available=True, oldest_ahead=10.0) is None
    assert supervision.reason(20.1, available=True, oldest_ahead=10.0) is Reason.STUCK


def test_pauses_grow_to_a_bound() -> None:
    """Failures are spaced ever wider, never wider than the bound; an acknowledgement starts afresh."""
    supervision = Supervision()
    now, pauses = 0.0, []
    for _ in range(8):
        supervision.failed(now, jitter=1.0)
        began = now
        while supervision.reason(now, available=False, oldest_ahead=None) is None:
            now = round(now + 0.01, 2)
        pauses.append(round(now - began, 1))

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    supervision.acknowledged()
    assert supervision.reason(now, available=False, oldest_ahead=None) is Reason.START


def test_jitter_only_shortens() -> None:
    """Jitter spreads processes over the second half of a pause."""
    supervision = Supervision(backoff=Backoff(first=1.0, longest=2.0, spread=(0.5, 1.0)))
    supervision.failed(0.0, jitter=0.0)

    assert supervision.reason(0.49, available=False, oldest_ahead=None) is None
    assert supervision.reason(0.5, available=False, oldest_ahead=None) is Reason.START


def test_a_build_is_no_proof() -> None:
    """Producers that can be built but break at once are not built without end: only an acknowledgement is proof."""
    supervision = Supervision()
    now, builds = 0.0, 0
    while now < 20:
        if supervision.reason(now, available=False, oldest_ahead=None):
            builds += 1
            supervision.built(now, jitter=1.0)
        now = round(now + 0.01, 2)

    assert builds < 16
