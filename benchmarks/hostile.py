"""The receiver under 400 hostile requests made by hand and as many generated bodies as wanted, beside good traffic.

Good webhooks arrive at a fixed rate from a process of their own, first alone, then beside everything in
``tests/support/hostile.py``, then alone again. Judged are the hostile requests' answers, what their 200s left on Kafka, how long
good requests took, and the worker's memory. Times are the machine's: the two calm runs show what it does by itself.
"""

import argparse
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.figures import keep
from tests.support.hostile import Case, cases, exchange, generated
from tests.support.receivers import RunningReceiver, create_topics, read_all
from tests.support.webhooks import KEY, raw_request
from xero_stream.local.servers import LocalServers

RATE = 100
AT_ONCE = 12
MEMORY_MB = 200
STALL_MS = 250


async def _good(port: int, seconds: float) -> dict[str, Any]:
    """Good webhooks at a fixed rate; what the load generator saw."""
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.receiver_load", f"--port={port}", f"--key={KEY}", f"--rate={RATE}",
        f"--seconds={seconds}", "--warm-up=2", "--connections=16", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    written, _ = await load.communicate()
    result: dict[str, Any] = json.loads(written)
    return result


async def _send(receiver: RunningReceiver, case: Case) -> int:
    """Send a hostile request; its status, 0 for none."""
    if case.leaves:
        _, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(case.parts[0])
        await asyncio.sleep(0.2)
        writer.close()
        return 0
    answer = await exchange(receiver.port, *case.parts, pause=case.pause)
    return int(answer.split(b" ", 2)[1]) if answer else 0


async def _all(receiver: RunningReceiver, sent: Iterable[Case]) -> dict[str, int]:
    """Send them, a few at a time."""
    statuses: dict[str, int] = {}
    places = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> None:
        async with places:
            statuses[case.name] = await _send(receiver, case)

    await asyncio.gather(*map(one, sent))
    return statuses


async def _memory(receiver: RunningReceiver) -> float:
    """The most megabytes that the worker had, until cancelled."""
    worker = psutil.Process(receiver.process.pid)
    most = 0.0
    try:
        while True:
            most = max(most, worker.memory_info().rss / 1e6)
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        return most


async def _missing(receiver: RunningReceiver, bodies: Sequence[bytes]) -> int:
    """How many of the bodies are neither whole among the dead letters nor as events in the log."""
    letters = {
        hashlib.sha256(record.value).digest()
        for record in await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.dead-letters")
    }
    events = {
        orjson.loads(record.value)["delivery_id"]
        for record in await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    }
    digests = [hashlib.sha256(body).digest() for body in bodies]
    return sum(digest not in letters and digest.hex()[:32] not in events for digest in digests)


async def _measure(seconds: float, bodies: int, seed: int) -> bool:
    made = [
        Case(name=f"generated {number}", parts=(raw_request(body),), statuses=(200, 503), body=body)
        for number, body in enumerate(generated(seed, bodies))
    ]
    by_hand = cases()
    with tempfile.TemporaryDirectory(prefix="xero-stream-hostile-") as folder:
        async with LocalServers(Path(folder) / "servers", plaintext=True) as servers:
            await create_topics(servers.bootstrap_servers, "hostile")
            async with RunningReceiver(
                bootstrap_servers=servers.bootstrap_servers, prefix="hostile", folder=Path(folder)
            ) as receiver:
                await receiver.connected()
                await _good(receiver.port, 3)
                calm = [await _good(receiver.port, seconds)]
                watching = asyncio.create_task(_memory(receiver))
                good = asyncio.create_task(_good(receiver.port, seconds))
                await asyncio.sleep(2.5)
                started = time.monotonic()
                statuses = await _all(receiver, by_hand)
                statuses.update(await _all(receiver, made))
                took = time.monotonic() - started
                beside = await good
                watching.cancel()
                most = await watching
                calm.append(await _good(receiver.port, seconds))
                numbers = await receiver.metrics()
                accepted = [
                    case.body for case in (*by_hand, *made) if case.body is not None and statuses[case.name] == 200
                ]
                missing = await _missing(receiver, accepted)
    wrong = {case.name: statuses[case.name] for case in (*by_hand, *made) if statuses[case.name] not in case.statuses}
    calm_p99 = max(run["p99_ms"] for run in calm)
    goals = {
        "every answer as documented": not wrong,
        "good requests all 200": beside["statuses"].keys() == {"200"},
        "p99 of good requests at most 2 x": beside["p99_ms"] <= 2 * calm_p99,
        f"no good request waits over {STALL_MS} ms": beside["max_ms"] <= STALL_MS,
        f"memory at most {MEMORY_MB} MB": most <= MEMORY_MB,
        "each 200 is on Kafka": not missing,
        "no mistake of ours (500)": not numbers['xero_stream_receiver_requests_total{outcome="failed"}'],
    }
    keep(
        "hostile",
        {
            "hostile requests by hand": len(by_hand),
            "generated bodies": len(made),
            "seconds for all of them": round(took, 1),
            "good requests lasted, seconds": round(beside["seconds"], 1),
            "wrong answers": wrong,
            "503 to what may be 503": sum(status == 503 for status in statuses.values()),
            "200 with a body": len(accepted),
            "of them not on Kafka": missing,
            "good p50 / p99 / max, ms, calm": [[run["p50_ms"], run["p99_ms"], run["max_ms"]] for run in calm],
            "good p50 / p99 / max, ms, beside": [beside["p50_ms"], beside["p99_ms"], beside["max_ms"]],
            "memory, MB": round(most, 1),
            "goals": goals,
        },
        statuses,
    )
    return all(goals.values())


def main(argv: list[str] | None = None) -> int:
    """Measure; 0 if the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--bodies", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    options, _ = parser.parse_known_args(argv)
    return 0 if asyncio.run(_measure(options.seconds, options.bodies, options.seed)) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
