"""What to do about a child that ended by itself. Pure."""

from dataclasses import dataclass

from cli.exits import ExitCode

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 60.0
"""A child that ran this long was well: its next end counts as the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Start it again.

    Attributes:
        pause: seconds to wait before.
        failures: ends in a row, to hand in the next time.
    """

    pause: float
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Starting it again can't help before a human changed something.

    Attributes:
        code: what the parent ends with.
    """

    code: ExitCode


def after_end(status: int, *, lived: float, failures: int) -> Again | GiveUp:
    """What to do.

    Args:
        status: exit status, negative for a signal.
        lived: seconds it ran.
        failures: ends in a row before this one.
    """
    if status in (ExitCode.USAGE, ExitCode.CONFIGURATION):
        return GiveUp(code=ExitCode.CONFIGURATION)
    failures = 1 if lived >= SETTLED_SECONDS else failures + 1
    return Again(pause=min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 10)), failures=failures)
