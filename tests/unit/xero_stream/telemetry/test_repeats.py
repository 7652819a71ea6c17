"""Repeated lines."""

from xero_stream.telemetry.repeats import Repeats


def test_first_then_one_per_interval() -> None:
    """The first of a kind is written, then one per interval, which says how many were held back."""
    repeats = Repeats(interval=10)

    assert [repeats.allow("a", now) for now in (0.0, 1.0, 9.9, 10.0, 10.1, 25.0)] == [0, None, None, 2, None, 1]


def test_kinds_are_apart() -> None:
    """One kind does not hold another back."""
    repeats = Repeats()

    assert repeats.allow("a", 0.0) == 0
    assert repeats.allow("b", 0.0) == 0


def test_memory_is_bounded() -> None:
    """However many kinds there are, few are remembered."""
    repeats = Repeats(limit=10)
    for number in range(1_000):
        repeats.allow(str(number), 0.0)

    assert len(repeats._seen) <= 10
