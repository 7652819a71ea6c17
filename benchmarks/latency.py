"""From a webhook to its change in the hands of a read_committed consumer: an idle tenant, 50 ms for a call to Xero."""

import asyncio
import random
import time
from datetime import datetime

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from benchmarks.figures import keep, stack, summary
from tests.support.stack import PARTITIONS
from xero_stream.contracts.names import EntityName

TENANTS = 10
WARM_UP = 60
"""Events before the first that counts: a broker that was just started compiles its code as it goes."""
EVENTS = 120


def _milliseconds_since(moment: str, now: float) -> float:
    return (now - datetime.fromisoformat(moment).timestamp()) * 1000


async def _measure() -> None:
    options = [f"--tenants={TENANTS}", "--invoices=40", "--api-latency-ms=50", "--webhook-batch-ms=0"]
    async with stack(*options) as running:
        tenants = await running.connect()
        await running.drained()
        topic = running.topics.changes(EntityName.INVOICES)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=running.bootstrap_servers, isolation_level="read_committed", fetch_max_wait_ms=50
        )
        await consumer.start()
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        for partition in partitions:
            await consumer.position(partition)
        rows = []
        for number in range(WARM_UP + EVENTS):
            tenant = tenants[number % TENANTS]
            await running.edit(tenantId=tenant, endpoint="Invoices", kind="change", count=1)
            message = await asyncio.wait_for(consumer.getone(), 20)
            now = time.time()
            change = orjson.loads(message.value)
            received = change["source"]["webhook"]["received_at"]
            rows.append(
                {
                    "readable": _milliseconds_since(received, now),
                    "fetched": _milliseconds_since(
                        received, datetime.fromisoformat(change["source"]["fetch"]["fetched_at"]).timestamp()
                    ),
                    "recorded": _milliseconds_since(received, change["ts_ms"] / 1000),
                }
            )
            if number < WARM_UP:
                rows.clear()
            await asyncio.sleep(random.uniform(0.05, 0.25))
        await consumer.stop()
        figures = {
            f"webhook received -> {step}, ms": summary([row[step] for row in rows])
            for step in ("fetched", "recorded", "readable")
        }
        keep("latency", {**figures, "goal": "readable: p50 <= 90 ms, p99 <= 200 ms (50 ms of it is Xero)"}, rows)
        await running.assert_quotas_kept()


def main(arguments: list[str]) -> int:
    """Measure; 0 when done."""
    del arguments
    asyncio.run(_measure())
    return 0
