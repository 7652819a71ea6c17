"""Jobs of a tenant as its task gets them, over a store, without a Xero to ask."""

from types import SimpleNamespace
from typing import Any, cast

from processors.jobs.passes.kind import Page, Passes
from processors.jobs.passes.plan import PassPage
from processors.jobs.refresh.kind import Refresh, job_of
from processors.jobs.refresh.plan import Read
from processors.tenants.context import TenantContext
from processors.tenants.job import Job, JobKind
from xero_stream.contracts.names import TenantId


def context_of(pool: Any, tenant_id: TenantId, partition: int = 1, **more: Any) -> TenantContext:
    """As much of it as jobs need that read and write the store only."""
    return cast("TenantContext", SimpleNamespace(pool=pool, tenant_id=tenant_id, partition=partition, **more))


def kinds_of(pool: Any, tenant_id: TenantId, partition: int = 1) -> list[JobKind]:
    """All that production code registers."""
    context = context_of(pool, tenant_id, partition)
    return [Refresh(context), Passes(context)]


def job(pool: Any, tenant_id: TenantId, read: Read | PassPage, partition: int = 1) -> Job:
    """The job that makes a planned call."""
    context = context_of(pool, tenant_id, partition)
    if isinstance(read, PassPage):
        return Page(page=read, kind=Passes(context))
    return job_of(read, Refresh(context))
