"""The desk of a partition: starts a task for each tenant with work, looks for more once a second."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog

from processors.recorder.recorder import Recorder
from processors.tenants.context import TenantContext
from processors.tenants.job import JobKind
from processors.tenants.metrics import TenantMetrics
from processors.tenants.runner import Runner
from processors.tenants.services import Memory, RunnerServices
from xero_stream.contracts.names import TenantId
from xero_stream.store import tenants
from xero_stream.store.clock import utc_now
from xero_stream.store.leases import FencedError, Lease
from xero_stream.store.pool import STORE_ERRORS
from xero_stream.store.queries.tenants import with_work

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskServices:
    """What all desks of a process share."""

    pool: "asyncpg.Pool[Any]"
    runner: RunnerServices
    metrics: TenantMetrics
    kinds: Sequence[Callable[[TenantContext], JobKind]]


class Desk:
    """All tenants of one partition that have something to do."""

    def __init__(
        self,
        *,
        services: DeskServices,
        lease: Lease,
        recorder: Recorder,
        may_begin: asyncio.Event,
    ) -> None:
        """Take the parts; :meth:`run` begins.

        Args:
            services: what all desks share.
            lease: ours.
            recorder: of the partition.
            may_begin: set when positions may be given out.
        """
        self._services = services
        self._lease = lease
        self._recorder = recorder
        self._may_begin = may_begin
        self._fenced: FencedError | None = None
        self._runners: dict[TenantId, tuple[Runner, asyncio.Task[None]]] = {}
        self._memories: dict[TenantId, Memory] = {}
        self._look = asyncio.Event()
        self._holds_seen = 0
        self._stopping = False
        self._name = f"desk-{lease.partition}"

    def wake(self, tenant_ids: Iterable[TenantId]) -> None:
        """These tenants have new events."""
        for tenant_id in tenant_ids:
            running = self._runners.get(tenant_id)
            if running is not None:
                running[0].wake()
            elif not self._stopping and self._may_begin.is_set():
                self._start(tenant_id)

    def look_again(self) -> None:
        """There may be work for anybody."""
        self._look.set()

    async def run(self) -> None:
        """Look for tenants with work until cancelled.

        Raises:
            FencedError: the partition has another owner.
        """
        await self._may_begin.wait()
        while not self._stopping:
            if self._fenced is not None:
                raise self._fenced
            self._services.metrics.heartbeats.beat(self._name)
            self._look.clear()
            try:
                due = await with_work(
                    self._services.pool, self._lease.partition, self._services.runner.entities, utc_now()
                )
                self.wake(tenant for tenant in due if tenant not in self._runners)
                await self._look_at_the_running()
            except STORE_ERRORS as error:
                log.warning("desk_waits", partition=self._lease.partition, reason=str(error)[:300])
            try:
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _look_at_the_running(self) -> None:
        """Tasks that work or wait see an operator's command within a second."""
        holds = self._services.runner.app_holds
        running = list(self._runners)
        if not running:
            return
        standing = await tenants.told(self._services.pool, running)
        for tenant_id in running:
            if tenant_id in self._runners and tenant_id in standing:
                self._runners[tenant_id][0].told(standing[tenant_id])
        if holds.version != self._holds_seen:
            self._holds_seen = holds.version
            for runner, _ in self._runners.values():
                runner.look_anew()

    async def stop(self, drain: float) -> None:
        """Let calls in flight finish and be recorded, within so many seconds; start nothing new."""
        self._stopping = True
        tasks = [task for _, task in self._runners.values()]
        for runner, _ in self._runners.values():
            runner.stop()
        if tasks and drain > 0:
            await asyncio.wait(tasks, timeout=drain)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        self._services.metrics.quotas.tenants_left(self._memories)
        self._services.metrics.heartbeats.done(self._name)

    def _start(self, tenant_id: TenantId) -> None:
        runner = Runner(
            services=self._services.runner,
            lease=self._lease,
            recorder=self._recorder,
            tenant_id=tenant_id,
            memories=self._memories,
            kinds=self._services.kinds,
        )
        task = asyncio.create_task(runner.run(), name=f"tenant-{tenant_id}")
        self._runners[tenant_id] = (runner, task)
        task.add_done_callback(lambda done: self._ended(tenant_id, done))

    def _ended(self, tenant_id: TenantId, task: "asyncio.Task[None]") -> None:
        runner, _ = self._runners.pop(tenant_id)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, FencedError):
            self._fenced = error
            self._look.set()
        elif error is not None:
            log.error("tenant_task_failed", tenant=tenant_id, reason=repr(error)[:300], exc_info=error)
        elif runner.woken and not self._stopping:
            self._start(tenant_id)  # an event came while it was ending
