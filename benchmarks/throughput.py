"""Changes a second through recorder and relay: one worker, one partition, invoices of about 2 KB.

Reads are made up beforehand, so that neither Xero nor mapping is what is measured. The two run side by side in one
process, as in production, and then each alone, to name the limit.
"""

import asyncio
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import psutil
from prometheus_client import CollectorRegistry

from benchmarks.figures import keep
from processors.metrics import ProcessorMetrics
from processors.recorder.decide import Read
from processors.recorder.envelope import Fetch
from processors.recorder.recorder import SLICE, Batch, Recorder
from processors.relay.relay import Relay
from xero_stream.contracts.change_event import Trigger
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.local.servers import LocalServers
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store.clock import utc_now
from xero_stream.store.days import make_days
from xero_stream.store.deployment import Deployment, claim
from xero_stream.store.leases import Lease
from xero_stream.store.migrate import upgrade
from xero_stream.store.ownership import take
from xero_stream.store.pool import open_pool
from xero_stream.telemetry.watchdog import Watchdog

RECORDS = 10_000
T = datetime(2026, 1, 1, tzinfo=UTC)


def _invoice(number: int, version: int) -> bytes:
    line = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}")),
        "description": "Consulting, a morning of it, with travel",
        "quantity": 1.0,
        "unit_price": 1150.0 + version,
        "account": {"code": "200"},
        "tax_amount": 172.5,
    }
    return orjson.dumps(
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number}")),
            "number": f"INV-{number:05d}",
            "contact": {"id": str(uuid.uuid4()), "name": "Ridgeway University"},
            "status": "authorised",
            "total": 1322.5 + version,
            "line_items": [line] * 8,
        }
    )


def _batches(version: int) -> list[Batch]:
    reads = [
        Read(
            record_id=f"{number:08d}",
            body=_invoice(number, version),
            status="authorised",
            updated_at=T + timedelta(seconds=version),
        )
        for number in range(RECORDS)
    ]
    return [
        Batch(
            tenant_id=TenantId("t"),
            entity=EntityName.INVOICES,
            customer_ref=None,
            reads=reads[start : start + SLICE],
            read_at=T + timedelta(seconds=version),
            marks=0,
            trigger=Trigger.POLL,
            fetch=Fetch(correlation_id="c", fetched_at=T),
        )
        for start in range(0, RECORDS, SLICE)
    ]


async def _record_all(recorder: Recorder, batches: list[Batch], relay: Relay | None) -> float:
    started = time.perf_counter()
    for batch in batches:
        await recorder.record(batch, utc_now())
        if relay is not None:
            relay.wake()
    return time.perf_counter() - started


async def _relayed(pool: Any, relay: Relay) -> None:
    behind = "SELECT p.position > m.position FROM positions p JOIN relay_marks m USING (partition) WHERE partition = 0"
    relay.wake()
    for _ in range(60_000):
        if not await pool.fetchval(behind):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the relay did not catch up within ten minutes")


async def _measure() -> None:
    with tempfile.TemporaryDirectory(prefix="xero-stream-bench-") as folder:
        async with LocalServers(Path(folder) / "servers", plaintext=True) as servers:
            kafka = KafkaSettings.read(
                bootstrap_servers=servers.bootstrap_servers, topic_prefix="bench", partitions=1, replication_factor=1
            )
            await upgrade(servers.database_url)
            async with TopicAdmin(kafka) as admin:
                await admin.apply(wanted(kafka, [EntityName.INVOICES]))
            pool = await open_pool(servers.database_url)
            deployment: Deployment = await claim(pool, topic_prefix="bench", partitions=1)
            await make_days(pool, utc_now().date())
            lease: Lease = await take(pool, 0, "bench")
            recorder = Recorder(pool=pool, lease=lease, topics=kafka.topics)
            relay = Relay(
                pool=pool,
                marks=pool,
                lease=lease,
                store_id=deployment.store_id,
                kafka=kafka,
                entities=[EntityName.INVOICES],
                observer=ProcessorMetrics(CollectorRegistry(), Watchdog()).relay,
            )
            await _figures(pool, recorder, relay)
            await pool.close()


async def _figures(pool: Any, recorder: Recorder, relay: Relay) -> None:
    first, second, third = _batches(1), _batches(2), _batches(3)
    process = psutil.Process()
    recorder_alone = await _record_all(recorder, first, None)
    running = asyncio.create_task(relay.run())
    started = time.perf_counter()
    await _relayed(pool, relay)
    relay_alone = time.perf_counter() - started
    cpu, started = process.cpu_times(), time.perf_counter()
    for batches in (second, third):
        await _record_all(recorder, batches, relay)
    await _relayed(pool, relay)
    both = time.perf_counter() - started
    used = process.cpu_times()
    busy = (used.user + used.system - cpu.user - cpu.system) / both
    relay.stop()
    await running
    size = len(_invoice(1, 1))
    keep(
        "throughput",
        {
            "record, bytes": size,
            "recorder and relay together, changes/s": round(2 * RECORDS / both),
            "recorder alone (creates), changes/s": round(RECORDS / recorder_alone),
            "relay alone, changes/s": round(RECORDS / relay_alone),
            "share of one core used by the worker": round(busy, 2),
        },
        {"both_s": both, "recorder_s": recorder_alone, "relay_s": relay_alone},
    )


def main(arguments: list[str]) -> int:
    """Measure; 0 when done."""
    del arguments
    asyncio.run(_measure())
    return 0
