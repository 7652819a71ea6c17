"""The experiment that failures are made to happen to."""

import contextlib
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.robustness.experiment import SESSION_SECONDS, Experiment
from tests.support.clocks import machine_clock
from tests.support.follower import Follower
from tests.support.proxied_servers import proxied_servers
from tests.support.stack import Stack
from tests.support.stacks import LONG, chance, folder, new_stack, scale, seed

__all__ = ["chance", "folder", "new_stack", "scale", "seed"]

collect_ignore = [] if LONG else ["test_soak.py"]
"""Only ``make robustness`` and ``make soak`` import the one that draws pictures: a second for every worker."""

NewExperiment = Callable[[], AbstractAsyncContextManager[Experiment]]


@pytest.fixture
def new_experiment(seed: int, chance: random.Random, scale: int, folder: Path) -> NewExperiment:
    """Makes a system of one's own: two workers, 24 organisations, proxies before Kafka and PostgreSQL."""

    @contextlib.asynccontextmanager
    async def make() -> AsyncIterator[Experiment]:
        failpoints = folder / "failpoints"
        failpoints.mkdir()
        clocks = {name: machine_clock(folder, name) for name in ("receiver", "processors-0", "processors-1")}
        # Half of all deployments give their workers names: a restart then moves no partition.
        named = chance.random() < 0.5
        async with contextlib.AsyncExitStack() as stack:
            proxied = await stack.enter_async_context(proxied_servers(folder / "servers"))
            system = Stack(
                bootstrap_servers=proxied.servers.bootstrap_servers,
                database_url=proxied.servers.database_url,
                prefix=f"t{uuid.uuid4().hex[:10]}",
                folder=folder,
                seed=seed,
                simulator_options=("--tenants=24", "--invoices=20", "--contacts=10", "--credit-notes=4"),
                processor_count=2,
                environment={
                    "KAFKA_BOOTSTRAP_SERVERS": proxied.kafka.address,
                    "DATABASE_URL": proxied.through_proxy(proxied.servers.database_url),
                    "XERO_STREAM_SESSION_TIMEOUT_SECONDS": f"{SESSION_SECONDS:.0f}",
                    "XERO_STREAM_FAILPOINTS_DIR": str(failpoints),
                    "XERO_STREAM_GAP_PATIENCE_SECONDS": "5",
                },
                environments={
                    name: {**clock.environment, **({"XERO_STREAM_GROUP_INSTANCE_ID": f"of-{name}"} if named else {})}
                    for name, clock in clocks.items()
                },
            )
            await stack.enter_async_context(system)
            system.note(f"seed {seed}, {'static' if named else 'dynamic'} members")
            tenants = await system.connect()
            await system.settled_group()
            await system.drained()
            follower = await stack.enter_async_context(Follower(system))
            yield Experiment(
                stack=system,
                servers=proxied.servers,
                kafka=proxied.kafka,
                postgres=proxied.postgres,
                follower=follower,
                tenants=tenants,
                chance=chance,
                scale=scale,
                failpoints=failpoints,
                clocks=clocks,
            )

    return make


def pytest_report_header() -> list[str]:
    """The seed of a run that was asked for by number."""
    given = os.environ.get("XERO_STREAM_SEED")
    return [f"seed: {given}"] if given else []
