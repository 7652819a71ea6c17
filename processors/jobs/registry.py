"""The kinds of job that a tenant's task asks for work, one line each."""

from collections.abc import Callable, Sequence

from processors.jobs.passes.kind import Passes
from processors.jobs.refresh.kind import Refresh
from processors.tenants.context import TenantContext
from processors.tenants.job import JobKind

KINDS: Sequence[Callable[[TenantContext], JobKind]] = (
    Refresh,
    Passes,
)
