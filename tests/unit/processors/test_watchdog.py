"""Who is silent too long is stuck."""

from xero_stream.telemetry.watchdog import Watchdog


def test_silence_is_noticed_and_forgiven() -> None:
    """After the limit, until the next sign of life or the end of the task."""
    watchdog = Watchdog(limit=60)
    watchdog.beat("a", 0)
    watchdog.beat("b", 0, limit=5)

    assert dict(watchdog.stuck(5)) == {}
    assert dict(watchdog.stuck(6)) == {"b": 6}
    assert dict(watchdog.stuck(61)) == {"a": 61, "b": 61}
    watchdog.beat("a", 61)
    watchdog.done("b")
    assert dict(watchdog.stuck(62)) == {}
