"""Wait until nothing is under way, read everything, compare it with the truth."""

import asyncio
from collections.abc import Callable

import asyncpg
from aiokafka.errors import KafkaError

from cli.demo import stored
from cli.demo.environment import DemoEnvironment
from cli.demo.kafka_log import NotReadError, Whole
from cli.demo.simulated import SimulatedError
from cli.demo.verdict import Broken, Verdict, judge, plural
from verify.history import History
from verify.truth import Truth, unified
from xero_api.registry import by_name
from xero_stream.contracts.names import STREAMED

DRAIN_SECONDS = 90.0
"""How long what is under way may take."""
TELL_SECONDS = 2.0

TROUBLE = (
    SimulatedError,
    NotReadError,
    KafkaError,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
"""What a verification may die of, besides its verdict."""


async def verify(demo: DemoEnvironment, broken: Callable[[], Broken], say: Callable[[str], None]) -> Verdict:
    """Stop edits, drain, read Kafka from the beginning, compare.

    Args:
        demo: everything that runs; edits stay stopped.
        broken: what was broken on purpose, asked at the end.
        say: told what is waited for.

    Raises:
        SimulatedError, NotReadError, KafkaError: there is no verdict.
    """
    await demo.simulated.keep_editing(0)
    await demo.simulated.calm_down()
    async with Whole(demo.kafka) as whole:
        left = await _drain(demo, whole, say)
        say("reading Kafka from the beginning and comparing with the simulator's truth")
        history = await _history(demo, whole)
    return await asyncio.to_thread(judge, history, broken(), left)


async def _history(demo: DemoEnvironment, whole: Whole) -> History:
    truth: Truth = {}
    for tenant in demo.names:
        for entity in map(by_name, STREAMED):
            truth |= unified(entity, tenant, await demo.simulated.truth(tenant, entity.path))
    acknowledged = await demo.simulated.acknowledged()
    changes, start = await whole.changes()
    return History(
        changes=changes,
        records=await whole.records(),
        acknowledged=acknowledged,
        logged=await whole.events(),
        truth=truth,
        partitions=demo.kafka.partitions,
        start=start,
    )


async def _drain(demo: DemoEnvironment, whole: Whole, say: Callable[[str], None]) -> list[str]:
    """Wait until nothing is under way; answers what still is when patience ends."""
    loop = asyncio.get_running_loop()
    ends_at, told_at = loop.time() + DRAIN_SECONDS, loop.time()
    while left := await _left(demo, whole):
        if loop.time() > ends_at:
            break
        if loop.time() - told_at > TELL_SECONDS:
            told_at = loop.time()
            say(f"waiting for {', '.join(left)}")
        await asyncio.sleep(0.2)
    standing = await stored.left(demo.pool)
    return left + ([f"{standing.quarantined:,} in quarantine"] if standing.quarantined else [])


async def _left(demo: DemoEnvironment, whole: Whole) -> list[str]:
    # In the order of the flow: what has left one place has arrived at the next by the time that is asked.
    pending = await demo.simulated.pending()
    ends = await whole.event_ends()
    taken = await stored.taken_in(demo.pool)
    waiting = sum(max(0, end - taken.get(partition, 0)) for partition, end in ends.items())
    standing = await stored.left(demo.pool)
    counts = [
        (pending, "webhook", "to deliver"),
        (waiting, "event", "to take in"),
        (standing.dirty, "record", "to read"),
        (standing.passes, "load", "to finish"),
        (standing.unpublished, "change", "to publish"),
    ]
    return [f"{plural(count, what)} {verb}" for count, what, verb in counts if count]
