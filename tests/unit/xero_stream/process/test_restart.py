"""When a process that ended is started again."""

import pytest

from xero_stream.process.backoff import Backoff
from xero_stream.process.restart import GiveUp, Restart, RestartPolicy, Restarts

UP = RestartPolicy(backoff=Backoff(first=0.5, longest=30.0), settled_seconds=60.0, unusable=frozenset((2, 78)))
DEMO = RestartPolicy(
    backoff=Backoff(first=0.5, longest=1.0),
    settled_seconds=8.0,
    most_failures=3,
    unreachable=69,
    patience_seconds=90.0,
)


@pytest.mark.parametrize("status", [2, 78])
def test_an_unusable_process_is_given_up(status: int) -> None:
    """Usage and settings stay wrong until somebody changes them, however long it ran."""
    assert Restarts(UP).ended(status, started=0.0, now=1000.0) == GiveUp()


@pytest.mark.parametrize("status", [0, 1, 69, -9, -15, None])
def test_any_other_end_leads_to_a_restart(status: int | None) -> None:
    """Killed, unreachable servers, bugs: soon at first."""
    assert Restarts(UP).ended(status, started=0.0, now=1.0) == Restart(0.5)


def test_delays_grow_while_a_process_ends_at_once() -> None:
    """A process that dies at once does not take the machine with it."""
    restarts = Restarts(UP)

    delays = [restarts.ended(-9, started=float(n), now=n + 0.1) for n in range(8)]

    assert delays == [Restart(delay) for delay in (0.5, 1, 2, 4, 8, 16, 30, 30)]


def test_a_process_that_ran_long_begins_with_the_first_delay() -> None:
    """After a minute of work the next end counts as the first."""
    restarts = Restarts(UP)
    for _ in range(9):
        restarts.ended(-9, started=0.0, now=0.1)

    assert restarts.ended(-9, started=0.0, now=60.0) == Restart(0.5)
    assert restarts.ended(-9, started=0.0, now=59.9) == Restart(1.0)


def test_a_process_is_given_up_after_the_most_failures() -> None:
    """Counted in a row: one that ran for a while begins again at one."""
    restarts = Restarts(DEMO)

    assert restarts.ended(1, started=0.0, now=0.1) == Restart(0.5)
    assert restarts.ended(1, started=0.0, now=0.1) == Restart(1.0)
    assert restarts.ended(1, started=0.0, now=8.0) == Restart(0.5)
    assert restarts.ended(1, started=0.0, now=0.1) == Restart(1.0)
    assert restarts.ended(1, started=0.0, now=0.1) == GiveUp()


def test_a_process_that_waits_for_a_server_does_not_fail() -> None:
    """It is started again at short intervals until the patience ends."""
    restarts = Restarts(DEMO)

    assert [restarts.ended(69, started=0.0, now=now) for now in (10.0, 50.0, 100.0)] == [Restart(0.5, failed=False)] * 3
    assert restarts.ended(69, started=0.0, now=100.1) == GiveUp()


def test_a_process_we_killed_starts_at_once_and_anew() -> None:
    """Neither its earlier failures nor its earlier waiting count."""
    restarts = Restarts(DEMO)
    restarts.ended(1, started=0.0, now=0.1)
    restarts.ended(1, started=0.0, now=0.1)
    restarts.ended(69, started=0.0, now=10.0)

    assert restarts.killed() == Restart(0.0, failed=False)
    assert restarts.ended(1, started=0.0, now=0.1) == Restart(0.5)
    assert restarts.ended(69, started=0.0, now=101.0) == Restart(0.5, failed=False)
