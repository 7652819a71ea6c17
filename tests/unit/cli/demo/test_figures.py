"""Rates, percentiles and times."""

import pytest

from cli.demo.figures import Rate, Samples, duration, percentile


def test_a_rate_needs_two_points() -> None:
    """One look at a counter says nothing about its speed."""
    rate = Rate()
    assert rate.per_second() == 0.0
    rate.seen(5, 1.0)
    assert rate.per_second() == 0.0


def test_a_rate_is_growth_over_the_window() -> None:
    """Older points are forgotten, but the window stays full."""
    rate = Rate(window=4.0)
    for second in range(11):
        rate.seen(2 * second if second < 6 else 10, float(second))
    assert rate.per_second() == 0.0
    rate.seen(18, 12.0)
    assert rate.per_second() == pytest.approx(8 / 4)


def test_a_counter_that_starts_anew_gives_no_negative_rate() -> None:
    """A restarted process counts from nothing."""
    rate = Rate()
    rate.seen(100, 1.0)
    rate.seen(3, 2.0)
    assert rate.per_second() == 0.0
    rate.seen(5, 3.0)
    assert rate.per_second() == 2.0


def test_two_looks_at_the_same_moment_are_no_infinite_rate() -> None:
    """Time stood still between the points."""
    rate = Rate()
    rate.seen(1, 1.0)
    rate.seen(2, 1.0)
    assert rate.per_second() == 0.0


def test_percentiles_are_nearest_rank() -> None:
    """A percentile is a value that was measured."""
    ordered = [float(n) for n in range(1, 101)]
    assert percentile(ordered, 0.5) == 50.0
    assert percentile(ordered, 0.99) == 99.0
    assert percentile(ordered, 1.0) == 100.0
    assert percentile(ordered, 0.0) == 1.0
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.5) is None


def test_only_the_latest_samples_count() -> None:
    """A slow start is not held against the demo indefinitely."""
    samples = Samples(most=3)
    for value in (9.0, 1.0, 2.0, 3.0):
        samples.add(value)
    assert len(samples) == 3
    assert samples.percentile(0.99) == 3.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.0844, "84 ms"),
        (0.9994, "999 ms"),
        (0.9999, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (99.0, "99 s"),
        (180.0, "3 min"),
    ],
)
def test_times_for_people(seconds: float | None, text: str) -> None:
    """Milliseconds, seconds, minutes, without false precision."""
    assert duration(seconds) == text
