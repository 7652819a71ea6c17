"""The checkers of these tests are tested: with a defect in the processors they fail, and name the broken promise."""

import asyncio
import sys

import pytest

from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import Experiment
from tests.robustness.failures.failpoints import freeze_at, kill_at
from tests.support.stack import Stack
from tests.support.stacks import StartStack
from verify.promises import Promise
from xero_stream.failpoints import Failpoint

FREEZES = 4
"""So often a process is frozen for a defect to do harm: one that wakes in time may get its partition back before another
has published anything."""


async def restart(stack: Stack, defect: str | None = None) -> None:
    """Start the processors again with a defect, or without; the store has lost its last relay marks meanwhile.

    A crash of PostgreSQL may do that: marks are not flushed, as Kafka knows better.
    """
    process = stack.processes["processors-0"]
    await process.stop()
    await stack.fetch("UPDATE relay_marks SET position = greatest(0, position - 3)")
    healthy = ["-m", *stack.processors_module]
    broken = ["-m", "tests.support.defective_processors", "--defect", str(defect)]
    process.command = [sys.executable, *(broken if defect else healthy)]
    stack.note(f"start with {defect}")
    process.start()
    await stack.settled_group()


async def edit_during_a_read(stack: Stack, tenant: str) -> None:
    """Edit a record again when its read has seen the books and is not yet answered."""
    record_id = (await stack.control("GET", f"/truth/{tenant}/Contacts"))["Contacts"][0]["ContactID"]
    rule = {"operation": ["list", "get"], "times": 1, "fault": {"kind": "latency", "ms": 2_400}}
    await stack.control("PUT", "/faults", {"rules": [{"name": "slow", **rule}]})
    one = {"tenantId": tenant, "endpoint": "Contacts", "kind": "change", "recordId": record_id}
    await stack.edit(**one)

    async def reading() -> bool:
        (slow,) = (await stack.control("GET", "/faults"))["rules"]
        return bool(slow["fired"])

    await stack.until(reading, 10, "the read to begin")
    await asyncio.sleep(1.4)  # the simulator looks into its books half way
    await stack.edit(**one)
    await stack.drained()


async def load_again(stack: Stack, tenant: str, calls: int) -> None:
    """Load an organisation again and again, until it was called so often within a minute."""

    async def called() -> bool:
        await stack.fetch("UPDATE passes SET place = NULL, finished_at = NULL WHERE tenant_id = $1", tenant)
        counts = (await stack.control("GET", "/calls"))["tenants"][tenant]
        return bool(counts["mostInSlidingMinute"] >= calls)

    await stack.until(called, 30, f"{calls} calls in a minute")
    await stack.fetch("UPDATE passes SET finished_at = now()")
    await stack.drained()


async def test_defects_are_noticed(new_stack: StartStack) -> None:
    """The same trouble without and with each defect: no finding without, the right finding with it."""
    async with new_stack("--tenants=2", "--invoices=20", "--contacts=8", "--credit-notes=2") as stack:
        edited, loaded = tenants = await stack.connect()
        await stack.drained()

        await edit_during_a_read(stack, edited)
        await restart(stack)
        await load_again(stack, loaded, 40)
        assert await stack.findings(tenants) == []
        await stack.assert_quotas_kept()

        await restart(stack, "no-budget")
        await load_again(stack, loaded, 61)
        with pytest.raises(AssertionError, match="refusedEarned"):
            await stack.assert_quotas_kept()

        await restart(stack, "unconditional-settle")
        await edit_during_a_read(stack, edited)
        findings = await stack.findings(tenants)
        assert {finding.promise for finding in findings} == {Promise.PUBLISHED}
        assert len(findings) == 1

        await restart(stack, "relay-from-mark")
        await stack.drained()
        findings = await stack.findings(tenants)
        assert Promise.ONCE in {finding.promise for finding in findings}
        known = {str(finding) for finding in findings}

        for defect, promises in (
            ("headers-of-the-change", {Promise.ONCE, Promise.DESCRIBED}),
            ("nothing-before", {Promise.DIFFERENCE}),
        ):
            await restart(stack, defect)
            await stack.edit(tenantId=edited, endpoint="Invoices", kind="change")
            await stack.drained()
            findings = await stack.findings(tenants)
            fresh = {finding.promise for finding in findings if str(finding) not in known}
            known |= {str(finding) for finding in findings}
            assert fresh == promises, defect


async def run_with(stack: Stack, module: str, *names: str, defect: str | None = None) -> None:
    """Start processes again as another module, with a defect."""
    for name in names:
        process = stack.processes[name]
        await process.stop()
        process.command = [sys.executable, "-m", module, *(["--defect", defect] if defect else [])]
        process.start()
    await stack.until(stack.receiver_ready, 20, "the receiver to be back")
    await stack.settled_group()


async def news(stack: Stack, experiment: Experiment, known: set[str]) -> set[Promise]:
    """The promises that findings name which were not there before."""
    await stack.drained(within=60)
    found = await stack.findings(experiment.tenants)
    fresh = {finding.promise for finding in found if str(finding) not in known}
    known |= {str(finding) for finding in found}
    return fresh


@pytest.mark.long
async def test_defects_that_only_a_crash_shows_are_noticed(new_experiment: NewExperiment) -> None:
    """Four orders of work that look right until somebody dies or freezes in between: each is found, and named."""
    async with new_experiment() as experiment:
        stack, known = experiment.stack, set[str]()
        defective = "tests.support.defective_processors"

        await run_with(stack, defective, *stack.processors, defect="offset-before-marks")
        tenant = experiment.one_tenant_each()[0]
        killed = asyncio.create_task(kill_at(experiment, Failpoint.INTAKE_OPEN))
        await stack.edit(tenantId=tenant, endpoint="Contacts", kind="change")
        await killed
        await stack.settled_group()
        assert await news(stack, experiment, known) == {Promise.PUBLISHED}

        for defect in ("offset-before-fencing", "no-fencing"):
            await run_with(stack, defective, *stack.processors, defect=defect)
            for _ in range(FREEZES):
                frozen = asyncio.create_task(freeze_at(experiment, Failpoint.RELAY_OPEN))
                await stack.edit(tenantId=tenant, endpoint="Contacts", kind="change")
                await frozen
                await stack.settled_group()
                if Promise.ONCE in await news(stack, experiment, known):
                    break
            else:
                raise AssertionError(f"{defect}: nothing was found")

        await run_with(stack, "tests.support.defective_receiver", "receiver")
        await stack.edit(tenantId=tenant, endpoint="Contacts", kind="change")
        await stack.calm()
        stack.processes["receiver"].kill()
        stack.processes["receiver"].start()
        await stack.until(stack.receiver_ready, 20, "the receiver to be back")
        assert Promise.ACKNOWLEDGED in await news(stack, experiment, known)
