"""What Xero's misbehaviour costs: calls against the fewest possible, and events that it never delivers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.stack import Stack
from tests.support.stacks import StartStack
from xero_stream.contracts.names import STREAMED

API = ["list", "get"]
ENDPOINTS = ("Contacts", "Invoices", "CreditNotes")
"""Whose records can simply be changed."""
SMALL = ("--tenants=6", "--invoices=30", "--contacts=30", "--credit-notes=20", "--webhook-batch-events=1")

SPOILING: tuple[dict[str, Any], ...] = (
    {"name": "errors", "operation": API, "rate": 0.1, "fault": {"kind": "status", "status": 500}},
    {"name": "never answers", "operation": API, "rate": 0.1, "fault": {"kind": "hang"}},
    {"name": "truncated", "operation": API, "rate": 0.03, "fault": {"kind": "truncate", "fraction": 0.6}},
    {"name": "cut", "operation": API, "rate": 0.03, "fault": {"kind": "reset", "afterBytes": 200}},
    {"name": "refused", "operation": API, "times": 1, "after": 8, "fault": {"kind": "status", "status": 401}},
    {
        "name": "offline",
        "operation": API,
        "times": 2,
        "after": 12,
        "fault": {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
    },
    *(
        {
            "name": f"429 {problem} {told}",
            "operation": API,
            "times": 1,
            "after": 4 * number,
            "fault": {"kind": "rate_limit", "problem": problem} | ({"retryAfter": told} if told is not None else {}),
        }
        for number, (problem, told) in enumerate(
            (
                ("minute", 2),
                ("minute", 0),
                ("minute", "Thu, 01 Jan 1970 00:00:00 GMT"),
                ("day", 3),
                ("day", "0"),
                ("concurrent", None),
                ("concurrent", "later"),
            )
        )
    ),
)
"""Each makes one call worthless: it has to be made again."""

HARMLESS: tuple[dict[str, Any], ...] = (
    {
        "name": "dripping",
        "operation": API,
        "rate": 0.05,
        "fault": {"kind": "drip", "chunkBytes": 256, "everyMs": 30},
    },
    {"name": "date ahead", "operation": API, "rate": 0.1, "fault": {"kind": "date", "offsetSeconds": 3600}},
    {"name": "date behind", "operation": API, "rate": 0.1, "fault": {"kind": "date", "offsetSeconds": -3600}},
    {"name": "replayed", "operation": "webhook", "rate": 1, "fault": {"kind": "duplicate", "afterMs": 4000}},
    {"name": "reordered", "operation": "webhook", "rate": 0.2, "fault": {"kind": "reorder", "places": 3}},
    {"name": "delayed", "operation": "webhook", "rate": 0.2, "fault": {"kind": "delay", "ms": 50, "jitterMs": 800}},
)
"""None of these forces a call."""


async def calls_made(stack: Stack) -> int:
    """Calls that the simulator counted, refused and broken ones too."""
    made: int = (await stack.control("GET", "/calls"))["calls"]
    return made


async def fired(stack: Stack, rules: Sequence[dict[str, Any]]) -> int:
    """How often those rules struck."""
    names = {rule["name"] for rule in rules}
    return sum(rule["fired"] for rule in (await stack.control("GET", "/faults"))["rules"] if rule["name"] in names)


async def edit_one_record_each(stack: Stack, tenants: Sequence[str]) -> int:
    """Change one record of every entity of every organisation; answers how many."""
    edits = [
        stack.edit(tenantId=tenant, endpoint=endpoint, kind="change", count=1)
        for tenant in tenants
        for endpoint in ENDPOINTS
    ]
    return len(await asyncio.gather(*edits))


@pytest.mark.long
async def test_calls_are_few_whatever_xero_does(new_stack: StartStack) -> None:
    """Under many faults at once, at most 1.3 times the fewest calls possible are made.

    The fewest possible: each organisation has one record changed per entity, and all is at rest before the next round.
    Two of these can't share a call, so it takes one each. A call whose answer was spoiled, as the simulator counts them,
    has to be made once more. Everything else (calls for replayed events, second looks, calls repeated twice) is ours.
    """
    async with new_stack(*SMALL, environment={"XERO_STREAM_HTTP_TIMEOUT_SECONDS": "2"}) as stack:
        tenants = await stack.connect()
        await stack.drained()
        await stack.control("DELETE", "/calls")
        await stack.plan_faults(*SPOILING, *HARMLESS)

        edits = 0
        for _ in range(3):
            edits += await edit_one_record_each(stack, tenants)
            await stack.drained(within=90)

        made, forced = await calls_made(stack), await fired(stack, SPOILING)
        fewest = edits + forced
        stack.note(f"{edits} edits, {forced} answers spoiled, {made} calls: {made / fewest:.2f} times the fewest")
        await stack.assert_faults_fired()
        assert fewest <= made <= 1.3 * fewest, f"{made} calls for {edits} edits and {forced} spoiled answers"
        await stack.judged(tenants, least=54 * len(tenants))
        await stack.assert_quotas_kept()


async def test_an_outage_costs_few_calls(new_stack: StartStack) -> None:
    """While nothing is answered, what is due waits in one piece: few calls are tried, and few are needed afterwards."""
    records, outage = 25, 12.0
    async with new_stack("--tenants=3", "--invoices=5", "--contacts=60", "--credit-notes=1") as stack:
        tenants = await stack.connect()
        await stack.drained()
        await stack.control("DELETE", "/calls")
        await stack.plan_faults({"name": "outage", "operation": API, "fault": {"kind": "status", "status": 500}})

        for tenant in tenants:
            await stack.edit(tenantId=tenant, endpoint="Contacts", kind="change", count=records)
        await asyncio.sleep(outage)
        during = await calls_made(stack)
        await stack.assert_faults_fired()
        await stack.control("DELETE", "/faults")
        await stack.drained(within=60)

        # One at once, then after 1, 3 and 7 seconds, give or take; a slot for those that failed alone does the same.
        assert during <= 10 * len(tenants)
        assert await calls_made(stack) - during <= 8 * len(tenants), "asked for one by one afterwards"
        await stack.judged(tenants, least=60)
        await stack.assert_quotas_kept()


async def test_events_that_xero_never_delivers(new_stack: StartStack) -> None:
    """Their numbers are missed once later ones came, and what changed is read again: one call per organisation and entity."""
    async with new_stack(*SMALL, environment={"XERO_STREAM_GAP_PATIENCE_SECONDS": "2"}) as stack:
        tenants = await stack.connect()
        await edit_one_record_each(stack, tenants)
        await stack.drained()
        await stack.control("DELETE", "/calls")
        await stack.plan_faults({"name": "dropped", "operation": "webhook", "fault": {"kind": "drop"}})
        dropped = await edit_one_record_each(stack, tenants[:3])
        await stack.drained()
        assert await fired(stack, [{"name": "dropped"}]) == dropped
        assert await calls_made(stack) == 0, "nobody knows yet"

        await stack.control("DELETE", "/faults")
        await stack.edit(tenantId=tenants[-1], endpoint="Contacts", kind="change", count=1)

        async def noticed() -> bool:
            (row,) = await stack.fetch("SELECT count(*) AS passes FROM passes WHERE kind = 'catch_up'")
            return bool(row["passes"] == len(STREAMED) * len(tenants))

        await stack.until(noticed, 20, "the missing events to be noticed")
        await stack.drained()
        assert (await stack.series("processors-0"))["xero_stream_events_missed_total"] == dropped
        assert await calls_made(stack) <= len(STREAMED) * len(tenants) + 1
        await stack.judged(tenants, least=54 * len(tenants))
        await stack.assert_quotas_kept()


@pytest.mark.long
async def test_an_event_missed_unnoticed_is_made_good_by_the_next(new_stack: StartStack) -> None:
    """The last event before silence leaves no gap: its record is right again with its next event, and only then."""
    async with new_stack("--tenants=1", "--invoices=5", "--contacts=5", "--credit-notes=1") as stack:
        (tenant,) = await stack.connect()
        await stack.drained()
        rule = {"name": "dropped", "operation": "webhook", "times": 1, "fault": {"kind": "drop"}}
        await stack.plan_faults(rule)
        edit = (await stack.edit(tenantId=tenant, endpoint="Contacts", kind="change", count=1))["edits"][0]
        await stack.drained()
        assert [finding.promise for finding in await stack.findings([tenant])], "the drop did no harm"

        await stack.edit(tenantId=tenant, endpoint="Contacts", kind="change", count=1, recordId=edit["id"])
        await stack.drained()

        await stack.judged([tenant], least=11)
