"""The whole system under traffic, with everything at hand that can be broken."""

import contextlib
import math
import random
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.clocks import MachineClock
from tests.support.follower import Follower
from tests.support.proxy import KafkaProxy, Proxy
from tests.support.stack import PARTITIONS, Stack
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.local.servers import LocalServers

if TYPE_CHECKING:
    from tests.robustness.failures.failure import Failure

SESSION_SECONDS = 6.0
"""The least that Kafka allows: a killed processor's partitions are free sooner."""


HEALTHY_AT_LAST_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a failure cost.

    Attributes:
        failure: its name.
        began: monotonic seconds when it was injected.
        lasted: seconds from injection to its end.
        recovered: seconds from its end until every partition published again.
    """

    failure: str
    began: float
    lasted: float
    recovered: float


@dataclass(slots=True, kw_only=True)
class Experiment:
    """A stack behind proxies, on servers of its own.

    Attributes:
        stack: receiver, processors, simulator.
        servers: Kafka and PostgreSQL, to be killed and frozen.
        kafka: between our processes and Kafka.
        postgres: between our processes and PostgreSQL.
        follower: sees every change as a consumer would.
        tenants: all connected organisations.
        chance: the only source of randomness.
        scale: 1, or more for a soak.
        failpoints: the folder the processes look into.
        clocks: of the machine that each process believes to run on, by its name.
        recoveries: one for each failure so far.
    """

    stack: Stack
    servers: LocalServers
    kafka: KafkaProxy
    postgres: Proxy
    follower: Follower
    tenants: Sequence[str]
    chance: random.Random
    scale: int
    failpoints: Path
    clocks: Mapping[str, MachineClock]
    recoveries: list[Recovery] = field(default_factory=list)

    def one_tenant_each(self) -> list[str]:
        """An organisation of each partition."""
        found: dict[int, str] = {}
        for tenant in self.chance.sample(list(self.tenants), len(self.tenants)):
            found.setdefault(partition_of(TenantId(tenant), PARTITIONS), tenant)
        assert len(found) == PARTITIONS, "too few organisations: a partition has none"
        return list(found.values())

    async def judged(self) -> None:
        """Let the work drain, then judge everything that was recorded.

        Raises:
            AssertionError: a promise was broken.
        """
        await self.stack.drained(within=120)
        await self.stack.judged(self.tenants, least=30 * len(self.tenants))
        await self.stack.assert_quotas_kept()

    async def working(self, within: float) -> float:
        """Wait until an edit in each partition was announced, read and published; answers after how many seconds.

        Raises:
            AssertionError: that took longer.
        """
        started = time.monotonic()
        waiting: dict[str, int] = {}
        since = len(self.follower.arrivals)
        for tenant in self.one_tenant_each():
            # A new one only where merging and archiving left none to change.
            mostly = {"change": 1, "create": 1e-9}
            done = await self.stack.edit(tenantId=tenant, endpoint="Contacts", weights=mostly, count=1)
            (edited,) = done["edits"]
            waiting |= {
                record["id"]: record["updatedMs"] for record in edited["records"] if record["id"] == edited["id"]
            }

        async def published() -> bool:
            for arrival in self.follower.arrivals[since:]:
                # A change of an earlier edit may come while this one is still on its way.
                if (arrival.version or 0) >= waiting.get(arrival.record_id, math.inf):
                    del waiting[arrival.record_id]
            return not waiting

        await self.stack.until(published, within, "an edit in each partition to be published")
        return time.monotonic() - started


@contextlib.asynccontextmanager
async def traffic(experiment: Experiment, edits_per_second: float, *, floor: float = 0.5) -> AsyncIterator[None]:
    """Random edits while the block runs; fewer than ``floor`` of what was asked for and the run proves nothing.

    Args:
        experiment: the system.
        edits_per_second: over all organisations.
        floor: share of them that must really have been made.

    Raises:
        AssertionError: there was too little traffic.
    """
    before, began = await experiment.stack.traffic(edits_per_second), time.monotonic()
    try:
        yield
    finally:
        made = await experiment.stack.traffic(0) - before
    wanted = floor * edits_per_second * (time.monotonic() - began)
    assert made >= wanted, f"only {made} edits, {wanted:.0f} wanted: too little traffic to prove anything"


async def undergo(experiment: Experiment, failure: "Failure") -> Recovery:
    """Have a failure happen to a healthy system, and see that it is healthy again in time.

    Args:
        experiment: the system, under traffic.
        failure: what goes wrong.

    Raises:
        AssertionError: the failure could not be made to happen, or the system did not recover.
    """
    stack = experiment.stack
    stack.note(f"=== {failure.name}")
    began = time.monotonic()
    await failure.inject(experiment)
    lasted = time.monotonic() - began
    stack.note(f"--- {failure.name} is over after {lasted:.1f} s")
    recovered = await experiment.working(failure.recovers)
    recovery = Recovery(failure=failure.name, began=began, lasted=lasted, recovered=recovered)
    experiment.recoveries.append(recovery)
    return recovery


async def undergo_all(experiment: Experiment, failures: "Iterable[Failure]", *, go_on: bool = False) -> list[str]:
    """Have failures happen one after another, and say on standard error how each went.

    Args:
        experiment: the system, under traffic.
        failures: in this order.
        go_on: a failure that does not go as it should is only noted, and the next one follows: hours of a soak are not
            thrown away for one slow recovery.

    Returns:
        What did not go as it should; nothing where ``go_on`` is off.

    Raises:
        AssertionError: as :func:`undergo`; with ``go_on`` only if the system is not healthy two minutes later.
    """
    wrong: list[str] = []
    await experiment.working(30)  # later ones find the system as the one before left it: recovered
    for failure in failures:
        try:
            recovery = await undergo(experiment, failure)
            said = f"{failure.name}: {recovery.recovered:.1f} s"
        except Exception as error:
            if not go_on:
                raise
            said = f"{failure.name} went wrong: {type(error).__name__}: {error}"
            wrong.append(said)
            experiment.stack.note(said)
            await experiment.working(HEALTHY_AT_LAST_SECONDS)
        sys.stderr.write(f"{experiment.stack.elapsed():8.1f} s  {said}\n")
    return wrong
