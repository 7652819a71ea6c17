"""To be written."""

from tests.robustness.failures.table import Failure

FAILURES: tuple[Failure, ...] = ()
