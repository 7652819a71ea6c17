"""Processors come, go and freeze under load, while one organisation is at its minute limit all the time."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator

from tests.support.stack import PARTITIONS, Stack
from tests.support.stacks import StartStack

SESSION_SECONDS = 6.0
MINUTE = 62.0


@contextlib.asynccontextmanager
async def pressure(stack: Stack, tenant: str) -> AsyncIterator[None]:
    """Give an organisation far more to do than sixty calls a minute allow, in all three lanes, all the time."""

    async def press() -> None:
        while True:
            with contextlib.suppress(OSError):
                await stack.fetch(
                    "UPDATE passes SET place = NULL, finished_at = NULL, not_before = to_timestamp(0) "
                    "WHERE tenant_id = $1 AND finished_at IS NOT NULL",
                    tenant,
                )
                await stack.fetch(
                    "INSERT INTO passes (tenant_id, entity, kind, partition) "
                    "SELECT tenant_id, entity, 'catch_up', partition FROM passes WHERE tenant_id = $1 "
                    "ON CONFLICT DO NOTHING",
                    tenant,
                )
                await stack.fetch(
                    "INSERT INTO dirty (tenant_id, entity, record_id, partition, event_at, first_received_at, mode) "
                    "SELECT tenant_id, entity, record_id, partition, to_timestamp(0), now(), 'alone' FROM records "
                    "WHERE tenant_id = $1 AND gone IS NULL ON CONFLICT DO NOTHING",
                    tenant,
                )
            await asyncio.sleep(0.2)

    task = asyncio.create_task(press())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def leases(stack: Stack) -> dict[str | None, int]:
    """Partitions by owner; None for those given up."""
    rows = await stack.fetch("SELECT owner, count(*) AS n FROM leases GROUP BY owner")
    return {row["owner"]: row["n"] for row in rows}


async def test_members_come_go_and_freeze_while_a_minute_is_used_up(new_stack: StartStack, scale: int) -> None:
    """Join, ``kill -9``, graceful leave, freeze past the session and wake: once, in order, never above 60 a minute.

    The organisation under pressure is at its limit from the first seconds on, and its partition changes hands four
    times within that minute: the ledger of calls has to carry over, clean or not.
    """
    async with new_stack(
        "--tenants=9",
        "--invoices=25",
        "--contacts=10",
        "--credit-notes=5",
        "--api-latency-ms=20",
        processor_count=2,
        environment={"XERO_STREAM_SESSION_TIMEOUT_SECONDS": f"{SESSION_SECONDS:.0f}"},
    ) as stack:
        tenants = await stack.connect()
        await stack.settled_group()
        await stack.drained()
        started = time.monotonic()
        await stack.traffic(4)
        async with pressure(stack, tenants[0]):
            for _ in range(scale):
                await killed(stack)
                await leaves_and_joins(stack)
                await frozen(stack)
            await asyncio.sleep(max(0.0, started + MINUTE - time.monotonic()))
        edits = await stack.traffic(0)
        await stack.fetch("DELETE FROM dirty WHERE event_at = to_timestamp(0)")
        await stack.drained(within=60)

        assert edits >= 100 * scale, "too little traffic to prove anything"
        await stack.judged(tenants, least=38 * len(tenants) + edits // 2)
        await stack.assert_quotas_kept()
        pressed = (await stack.control("GET", "/calls"))["tenants"][tenants[0]]
        stack.note(f"{pressed['calls']} calls, at most {pressed['mostInSlidingMinute']} in a minute")
        assert pressed["mostInSlidingMinute"] >= 50, "the limit was never reached"
        assert pressed["calls"] > 62, "the next minute never came"


async def owner_of(stack: Stack, tenant: str) -> str:
    """The processor that works for an organisation."""
    (row,) = await stack.fetch("SELECT owner FROM leases JOIN tenants USING (partition) WHERE tenant_id = $1", tenant)
    return next(name for name in stack.processors if str(row["owner"]).endswith(f"-{stack.processes[name].pid}"))


async def killed(stack: Stack) -> None:
    """``kill -9`` of the owner of the organisation under pressure, when its minute is used up."""
    tenant = (await stack.tenants())[0]

    async def used_up() -> bool:
        calls = (await stack.control("GET", "/calls"))["tenants"][tenant]
        return bool(calls["mostInSlidingMinute"] >= 45)

    await stack.until(used_up, 30, "the minute to be used up")
    victim = stack.processes[await owner_of(stack, tenant)]
    stack.note(f"kill {victim.name}")
    victim.kill()
    victim.start()
    await stack.settled_group()


async def leaves_and_joins(stack: Stack) -> None:
    """SIGTERM: the partitions are given up, the exit code is 0 within the deadline; the other takes them at once."""
    name = await owner_of(stack, (await stack.tenants())[0])
    (other,) = [one for one in stack.processors if one != name]
    stack.note(f"stop {name}")
    started = time.monotonic()

    assert await stack.processes[name].stop() == 0
    assert time.monotonic() - started < 10, "longer than the drain deadline"
    assert '"change":' not in stack.processes[name].tail(3)
    await stack.settled_group(other)
    assert list((await leases(stack)).values()) == [PARTITIONS]

    stack.processes[name].start()
    await stack.settled_group()


async def frozen(stack: Stack) -> None:
    """SIGSTOP past the session: the other takes over; awake again, the zombie finds its leases gone."""
    name = await owner_of(stack, (await stack.tenants())[0])
    (other,) = [one for one in stack.processors if one != name]
    stack.note(f"freeze {name}")
    stack.processes[name].signal(signal.SIGSTOP)
    await stack.settled_group(other)
    stack.note(f"wake {name}")
    stack.processes[name].signal(signal.SIGCONT)
    await stack.settled_group()
