"""What a run looks like from outside, sampled: work done, work left, and what each process uses."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import asyncpg
import httpx

from tests.robustness.experiment import Experiment

EVERY_SECONDS = 2.0

_LEFT = """
SELECT (SELECT count(*) FROM dirty d JOIN tenants t USING (tenant_id) WHERE t.state = 'connected')
     + (SELECT coalesce(sum(p.position - m.position), 0)::bigint FROM positions p JOIN relay_marks m USING (partition)) AS left
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process uses.

    Attributes:
        pid: which one: after a restart it is another.
        resident: bytes of memory.
        descriptors: open files and sockets.
        tasks: of its event loop.
    """

    pid: int
    resident: float
    descriptors: float
    tasks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look.

    Attributes:
        at: monotonic seconds.
        edits: made in Xero so far.
        changes: seen by a read_committed consumer so far.
        left: dirty records and changes not relayed; None where the store did not answer.
        usage: by process name; without those that did not answer.
    """

    at: float
    edits: int
    changes: int
    left: int | None
    usage: dict[str, Usage]


@dataclass(slots=True, kw_only=True)
class Watch:
    """All samples of a run, in order."""

    samples: list[Sample] = field(default_factory=list)


async def _left(url: str) -> int | None:
    try:
        connection = await asyncpg.connect(url, timeout=1.5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None
    try:
        left: int = await connection.fetchval(_LEFT, timeout=1.5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
    finally:
        connection.terminate()
    return left


async def _usage(experiment: Experiment, name: str) -> Usage | None:
    stack, process = experiment.stack, experiment.stack.processes[name]
    if process.child is None or process.ended:
        return None
    try:
        answer = await stack.http.get(f"http://127.0.0.1:{stack.private_ports[name]}/metrics", timeout=1.5)
    except httpx.TransportError:
        return None
    found = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return Usage(
        pid=process.pid,
        resident=float(found["process_resident_memory_bytes"]),
        descriptors=float(found["process_open_fds"]),
        tasks=float(found["xero_stream_event_loop_tasks"]),
    )


async def _sample(experiment: Experiment) -> Sample:
    names = ["receiver", *experiment.stack.processors]
    usages = await asyncio.gather(*(_usage(experiment, name) for name in names))
    return Sample(
        at=time.monotonic(),
        edits=(await experiment.stack.control("GET", "/traffic"))["editsMade"],
        changes=len(experiment.follower.arrivals),
        left=await _left(experiment.servers.database_url),
        usage={name: usage for name, usage in zip(names, usages, strict=True) if usage is not None},
    )


@contextlib.asynccontextmanager
async def watching(experiment: Experiment, every: float = EVERY_SECONDS) -> AsyncIterator[Watch]:
    """Sample while the block runs.

    Args:
        experiment: the system.
        every: seconds between two looks.
    """
    watch = Watch()

    async def look() -> None:
        while True:
            watch.samples.append(await _sample(experiment))
            await asyncio.sleep(every)

    task = asyncio.create_task(look())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How fast a value grows: units per hour, by least squares; 0 for fewer than two points.

    Args:
        points: (seconds, value).
    """
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
