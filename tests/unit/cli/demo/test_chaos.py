"""When chaos presses which key."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from cli.demo.chaos import KAFKA_APART, schedule
from cli.demo.keys import Key


@given(st.integers(0, 10_000), st.floats(1, 300))
def test_chaos_kills_in_time_and_never_quits(seed: int, seconds: float) -> None:
    """Whatever the seed: at least one kill, all keys inside the run and in order, no quitting, no verifying."""
    presses = schedule(random.Random(seed), seconds)

    times = [press.at for press in presses]
    assert times == sorted(times)
    assert all(0 < at < seconds for at in times)
    assert Key.KILL in {press.key for press in presses}
    assert not {press.key for press in presses} & {Key.QUIT, Key.VERIFY}


@given(st.integers(0, 10_000), st.floats(1, 300))
def test_kafka_is_back_before_it_goes_again(seed: int, seconds: float) -> None:
    """Two stops of Kafka are far enough apart."""
    stops = [press.at for press in schedule(random.Random(seed), seconds) if press.key is Key.STOP_KAFKA]
    assert all(later - earlier >= KAFKA_APART for earlier, later in itertools.pairwise(stops))


@given(st.integers(0, 10_000), st.floats(12, 300))
def test_a_run_of_some_length_stops_kafka(seed: int, seconds: float) -> None:
    """Twelve seconds are enough for a kill and a stop of Kafka."""
    assert {Key.KILL, Key.STOP_KAFKA} <= {press.key for press in schedule(random.Random(seed), seconds)}


def test_a_seed_decides() -> None:
    """The same seed presses the same keys at the same times."""
    assert schedule(random.Random(7), 60) == schedule(random.Random(7), 60)
    assert schedule(random.Random(7), 60) != schedule(random.Random(8), 60)
