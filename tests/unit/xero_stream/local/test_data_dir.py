"""The data directory's lock, and its small files."""

import os
from pathlib import Path

import pytest

from xero_stream.local.data_dir import DataDirectory, write_whole
from xero_stream.local.errors import DataDirectoryInUseError, DataDirectoryUnusableError, OtherMajorVersionError

NOBODYS_PID = 2**22 + 7
"""No system gives out so high a process id."""


async def test_it_is_free_again_after_release(tmp_path: Path) -> None:
    """One owner at a time, one after the other."""
    for _ in range(2):
        data = DataDirectory(tmp_path / "data")
        await data.acquire(progress=print)
        data.release()


async def test_the_owner_is_named(tmp_path: Path) -> None:
    """A living owner is no reason to wait."""
    owner, other = DataDirectory(tmp_path), DataDirectory(tmp_path)
    await owner.acquire(progress=print)

    with pytest.raises(DataDirectoryInUseError, match=f"is in use by process {os.getpid()}: stop it, or choose"):
        await other.acquire(progress=print)
    owner.release()


async def test_servers_of_a_dead_owner_are_waited_for(tmp_path: Path) -> None:
    """A lock held for a process that is gone will be free soon: it is said, and waited for, within bounds."""
    said: list[str] = []
    owner, other = DataDirectory(tmp_path), DataDirectory(tmp_path)
    await owner.acquire(progress=print)
    (tmp_path / "lock").write_text(f"{NOBODYS_PID}\n", encoding="ascii")

    with pytest.raises(DataDirectoryInUseError):
        await other.acquire(progress=said.append, wait_seconds=0.2)
    owner.release()

    assert said == ["waiting for the servers of an earlier run to stop"]


@pytest.mark.parametrize(
    ("kept", "fine"), [((4, 2), True), ((4, 3), True), ((4, 4), False), ((3, 9), False), ((5, 0), False)]
)
def test_which_data_can_be_used(tmp_path: Path, kept: tuple[int, ...], fine: bool) -> None:
    """The same major version, and none newer than ours."""
    DataDirectory.write_version(tmp_path, kept)
    data = DataDirectory(tmp_path)

    if fine:
        data.check_version(tmp_path, "Kafka", (4, 3))
    else:
        with pytest.raises(OtherMajorVersionError, match=r"was written by Kafka \d\.\d, and this is Kafka 4\.3"):
            data.check_version(tmp_path, "Kafka", (4, 3))


@pytest.mark.parametrize("text", ["", "4", '["a"]'])
def test_a_spoilt_version_file_is_refused(tmp_path: Path, text: str) -> None:
    """What wrote the data is not guessed."""
    (tmp_path / "version.json").write_text(text, encoding="utf-8")

    with pytest.raises(DataDirectoryUnusableError, match="start over in an empty directory"):
        DataDirectory(tmp_path).check_version(tmp_path, "Kafka", (4, 3))


def test_small_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    """Even over what a killed writer left behind."""
    (tmp_path / "secret.part").write_text("half", encoding="utf-8")

    write_whole(tmp_path / "secret", "first")
    write_whole(tmp_path / "secret", "second")

    assert (tmp_path / "secret").read_text(encoding="utf-8") == "second"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
