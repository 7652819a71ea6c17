"""Loaded by every Python process that has this folder on its path: a machine whose clock is wrong.

The file that ``XERO_STREAM_TEST_CLOCK`` names says by how many seconds; it is looked at ten times a second. ``time.time``,
``datetime.now`` and all that follows from them is moved, the monotonic clock goes on, as on a machine that is set.
"""

import os
import threading
import time
from pathlib import Path

import time_machine


def _off(file: Path) -> float:
    return float(file.read_text(encoding="ascii") or 0)


def _follow(file: Path, off: float, travelling: time_machine.travel) -> None:
    while True:
        time.sleep(0.1)
        found = _off(file)
        if found != off:
            travelling.stop()
            off, travelling = found, _begin(found)


def _begin(off: float) -> time_machine.travel:
    travelling = time_machine.travel(time.time() + off, tick=True)
    travelling.start()
    return travelling


_named = os.environ.get("XERO_STREAM_TEST_CLOCK")
if _named:
    _file = Path(_named)
    _first = _off(_file)
    threading.Thread(target=_follow, args=(_file, _first, _begin(_first)), name="wrong-clock", daemon=True).start()
