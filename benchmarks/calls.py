"""How many calls events cost: 1,000 edits on some 200 invoices of one tenant, against one call per event.

Once as a burst (the edits made at once, the webhooks as fast as the simulator sends them) and once as a stream over ten
seconds. Afterwards everything published equals the simulator's truth, else the figure counts for nothing.
"""

import asyncio

import orjson

from benchmarks.figures import keep, stack
from tests.support.stack import Stack

EVENTS, RUNS = 1_000, 3


async def _edits(running: Stack, tenant: str, count: int) -> None:
    await running.edit(tenantId=tenant, endpoint="Invoices", kind="change", count=count)


async def _one_run(*, over_seconds: int) -> dict[str, int]:
    async with stack("--tenants=1", "--invoices=250", "--api-latency-ms=50", "--webhook-batch-ms=20") as running:
        (tenant,) = await running.connect()
        await running.drained()
        await running.control("DELETE", "/calls")
        if over_seconds:
            for _ in range(over_seconds * 10):
                await asyncio.gather(_edits(running, tenant, EVENTS // (over_seconds * 10)), asyncio.sleep(0.1))
        else:
            await _edits(running, tenant, EVENTS)
        await running.drained()
        calls = await running.control("GET", "/calls")
        await running.assert_quotas_kept()
        findings = await running.findings([tenant])
        assert not findings, findings[:3]
        events = [orjson.loads(r.value)["event"] for r in await running.read([running.topics.webhook_events])]
        return {
            "events": len(events),
            "invoices": len({event["resourceId"] for event in events}),
            "calls": calls["calls"],
        }


async def _measure() -> None:
    burst = [await _one_run(over_seconds=0) for _ in range(RUNS)]
    stream = [await _one_run(over_seconds=10) for _ in range(RUNS)]
    figures = {
        "burst": burst,
        "stream over 10 s": stream,
        "one call per event": EVENTS,
        "goal": "burst: <= 8 calls",
    }
    keep("calls", figures, {"burst": burst, "stream": stream})


def main(arguments: list[str]) -> int:
    """Measure; 0 when done."""
    del arguments
    asyncio.run(_measure())
    return 0
