"""Machines whose clocks are a day off: nothing that is published, promised or waited for goes by them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.clocks import DAY, SEEN_SECONDS, MachineClock, machine_clock
from tests.support.stack import Stack
from tests.support.stacks import StartStack
from verify.history import Change
from xero_stream.contracts.names import STREAMED

LOG_APPEND_TIME = 1
NEAR = timedelta(minutes=10)
"""How far a time may be from the real one: far less than any machine here is off."""


@pytest.fixture
def clocks(folder: Path) -> dict[str, MachineClock]:
    """The receiver's machine and one processor's are a day ahead, the other's a day behind."""
    return {
        "receiver": machine_clock(folder, "receiver", DAY),
        "processors-0": machine_clock(folder, "processors-0", DAY),
        "processors-1": machine_clock(folder, "processors-1", -DAY),
        "terminal": machine_clock(folder, "terminal", DAY),
    }


def times(changes: list[Change]) -> Iterator[tuple[str, datetime]]:
    """Every time in these changes that is not Xero's."""
    for change in changes:
        event = change.event
        yield "ts_ms", datetime.fromtimestamp(event["ts_ms"] / 1000, UTC)
        source = event["source"]
        yield "fetched_at", datetime.fromisoformat(source["fetch"]["fetched_at"])
        if source["webhook"]:
            yield "received_at", datetime.fromisoformat(source["webhook"]["received_at"])


async def command(stack: Stack, clock: MachineClock, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """Run a command on a machine with this clock; its exit code and what it said."""
    return await stack.command(*arguments, stdin=stdin, **clock.environment)


async def add_grant(stack: Stack, clock: MachineClock) -> None:
    """Connect all organisations from a terminal with this clock; what is stored has the store's time."""
    grant = await stack.control("POST", "/grants", {"tenants": await stack.tenants()})
    code, said = await command(stack, clock, "grants", "add", stdin=f"{grant['refreshToken']}\n")
    assert code == 0, said
    (row,) = await stack.fetch("SELECT now() - refreshed_at AS age, expires_at - now() AS left FROM grants")
    assert timedelta() <= row["age"] < NEAR, "obtained when the store says"
    assert timedelta(minutes=20) < row["left"] <= timedelta(minutes=30), "ends when the store says"


async def edited_and_published(stack: Stack, count: int) -> None:
    """Edits are announced, taken at once, read and published."""
    before = await stack.series("receiver")
    await stack.edit(count=count)
    await stack.drained(within=60)
    after = await stack.series("receiver")
    refused = [name for name in after if "unavailable_total" in name and after[name] > before[name]]
    assert not refused, "the receiver answers 200"


async def test_a_day_off_and_nothing_changes(new_stack: StartStack, clocks: dict[str, MachineClock]) -> None:
    """Changes flow, webhooks are answered 200, every time is right, tokens are got once; the doctor names the wrong clock."""
    async with new_stack(
        "--tenants=6",
        "--invoices=10",
        "--contacts=8",
        "--credit-notes=2",
        processor_count=2,
        environments={name: clock.environment for name, clock in clocks.items()},
    ) as stack:
        began = datetime.now(UTC)
        await add_grant(stack, clocks["terminal"])
        await stack.settled_group()
        tenants = await stack.tenants()
        await stack.drained(within=60)
        await edited_and_published(stack, 25)

        series = await asyncio.gather(*(stack.series(name) for name in stack.processors))
        machine = [page['xero_stream_clock_difference_seconds{clock="machine"}'] for page in series]
        assert machine == pytest.approx([DAY, -DAY], abs=5)
        kafka = [page['xero_stream_clock_difference_seconds{clock="kafka"}'] for page in series]
        assert kafka == pytest.approx([0, 0], abs=15)
        assert (await stack.series("receiver"))["xero_stream_receiver_clock_difference_seconds"] == pytest.approx(
            DAY, abs=15
        )
        for clock, word in ((clocks["terminal"], "ahead of"), (clocks["processors-1"], "behind")):
            code, said = await command(stack, clock, "doctor")
            assert (code, f"this machine's clock is 24.0 hours {word} the store's" in said) == (1, True), said

        for off in (0.0, -DAY, DAY):
            for clock in clocks.values():
                clock.set(off)
            await asyncio.sleep(SEEN_SECONDS)
            await edited_and_published(stack, 15)

        history = await stack.judged(tenants, least=20 * len(tenants))
        ended, topics = datetime.now(UTC), stack.topics
        wrong = [(what, at) for what, at in times(list(history.changes)) if not began - NEAR < at < ended + NEAR]
        assert not wrong, "no time of a record comes from a machine's clock"
        published = await stack.read(
            [topic for name in STREAMED for topic in (topics.changes(name), topics.records(name))]
        )
        stamped = [*await stack.read([topics.webhook_events]), *published]
        assert {record.timestamp_type for record in stamped} == {LOG_APPEND_TIME}, "the broker stamps every record"
        assert all(abs(record.timestamp / 1000 - ended.timestamp()) < NEAR.total_seconds() for record in stamped)
        (grant,) = await stack.fetch("SELECT version FROM grants")
        assert grant["version"] == 0, "nobody thought that the token had ended"
        await stack.assert_quotas_kept()
