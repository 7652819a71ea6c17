"""The limit of failed tries."""

from hypothesis import given
from hypothesis import strategies as st

from console.access.tries import Tries


def test_a_bucket_empties_and_fills() -> None:
    """As many at once as it holds; then it says when the next one is there, and that is so."""
    tries = Tries(most=3, every=6)

    assert [tries.take("a", 0) for _ in range(4)] == [0, 0, 0, 6]
    assert tries.take("a", 3) == 3
    assert tries.take("a", 6) == 0
    assert tries.take("a", 6) == 6
    assert tries.take("b", 6) == 0


def test_what_is_given_back_was_no_try() -> None:
    """A thousand valid keys in a row; and no bucket holds more than it can."""
    tries = Tries(most=3, every=6)
    for _ in range(1000):
        assert tries.take("a", 0) == 0
        tries.give_back("a", 0)

    assert [tries.take("a", 0) for _ in range(4)] == [0, 0, 0, 6]


def test_networks_share_a_bucket() -> None:
    """An IPv6 caller has a whole /64; IPv4 written as IPv6 is the same address."""
    tries = Tries(most=2, every=6)

    assert [tries.take(f"2001:db8::{one}", 0) for one in ("1", "2", "3")] == [0, 0, 6]
    assert tries.take("2001:db8:0:1::1", 0) == 0
    assert [tries.take(one, 0) for one in ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1")] == [0, 0, 6]
    assert tries.take("10.0.0.2", 0) == 0
    assert tries.take("fe80::1%eth0", 0) == 0
    assert tries.take("not an address", 0) == 0


def test_memory_is_bounded_and_full_buckets_cost_nothing() -> None:
    """However many addresses fail; who is forgotten begins with a full bucket."""
    tries = Tries(most=2, every=6, addresses=10)
    for number in range(1000):
        tries.take(f"10.0.{number // 250}.{number % 250}", 0)
    assert len(tries) == 10
    tries.take("a", 0)
    tries.give_back("a", 0)
    assert "a" not in tries._left


@given(st.lists(st.floats(0, 100), max_size=200), st.integers(1, 5), st.floats(0.5, 10))
def test_no_window_lets_more_through(moments: list[float], most: int, every: float) -> None:
    """In any stretch of time: a full bucket and what it refills meanwhile, whatever the order of requests."""
    tries = Tries(most=most, every=every)
    taken = [moment for moment in sorted(moments) if tries.take("a", moment) == 0]

    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= most + (end - start) / every + 1e-6
