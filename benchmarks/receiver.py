"""The receiver against the peer: throughput, latency at a fixed rate, a burst, memory. ``python -m benchmarks.receiver``.

Both servers run at the same time on core 0, one of them idle; Kafka and the load generator share core 1. Runs alternate
and only ratios within a pair count: absolute figures are the machine's, and the hour's. Every request carries a signed
event and is answered after Kafka's acknowledgement (acks=all, idempotent). Ours has everything on: limits, deadlines,
metrics, logs, recovery. At the end the log is counted: what was accepted must be there.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.local.servers import LocalServers
from xero_stream.settings.kafka import KafkaSettings

RESULTS = Path(__file__).parent / "results"
KEY = "benchmark-signing-key-that-is-long-enough=="
PARTITIONS = 3
SERVER_CORE, LOAD_CORE = 0, 1
OURS, PEER, ECHO, PRIVATE = 28_101, 28_102, 28_103, 28_104
PINNED = hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1

_PIN = (
    "import os,sys; os.sched_setaffinity(0,{int(sys.argv[1])}); os.execv(sys.executable,[sys.executable,*sys.argv[2:]])"
)

_ECHO = """
import asyncio, uvloop
class Echo(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", %d)
    await server.serve_forever()
uvloop.run(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server under test."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of everything."""

    pairs: int
    seconds: float
    rate: float
    burst: int


@contextmanager
def server(name: str, port: int, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """A server on its core, once it answers."""
    command = [sys.executable, "-c", _PIN, str(SERVER_CORE), *arguments] if PINNED else [sys.executable, *arguments]
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            _wait_for(port, child, log)
            yield Server(name=name, port=port, pid=child.pid)
        finally:
            child.terminate()
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()


def _wait_for(port: int, child: "subprocess.Popen[bytes]", log: Any) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if child.poll() is not None:
            log.seek(0)
            raise SystemExit(f"a server ended:\n{log.read().decode()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


def load(port: int, *arguments: str) -> dict[str, Any]:
    """Run the load generator on its core."""
    core = ["--core", str(LOAD_CORE)] if PINNED else []
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.receiver_load", "--port", str(port), "--key", KEY, *core, *arguments],
        capture_output=True,
        check=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def resident_megabytes(pid: int) -> float:
    """Memory of a process."""
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True, text=True)
    return round(int(done.stdout) / 1024, 1)


def processor_seconds(pid: int) -> float:
    """Time a process has spent on the processor."""
    done = subprocess.run(["ps", "-o", "cputimes=", "-p", str(pid)], capture_output=True, check=True, text=True)
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float(done.stdout)
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(server: Server, *arguments: str) -> dict[str, Any]:
    """A run, with the server's own time per request beside what the load generator saw."""
    before = processor_seconds(server.pid)
    result = load(server.port, *arguments)
    spent = processor_seconds(server.pid) - before
    share = result["seconds"] / (result["seconds"] + result["warm_up"])
    result["server_us_per_request"] = round(1e6 * spent * share / max(1, result["requests"]), 1)
    result["server_rss_mb"] = resident_megabytes(server.pid)
    return result


def paired(ours: Server, peer: Server, pairs: int, *arguments: str) -> list[dict[str, Any]]:
    """Alternating runs; who goes first changes from pair to pair."""
    rows = []
    for number in range(pairs):
        order = (ours, peer) if number % 2 == 0 else (peer, ours)
        rows.append({server.name: measured(server, *arguments) for server in order})
        print(
            f"  pair {number + 1}: "
            + ", ".join(
                f"{name} {row['per_second']:,.0f}/s p99 {row['p99_ms']} ms" for name, row in sorted(rows[-1].items())
            ),
            flush=True,
        )
    return rows


def accepted() -> int:
    """How many webhooks ours has accepted, by its own count."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PRIVATE}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    match = re.search(r'requests_total\{outcome="accepted"\} ([0-9.e+]+)', text)
    assert match is not None
    return int(float(match.group(1)))


async def in_the_log(bootstrap_servers: str, topic: str) -> int:
    """How many records a topic has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        return sum(ends.values())
    finally:
        await consumer.stop()


def run(bootstrap_servers: str, plan: Plan) -> dict[str, Any]:
    """Everything that is measured."""
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "XERO_WEBHOOK_KEYS": KEY}
    ours_environment = {
        **kafka,
        "KAFKA_TOPIC_PREFIX": "ours",
        "KAFKA_PARTITIONS": str(PARTITIONS),
        "XERO_STREAM_RECEIVER_PRIVATE_PORT": str(PRIVATE),
        "XERO_STREAM_LOG_FORMAT": "json",
    }
    peer_environment = {**kafka, "PEER_TOPIC": "peer.webhook-events"}
    peer_arguments = [
        "-m", "uvicorn", "benchmarks.peers.fastapi_receiver:app", "--port", str(PEER), "--log-level", "warning",
        "--no-access-log", "--loop", "uvloop", "--http", "httptools",
    ]  # fmt: skip
    seconds = ["--seconds", str(plan.seconds)]
    figures: dict[str, Any] = {}
    with server("echo", ECHO, ["-c", _ECHO % ECHO], {}) as echo:
        print("ceiling of the load generator", flush=True)
        figures["generator_ceiling"] = load(echo.port, "--seconds", "3")
    with ExitStack() as stack:
        ours = stack.enter_context(
            server("ours", OURS, ["-m", "receiver", "--host", "127.0.0.1", "--port", str(OURS)], ours_environment)
        )
        peer = stack.enter_context(server("peer", PEER, peer_arguments, peer_environment))
        time.sleep(2)
        figures["idle_rss_mb"] = {"ours": resident_megabytes(ours.pid), "peer": resident_megabytes(peer.pid)}
        print("warming up Kafka and both servers", flush=True)
        for each in (ours, peer) * 2:
            load(each.port, "--seconds", "3", "--warm-up", "0")
        print("saturation, 64 connections", flush=True)
        figures["saturation"] = paired(ours, peer, plan.pairs, *seconds)
        print(f"{plan.rate:.0f} a second", flush=True)
        figures["fixed_rate"] = paired(ours, peer, plan.pairs, *seconds, "--rate", str(plan.rate))
        print(f"burst of {plan.burst} in a second", flush=True)
        figures["burst"] = {
            each.name: load(each.port, "--burst", str(plan.burst), "--connections", "256") for each in (ours, peer)
        }
        figures["accepted"] = accepted()
    figures["in_the_log"] = asyncio.run(in_the_log(bootstrap_servers, "ours.webhook-events"))
    return figures


def spread(values: Sequence[float]) -> dict[str, float]:
    """Smallest, middle, largest."""
    return {"min": round(min(values), 3), "median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def judged(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The ratios, and whether the goals are met."""
    saturation, fixed, burst = figures["saturation"], figures["fixed_rate"], figures["burst"]["ours"]
    throughput = spread([row["ours"]["per_second"] / row["peer"]["per_second"] for row in saturation])
    work = spread([row["peer"]["server_us_per_request"] / row["ours"]["server_us_per_request"] for row in saturation])
    p99 = spread([row["ours"]["p99_ms"] / row["peer"]["p99_ms"] for row in fixed])
    return {
        "throughput_ratio": throughput,
        "work_per_request_ratio": work,
        "p99_ratio_at_fixed_rate": p99,
        "goals": {
            "throughput at least 2.0 x": throughput["median"] >= 2.0,
            "p99 at the fixed rate no worse": p99["median"] <= 1.0,
            "burst all 200 within 5 s": burst["statuses"] == {"200": burst["sent"]} and burst["max_ms"] < 5_000,
            "what was accepted is in the log": figures["in_the_log"] >= figures["accepted"],
        },
    }


def text(document: Mapping[str, Any]) -> str:
    """The figures for people."""
    figures, judgement = document["figures"], document["judgement"]
    lines = [
        "Receiver against a plain FastAPI + uvicorn + aiokafka receiver",
        f"{document['machine']}; pinned: {document['pinned']}; {document['versions']}",
        f"load generator alone: {figures['generator_ceiling']['per_second']:,.0f}/s",
        "",
        f"{'saturation, 64 connections':34}{'ours/s':>10}{'peer/s':>10}{'ratio':>8}{'ours us':>10}{'peer us':>10}",
    ]
    for number, row in enumerate(figures["saturation"], 1):
        ours, peer = row["ours"], row["peer"]
        lines.append(
            f"{f'pair {number}':34}{ours['per_second']:>10,.0f}{peer['per_second']:>10,.0f}"
            f"{ours['per_second'] / peer['per_second']:>8.2f}"
            f"{ours['server_us_per_request']:>10.0f}{peer['server_us_per_request']:>10.0f}"
        )
    lines += ["", f"{'fixed rate, ms':34}{'p50':>8}{'p99':>8}{'peer p50':>10}{'peer p99':>10}"]
    for number, row in enumerate(figures["fixed_rate"], 1):
        ours, peer = row["ours"], row["peer"]
        lines.append(
            f"{f'pair {number}':34}{ours['p50_ms']:>8}{ours['p99_ms']:>8}{peer['p50_ms']:>10}{peer['p99_ms']:>10}"
        )
    for name, burst in figures["burst"].items():
        lines.append(f"burst, {name}: {burst['statuses']} of {burst['sent']}, slowest {burst['max_ms']:.0f} ms")
    full = {name: max(row[name]["server_rss_mb"] for row in figures["saturation"]) for name in ("ours", "peer")}
    idle = figures["idle_rss_mb"]
    lines.append(f"memory, MB: idle ours {idle['ours']}, peer {idle['peer']}; full load {full['ours']}, {full['peer']}")
    lines += [f"accepted {figures['accepted']:,}, in the log {figures['in_the_log']:,}", ""]
    for name in ("throughput_ratio", "work_per_request_ratio", "p99_ratio_at_fixed_rate"):
        value = judgement[name]
        lines.append(f"{name}: median {value['median']} (min {value['min']}, max {value['max']})")
    lines += [f"{'met' if met else 'MISSED'}: {goal}" for goal, met in judgement["goals"].items()]
    return "\n".join(lines) + "\n"


async def with_kafka(plan: Plan) -> dict[str, Any]:
    """Measure on a Kafka of its own, or on the one in ``KAFKA_BOOTSTRAP_SERVERS``."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        await _topics(given)
        return await asyncio.to_thread(run, given, plan)
    with tempfile.TemporaryDirectory() as folder:
        async with LocalServers(Path(folder) / "servers", progress=print, plaintext=True) as servers:
            await _topics(servers.bootstrap_servers)
            return await asyncio.to_thread(run, servers.bootstrap_servers, plan)


async def _topics(bootstrap_servers: str) -> None:
    for prefix in ("ours", "peer"):
        settings = KafkaSettings.read(
            bootstrap_servers=bootstrap_servers, topic_prefix=prefix, partitions=PARTITIONS, replication_factor=1
        )
        async with TopicAdmin(settings) as admin:
            await admin.apply(wanted(settings, ()))


@contextmanager
def pinned() -> Iterator[None]:
    """This process on the load's core for a while; Kafka is its child and inherits that."""
    if not PINNED:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def main(argv: list[str] | None = None) -> int:
    """The command: 0 if the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receiver", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--burst", type=int, default=5_000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options, _ = parser.parse_known_args(argv)
    plan = Plan(pairs=options.pairs, seconds=options.seconds, rate=options.rate, burst=options.burst)
    with pinned():
        figures = asyncio.run(with_kafka(plan))
    judgement = judged(figures)
    names = ("aiohttp", "aiokafka", "fastapi", "uvicorn", "uvloop", "httptools")
    document = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "pinned": PINNED,
        "versions": ", ".join(f"{name} {version(name)}" for name in names),
        "plan": {"pairs": plan.pairs, "seconds": plan.seconds, "rate": plan.rate, "burst": plan.burst},
        "figures": figures,
        "judgement": judgement,
    }
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "receiver.json").write_text(json.dumps(document, indent=2) + "\n")
    (options.results / "receiver.txt").write_text(text(document))
    print(text(document))
    return 0 if all(judgement["goals"].values()) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
