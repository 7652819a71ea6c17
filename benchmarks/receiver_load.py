"""Load on a webhook receiver: signed, pre-built requests over keep-alive connections, on raw asyncio protocols.

Runs in a process of its own (``python -m benchmarks.receiver_load``), pinned to the core that the server doesn't have,
and prints one JSON line. Closed loop (``--seconds``): every connection sends its next request when it has its answer.
Open loop (``--rate``): requests leave on schedule, and latency counts from the scheduled moment, so that a server that
stalls is charged for what it held up. Burst (``--burst``): that many on schedule within one second, then wait for all.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import random
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import uvloop

CONNECTIONS = 64
TENANTS = 100
DISTINCT = 2_000


def requests(
    key: str,
    path: str,
    *,
    seed: int = 7,
    distinct: int = DISTINCT,
    events: int = 1,
    accept_encoding: bool = True,
) -> list[bytes]:
    """Signed webhooks as raw HTTP; one of a single event has some 600 bytes.

    Args:
        key: the webhook signing key.
        path: where to post.
        seed: same seed, same requests.
        distinct: how many.
        events: events of each.
        accept_encoding: whether they carry ``Accept-Encoding: gzip,deflate``, as Xero's do.
    """
    chance = random.Random(seed)
    tenants = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(TENANTS)]
    accepting = "Accept-Encoding: gzip,deflate\r\n" if accept_encoding else ""
    made = []
    for number in range(distinct):
        body = json.dumps(
            {
                "events": [_event(chance, tenants) for _ in range(events)],
                "firstEventSequence": number * events + 1,
                "lastEventSequence": number * events + events,
                "entropy": "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=20)),
            },
            indent=1,
        ).encode()
        signature = base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: receiver\r\nAccept: */*\r\n{accepting}"
            f"Content-Type: application/json; charset=utf-8\r\nx-xero-signature: {signature}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _event(chance: random.Random, tenants: list[str]) -> dict[str, str]:
    record = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{record}",
        "resourceId": record,
        "tenantId": chance.choice(tenants),
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-11-22T01:15:39.902",
    }


def processor_seconds(pid: int) -> float:
    """Processor time that all threads of a process have used, to the nanosecond; 0 where the system does not say.

    Args:
        pid: the process; 0 for none.
    """
    if not pid:
        return 0.0
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Load:
    """What is sent, and what came back."""

    def __init__(self, prepared: list[bytes]) -> None:
        self.prepared = prepared
        self.next = 0
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.recording = False
        self.stopped = False
        self.idle: deque[Connection] = deque()
        self.waiting: deque[float] = deque()
        self.lost = 0
        self.expected = -1
        self.complete = asyncio.Event()

    def request(self) -> bytes:
        """The next request, round and round."""
        self.next += 1
        return self.prepared[self.next % len(self.prepared)]


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, load: Load, *, closed_loop: bool) -> None:
        self._load = load
        self._closed_loop = closed_loop
        self._started = 0.0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin at once (closed loop) or wait for the schedule."""
        self._transport = cast("asyncio.Transport", transport)
        if self._closed_loop:
            self.send(time.perf_counter())
        else:
            self._load.idle.append(self)

    def send(self, since: float) -> None:
        """Send the next request; its latency counts from ``since``."""
        assert self._transport is not None
        self._started = since
        self._transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        """Count a complete answer (its body is empty) and go on."""
        if self._buffer:
            data = self._buffer + data
        if not data.endswith(b"\r\n\r\n"):
            self._buffer = data
            return
        self._buffer = b""
        load, now = self._load, time.perf_counter()
        if load.recording:
            load.latencies.append(now - self._started)
            load.statuses[data[9:12].decode()] += 1
            if len(load.latencies) == load.expected:
                load.complete.set()
        if load.stopped:
            return
        if self._closed_loop:
            self.send(now)
        elif load.waiting:
            self.send(load.waiting.popleft())
        else:
            load.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count connections lost while the load ran."""
        del exc
        if not self._load.stopped:
            self._load.lost += 1


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Connect, warm up, measure."""
    load = Load(
        requests(
            options.key,
            options.path,
            events=options.events,
            distinct=max(100, DISTINCT // options.events),
            accept_encoding=not options.without_accept_encoding,
        )
    )
    loop = asyncio.get_running_loop()
    closed_loop = options.rate is None and not options.burst
    transports = [
        (await loop.create_connection(lambda: Connection(load, closed_loop=closed_loop), options.host, options.port))[0]
        for _ in range(options.connections)
    ]
    if options.burst:
        return await burst(load, options.burst, transports)
    schedule = None if closed_loop else asyncio.create_task(_schedule(load, options.rate))
    await asyncio.sleep(options.warm_up)
    load.recording = True
    started, cpu, spent = time.perf_counter(), time.process_time(), processor_seconds(options.pid)
    await asyncio.sleep(options.seconds)
    load.recording = False
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    spent = processor_seconds(options.pid) - spent
    load.stopped = True
    if schedule is not None:
        schedule.cancel()
    for transport in transports:
        transport.abort()
    return {
        **summary(load, elapsed, cpu),
        "seconds": elapsed,
        "server_us_per_request": round(1e6 * spent / max(1, len(load.latencies)), 1),
    }


async def burst(load: Load, count: int, transports: Sequence[asyncio.BaseTransport]) -> dict[str, object]:
    """Send that many within a second and wait for the last answer, 30 s at most."""
    load.recording, load.expected = True, count
    started, cpu = time.perf_counter(), time.process_time()
    await _schedule(load, float(count), count)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            await load.complete.wait()
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    load.stopped = True
    for transport in transports:
        transport.close()
    return {**summary(load, elapsed, cpu), "sent": count, "all_answered_after_s": round(elapsed, 3)}


async def _schedule(load: Load, rate: float, count: int = 2**62) -> None:
    start = time.perf_counter()
    due = 0
    while due < count:
        target = min(count, int((time.perf_counter() - start) * rate))
        while due < target:
            moment = start + due / rate
            due += 1
            if load.idle:
                load.idle.popleft().send(moment)
            else:
                load.waiting.append(moment)
        await asyncio.sleep(0.0005)


def summary(load: Load, elapsed: float, cpu: float) -> dict[str, object]:
    """Rate, latency percentiles in milliseconds, statuses, and how busy the generator itself was."""
    ordered = sorted(load.latencies)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else 0.0

    return {
        "requests": len(ordered),
        "per_second": round(len(ordered) / elapsed, 1),
        "p50_ms": at(0.50),
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
        "statuses": dict(load.statuses),
        "connections_lost": load.lost,
        "generator_busy": round(cpu / elapsed, 2),
    }


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiver_load", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/webhooks/xero")
    parser.add_argument("--key", required=True)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--burst", type=int, default=0)
    parser.add_argument("--core", type=int)
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--without-accept-encoding", action="store_true")
    parser.add_argument("--pid", type=int, default=0)
    options = parser.parse_args(argv)
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    print(json.dumps(uvloop.run(run(options))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
