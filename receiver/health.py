"""Whether the receiver is well, told from its workers' cells. Pure; ``now`` is an argument."""

from collections.abc import Sequence
from typing import Protocol

from xero_stream.telemetry.health import Health

SILENT_SECONDS = 15.0
"""A worker without a sign of life for longer is stuck."""


class Worker(Protocol):
    """What is looked at."""

    @property
    def last_beat(self) -> float:
        """Monotonic time of the last sign of life; 0 before the first."""

    @property
    def is_serving(self) -> bool:
        """Whether it answers requests."""

    @property
    def has_producer(self) -> bool:
        """Whether it has a Kafka producer."""


def live(workers: Sequence[Worker], now: float, started: float, silent_seconds: float = SILENT_SECONDS) -> Health:
    """Whether every worker makes progress.

    Args:
        now: monotonic seconds.
        started: when the first of them was started.
        silent_seconds: how long a worker may show no sign of life.
    """
    silent = [number for number, worker in enumerate(workers) if now - max(worker.last_beat, started) > silent_seconds]
    if silent:
        return Health(ok=False, reasons={"workers": f"no sign of life from {', '.join(map(str, silent))}"})
    return Health(ok=True, reasons={"workers": f"{len(workers)} well"})


def ready(workers: Sequence[Worker]) -> Health:
    """Whether requests may be sent here. Kafka is named but doesn't count: only we can tell Xero 503."""
    serving = sum(worker.is_serving for worker in workers)
    connected = sum(worker.has_producer for worker in workers)
    return Health(
        ok=serving > 0,
        reasons={
            "workers": f"{serving} of {len(workers)} serving",
            "kafka": f"{connected} of {len(workers)} workers connected",
        },
    )
