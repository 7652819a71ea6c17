"""All failures in one table: what each is called, and how it happens and ends."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.robustness.experiment import Experiment

Inject = Callable[[Experiment], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that goes wrong while traffic flows.

    Attributes:
        name: kebab-case; what ``FAILURE=`` takes and the report says.
        inject: makes it happen, waits as long as it lasts and heals it; raises if it could not be made to happen.
        recovers: seconds after its end until every partition publishes again.
        soak_only: too long for the short form.
    """

    name: str
    inject: Inject
    recovers: float = 20.0
    soak_only: bool = False


def table() -> dict[str, Sequence[Failure]]:
    """Every failure, by kind.

    Imported late: each kind needs :class:`Failure`.
    """
    from tests.robustness.failures import failpoints, kafka, postgres, processes, xero  # noqa: PLC0415

    found: dict[str, Sequence[Failure]] = {
        "processes": processes.FAILURES,
        "kill-at": failpoints.KILLED,
        "freeze-at": failpoints.FROZEN,
        "kafka": kafka.FAILURES,
        "postgres": postgres.FAILURES,
        "xero": xero.FAILURES,
    }
    names = [failure.name for failures in found.values() for failure in failures]
    assert len(set(names)) == len(names), "two failures share a name"
    return found
