"""Numbers in shared memory: what they add up to, and that a new worker goes on where the last one stopped."""

import tempfile

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from xero_stream.telemetry.cells import CellCollector, Family, Kind, Layout, SharedCells

COUNT = Family(name="xero_stream_x_total", kind=Kind.COUNTER, meaning="X.", label="how", values=("a", "b"))
HELD = Family(name="xero_stream_held", kind=Kind.GAUGE, meaning="Held.")
AT = Family(name="xero_stream_at_seconds", kind=Kind.LATEST, meaning="When.")
TOOK = Family(name="xero_stream_took_seconds", kind=Kind.HISTOGRAM, meaning="Took.", buckets=(0.5, 1.0))
LAYOUT = Layout((COUNT, HELD, AT, TOOK))


def scrape(cells: SharedCells) -> dict[str, float]:
    """What Prometheus sees."""
    registry = CollectorRegistry()
    CellCollector(LAYOUT, cells.blocks(), registry)
    lines = generate_latest(registry).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_sums_over_blocks() -> None:
    """Counters, gauges and histograms are summed over the workers; of a time of day the latest counts."""
    cells = SharedCells(LAYOUT, 2)
    for number, block in enumerate(cells.blocks()):
        block.counter(COUNT, "a").add()
        block.counter(COUNT, "b").add(2)
        block.gauge(HELD).set(10 * (number + 1))
        block.gauge(AT).set(100 * (number + 1))
        block.histogram(TOOK).observe(0.5)
        block.histogram(TOOK).observe(0.7)
        block.histogram(TOOK).observe(9)

    assert scrape(cells) == {
        'xero_stream_x_total{how="a"}': 2,
        'xero_stream_x_total{how="b"}': 4,
        "xero_stream_held": 30,
        "xero_stream_at_seconds": 200,
        'xero_stream_took_seconds_bucket{le="0.5"}': 2,
        'xero_stream_took_seconds_bucket{le="1.0"}': 4,
        'xero_stream_took_seconds_bucket{le="+Inf"}': 6,
        "xero_stream_took_seconds_count": 6,
        "xero_stream_took_seconds_sum": 20.4,
    }


def test_shared_between_mappings() -> None:
    """What one process writes into the file another reads."""
    with tempfile.TemporaryFile() as file:
        file.truncate(SharedCells.size(LAYOUT, 2))
        ours, theirs = (SharedCells(LAYOUT, 2, file.fileno()) for _ in range(2))

        theirs.block(1).counter(COUNT, "a").add(7)

        assert scrape(ours)['xero_stream_x_total{how="a"}'] == 7


def test_a_successor_goes_on() -> None:
    """Counts of a worker that is gone stay; what only it knew is forgotten."""
    cells = SharedCells(LAYOUT)
    block = cells.block(0)
    block.counter(COUNT, "a").add(5)
    block.gauge(HELD).set(5)
    block.gauge(AT).set(5)

    block.clear_gauges()
    cells.block(0).counter(COUNT, "a").add()

    assert scrape(cells)['xero_stream_x_total{how="a"}'] == 6
    assert scrape(cells)["xero_stream_held"] == 0
    assert scrape(cells)["xero_stream_at_seconds"] == 5


def test_cells_do_not_overlap() -> None:
    """Every number has a cell of its own."""
    block = SharedCells(LAYOUT).block(0)
    block.histogram(TOOK).observe(9)
    block.counter(COUNT, "b").add()

    assert list(block.cells) == [0, 1, 0, 0, 0, 0, 1, 9]


def test_names_are_checked() -> None:
    """The conventions hold here too."""
    with pytest.raises(ValueError, match="_total"):
        Layout((Family(name="xero_stream_x", kind=Kind.COUNTER, meaning="X."),))


def test_computed_gauges_go_on_while_nobody_sets_them() -> None:
    """Silence grows, ages grow and clocks are compared when shown; what never happened is not shown."""
    silent = Family(name="xero_stream_silent_seconds", kind=Kind.SINCE_FIRST, meaning="Silent.")
    age = Family(name="xero_stream_age_seconds", kind=Kind.SINCE_LAST, meaning="Age.")
    ahead = Family(name="xero_stream_ahead_seconds", kind=Kind.CLOCK, meaning="Ahead.")
    layout = Layout((silent, age, ahead))
    cells, registry, now = SharedCells(layout, 2), CollectorRegistry(), [100.0]
    CellCollector(layout, cells.blocks(), registry, clock=lambda: now[0], wall_clock=lambda: now[0] + 1_086_400.0)
    assert [sample for family in registry.collect() for sample in family.samples] == []

    for number, at in enumerate((90.0, 99.0)):
        cells.block(number).gauge(silent).set(at)
        cells.block(number).gauge(age).set(at)
    cells.block(1).gauge(ahead).set(1_000_000.0)

    for later in (0.0, 60.0):
        now[0] = 100.0 + later
        assert registry.get_sample_value("xero_stream_silent_seconds") == 10.0 + later
        assert registry.get_sample_value("xero_stream_age_seconds") == 1.0 + later
        assert registry.get_sample_value("xero_stream_ahead_seconds") == 86_400.0
