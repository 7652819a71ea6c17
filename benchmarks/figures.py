"""What the figures share: the servers, a stack, percentiles, and where the raw output goes."""

import json
import platform
import statistics
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.stack import Stack
from xero_stream.local.servers import LocalServers

RESULTS = Path(__file__).parent / "results"


def summary(values: Sequence[float]) -> dict[str, float]:
    """Count, median, p95, p99 and maximum, rounded to a tenth."""
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)

    return {
        "n": len(ordered),
        "p50": round(statistics.median(ordered), 1),
        "p95": at(0.95),
        "p99": at(0.99),
        "max": round(ordered[-1], 1),
    }


def keep(name: str, figures: dict[str, Any], raw: Any) -> None:
    """Print the figures; write them with the raw values to ``benchmarks/results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    document = {
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": figures,
        "raw": raw,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for key, value in figures.items():
        print(f"  {key}: {value}", flush=True)


@asynccontextmanager
async def stack(*simulator_options: str, **fields: Any) -> AsyncIterator[Stack]:
    """The whole system on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="xero-stream-bench-") as folder:
        async with LocalServers(Path(folder) / "servers", plaintext=True) as servers:
            name = f"bench_{uuid.uuid4().hex[:8]}"
            connection = await asyncpg.connect(servers.database_url)
            await connection.execute(f"CREATE DATABASE {name}")
            await connection.close()
            async with Stack(
                bootstrap_servers=servers.bootstrap_servers,
                database_url=servers.postgres.url(name),
                prefix=name,
                folder=Path(folder) / "run",
                simulator_options=simulator_options,
                **fields,
            ) as running:
                yield running
