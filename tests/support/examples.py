"""How many examples a property test draws: few for every change, many in a soak."""

from tests.support.stacks import SOAK

MANY = 40


def examples(count: int) -> int:
    """So many in ``make test``, forty times as many in ``make soak``.

    Args:
        count: enough to find what a change has broken, in a second or less.
    """
    return MANY * count if SOAK else count
