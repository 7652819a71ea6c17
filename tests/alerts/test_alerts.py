"""Every alert rule fires when what it is about happens, and stops when it is over.

``make test`` evaluates the rules over the scraped pages with a small evaluator of our own; ``make alerts`` has Debian's Prometheus
load the rules and fire them. Times are shortened (``tests/alerts/rules.py``), expressions are otherwise the deployed ones.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.alerts import rules
from tests.alerts.judges import Alert, Judge, Targets, own_judge, prometheus
from tests.alerts.provocations import GROUPS, Provocation, Scene, provoked, shorter
from tests.support.clocks import machine_clock
from tests.support.proxied_servers import proxied_servers
from tests.support.stack import Stack

FIRES_SECONDS = 90.0
STOPS_SECONDS = 90.0


def test_every_rule_has_a_provocation() -> None:
    """Whoever adds a rule adds what makes it fire, to ``tests/alerts/provocations.py``."""
    assert provoked() == set(rules.names())


@contextlib.asynccontextmanager
async def scene_in(folder: Path, seed: int) -> AsyncIterator[Scene]:
    """A system on servers of its own: a receiver with two workers, one process of processors, a simulated Xero."""
    clocks = {name: machine_clock(folder, name) for name in ("receiver", "processors-0")}
    async with proxied_servers(folder / "servers") as proxied:
        stack = Stack(
            bootstrap_servers=proxied.servers.bootstrap_servers,
            database_url=proxied.servers.database_url,
            prefix=f"t{uuid.uuid4().hex[:10]}",
            folder=folder,
            seed=seed,
            simulator_options=("--tenants=20", "--invoices=2", "--contacts=4", "--credit-notes=1"),
            environment={
                "KAFKA_BOOTSTRAP_SERVERS": proxied.kafka.address,
                "DATABASE_URL": proxied.through_proxy(proxied.servers.database_url),
                "XERO_STREAM_SESSION_TIMEOUT_SECONDS": "6",
                "XERO_STREAM_GAP_PATIENCE_SECONDS": "2",
                "XERO_STREAM_RECEIVER_WORKERS": "2",
                "XERO_STREAM_UNCONNECTED_RECORDS": "2",
            },
            environments={name: clock.environment for name, clock in clocks.items()},
        )
        async with stack:
            scene = Scene(stack=stack, proxied=proxied, clocks=clocks, tenants=await stack.tenants())
            for tenant in scene.tenants:
                if tenant != scene.stranger:
                    await stack.connect([tenant])  # a grant each: one that dies is one organisation's
            await stack.settled_group()
            await stack.drained()
            yield scene


def targets(stack: Stack) -> Targets:
    """What Prometheus scrapes in a deployment."""
    ports = stack.private_ports
    return {"xero-stream-receiver": [ports["receiver"]], "xero-stream-processors": [ports["processors-0"]]}


def missing(rows: Sequence[Provocation], fired: set[Alert]) -> list[str]:
    """The alerts of these provocations that have not fired."""
    wanted = [(alert, set(labels.items())) for row in rows for alert, labels in row.alerts]
    return [
        f"{alert} {dict(labels)}"
        for alert, labels in wanted
        if not any(alert == name and labels <= found for name, found in fired)
    ]


async def provoke(scene: Scene, judge: Judge, rows: Sequence[Provocation], what: str) -> None:
    """Have a group of provocations happen, see every alert fire, end them, see every alert stop."""
    stack = scene.stack
    mine = {alert for row in rows for alert, _ in row.alerts}

    async def quiet() -> bool:
        return not {name for name, _ in await judge.firing()} & mine

    async def all_fired() -> bool:
        return not missing(rows, judge.fired)

    await stack.until(quiet, STOPS_SECONDS, f"quiet before {what}")
    judge.fired.clear()
    async with contextlib.AsyncExitStack() as causes:
        for row in rows:
            await causes.enter_async_context(row.provoke(scene))
        try:
            await stack.until(all_fired, FIRES_SECONDS, f"the alerts of {what}")
        except AssertionError as error:
            raise AssertionError(f"never fired: {missing(rows, judge.fired)}; fired: {judge.fired}\n{error}") from error
    try:
        await stack.until(quiet, STOPS_SECONDS, f"the end of the alerts of {what}")
    except AssertionError as error:
        left = [one for one in await judge.firing() if one[0] in mine]
        raise AssertionError(f"never stopped: {left}\n{error}") from error
    stack.note(f"fired and stopped: {sorted(mine)}")


@pytest.mark.timeout(600)
async def test_every_alert_fires_and_stops(folder: Path, seed: int) -> None:
    """Each rule holds while its trouble lasts, for as long as its ``for`` says, and no longer."""
    document = rules.shortened(rules.deployed(), shorter())
    async with scene_in(folder, seed) as scene, own_judge(document, targets(scene.stack)) as judge:
        for what, rows in GROUPS.items():
            await provoke(scene, judge, rows, what)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_prometheus_fires_and_stops_every_alert(folder: Path, seed: int) -> None:
    """The same with Prometheus itself, which loads the rules as we deploy them."""
    document = rules.shortened(rules.deployed(), shorter())
    async with scene_in(folder, seed) as scene, prometheus(document, targets(scene.stack), folder) as judge:
        for what, rows in GROUPS.items():
            await provoke(scene, judge, rows, what)
