"""Topics that are not what they were: recreated, emptied, grown; and strangers in the group of the processors."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from tests.support.stack import PARTITIONS, Stack
from tests.support.stacks import StartStack
from tests.support.topics import grow, make_anew
from verify.promises import Promise
from xero_stream.contracts.names import STREAMED
from xero_stream.kafka.admin import TopicAdmin, TopicSpec, wanted

SMALL = ("--tenants=9", "--invoices=15", "--contacts=8", "--credit-notes=2")
LOST_LOG = (Promise.ACKNOWLEDGED,)
"""Whoever deletes ``webhook-events`` deletes what was acknowledged, too; what it led to must be right all the same."""


def specs(stack: Stack, *names: str) -> list[TopicSpec]:
    """How topics should be; all of them without names."""
    return [spec for spec in wanted(stack.kafka, STREAMED) if not names or spec.name in names]


async def made_anew(stack: Stack, *names: str) -> None:
    """Delete topics and make them again."""
    async with TopicAdmin(stack.kafka) as admin:
        await make_anew(stack.bootstrap_servers, admin, specs(stack, *names))


@contextlib.asynccontextmanager
async def stranger(stack: Stack, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Somebody else in the group of the processors, who reads another topic, or theirs."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=stack.bootstrap_servers,
        group_id=stack.topics.processors_group,
        enable_auto_commit=False,
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def said(stack: Stack, name: str, event: str, within: float = 30) -> None:
    """Wait until a process has logged an event."""
    log = stack.processes[name].log

    async def logged() -> bool:
        return f'"event":"{event}"' in log.read_text(encoding="utf-8")

    await stack.until(logged, within, f"{name} to say {event}")


async def times_lost(stack: Stack) -> int:
    """How often the processors found that Kafka had lost events."""
    return int((await stack.series("processors-0"))["xero_stream_events_lost_total"])


async def test_webhook_events_made_anew_are_read_from_their_beginning(new_stack: StartStack) -> None:
    """With nobody there, and grown past where we stopped; and again under running processes: loudly, nothing skipped."""
    async with new_stack(*SMALL) as stack:
        process, topic = stack.processes["processors-0"], stack.topics.webhook_events
        tenants = await stack.connect()
        await stack.drained()
        await stack.edit(count=20)
        await stack.drained()
        await process.stop()
        stopped_at = await stack.ends(topic)

        await made_anew(stack, topic)
        await stack.until(stack.receiver_ready, 20, "the receiver to find the new topic")
        await stack.edit(count=120)
        await stack.calm()
        grown_to = await stack.ends(topic)
        assert all(grown_to[number] > stopped_at[number] for number in range(PARTITIONS)), "nothing could be skipped"
        process.start()
        await said(stack, "processors-0", "events_lost")
        await stack.drained()
        await stack.judged(tenants, without=LOST_LOG)

        lost = await times_lost(stack)
        await made_anew(stack, topic)
        await stack.edit(count=60)

        async def noticed() -> bool:
            return await times_lost(stack) == lost + PARTITIONS

        await stack.until(noticed, 60, "every partition to find another topic")
        await stack.drained()
        await stack.judged(tenants, without=LOST_LOG)
        await stack.assert_quotas_kept()


async def test_an_emptied_kafka_is_filled_again(new_stack: StartStack) -> None:
    """Every topic gone and recreated, the store kept: it is said, and every record is published again."""
    async with new_stack(*SMALL) as stack:
        process = stack.processes["processors-0"]
        tenants = await stack.connect()
        await stack.drained()
        await stack.edit(count=20)
        await stack.drained()
        before = len(await stack.truth(tenants))
        await process.stop()

        await made_anew(stack)
        process.start()
        await said(stack, "processors-0", "topics_emptied")
        await stack.edit(count=10)
        await stack.drained()

        history = await stack.judged(tenants, without=LOST_LOG, cut=True, least=before // 2)
        assert all(change.position > 1 for change in history.changes), "positions are never given out twice"
        assert {change.event["op"] for change in history.changes} >= {"r"}
        await stack.assert_quotas_kept()


@pytest.mark.long
async def test_a_grown_topic_moves_nobody_and_is_refused_at_the_next_start(new_stack: StartStack) -> None:
    """Tenants stay in the partitions the deployment began with; a start says what is wrong and what to do."""
    async with new_stack(*SMALL) as stack:
        tenants = await stack.connect()
        await stack.drained()

        await grow(stack.bootstrap_servers, stack.topics.webhook_events, PARTITIONS + 1)
        process = stack.processes["processors-0"]
        await said(stack, "processors-0", "topic_has_more_partitions", within=60)
        await stack.edit(count=30)
        await stack.drained()
        await stack.judged(tenants)

        await process.stop()
        process.start()
        assert process.child is not None
        assert await process.wait() == 78
        assert f"has {PARTITIONS + 1} partitions, the deployment {PARTITIONS}" in process.tail(3)


@pytest.mark.long
async def test_strangers_in_the_group_take_nothing_that_is_not_noticed(new_stack: StartStack) -> None:
    """A member that wants other topics changes nothing; one that takes our partitions and goes leaves nothing undone."""
    async with new_stack(*SMALL) as stack:
        tenants = await stack.connect()
        await stack.drained()
        async with stranger(stack, stack.topics.dead_letters):
            await stack.edit(count=20)
            await stack.drained()
            await stack.settled_group()

        async with stranger(stack, stack.topics.webhook_events) as consumer:
            await stack.until(lambda: _has_some(consumer), 30, "the stranger to be given partitions")
            await stack.edit(count=30)
            series = await stack.series("processors-0")
            assert series["xero_stream_partitions_owned"] < PARTITIONS, "what an alert can see"
        await stack.settled_group()
        await stack.drained()
        await stack.judged(tenants)
        await stack.assert_quotas_kept()


async def _has_some(consumer: AIOKafkaConsumer) -> bool:
    await consumer.getmany(timeout_ms=100)
    return bool(consumer.assignment())
