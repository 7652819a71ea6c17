"""Only the difference counts."""

from processors.partitions.assignment import Difference, difference


def test_difference() -> None:
    """What comes back is kept."""
    assert difference({0, 1, 2}, {1, 2, 3}) == Difference(start=[3], keep=[1, 2], stop=[0])
    assert difference(set(), {1}) == Difference(start=[1], keep=[], stop=[])
    assert difference({1}, set()) == Difference(start=[], keep=[], stop=[1])
