"""The receiver beside its peers: processor time, throughput, latency at a fixed rate, a burst, memory.

All servers run at the same time on core 0, all but one idle; Kafka and the load generator share core 1. Runs alternate
and only ratios within a round count: absolute figures are the machine's, and the hour's. Every request carries signed
events and is answered after Kafka's acknowledgement (acks=all, idempotent). Ours has everything on: limits, deadlines,
metrics, logs, recovery. At the end the log is counted: what was accepted must be there.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
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
OURS, PEER, ECHO, PRIVATE, TOGETHER, GO = 28_101, 28_102, 28_103, 28_104, 28_105, 28_106
PINNED = hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1

_PIN = "import os,sys; os.sched_setaffinity(0,{int(sys.argv[1])}); os.execv(sys.argv[2],sys.argv[2:])"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is sent, to whom.

    Attributes:
        servers: who takes part.
        arguments: of the load generator.
        fixed_rate: at the plan's rate; else as much as goes.
        most: how many times Go's processor time per request ours may take.
    """

    servers: tuple[str, ...] = ("ours", "peer", "go")
    arguments: tuple[str, ...] = ()
    fixed_rate: bool = False
    most: float = 2.2


ONE, ONE_FIXED = "one event, saturation, 64 connections", "one event, fixed rate"
SCENARIOS = {
    ONE: Scenario(),
    "one event, saturation, without Accept-Encoding": Scenario(arguments=("--without-accept-encoding",)),
    ONE_FIXED: Scenario(fixed_rate=True),
    "one event, fixed rate, without Accept-Encoding": Scenario(
        fixed_rate=True, arguments=("--without-accept-encoding",)
    ),
    "twenty events, saturation": Scenario(
        servers=("ours", "peer", "together", "go"), arguments=("--events", "20"), most=1.2
    ),
    # One after another the FastAPI peer would not keep up.
    "twenty events, fixed rate": Scenario(
        servers=("ours", "go"), arguments=("--events", "20"), fixed_rate=True, most=1.2
    ),
}


@contextmanager
def server(name: str, port: int, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """A server on its core, once it answers."""
    if PINNED:
        command = [sys.executable, "-c", _PIN, str(SERVER_CORE), *command]
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


def measured(server: Server, *arguments: str) -> dict[str, Any]:
    """A run, with the server's own processor time per request and its memory."""
    return {**load(server.port, "--pid", str(server.pid), *arguments), "server_rss_mb": resident_megabytes(server.pid)}


def rounds(servers: Sequence[Server], count: int, *arguments: str) -> list[dict[str, Any]]:
    """Runs in turn; who goes first changes from round to round."""
    rows = []
    for number in range(count):
        first = number % len(servers)
        rows.append({each.name: measured(each, *arguments) for each in (*servers[first:], *servers[:first])})
        print(
            f"  round {number + 1}: "
            + ", ".join(f"{name} {row['server_us_per_request']} us" for name, row in sorted(rows[-1].items())),
            flush=True,
        )
    return rows


def accepted_events() -> int:
    """How many events of accepted webhooks ours has counted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PRIVATE}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return int(sum(float(number) for number in re.findall(r"receiver_events_total\{[^}]*\} ([0-9.e+]+)", text)))


async def in_the_log(bootstrap_servers: str, topic: str) -> int:
    """How many records a topic has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        return sum(ends.values())
    finally:
        await consumer.stop()


def uvicorn(port: int) -> list[str]:
    """The command of the FastAPI peer."""
    return [
        sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_receiver:app", "--port", str(port),
        "--log-level", "warning", "--no-access-log", "--loop", "uvloop", "--http", "httptools",
    ]  # fmt: skip


def built_go(folder: str) -> str | None:
    """The Go peer, built; None where Go is not installed."""
    if shutil.which("go") is None:
        return None
    program = f"{folder}/go_receiver"
    subprocess.run(["go", "build", "-o", program, "."], cwd=Path(__file__).parent / "peers" / "go_receiver", check=True)
    return program


def started(stack: ExitStack, bootstrap_servers: str) -> dict[str, Server]:
    """All servers under test."""
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "XERO_WEBHOOK_KEYS": KEY}
    ours = {
        **kafka,
        "KAFKA_TOPIC_PREFIX": "ours",
        "KAFKA_PARTITIONS": str(PARTITIONS),
        "XERO_STREAM_RECEIVER_PRIVATE_PORT": str(PRIVATE),
        "XERO_STREAM_LOG_FORMAT": "json",
    }
    peers = {**kafka, "PEER_TOPIC": "peer.webhook-events"}
    command = [sys.executable, "-m", "receiver", "--host", "127.0.0.1", "--port", str(OURS)]
    servers = [
        stack.enter_context(server("ours", OURS, command, ours)),
        stack.enter_context(server("peer", PEER, uvicorn(PEER), peers)),
        stack.enter_context(server("together", TOGETHER, uvicorn(TOGETHER), {**peers, "PEER_TOGETHER": "1"})),
    ]
    program = built_go(stack.enter_context(tempfile.TemporaryDirectory()))
    if program is not None:
        servers.append(stack.enter_context(server("go", GO, [program], {**peers, "PEER_PORT": str(GO)})))
    return {each.name: each for each in servers}


def run(bootstrap_servers: str, plan: Plan) -> dict[str, Any]:
    """Everything that is measured."""
    seconds = ["--seconds", str(plan.seconds), "--warm-up", "1"]
    figures: dict[str, Any] = {}
    with server("echo", ECHO, [sys.executable, "-c", _ECHO % ECHO], {}) as echo:
        print("ceiling of the load generator", flush=True)
        figures["generator_ceiling"] = load(echo.port, "--seconds", "3")
    with ExitStack() as stack:
        servers = started(stack, bootstrap_servers)
        time.sleep(2)
        figures["idle_rss_mb"] = {name: resident_megabytes(each.pid) for name, each in servers.items()}
        print("warming up Kafka and the servers", flush=True)
        for each in (*servers.values(), *servers.values()):
            load(each.port, "--seconds", "3", "--warm-up", "0")
        figures["scenarios"] = {}
        for name, scenario in SCENARIOS.items():
            print(name, flush=True)
            taking_part = [servers[each] for each in scenario.servers if each in servers]
            rate = ["--rate", str(plan.rate)] if scenario.fixed_rate else []
            figures["scenarios"][name] = rounds(taking_part, plan.pairs, *seconds, *rate, *scenario.arguments)
        print(f"burst of {plan.burst} in a second", flush=True)
        figures["burst"] = {
            name: load(servers[name].port, "--burst", str(plan.burst), "--connections", "256")
            for name in ("ours", "peer")
        }
        figures["accepted"] = accepted_events()
    figures["in_the_log"] = asyncio.run(in_the_log(bootstrap_servers, "ours.webhook-events"))
    return figures


def spread(values: Sequence[float]) -> dict[str, float]:
    """Smallest, middle, largest."""
    return {"min": round(min(values), 3), "median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def ratio(figures: Mapping[str, Any], scenario: str, one: str, other: str, what: str) -> dict[str, float] | None:
    """One server's figure divided by another's, round by round; None where one of them did not run."""
    rows = figures["scenarios"][scenario]
    if any(name not in rows[0] for name in (one, other)):
        return None
    return spread([row[one][what] / row[other][what] for row in rows])


def judged(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The ratios, and whether the goals are met; the goals beside Go only where Go ran."""
    work = "server_us_per_request"
    ratios = {
        "throughput, ours / FastAPI": ratio(figures, ONE, "ours", "peer", "per_second"),
        "p99 at the fixed rate, ours / FastAPI": ratio(figures, ONE_FIXED, "ours", "peer", "p99_ms"),
        **{
            f"processor time, {name}: {one} / {other}": ratio(figures, name, one, other, work)
            for name, scenario in SCENARIOS.items()
            for one, other in (("peer", "ours"), ("together", "ours"), ("ours", "go"))
            if one in scenario.servers and other in scenario.servers
        },
    }
    told = {name: value for name, value in ratios.items() if value is not None}
    burst = figures["burst"]["ours"]
    goals = {
        "throughput at least 2.0 x FastAPI's": told["throughput, ours / FastAPI"]["median"] >= 2.0,
        "p99 at the fixed rate no worse than FastAPI's": told["p99 at the fixed rate, ours / FastAPI"]["median"] <= 1.0,
        "burst all 200 within 5 s": burst["statuses"] == {"200": burst["sent"]} and burst["max_ms"] < 5_000,
        "what was accepted is in the log": figures["in_the_log"] >= figures["accepted"],
    }
    for name, scenario in SCENARIOS.items():
        beside = told.get(f"processor time, {name}: ours / go")
        if beside is not None:
            goals[f"{name}: at most {scenario.most} x Go's processor time"] = beside["median"] <= scenario.most
    return {"ratios": told, "goals": goals}


def text(document: Mapping[str, Any]) -> str:
    """The figures for people."""
    figures, judgement = document["figures"], document["judgement"]
    lines = [
        "The receiver beside others: FastAPI + uvicorn + aiokafka, one event after another (peer) or all at once (together), and",
        "Go's net/http + franz-go (go). Processor time is the server's own, of all its threads.",
        f"{document['machine']}; pinned: {document['pinned']}; {document['versions']}",
        f"load generator alone: {figures['generator_ceiling']['per_second']:,.0f}/s",
    ]
    for name, rows in figures["scenarios"].items():
        lines += ["", f"{name:58}{'us min':>9}{'median':>9}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}{'MB':>7}"]
        for server_name in sorted(rows[0]):
            of = [row[server_name] for row in rows]
            work = spread([one["server_us_per_request"] for one in of])
            rate, p50, p99 = (statistics.median(one[key] for one in of) for key in ("per_second", "p50_ms", "p99_ms"))
            resident = max(one["server_rss_mb"] for one in of)
            lines.append(
                f"  {server_name:56}{work['min']:>9.1f}{work['median']:>9.1f}{rate:>10,.0f}{p50:>9.1f}{p99:>9.1f}{resident:>7.0f}"
            )
    lines.append("")
    for name, burst in figures["burst"].items():
        lines.append(f"burst, {name}: {burst['statuses']} of {burst['sent']}, slowest {burst['max_ms']:.0f} ms")
    idle = ", ".join(f"{name} {megabytes}" for name, megabytes in figures["idle_rss_mb"].items())
    lines += [
        f"idle memory, MB: {idle}",
        f"events accepted {figures['accepted']:,}, in the log {figures['in_the_log']:,}",
        "",
    ]
    for name, value in judgement["ratios"].items():
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
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=300.0)
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
