"""A small process that runs one server and ends it when the process that asked for it is gone.

Nothing of a server may outlive the program that started it, not even after a ``kill -9`` of that program. So the
server is the child of this shim, and the shim reads a pipe that only the program holds: at end-of-file, or
once it has been handed to another parent, it stops the server, and kills what has not stopped a few seconds later.

It is a program of its own, needs nothing but the standard library (started by its path with ``python -I -S``: a few
milliseconds, 14 MB), and speaks lines over its pipes:

========================  ==============================================================================
in                        meaning
========================  ==============================================================================
first line                what to run, as JSON (not among the arguments, which everybody can see with ``ps``)
``stop``                  the stop signal; whatever still lives after ``stop_seconds`` is killed
``kill``                  kill the server and everything it started, at once
``freeze``, ``thaw``      stop (SIGSTOP) and continue them
end-of-file               ``stop`` with ``orphan_seconds``
========================  ==============================================================================

Out, one JSON object a line: ``{"pid": n}`` once the server's process exists, ``{"done": command}`` after ``freeze`` and
``thaw``, ``{"exit": code}`` at the end; or only ``{"error": text}`` when it could not be started.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICK_SECONDS = 0.5
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3 = 0x20080522


def parents() -> dict[int, int]:
    """Every process of this machine with its parent's id."""
    proc = Path("/proc")
    found: dict[int, int] = {}
    if (proc / "self" / "stat").exists():
        for entry in proc.iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    # The name, in brackets, may hold anything; what follows the last bracket is: state, parent.
                    stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                    found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    else:
        listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False)  # noqa: S607 - wherever this system keeps it
        for line in listing.stdout.splitlines():
            pid, parent = line.split()
            found[int(pid)] = int(parent)
    return found


def descendants(root: int, parent_of: dict[int, int]) -> list[int]:
    """The processes below ``root``, nearest first."""
    found: list[int] = []
    level = {root}
    while level:
        level = {pid for pid, parent in parent_of.items() if parent in level and pid not in found}
        found.extend(sorted(level))
    return found


def _prctl(*arguments: int) -> None:
    """Linux's ``prctl``.

    Raises:
        OSError: the kernel refuses.
    """
    import ctypes  # noqa: PLC0415 - Linux only

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*(ctypes.c_ulong(argument) for argument in (*arguments, *[0] * (5 - len(arguments))))) != 0:
        raise OSError(ctypes.get_errno(), f"prctl{arguments}")


def _keep_only(capability: int) -> None:
    """Hold exactly one capability, over the coming ``exec`` too (capset(2), capabilities(7)).

    Raises:
        OSError: the kernel refuses.
    """
    import ctypes  # noqa: PLC0415 - Linux only

    bits = [0, 0]
    bits[capability // 32] = 1 << (capability % 32)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(bits[0], bits[0], bits[0], bits[1], bits[1], bits[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def become(spec: dict[str, Any]) -> Callable[[], None] | None:
    """What the child does between fork and exec: become the spec's user, and die with its shim."""
    if sys.platform == "win32":
        return None
    user, capability = spec.get("user"), spec.get("capability")

    def apply() -> None:
        if user is not None:
            if capability is not None:
                # Keeps capabilities over setuid, and lets access(2), which asks for the real user, count them.
                _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
            with contextlib.suppress(PermissionError):  # some user namespaces forbid it
                os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
            if capability is not None:
                _keep_only(capability)
        if sys.platform == "linux":
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after setuid, which clears it

    return apply


class Shim:
    """Runs one server until it ends or must end."""

    def __init__(self, spec: dict[str, Any], parent: int) -> None:
        self._spec = spec
        self._parent = parent
        self._events: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()  # signal handlers may put
        self._deadline: float | None = None
        self._log = Path(spec["log"])

    def ask_to_stop(self, *_: Any) -> None:
        """A signal handler: the machine is going down, or somebody ended this process by hand."""
        self._events.put(("stop", 0))

    def run(self) -> int:
        """Until the server is gone.

        Returns:
            The exit status of this process.
        """
        if self._orphaned():
            return 1
        self._turn_log_over(keep_open=False)
        try:
            self._child = self._spawn()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            self._say({"error": f"{type(error).__name__}: {error}"})
            return 1
        self._say({"pid": self._child.pid})
        for work in (self._read_commands, self._await_exit):
            threading.Thread(target=work, daemon=True).start()
        while True:
            try:
                event, code = self._events.get(timeout=TICK_SECONDS)
            except queue.Empty:
                event, code = "tick", 0
            if event == "exit":
                self._kill_tree()
                self._say({"exit": code})
                return 0
            self._handle(event)

    def _handle(self, event: str) -> None:
        if event == "stop":
            self._stop(float(self._spec["stop_seconds"]))
        elif event == "orphaned" or self._orphaned():
            self._stop(float(self._spec["orphan_seconds"]))
        elif event == "kill":
            self._kill_tree()
        elif event in {"freeze", "thaw"}:
            self._signal_tree("SIGSTOP" if event == "freeze" else "SIGCONT")
            self._say({"done": event})
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._kill_tree()
        self._turn_log_over(keep_open=True)

    def _orphaned(self) -> bool:
        # A forked child of the parent may still hold the pipe open: the parent's id tells the truth then.
        return sys.platform != "win32" and os.getppid() != self._parent

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the command is our parent's
                self._spec["argv"],
                cwd=self._spec["cwd"],
                env=self._spec["env"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=become(self._spec),  # noqa: PLW1509 - no thread is running yet
            )

    def _read_commands(self) -> None:
        with contextlib.suppress(OSError):
            for line in sys.stdin.buffer:
                self._events.put((line.decode("ascii", "replace").strip(), 0))
        self._events.put(("orphaned", 0))

    def _await_exit(self) -> None:
        self._events.put(("exit", self._child.wait()))

    def _stop(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        if self._deadline is None:
            self._signal_tree("SIGCONT")
            if sys.platform == "win32":
                self._kill_tree()
            else:
                self._child.send_signal(signal.Signals[self._spec["stop_signal"]])
        self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)

    def _kill_tree(self) -> None:
        if sys.platform == "win32":
            subprocess.run(  # noqa: S603 - a number
                ["taskkill", "/T", "/F", "/PID", str(self._child.pid)],  # noqa: S607 - of the system
                capture_output=True,
                check=False,
            )
        else:
            self._signal_tree("SIGSTOP")  # so that it starts nothing while it is being killed
            self._signal_tree("SIGKILL")

    def _signal_tree(self, name: str) -> None:
        if sys.platform == "win32":
            return
        if self._child.returncode is None:
            self._child.send_signal(signal.Signals[name])
        # Orphans below the server come to us (we are their subreaper), so our own descendants are all there is.
        for pid in descendants(os.getpid(), parents()):
            if pid != self._child.pid:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.Signals[name])

    def _turn_log_over(self, *, keep_open: bool) -> None:
        """Keep the log bounded: beyond the limit it moves to ``.1`` (by copying, once a server has it open)."""
        with contextlib.suppress(OSError):
            if self._log.stat().st_size > int(self._spec["log_bytes"]):
                older = self._log.with_name(self._log.name + ".1")
                if keep_open:
                    shutil.copyfile(self._log, older)
                    os.truncate(self._log, 0)
                else:
                    self._log.replace(older)

    @staticmethod
    def _say(message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # the parent may be gone
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()


def main() -> int:
    """Run the server that the first line of input describes, for the parent whose id is the first argument.

    Returns:
        The exit status.
    """
    os.umask(0o077)  # what a server writes is for its own user alone, its log too
    spec = sys.stdin.buffer.readline()
    if not spec.endswith(b"\n"):
        return 1  # the parent was gone before it had said what to run
    shim = Shim(json.loads(spec), int(sys.argv[1]))
    # Handlers, not SIG_IGN: a server would inherit that, and a JVM then ignores its own stop signal.
    # Ctrl-C and a closed terminal are for the parent, which stops its servers in order.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, shim.ask_to_stop)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, lambda *_: None)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _prctl(PR_SET_CHILD_SUBREAPER, 1)
    return shim.run()


if __name__ == "__main__":
    status = main()
    # A thread may sit in a read of standard input, whose lock the usual way out would wait for.
    os._exit(status)
