"""The demo's data directory."""

import json
import socket
import stat
from dataclasses import asdict
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from cli.demo.places import Places, Ports, choose_ports, read_ports
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.errors import DataDirectoryInUseError, DataDirectoryUnusableError, PortTakenError


def quiet(_: str) -> None:
    """Nobody listens."""


def names_in(folder: Path) -> set[str]:
    """What there is in a folder."""
    return {path.name for path in folder.iterdir()}


def test_ports_are_free_and_differ() -> None:
    """Neither the servers' ports nor taken ones are chosen."""
    candidates = iter([1, 2, 2, 3, 4, 5, 6, 7, 8])
    ports = choose_ports(candidates, lambda port: port != 3, frozenset({1}))
    assert list(asdict(ports).values()) == [2, 4, 5, 6, 7]


def test_too_few_free_ports_are_one_clear_line() -> None:
    """It says what is needed and what to do."""
    with pytest.raises(PortTakenError, match="stop some servers first"):
        choose_ports(iter([1, 2, 3]), lambda _: True, frozenset())


def test_a_damaged_file_of_ports_counts_as_none() -> None:
    """Other ports are chosen then."""
    for text in ("", "{}", "[1]", '{"simulator": 1}', '{"simulator": "x"}'):
        assert read_ports(text) is None


def test_ports_are_kept_from_run_to_run(tmp_path: Path) -> None:
    """As long as they are free."""
    said: list[str] = []
    first = Places(tmp_path).ports(said.append)
    assert Places(tmp_path).ports(said.append) == first
    assert said == []
    assert max(asdict(first).values()) < 32_768


def test_a_taken_port_is_replaced(tmp_path: Path) -> None:
    """Another program sits on it: others are chosen, and that is said."""
    said: list[str] = []
    first = Places(tmp_path).ports(said.append)
    with socket.create_server(("127.0.0.1", first.receiver)):
        second = Places(tmp_path).ports(said.append)

    assert second.receiver != first.receiver
    assert "taken by another program" in said[0]
    assert json.loads((tmp_path / "demo-ports.json").read_text()) == asdict(second)


def test_the_servers_ports_are_left_alone(tmp_path: Path) -> None:
    """Kafka may be stopped just now: its port looks free then."""
    (tmp_path / "ports.json").write_text('{"kafka": 20001, "postgres": 20002}')
    assert Places(tmp_path)._servers_ports() == {20001, 20002}


def test_the_key_is_kept_and_private(tmp_path: Path) -> None:
    """Made once, for our eyes only; so is the database's URL."""
    places = Places(tmp_path)
    assert places.prepare("postgresql://u:p@h/d") is True
    key = places.key
    Fernet(key)
    assert places.prepare("postgresql://u:p2@h/d") is False

    assert places.key == key
    assert places.url_file.read_text() == "postgresql://u:p2@h/d\n"
    for file in (places.key_file, places.url_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_fresh_forgets_what_demos_kept_and_nothing_else(tmp_path: Path) -> None:
    """Only files that are known to be ours go."""
    places = Places(tmp_path)
    await places.claim(fresh=False, progress=quiet)
    places.prepare("postgresql://u:p@h/d")
    places.ports(quiet)
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "data").write_text("x")
    (tmp_path / "thesis.txt").write_text("years of work")

    await places.claim(fresh=True, progress=quiet)

    assert names_in(tmp_path) == {"demo", "lock", "thesis.txt"}


async def test_data_of_others_is_refused(tmp_path: Path) -> None:
    """`--data-dir` names the data of a real deployment by mistake: neither mixed nor deleted."""
    (tmp_path / "postgres").mkdir()

    for fresh in (False, True):
        with pytest.raises(DataDirectoryUnusableError, match="--data-dir"):
            await Places(tmp_path).claim(fresh=fresh, progress=quiet)

    assert (tmp_path / "postgres").is_dir()


async def test_a_directory_in_use_is_not_deleted(tmp_path: Path) -> None:
    """`--fresh` beside a running demo."""
    directory = DataDirectory(tmp_path)
    await directory.acquire(progress=quiet)
    try:
        with pytest.raises(DataDirectoryInUseError):
            await Places(tmp_path).claim(fresh=True, progress=quiet)
    finally:
        directory.release()


def test_a_path_with_a_tilde_is_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell does not expand it inside --data-dir=~/x."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Places(Path("~/x")).path == tmp_path / "x"


def test_ports_know_their_processes() -> None:
    """One each."""
    assert len(asdict(Ports(simulator=1, receiver=2, receiver_private=3, processors_1=4, processors_2=5))) == 5
