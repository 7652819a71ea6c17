"""When a child is started again."""

import pytest

from cli.exits import ExitCode
from cli.family.restart import LONGEST_PAUSE, Again, GiveUp, after_end


@pytest.mark.parametrize("status", [2, 78])
def test_what_can_not_run_is_not_started_again(status: int) -> None:
    """Wrong usage and wrong settings don't mend themselves."""
    assert after_end(status, lived=1000.0, failures=0) == GiveUp(code=ExitCode.CONFIGURATION)


@pytest.mark.parametrize("status", [0, 1, 69, -9, -15])
def test_everything_else_is_started_again(status: int) -> None:
    """Killed, unreachable servers, bugs: soon at first."""
    assert after_end(status, lived=1.0, failures=0) == Again(pause=0.5, failures=1)


def test_pauses_grow_and_are_bounded() -> None:
    """A child that dies at once does not take the machine with it."""
    pauses, failures = [], 0
    for _ in range(50):
        verdict = after_end(-9, lived=0.1, failures=failures)
        assert isinstance(verdict, Again)
        pauses.append(verdict.pause)
        failures = verdict.failures

    assert pauses[:8] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert max(pauses) == LONGEST_PAUSE


def test_a_child_that_was_well_starts_anew() -> None:
    """After a minute of work the next end counts as the first."""
    assert after_end(-9, lived=60.0, failures=9) == Again(pause=0.5, failures=1)
