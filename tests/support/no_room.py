"""A full disk without a disk to fill: no file that a process writes to can have another byte."""

import contextlib
import os
import re
import subprocess
from pathlib import Path


def leave_no_room(pid: int) -> None:
    """Fail every write to a file, of a process and all its children.

    By limiting the size of files to nothing (EFBIG instead of ENOSPC). Needs no rights but those of the process's own
    user. What it says in its log is lost, too.

    Args:
        pid: the process.
    """
    # The process first: what it starts from now on begins with its limit.
    _limit(pid)
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, subprocess.CalledProcessError):  # ended meanwhile
            _limit(child)


def _limit(pid: int) -> None:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    user, group = (int(re.findall(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[0]) for name in ("Uid", "Gid"))
    command = ["prlimit", "--pid", str(pid), "--fsize=0:"]
    if user == os.geteuid():
        subprocess.run(command, check=True)
    else:  # only its own user may do this, not even a root without CAP_SYS_RESOURCE
        subprocess.run(command, check=True, user=user, group=group, extra_groups=())


def children(pid: int) -> list[int]:
    """The processes that a process has started itself."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
