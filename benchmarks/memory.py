"""Memory: the receiver idle and at full load, the processors with 100,000 dirty records; flat or not.

``python -m benchmarks memory --minutes=10`` holds the load for ten minutes; one minute by default.
"""

import asyncio
import sys
import time
import uuid
from datetime import UTC, datetime

import asyncpg
import psutil

from benchmarks.figures import keep, stack
from tests.support.stack import WEBHOOK_KEY, Stack
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of

DIRTY = 100_000


def _megabytes(pid: int) -> float:
    parent = psutil.Process(pid)
    processes = [parent, *parent.children(recursive=True)]
    resident: int = sum(process.memory_info().rss for process in processes)
    return round(resident / 1_048_576, 1)


async def _sampled(pid: int, seconds: float) -> list[float]:
    samples = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        samples.append(_megabytes(pid))
        await asyncio.sleep(1)
    return samples


def _shape(samples: list[float]) -> dict[str, float]:
    """First and last tenth after a tenth of warm-up, and the highest: flat means that the first two agree."""
    tenth = max(1, len(samples) // 10)
    warm = samples[tenth:] or samples
    return {
        "early_mb": round(sum(warm[:tenth]) / tenth, 1),
        "late_mb": round(sum(warm[-tenth:]) / tenth, 1),
        "highest_mb": max(samples),
    }


async def _receiver(running: Stack, seconds: float) -> dict[str, object]:
    pid = running.processes["receiver"].pid
    idle = await _sampled(pid, 5)
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.receiver_load",
        f"--port={running.receiver_port}",
        f"--key={WEBHOOK_KEY}",
        f"--seconds={seconds}",
        stdout=asyncio.subprocess.PIPE,
    )
    loaded = await _sampled(pid, seconds)
    output, _ = await load.communicate()
    return {"idle_mb": idle[-1], "loaded": _shape(loaded), "load": output.decode().strip()[:500], "samples": loaded}


async def _processors(running: Stack, seconds: float) -> dict[str, object]:
    tenants = await running.connect()
    await running.drained()
    pid = running.processes["processors-0"].pid
    idle = await _sampled(pid, 5)
    tenant = tenants[0]
    connection = await asyncpg.connect(running.database_url)
    partition = partition_of(TenantId(tenant), 3)
    now = datetime.now(UTC)
    await connection.copy_records_to_table(
        "dirty",
        records=[(tenant, "invoices", str(uuid.uuid4()), partition, now, now) for _ in range(DIRTY)],
        columns=["tenant_id", "entity", "record_id", "partition", "event_at", "first_received_at"],
    )
    samples = await _sampled(pid, seconds)
    left = await connection.fetchval("SELECT count(*) FROM dirty")
    await connection.close()
    return {"idle_mb": idle[-1], "with_100,000_dirty": _shape(samples), "left_at_the_end": left, "samples": samples}


async def _measure(minutes: float) -> None:
    async with stack("--tenants=2", "--invoices=200", "--api-latency-ms=100") as running:
        processors = await _processors(running, minutes * 60)
        receiver = await _receiver(running, minutes * 60)
    raw = {"receiver": receiver.pop("samples"), "processors": processors.pop("samples")}
    keep("memory", {"minutes": minutes, "receiver": receiver, "processors": processors}, raw)


def main(arguments: list[str]) -> int:
    """Measure; 0 when done."""
    minutes = next((float(a.split("=", 1)[1]) for a in arguments if a.startswith("--minutes=")), 1.0)
    asyncio.run(_measure(minutes))
    return 0
