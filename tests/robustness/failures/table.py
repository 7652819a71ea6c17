"""All failures in one table, by kind."""

from collections.abc import Sequence

from tests.robustness.failures import clocks, failpoints, kafka, postgres, processes, settings, xero
from tests.robustness.failures.failure import Failure


def table() -> dict[str, Sequence[Failure]]:
    """Every failure, by kind."""
    found: dict[str, Sequence[Failure]] = {
        "processes": processes.FAILURES,
        "kill-at": failpoints.KILLED,
        "freeze-at": failpoints.FROZEN,
        "kafka": kafka.FAILURES,
        "postgres": postgres.FAILURES,
        "xero": xero.FAILURES,
        "clocks": clocks.FAILURES,
        "settings": settings.FAILURES,
    }
    names = [failure.name for failures in found.values() for failure in failures]
    assert len(set(names)) == len(names), "two failures share a name"
    return found
