"""Live edits while webhooks and the API misbehave: what is published is the truth, once and in order."""

import asyncio
from typing import Any

from tests.support.stacks import StartStack

API = ["list", "get"]

FAULTS: tuple[dict[str, Any], ...] = (
    {"name": "5 % server errors", "operation": API, "rate": 0.05, "fault": {"kind": "status", "status": 500}},
    {"name": "bad gateway", "operation": API, "times": 3, "after": 20, "fault": {"kind": "status", "status": 502}},
    {
        "name": "offline for a second",
        "operation": API,
        "times": 2,
        "after": 60,
        "fault": {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
    },
    {"name": "stale reads", "operation": API, "rate": 0.1, "fault": {"kind": "stale", "seconds": 1.5}},
    {"name": "truncated answers", "operation": API, "rate": 0.04, "fault": {"kind": "truncate", "fraction": 0.7}},
    {"name": "cut connections", "operation": API, "times": 3, "after": 30, "fault": {"kind": "reset"}},
    {"name": "duplicates", "operation": "webhook", "rate": 0.2, "fault": {"kind": "duplicate", "afterMs": 300}},
    {"name": "reordered", "operation": "webhook", "rate": 0.2, "fault": {"kind": "reorder", "places": 4}},
    {"name": "delayed", "operation": "webhook", "rate": 0.2, "fault": {"kind": "delay", "ms": 50, "jitterMs": 800}},
)


async def test_live_edits_under_faults(new_stack: StartStack, scale: int) -> None:
    """Duplicates, reorder, delay, 5 % errors, stale and truncated answers: state = truth, gapless, in order, once."""
    async with new_stack(
        f"--tenants={12 * scale}", "--invoices=30", "--contacts=12", "--credit-notes=6", "--api-latency-ms=20"
    ) as stack:
        await stack.plan_faults(*FAULTS)
        tenants = await stack.connect()
        await stack.traffic(25 * scale)
        await asyncio.sleep(10)
        edits = await stack.traffic(0)

        await stack.drained(within=60)

        await stack.assert_faults_fired()
        assert edits >= 150 * scale, "too little traffic to prove anything"
        await stack.judged(tenants, least=48 * len(tenants))
        await stack.assert_quotas_kept()
