"""``kill -9`` of our processes at random moments under load, judged by a read_committed consumer."""

import asyncio
import random

from tests.support.stack import Stack
from tests.support.stacks import StartStack

FLEET = {
    # The least Kafka allows: a killed processor's partitions are free sooner.
    "XERO_STREAM_SESSION_TIMEOUT_SECONDS": "6",
}


async def kill_each(stack: Stack, chance: random.Random, victims: list[str], times: int) -> None:
    """Kill every victim so many times, in random order, at random moments; each is started again."""
    order = victims * times
    chance.shuffle(order)
    for name in order:
        await asyncio.sleep(chance.uniform(0.2, 1.6))
        stack.note(f"kill {name}")
        stack.processes[name].kill()
        await asyncio.sleep(chance.choice((0.0, 0.0, chance.uniform(0.0, 0.5))))
        stack.processes[name].start()


async def test_processors_and_receiver_killed_five_times_each(
    new_stack: StartStack, chance: random.Random, scale: int
) -> None:
    """Nothing is lost, nothing is published twice, quotas hold; every webhook answered 200 is in the log."""
    async with new_stack(
        f"--tenants={16 * scale}",
        "--invoices=25",
        "--contacts=10",
        "--credit-notes=5",
        "--api-latency-ms=40",
        processor_count=2,
        environment=FLEET,
        # One of the two is a static member: it comes back without a rebalance.
        environments={"processors-1": {"XERO_STREAM_GROUP_INSTANCE_ID": "one"}},
    ) as stack:
        tenants = await stack.connect()
        await stack.traffic(20 * scale)

        await kill_each(stack, chance, ["processors-0", "processors-1", "receiver"], 5 * scale)

        edits = await stack.traffic(0)
        await stack.drained(within=90)
        assert edits >= 200 * scale, "too little traffic to prove anything"
        history = await stack.judged(tenants, least=40 * len(tenants))
        assert len(list(history.acknowledged)) >= edits
        await stack.assert_quotas_kept()
