"""How long events have waited on Kafka."""

from processors.intake.stuck import Stuck


def test_only_a_place_that_does_not_move_is_stuck() -> None:
    """Events that come and go are no trouble; a partition that stands with events before it is."""
    stuck = Stuck()
    stuck.look({0: (5, 5), 1: (7, 9), 2: (3, 4)}, 10.0)
    stuck.look({0: (5, 6), 1: (8, 12), 2: (3, 4)}, 20.0)
    assert stuck.longest(25.0) == 15.0, "partition 2 has stood since the first look"
    stuck.look({0: (6, 6), 1: (12, 12), 2: (4, 4)}, 30.0)
    assert stuck.longest(99.0) == 0.0
