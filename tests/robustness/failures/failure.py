"""What a failure is: a name, how it happens and ends, how soon all is well again."""

from collections.abc import Awaitable, Callable
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
        ends_a_process: one of our processes does not live through it.
    """

    name: str
    inject: Inject
    recovers: float = 20.0
    soak_only: bool = False
    ends_a_process: bool = False
