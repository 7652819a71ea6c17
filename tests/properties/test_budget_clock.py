"""Xero's clock as a bound: safe, strictly growing, and it recovers when a clock jumps."""

import math
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from xero_api.clock import ServerClock

calls = st.lists(
    st.tuples(
        st.floats(0.001, 30),  # until the next call is sent
        st.floats(0, 10),  # there
        st.floats(0, 10),  # back
        st.booleans(),  # whether the answer has a Date
    ),
    max_size=30,
)


@given(calls=calls, offset=st.floats(-(10**6), 10**9), start=st.floats(0, 10**6))
def test_the_bound_is_never_after_the_sending_and_grows_with_it(
    calls: list[tuple[float, float, float, bool]], offset: float, start: float
) -> None:
    """Whatever order the answers come in: each bound is at most the true server time, and later calls have later ones."""
    offset += 2 * 10**6
    clock = ServerClock()
    events = []
    now = start
    for number, (gap, there, back, dated) in enumerate(calls):
        now += gap
        events += [(now, 0, number, there, back, dated), (now + there + back, 1, number, there, back, dated)]
    departures, bounds = {}, {}

    for moment, kind, number, _, back, dated in sorted(events):
        if kind == 0:
            departures[number] = clock.depart(moment)
        else:
            date = datetime.fromtimestamp(math.floor(moment - back + offset), UTC) if dated else None
            bounds[number] = clock.arrive(departures[number], date, moment)

    known = [(number, bound) for number, bound in sorted(bounds.items()) if bound is not None]
    for number, bound in known:
        assert bound.timestamp() <= departures[number].sent + offset + 1e-5
    times = [bound for _, bound in known]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


@given(jump=st.floats(-(10**5), 10**5))
def test_after_a_jump_the_bound_is_right_again_with_the_next_answer(jump: float) -> None:
    """A server (or machine) whose clock jumped is believed at once; small jumps within the uncertainty are harmless."""
    clock = ServerClock()
    for second in range(5):
        clock.arrive(clock.depart(second), datetime.fromtimestamp(1_000_000 + second, UTC), second + 0.1)
    server = 1_000_000 + 10 + jump

    clock.arrive(clock.depart(10), datetime.fromtimestamp(math.floor(server), UTC), 10.1)
    departure = clock.depart(11)
    bound = clock.arrive(departure, datetime.fromtimestamp(math.floor(server + 1), UTC), 11.1)

    assert bound is not None
    assert server + 1 - 2.2 <= bound.timestamp() <= server + 1 + 1.2
