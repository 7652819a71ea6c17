"""Size and processor time of each codec, on change events of a simulated organisation and on single webhook events.

First the codecs alone. Then the same bytes through a real broker: processor time of this process and of the broker, with
the producer compressing (at aiokafka's own level of gzip and at ours) and with a producer that leaves it to the broker.
"""

import asyncio
import json
import statistics
import tempfile
import time
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cramjam
import httpx
import psutil
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.figures import keep
from processors.recorder.envelope import Draft, Fetch, Placement, encode_change
from tests.integration.simulator.rig import SimulatorProcess
from verify.truth import unified
from xero_api.decode import encode
from xero_api.registry import INVOICES
from xero_stream.contracts.change_event import Op, Trigger
from xero_stream.contracts.names import EntityName
from xero_stream.local.servers import LocalServers

CHANGES = 500
ROUNDS = 9
GZIP_CONTAINER = 31
CODECS: dict[str, Callable[[bytes], bytes]] = {
    **{f"gzip-{level}": partial(zlib.compress, level=level, wbits=GZIP_CONTAINER) for level in (1, 2, 3, 4, 6, 9)},
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
    "lz4": lambda data: bytes(cramjam.lz4.compress(data)),
}


def _changes() -> list[bytes]:
    """Updates of a simulated organisation's invoices, with what was before."""
    process = SimulatorProcess("--tenants=1", "--contacts=100", f"--invoices={CHANGES}", "--credit-notes=20")
    process.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{process.port}", timeout=60, trust_env=False) as http:
            tenant = http.get("/_sim/tenants").json()["tenants"][0]["tenantId"]
            truth = unified(INVOICES, tenant, http.get(f"/_sim/truth/{tenant}/Invoices").content)
    finally:
        process.end()
    now = datetime.now(UTC)
    values = []
    for position, (ref, record) in enumerate(truth.items(), 1):
        if record is None:
            continue
        after = dict(record)
        draft = Draft(
            op=Op.UPDATE,
            entity=EntityName.INVOICES,
            tenant_id=tenant,
            record_id=ref.record_id,
            before=encode({**after, "status": "draft"}),
            after=encode(after),
            changed_fields=["status"],
            updated_at=now,
            trigger=Trigger.WEBHOOK,
            fetch=Fetch(correlation_id=str(uuid.uuid4()), fetched_at=now),
        )
        place = Placement(
            incarnation=uuid.uuid4(),
            prefix="xero",
            topic="xero.changes.invoices",
            partition=0,
            position=position,
            previous=position - 1,
            recorded_at=now,
            customer_ref=None,
        )
        values.append(encode_change(draft, place).value)
    return values


def _alone(batch: bytes) -> dict[str, dict[str, float]]:
    found = {}
    for name, encode_with in CODECS.items():
        seconds = []
        for _ in range(ROUNDS):
            started = time.process_time()
            packed = encode_with(batch)
            seconds.append(time.process_time() - started)
        found[name] = {"kB": round(len(packed) / 1000), "ms": round(1000 * statistics.median(seconds), 1)}
    return found


def _at_level(level: int) -> None:
    """The level of gzip that aiokafka's producers of this process use from now on."""
    from aiokafka.record._crecords import default_records  # noqa: PLC0415 - for this measurement alone

    default_records.gzip_encode = partial(zlib.compress, level=level, wbits=GZIP_CONTAINER)


MODES: dict[str, tuple[str | None, int, dict[str, str]]] = {
    "none": (None, 9, {}),
    "producer gzip-9": ("gzip", 9, {"compression.type": "gzip"}),
    "producer gzip-1": ("gzip", 1, {"compression.type": "gzip"}),
    "producer zstd": ("zstd", 9, {"compression.type": "zstd"}),
    "broker gzip-6": (None, 9, {"compression.type": "gzip"}),
    "broker gzip-1": (None, 9, {"compression.type": "gzip", "compression.gzip.level": "1"}),
    "broker zstd": (None, 9, {"compression.type": "zstd"}),
}


async def _through(servers: LocalServers, mode: str, values: list[bytes], *, together: bool) -> dict[str, float]:
    """Microseconds of processor time per record: this process, the broker."""
    codec, level, configs = MODES[mode]
    topic = f"{mode.replace(' ', '-')}-{uuid.uuid4().hex[:6]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "8388608", **configs})])
    await admin.close()
    _at_level(level)
    producer = AIOKafkaProducer(
        bootstrap_servers=servers.bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        compression_type=codec,
        max_batch_size=1024 * 1024,
        max_request_size=9 * 1024 * 1024,
    )
    await producer.start()
    broker = psutil.Process(servers.kafka_pid)

    async def once() -> None:
        if together:
            await asyncio.gather(*[await producer.send(topic, value, partition=0) for value in values])
        else:
            for value in values:
                await producer.send_and_wait(topic, value, partition=0)

    await once()
    own, theirs = time.process_time(), sum(broker.cpu_times()[:2])
    for _ in range(ROUNDS):
        await once()
    own, theirs = time.process_time() - own, sum(broker.cpu_times()[:2]) - theirs
    await producer.stop()
    each = 1e6 / ROUNDS / len(values)
    return {"producer": round(own * each), "broker": round(theirs * each)}


async def _measure(changes: list[bytes]) -> dict[str, Any]:
    event = json.dumps({"version": 1, "app": "default", "event": {"resourceId": str(uuid.uuid4()), "pad": "x" * 420}})
    found: dict[str, Any] = {"one relay transaction": {}, "one webhook event at a time": {}}
    with tempfile.TemporaryDirectory() as folder:
        async with LocalServers(Path(folder), plaintext=True) as servers:
            await _through(servers, "none", changes, together=True)
            for name in MODES:
                found["one relay transaction"][name] = await _through(servers, name, changes, together=True)
            for name in MODES:
                found["one webhook event at a time"][name] = await _through(
                    servers, name, [event.encode()] * 300, together=False
                )
    return found


def main(arguments: list[str]) -> int:
    """Measure."""
    del arguments
    changes = _changes()
    batch = b"".join(changes)
    figures: dict[str, Any] = {f"{len(changes)} changes, {len(batch) / 1000:.0f} kB": _alone(batch)}
    figures["one change"] = _alone(changes[0])
    figures |= asyncio.run(_measure(changes))
    keep("compression", figures, {})
    return 0
