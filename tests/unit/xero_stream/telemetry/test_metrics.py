"""Metric conventions, and the page made of them."""

from enum import StrEnum
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from xero_stream.telemetry.metrics import MetricDoc, counter, gauge, histogram, listing
from xero_stream.telemetry.page import main, page


class Colour(StrEnum):
    """A closed set."""

    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize("name", ["requests_total", "xero_stream_Requests_total", "xero_stream_", "xero_stream_x y"])
def test_names(name: str) -> None:
    """Names start with our prefix, in lower case."""
    with pytest.raises(ValueError, match="xero_stream_"):
        counter(CollectorRegistry(), name, "What.")


def test_total_is_for_counters() -> None:
    """Counters, and only they, end in _total."""
    with pytest.raises(ValueError, match="_total"):
        counter(CollectorRegistry(), "xero_stream_x", "What.")
    with pytest.raises(ValueError, match="_total"):
        gauge(CollectorRegistry(), "xero_stream_x_total", "What.")


def test_series_exist_from_the_start() -> None:
    """Every combination of labels is there at zero before anything happened."""
    registry = CollectorRegistry()

    counter(registry, "xero_stream_x_total", "What.", colour=Colour, size=("s", "l"))
    histogram(registry, "xero_stream_y_seconds", "What.", colour=Colour)

    text = generate_latest(registry).decode()
    for colour in Colour:
        for size in ("s", "l"):
            assert f'xero_stream_x_total{{colour="{colour}",size="{size}"}} 0.0' in text
        assert f'xero_stream_y_seconds_count{{colour="{colour}"}} 0.0' in text


def test_listing() -> None:
    """A registry's metrics are listed by name with kind, meaning and labels."""
    registry = CollectorRegistry()
    gauge(registry, "xero_stream_b", "Bees.")
    counter(registry, "xero_stream_a_total", "Ants.", colour=Colour)

    assert listing(registry) == [
        MetricDoc(name="xero_stream_a_total", kind="counter", meaning="Ants.", labels={"colour": ("red", "blue")}),
        MetricDoc(name="xero_stream_b", kind="gauge", meaning="Bees.", labels={}),
    ]


def test_page() -> None:
    """The page has a section per service and a row per metric."""
    doc = MetricDoc(name="xero_stream_a_total", kind="counter", meaning="Ants.", labels={"colour": ("red",)})

    text = page([("receiver", [doc])])

    assert "## receiver\n" in text
    assert "| `xero_stream_a_total` | counter | `colour`: red | Ants. |\n" in text


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the page, and says when it is stale."""
    file = tmp_path / "metrics.md"
    classes = ["receiver.metrics:ReceiverMetrics"]

    assert main(["--check", str(file), *classes]) == 1
    assert main(["--write", str(file), *classes]) == 0
    assert main(["--check", str(file), *classes]) == 0
    file.write_text(file.read_text().replace("receiver", "reciever", 1))
    assert main(["--check", str(file), *classes]) == 1
    assert "stale" in capsys.readouterr().err
