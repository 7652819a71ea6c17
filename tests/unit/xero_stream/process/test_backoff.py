"""How long to wait before the next attempt."""

from xero_stream.process.backoff import Backoff


def test_delays_double_up_to_the_longest() -> None:
    """The first failure waits `first`; even very many failures in a row wait no longer than `longest`."""
    backoff = Backoff(first=0.5, longest=30.0)

    assert [backoff.delay(failures) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.delay(100_000) == 30


def test_spread_is_drawn_between_its_ends() -> None:
    """A draw of 0 gives the low end, of 1 the high end; the longest delay is spread, too."""
    backoff = Backoff(first=4.0, longest=8.0, spread=(0.5, 1.25))

    assert [backoff.delay(1, draw) for draw in (0.0, 0.5, 1.0)] == [2.0, 3.5, 5.0]
    assert backoff.delay(9, 0.0) == 4.0
