"""The processors with one defect, to see that the checkers notice: ``python -m tests.support.defective_processors --defect …``.

Production code has no switch for this. Each defect replaces a name of it in this process only, the way a careless change
would have written it.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from processors.__main__ import main
from processors.intake import transaction
from processors.intake.transaction import TakenIn
from processors.partitions import worker
from processors.recorder import decide, read, recorder
from processors.recorder.judge import Judgement, Verdict
from processors.relay import outbox, relay
from processors.relay.resume import Resume
from processors.tenants.caller import Caller
from xero_api.budget.tenant import Go, TenantBudget
from xero_api.call import Priority
from xero_stream.contracts.topics import Topics
from xero_stream.store import dirty


def replace(owner: object, name: str, by: object) -> None:
    """Put something in the place of what the code calls by that name."""
    assert hasattr(owner, name), f"{owner} has no {name} any more: this defect proves nothing"
    setattr(owner, name, by)


def settle_whatever_came() -> None:
    """A read settles every event on its record, also those that came while it was under way."""

    def judge(row: Any, **_: Any) -> Judgement:
        del row
        return Judgement(verdict=Verdict.SETTLED)

    call = Caller._call

    async def call_with_all_marks(self: Caller, *arguments: Any) -> Any:
        answer, _ = await call(self, *arguments)
        return answer, 2**62

    replace(decide, "judge_found", judge)
    replace(Caller, "_call", call_with_all_marks)
    replace(dirty, "_SETTLE", dirty._SETTLE.replace("AND d.marks = s.marks", ""))


def relay_from_the_mark() -> None:
    """After a start the relay goes on behind its own mark and does not ask Kafka what it has."""

    def resume(*, mark: int, **_: Any) -> Resume:
        return Resume(after=mark)

    replace(relay, "resume", resume)


def call_without_a_budget() -> None:
    """Every call goes at once."""

    def decide(self: TenantBudget, priority: Priority, now: float) -> Go:
        del self, priority, now
        return Go()

    replace(TenantBudget, "decide", decide)


def one_producer_per_process() -> None:
    """The transactional id is a process's own: a new owner of a partition does not turn the old one's producer away."""
    name = Topics.relay_transactional_id

    def own(self: Topics, partition: int) -> str:
        return f"{name(self, partition)}.{os.getpid()}"

    replace(Topics, "relay_transactional_id", own)


def look_before_fencing() -> None:
    """The relay asks Kafka where it stands first, and only later, on a slow machine, turns the old producer away."""
    session, where, known = relay.Relay._session, relay.Relay._where_to_go_on, {}

    async def look_first(self: relay.Relay) -> None:
        known[self] = await where(self)
        await asyncio.sleep(4)
        await session(self)

    async def remembered(self: relay.Relay) -> Resume:
        return known[self]

    replace(relay.Relay, "_session", look_first)
    replace(relay.Relay, "_where_to_go_on", remembered)


def offset_before_marks() -> None:
    """Intake commits where it stands, and then what it read."""
    take_in = transaction.take_in

    async def in_two_steps(pool: Any, *, next_offset: int, partition: int, epoch: int, **others: Any) -> TakenIn:
        await pool.execute(
            "UPDATE intake_offsets SET next_offset = $3 WHERE partition = $1 AND epoch = $2",
            partition,
            epoch,
            next_offset,
        )
        return await take_in(pool, next_offset=next_offset, partition=partition, epoch=epoch, **others)

    replace(worker, "take_in", in_two_steps)


def look_late() -> None:
    """No defect, but a slow machine: the relay learns where Kafka stands three seconds after the lease was taken."""
    resume = relay.Relay._where_to_go_on

    async def late(self: relay.Relay) -> Resume:
        await asyncio.sleep(3)
        return await resume(self)

    replace(relay.Relay, "_where_to_go_on", late)


def headers_of_the_change() -> None:
    """The latest record goes out with the headers of the change beside it, a tombstone too."""

    def same(change: Any, *_: Any) -> Any:
        return change

    replace(outbox, "latest_headers", same)


def nothing_before() -> None:
    """Changes carry the record after, and the record before only in the store."""
    sides = recorder._sides

    def without_before(*arguments: Any) -> Any:
        _, after = sides(*arguments)
        return None, after

    replace(recorder, "_sides", without_before)


def break_on_a_record() -> None:
    """A fault that nobody foresaw, on one record only: whose reference says so."""
    read_record = read.read_record

    def failing(entity: Any, raw: Any, **others: Any) -> Any:
        if raw.get("Reference") == SPOILT:
            raise ZeroDivisionError(f"the total of {raw}")
        return read_record(entity, raw, **others)

    replace(read, "read_record", failing)


def break_before_the_answer() -> None:
    """A fault that nobody foresaw before a call for contacts is answered."""
    call = Caller._call

    async def failing(self: Caller, request: Any, *arguments: Any) -> Any:
        if request.entity.name == "contacts":
            raise ZeroDivisionError("of ours")
        return await call(self, request, *arguments)

    replace(Caller, "_call", failing)


SPOILT = "spoilt"
DEFECTS: dict[str, Callable[[], None]] = {
    "unconditional-settle": settle_whatever_came,
    "relay-from-mark": relay_from_the_mark,
    "no-budget": call_without_a_budget,
    "late-relay": look_late,
    "no-fencing": one_producer_per_process,
    "headers-of-the-change": headers_of_the_change,
    "nothing-before": nothing_before,
    "offset-before-fencing": look_before_fencing,
    "offset-before-marks": offset_before_marks,
    "spoilt-record": break_on_a_record,
    "broken-calls": break_before_the_answer,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=list(DEFECTS), required=True)
    DEFECTS[parser.parse_args().defect]()
    sys.exit(main())
