"""Only the difference counts, and how long one waits for it."""

from processors.partitions.assignment import Difference, Joining, difference


def test_difference() -> None:
    """What comes back is kept."""
    assert difference({0, 1, 2}, {1, 2, 3}) == Difference(start=[3], keep=[1, 2], stop=[0])
    assert difference(set(), {1}) == Difference(start=[1], keep=[], stop=[])
    assert difference({1}, set()) == Difference(start=[], keep=[], stop=[1])


def test_joining() -> None:
    """From the beginning, or since the assignment was lost, until there is one."""
    joining = Joining(10.0)
    assert joining.seconds(12.5) == 2.5
    joining.ended()
    assert joining.seconds(100.0) is None
    joining.began(110.0)
    joining.began(110.5)
    assert joining.seconds(111.0) == 1.0
