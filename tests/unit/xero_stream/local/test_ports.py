"""Choosing ports: pure decisions."""

import itertools
import json
from pathlib import Path

import pytest

from xero_stream.local.errors import DataDirectoryUnusableError, PortTakenError
from xero_stream.local.ports import HIGHEST, LOWEST, Ports, choose, port_range, read_or_choose


@pytest.mark.parametrize("ephemeral", [None, (32_768, 60_999), (49_152, 65_535), (20_000, 40_000), (1_024, 40_000)])
def test_ports_lie_outside_the_ephemeral_range(ephemeral: tuple[int, int] | None) -> None:
    """Whatever a system hands out as source ports, ours are others, and there are many to choose from."""
    allowed = port_range(ephemeral)

    low, high = ephemeral or (HIGHEST + 1, 65_535)
    assert len(allowed) >= 1_000
    assert not any(low <= port <= high for port in allowed)


def test_the_usual_ports_when_everything_is_ephemeral() -> None:
    """A system that hands out every port leaves no choice: the usual range, then."""
    assert port_range((1_024, 65_535)) == range(LOWEST, HIGHEST + 1)


def test_taken_and_repeated_ports_are_passed_over() -> None:
    """Three different free ports are taken, in the order of the candidates."""
    ports = choose(iter([1, 2, 2, 3, 4, 5]), is_free=lambda port: port != 3)

    assert ports == Ports(kafka=1, kafka_controller=2, postgres=4)


def test_no_endless_search() -> None:
    """Where nothing is free, the search ends with what to do."""
    with pytest.raises(PortTakenError, match="stop some servers first"):
        choose(itertools.islice(itertools.count(), 50), is_free=lambda _: False)


def test_ports_are_chosen_once(tmp_path: Path) -> None:
    """The second time they are read."""
    path = tmp_path / "ports.json"

    first, second = read_or_choose(path), read_or_choose(path)

    assert first == second
    assert set(json.loads(path.read_text(encoding="utf-8"))) == {"kafka", "kafka_controller", "postgres"}


@pytest.mark.parametrize("text", ["", "[]", '{"kafka": 1}', '{"kafka": "x", "kafka_controller": 2, "postgres": 3}'])
def test_a_spoilt_file_is_named(tmp_path: Path, text: str) -> None:
    """What can't be understood is said, with the way out."""
    path = tmp_path / "ports.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DataDirectoryUnusableError, match=r"ports.json can't be understood: delete it"):
        read_or_choose(path)
