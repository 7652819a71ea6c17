"""The limit of failed tries."""

from hypothesis import given
from hypothesis import strategies as st

from console.access.tries import Tries


def fail(tries: Tries, address: str, now: float) -> int:
    """Try with a wrong key, if it is looked at; how long to wait otherwise."""
    wait = tries.wait(address, now)
    if not wait:
        tries.failed(address, now)
    return wait


def test_a_bucket_empties_and_fills() -> None:
    """As many at once as it holds; then it says when the next one is there, and that is so."""
    tries = Tries(most=3, every=6)

    assert [fail(tries, "a", 0) for _ in range(4)] == [0, 0, 0, 6]
    assert fail(tries, "a", 3) == 3
    assert fail(tries, "a", 6) == 0
    assert fail(tries, "a", 6) == 6
    assert fail(tries, "b", 6) == 0


def test_only_failures_count() -> None:
    """Any number of looks that end well; a bucket holds no more than it can, however long nobody came."""
    tries = Tries(most=3, every=6)

    assert [tries.wait("a", 0) for _ in range(1000)] == [0] * 1000
    assert fail(tries, "a", 0) == 0
    assert [fail(tries, "a", 10**6) for _ in range(4)] == [0, 0, 0, 6]


def test_tries_under_way_together_make_the_wait_longer() -> None:
    """They were all let in; afterwards they are paid for, up to twice a bucket."""
    tries = Tries(most=3, every=6)
    for _ in range(100):
        tries.failed("a", 0)

    assert tries.wait("a", 0) == 24
    assert tries.wait("a", 23) == 1
    assert tries.wait("a", 24) == 0


def test_networks_share_a_bucket() -> None:
    """An IPv6 caller has a whole /64; IPv4 written as IPv6 is the same address."""
    tries = Tries(most=2, every=6)

    assert [fail(tries, f"2001:db8::{one}", 0) for one in ("1", "2", "3")] == [0, 0, 6]
    assert fail(tries, "2001:db8:0:1::1", 0) == 0
    assert [fail(tries, one, 0) for one in ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1")] == [0, 0, 6]
    assert fail(tries, "10.0.0.2", 0) == 0
    assert fail(tries, "fe80::1%eth0", 0) == 0
    assert fail(tries, "not an address", 0) == 0


def test_memory_is_bounded() -> None:
    """However many addresses fail; who only looks costs nothing."""
    tries = Tries(most=2, every=6, addresses=10)
    for number in range(1000):
        fail(tries, f"10.0.{number // 250}.{number % 250}", 0)
        tries.wait(f"10.1.{number // 250}.{number % 250}", 0)

    assert len(tries) == 10


@given(st.lists(st.floats(0, 100), max_size=200), st.integers(1, 5), st.floats(0.5, 10))
def test_no_window_lets_more_through(moments: list[float], most: int, every: float) -> None:
    """In any stretch of time: a full bucket and what it refills meanwhile, whatever the order of requests."""
    tries = Tries(most=most, every=every)
    taken = [moment for moment in sorted(moments) if fail(tries, "a", moment) == 0]

    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= most + (end - start) / every + 1e-6
