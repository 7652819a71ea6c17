"""Wait until nothing is under way, read everything, compare it with the truth."""

import asyncio
from collections.abc import Callable

import asyncpg
from aiokafka.errors import KafkaError

from cli.demo import stored
from cli.demo.house import House
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


async def verify(house: House, broken: Callable[[], Broken], say: Callable[[str], None]) -> Verdict:
    """Stop edits, drain, read Kafka from the beginning, compare.

    Args:
        house: everything that runs; edits stay stopped.
        broken: what was broken on purpose, asked at the end.
        say: told what is waited for.

    Raises:
        SimulatedError, NotReadError, KafkaError: there is no verdict.
    """
    await house.simulated.keep_editing(0)
    await house.simulated.calm_down()
    async with Whole(house.kafka) as whole:
        left = await _drain(house, whole, say)
        say("reading Kafka from the beginning and comparing with the simulator's truth")
        history = await _history(house, whole)
    return await asyncio.to_thread(judge, history, broken(), left)


async def _history(house: House, whole: Whole) -> History:
    truth: Truth = {}
    for tenant in house.names:
        for entity in map(by_name, STREAMED):
            truth |= unified(entity, tenant, await house.simulated.truth(tenant, entity.path))
    acknowledged = await house.simulated.acknowledged()
    changes, start = await whole.changes()
    return History(
        changes=changes,
        records=await whole.records(),
        acknowledged=acknowledged,
        logged=await whole.events(),
        truth=truth,
        partitions=house.kafka.partitions,
        start=start,
    )


async def _drain(house: House, whole: Whole, say: Callable[[str], None]) -> list[str]:
    """Wait until nothing is under way; answers what still is when patience ends."""
    loop = asyncio.get_running_loop()
    ends_at, told_at = loop.time() + DRAIN_SECONDS, loop.time()
    while left := await _left(house, whole):
        if loop.time() > ends_at:
            break
        if loop.time() - told_at > TELL_SECONDS:
            told_at = loop.time()
            say(f"waiting for {', '.join(left)}")
        await asyncio.sleep(0.2)
    standing = await stored.left(house.pool)
    return left + ([f"{standing.quarantined:,} in quarantine"] if standing.quarantined else [])


async def _left(house: House, whole: Whole) -> list[str]:
    # In the order of the flow: what has left one place has arrived at the next by the time that is asked.
    pending = await house.simulated.pending()
    ends = await whole.event_ends()
    taken = await stored.taken_in(house.pool)
    waiting = sum(max(0, end - taken.get(partition, 0)) for partition, end in ends.items())
    standing = await stored.left(house.pool)
    counts = [
        (pending, "webhook", "to deliver"),
        (waiting, "event", "to take in"),
        (standing.dirty, "record", "to read"),
        (standing.passes, "load", "to finish"),
        (standing.unpublished, "change", "to publish"),
    ]
    return [f"{plural(count, what)} {verb}" for count, what, verb in counts if count]
