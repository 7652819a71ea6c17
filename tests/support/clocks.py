"""Machines whose clocks are wrong: by how much is written to a file, and takes effect in processes that run.

What Python reads is moved by ``time-machine``. With ``XERO_STREAM_FAKETIME`` (the path of ``libfaketime.so.1``, Debian's package
``libfaketime``) the C library's clock is moved instead, which also reaches compiled code: aiokafka's encoder of batches, for one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DAY = 24 * 3600.0
SEEN_SECONDS = 0.3
"""How long after it was set a process has the new time."""


@dataclass(frozen=True, slots=True)
class MachineClock:
    """The clock of the machine that a process believes to run on.

    Attributes:
        file: says by how many seconds it is off.
    """

    file: Path

    def set(self, off: float) -> None:
        """Put it off by so many seconds."""
        beside = self.file.with_suffix(".new")
        beside.write_text(f"{off:+.0f}", encoding="ascii")
        beside.replace(self.file)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in its environment to have this clock."""
        faketime = os.environ.get("XERO_STREAM_FAKETIME")
        if faketime:
            return {
                "LD_PRELOAD": faketime,
                "FAKETIME_TIMESTAMP_FILE": str(self.file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        paths = [str(Path(__file__).with_name("wrong_clock")), os.environ.get("PYTHONPATH", "")]
        return {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "XERO_STREAM_TEST_CLOCK": str(self.file)}


def machine_clock(folder: Path, name: str, off: float = 0.0) -> MachineClock:
    """A machine's clock.

    Args:
        folder: where its file goes; made if it is not there.
        name: of the machine.
        off: seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = MachineClock(folder / f"clock-{name}")
    clock.set(off)
    return clock
