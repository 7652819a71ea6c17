"""Named places where a crash would hurt most: the robustness suite has a process die, freeze or hang exactly there.

Off unless ``XERO_STREAM_FAILPOINTS_DIR`` names a folder when the process starts; then a point does what the file of its
name in that folder says, once: the first process to reach it takes the file away. Who wants to know whether a point was
reached finds the file again as ``<name>.<pid>``.
"""

import asyncio
import os
import signal
import time
from enum import StrEnum
from pathlib import Path


class Failpoint(StrEnum):
    """Where, in the order in which an event passes by."""

    # receiver
    RECEIVER_VERIFIED = "receiver-verified"  # nothing of it is on Kafka
    RECEIVER_APPENDED = "receiver-appended"  # Kafka has it, Xero does not know

    # taking a partition
    LEASE_ASKED = "lease-asked"  # assigned by Kafka, the old epoch still counts
    LEASE_TAKEN = "lease-taken"  # the new epoch counts, the old producer is not fenced
    PRODUCER_READY = "producer-ready"  # it is fenced; where to go on is not read

    # intake
    INTAKE_OPEN = "intake-open"  # marks and offset written, not committed
    INTAKE_COMMITTED = "intake-committed"  # the store has them, nobody was told

    # a call to Xero
    CALL_LEDGERED = "call-ledgered"  # written down, not sent
    CALL_ANSWERED = "call-answered"  # paid for, nothing recorded
    REFRESH_OPEN = "refresh-open"  # the grant's row is locked, the old token is not spent
    REFRESH_ANSWERED = "refresh-answered"  # the old token is spent, the new one only here

    # recorder
    RECORDER_OPEN = "recorder-open"  # positions taken, not committed
    RECORDER_COMMITTED = "recorder-committed"  # changes in the store, the relay not told

    # relay
    RELAY_OPEN = "relay-open"  # changes sent inside a Kafka transaction, EndTxn not
    RELAY_ENDED = "relay-ended"  # Kafka has committed, the mark in the store is old
    DEAD_LETTERS_ENDED = "dead-letters-ended"  # Kafka has them, the store does not know

    # giving a partition up
    LEASE_KEPT = "lease-kept"  # all work is done, the lease is not given back

    # deployment set
    DEPLOYMENT_TOPICS_MADE = "deployment-topics-made"  # new topics are there, the row has the former values
    DEPLOYMENT_CHANGED = "deployment-changed"  # the row has the new values, Kafka the former ones


OF_COMMANDS = frozenset({Failpoint.DEPLOYMENT_TOPICS_MADE, Failpoint.DEPLOYMENT_CHANGED})
"""Points that no process reaches that runs for long."""


class Action(StrEnum):
    """What happens there."""

    KILL = "kill"  # as kill -9
    FREEZE = "freeze"  # as kill -STOP: somebody has to wake it
    BLOCK = "block"  # the event loop stands for a minute and a half
    HANG = "hang"  # this task never goes on; all others do


BLOCKED_SECONDS = 90.0

_folder = Path(os.environ["XERO_STREAM_FAILPOINTS_DIR"]) if os.environ.get("XERO_STREAM_FAILPOINTS_DIR") else None


async def reach(point: Failpoint) -> None:
    """Do what was planned for this point, if anything was."""
    if _folder is not None:
        await _act(_folder, point)


async def _act(folder: Path, point: Failpoint) -> None:
    taken = folder / f"{point}.{os.getpid()}"
    try:
        (folder / point).rename(taken)
    except FileNotFoundError:
        return
    match Action(taken.read_text(encoding="utf-8").strip()):
        case Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.FREEZE:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Action.BLOCK:
            time.sleep(BLOCKED_SECONDS)  # noqa: ASYNC251 - the loop is to stand
        case Action.HANG:
            await asyncio.Event().wait()
