"""The data directory: who uses it, what is in it, whether there is room."""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from xero_stream.local.errors import (
    DataDirectoryInUseError,
    DataDirectoryUnusableError,
    DiskFullError,
    OtherMajorVersionError,
)

ROOM_BYTES = 500 * 1024 * 1024
"""What must be free at start: jars 43 MB, a new PostgreSQL 70 MB, and something to work with."""

_OURS = frozenset(
    {"lock", "ports.json", "demo", "demo-ports.json", "database.url", "encryption.key", "simulator", "logs"}
)
_SERVERS = ("kafka", "postgres")
"""What we put into a data directory: these, and what begins with a server's name."""

WAIT_SECONDS = 30.0
"""How long servers of a program that died may take to stop; their shims need half of it."""


class DataDirectory:
    """One data directory, ours alone between :meth:`acquire` and :meth:`release`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    @property
    def ports_file(self) -> Path:
        """Where the ports are kept."""
        return self.path / "ports.json"

    @property
    def inherited(self) -> tuple[int, ...]:
        """The lock's file descriptor. Supervisors inherit it, so that the lock is held until the last server is gone."""
        return (self._lock.fileno(),) if self._lock else ()

    async def acquire(self, *, progress: Callable[[str], None], wait_seconds: float = WAIT_SECONDS) -> None:
        """Make the directory if need be, and lock it.

        Args:
            progress: told when servers of an earlier run are waited for.

        Raises:
            DataDirectoryUnusableError: it can't be made or written.
            DiskFullError: too little room.
            DataDirectoryInUseError: another process has it.
        """
        lock = self._open()
        deadline = time.monotonic() + wait_seconds
        said = False
        while not _try_lock(lock):
            owner = _owner(lock)
            if (owner is not None and _alive(owner)) or time.monotonic() > deadline:
                lock.close()
                who = "another program" if owner is None else f"process {owner}"
                raise DataDirectoryInUseError(
                    f"{self.path} is in use by {who}: stop it, or choose another directory (XERO_STREAM_DATA_DIR)"
                )
            if not said:
                progress("waiting for the servers of an earlier run to stop")
                said = True
            await asyncio.sleep(0.1)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Unlock it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def check_version(self, folder: Path, server: str, version: tuple[int, ...]) -> None:
        """Refuse data that this version of a server can't use, before the server touches it.

        Args:
            version: ours, e.g. ``(4, 3)``.

        Raises:
            OtherMajorVersionError: the data is of another major version, or a newer one.
        """
        try:
            kept = tuple(int(part) for part in json.loads((folder / "version.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (TypeError, ValueError) as error:
            raise DataDirectoryUnusableError(
                f"{folder / 'version.json'} can't be understood: start over in an empty directory"
            ) from error
        if kept[:1] != version[:1] or kept > version:
            raise OtherMajorVersionError(
                f"{folder} was written by {server} {_dotted(kept)}, and this is {server} {_dotted(version)}: use the "
                "release of xero-stream that wrote it, or start over in an empty directory"
            )

    @staticmethod
    def write_version(folder: Path, version: tuple[int, ...]) -> None:
        """Note which version's data a folder has."""
        write_whole(folder / "version.json", json.dumps(list(version)) + "\n")

    def _close_to_others(self) -> None:
        """Take the rights of others away from a directory that is ours alone, and from what stands in it.

        A directory that other things stand in (a home, a temporary folder) keeps its mode: all that we put there is closed itself.
        """
        if sys.platform == "win32":
            return
        inside = list(self.path.iterdir())
        for path in inside:
            if _is_ours(path) and not path.is_symlink() and path.lstat().st_uid == os.geteuid():
                path.chmod(0o700 if path.is_dir() else 0o600)
        if all(map(_is_ours, inside)) and self.path.stat().st_uid == os.geteuid():
            self.path.chmod(_mode())

    def _open(self) -> IO[str]:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=_mode())
            self._close_to_others()
            free = shutil.disk_usage(self.path).free
            if free < ROOM_BYTES:
                raise DiskFullError(
                    f"only {free // 2**20} MB are free for {self.path}, {ROOM_BYTES // 2**20} MB are needed: make room first"
                )
            return os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii")
        except OSError as error:
            raise DataDirectoryUnusableError(
                f"{self.path} can't be used ({error.strerror}): choose another directory (XERO_STREAM_DATA_DIR)"
            ) from error


def private_folder(path: Path) -> None:
    """Make a folder that nobody but its owner may enter, or make one that is there so."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and path.stat().st_uid == os.geteuid():
        path.chmod(0o700)


def write_whole(path: Path, text: str) -> None:
    """Write a small file that only we may read: it is there whole or not at all, whenever we are killed."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _is_ours(path: Path) -> bool:
    return path.name in _OURS or path.name.partition(".")[0] in _SERVERS


def _mode() -> int:
    """Root's PostgreSQL is another user, who must be able to enter the directory, and need not read it."""
    return 0o711 if _is_root() else 0o700


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _try_lock(lock: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - Windows only

            lock.seek(1000)  # beyond the owner's id, which others must be able to read
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not on Windows

            # flock, not lockf: this lock belongs to the open file, and so to everyone who inherits it.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _owner(lock: IO[str]) -> int | None:
    lock.seek(0)
    text = lock.read(20).strip()
    return int(text) if text.isdigit() else None


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # asking would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
