"""Metrics as plain numbers in memory that several processes share: one block of cells per worker, summed when scraped.

Counting costs an addition, and a worker that is killed takes nothing with it: its block stays, the worker that follows
goes on from there, so the sums never run backwards. A cell is eight bytes, aligned, with one writer; a reader sees the
old or the new value. What a cell means is fixed by a :class:`Layout`, the same in all processes.
"""

import mmap
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from xero_stream.telemetry.metrics import checked_name

CELL_BYTES = 8


class Kind(StrEnum):
    """What a family is, and how blocks are put together."""

    COUNTER = "counter"  # summed
    GAUGE = "gauge"  # summed
    LATEST = "latest"  # a gauge, the largest wins: times of day
    SINCE_FIRST = (
        "since_first"  # a gauge, computed when shown: seconds since the earliest of the blocks' monotonic times
    )
    SINCE_LAST = "since_last"  # the same since the latest; shown once there is one
    CLOCK = "clock"  # a gauge, computed when shown: by how much the machine's clock is ahead of another one
    HISTOGRAM = "histogram"  # summed, bucket by bucket

    @property
    def is_gauge(self) -> bool:
        """Whether Prometheus is shown a gauge."""
        return self not in {Kind.COUNTER, Kind.HISTOGRAM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric.

    Attributes:
        name: full name.
        kind: what it is.
        meaning: one sentence for people.
        label: its label, or "" for none.
        values: the label's closed set of values.
        buckets: upper bounds, of a histogram; +Inf is added.
    """

    name: str
    kind: Kind
    meaning: str
    label: str = ""
    values: tuple[str, ...] = ("",)
    buckets: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Cells per label value: one, or for a histogram one per bucket, +Inf and the sum."""
        return len(self.buckets) + 2 if self.kind is Kind.HISTOGRAM else 1


class Layout:
    """Where each number of a set of families lives in a block."""

    def __init__(self, families: Iterable[Family]) -> None:
        """Lay out the families in the order given.

        Raises:
            ValueError: a name breaks the conventions.
        """
        self.families = tuple(families)
        self._offsets: dict[tuple[str, str], int] = {}
        offset = 0
        for family in self.families:
            checked_name(family.name, "gauge" if family.kind.is_gauge else family.kind.value)
            for value in family.values:
                self._offsets[family.name, value] = offset
                offset += family.width
        self.cells = offset

    def offset(self, family: Family, value: str = "") -> int:
        """The first cell of a family's label value."""
        return self._offsets[family.name, value]


class Block:
    """One process's cells. The verbs are the hot path: an addition each."""

    def __init__(self, layout: Layout, memory: "memoryview[float]") -> None:
        """Use a slice of memory.

        Args:
            layout: what the cells mean.
            memory: exactly ``layout.cells`` doubles.
        """
        self.layout = layout
        self.cells = memory

    def counter(self, family: Family, value: str = "") -> "CellCounter":
        """The counter of a label value."""
        return CellCounter(self.cells, self.layout.offset(family, value))

    def gauge(self, family: Family, value: str = "") -> "CellGauge":
        """The gauge of a label value."""
        return CellGauge(self.cells, self.layout.offset(family, value))

    def histogram(self, family: Family, value: str = "") -> "CellHistogram":
        """The histogram of a label value."""
        return CellHistogram(self.cells, self.layout.offset(family, value), family.buckets)

    def clear_gauges(self) -> None:
        """Forget what only the process before this one knew (what is in flight); counts stay."""
        for family in self.layout.families:
            if family.kind is Kind.GAUGE:
                for value in family.values:
                    self.cells[self.layout.offset(family, value)] = 0.0


class CellCounter:
    """A number that only grows."""

    __slots__ = ("_cells", "_offset")

    def __init__(self, cells: "memoryview[float]", offset: int) -> None:
        self._cells = cells
        self._offset = offset

    def add(self, amount: float = 1.0) -> None:
        """Count."""
        self._cells[self._offset] += amount


class CellGauge:
    """A number that goes up and down."""

    __slots__ = ("_cells", "_offset")

    def __init__(self, cells: "memoryview[float]", offset: int) -> None:
        self._cells = cells
        self._offset = offset

    def set(self, value: float) -> None:
        """Say what it is now."""
        self._cells[self._offset] = value

    def get(self) -> float:
        """What it is now."""
        return float(self._cells[self._offset])


class CellHistogram:
    """How often values fell into each bucket, and their sum."""

    __slots__ = ("_buckets", "_cells", "_offset", "_sum")

    def __init__(self, cells: "memoryview[float]", offset: int, buckets: tuple[float, ...]) -> None:
        self._cells = cells
        self._offset = offset
        self._buckets = buckets
        self._sum = offset + len(buckets) + 1

    def observe(self, value: float) -> None:
        """Count a value."""
        # bisect_left: a bucket's upper bound belongs to it ("le").
        self._cells[self._offset + bisect_left(self._buckets, value)] += 1
        self._cells[self._sum] += value


class SharedCells:
    """The blocks of all workers in one piece of memory."""

    def __init__(self, layout: Layout, blocks: int = 1, file: int = -1) -> None:
        """Map the memory.

        Args:
            layout: the same in every process.
            file: descriptor of an open file of at least :meth:`size` bytes; without it memory of this process alone.
        """
        self.layout = layout
        self._map = mmap.mmap(file, self.size(layout, blocks))
        self._memory = memoryview(self._map).cast("d")
        self._blocks = blocks

    @staticmethod
    def size(layout: Layout, blocks: int) -> int:
        """Bytes needed."""
        return layout.cells * blocks * CELL_BYTES

    def block(self, number: int) -> Block:
        """The cells of worker ``number``, from 0."""
        start = number * self.layout.cells
        return Block(self.layout, self._memory[start : start + self.layout.cells])

    def blocks(self) -> list[Block]:
        """The cells of every worker."""
        return [self.block(number) for number in range(self._blocks)]


class CellCollector(Collector):
    """Shows the blocks on a Prometheus registry as one process."""

    def __init__(
        self,
        layout: Layout,
        blocks: Sequence[Block],
        registry: CollectorRegistry,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,  # noqa: TID251 - it is what is compared
    ) -> None:
        """Register on the registry.

        Args:
            layout: what the blocks' cells mean.
            blocks: of all workers.
            clock: monotonic seconds, the same clock in all processes of the machine.
            wall_clock: Unix time, as this machine has it.
        """
        self._layout = layout
        self._clock = clock
        self._wall_clock = wall_clock
        self._blocks = tuple(blocks)
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Every family with the blocks put together."""
        for family in self._layout.families:
            yield self._metric(family)

    def _metric(self, family: Family) -> Metric:
        labels = [family.label] if family.label else []
        metric: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
        if family.kind is Kind.HISTOGRAM:
            metric = HistogramMetricFamily(family.name, family.meaning, labels=labels)
            for value in family.values:
                *counts, total = (self._together(family, value, cell) for cell in range(family.width))
                metric.add_metric([value] if labels else [], _cumulated(family.buckets, counts), total)
            return metric
        if family.kind is Kind.COUNTER:
            metric = CounterMetricFamily(family.name, family.meaning, labels=labels)
        else:
            metric = GaugeMetricFamily(family.name, family.meaning, labels=labels)
        for value in family.values:
            number = self._computed(family, value)
            if number is not None:
                metric.add_metric([value] if labels else [], number)
        return metric

    def _computed(self, family: Family, value: str) -> float | None:
        """The number to show, or None while there is nothing to compute it from."""
        if family.kind not in {Kind.SINCE_FIRST, Kind.SINCE_LAST, Kind.CLOCK}:
            return self._together(family, value)
        set_ones = [number for number in self._numbers(family, value) if number]
        if not set_ones:
            return None
        if family.kind is Kind.CLOCK:
            return self._wall_clock() - self._clock() - set_ones[0]
        since = min(set_ones) if family.kind is Kind.SINCE_FIRST else max(set_ones)
        return max(0.0, self._clock() - since)

    def _together(self, family: Family, value: str, cell: int = 0) -> float:
        numbers = self._numbers(family, value, cell)
        return max(numbers) if family.kind is Kind.LATEST else sum(numbers)

    def _numbers(self, family: Family, value: str, cell: int = 0) -> list[float]:
        offset = self._layout.offset(family, value) + cell
        return [float(block.cells[offset]) for block in self._blocks]


def _cumulated(bounds: tuple[float, ...], counts: Sequence[float]) -> list[tuple[str, float]]:
    running = 0.0
    buckets = []
    for bound, count in zip((*bounds, float("inf")), counts, strict=True):
        running += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), running))
    return buckets
