"""How close calls for events follow one another."""

from processors.tenants.pace import QUICK, STEPS, distance


def test_an_idle_tenant_is_called_at_once() -> None:
    """No fixed delay."""
    assert distance(used_this_minute=0, day_left=5000, day_limit=5000) == 0
    assert distance(used_this_minute=QUICK - 1, day_left=5000, day_limit=5000) == 0


def test_a_steady_stream_leaves_calls_over_in_every_minute() -> None:
    """Events never wait for the end of a minute that was spent in its first seconds."""
    apart = distance(used_this_minute=QUICK, day_left=5000, day_limit=5000)
    assert 40 <= 60 / apart <= 50


def test_the_distance_grows_as_the_day_runs_out() -> None:
    """A Starter app has 1,000 calls."""
    apart = [distance(used_this_minute=30, day_left=left, day_limit=1000) for left in (999, 499, 249, 99, 0)]
    assert apart == [1.3, 5.0, 20.0, 90.0, 90.0]
    assert [step.left for step in STEPS] == sorted((step.left for step in STEPS), reverse=True)
