"""Signed events that name records which Xero does not have: what they cost, and what becomes of them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from processors.tenants.unseen import hour_of, limit_of
from tests.support.stack import WEBHOOK_KEY, Stack
from tests.support.stacks import StartStack
from tests.support.webhooks import sign
from xero_stream.settings.xero import AppTier

BUDGET = limit_of(AppTier.STARTER)


async def deliver(stack: Stack, tenant: str, record_ids: list[str]) -> None:
    """One signed delivery with an event for each id."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    events = [
        {
            "tenantId": tenant,
            "resourceId": record_id,
            "eventCategory": "INVOICE",
            "eventType": "UPDATE",
            "eventDateUtc": now,
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{record_id}",
            "tenantType": "ORGANISATION",
        }
        for record_id in record_ids
    ]
    body = orjson.dumps(
        {"events": events, "firstEventSequence": 0, "lastEventSequence": 0, "entropy": uuid.uuid4().hex}
    )
    headers = {"x-xero-signature": sign(body, WEBHOOK_KEY), "content-type": "application/json"}
    assert (await stack.http.post(stack.webhook_url, content=body, headers=headers)).status_code == 200


async def invoice_calls(stack: Stack) -> dict[str, Any]:
    """What the simulator counted of calls for invoices."""
    tenants = (await stack.control("GET", "/calls"))["tenants"]
    found = [one for tenant in tenants.values() for name, one in tenant["endpoints"].items() if "Invoices" in name]
    assert found
    return {
        "calls": sum(one["calls"] for one in found),
        "404": sum(one["statuses"].get("404", 0) for one in found),
    }


@pytest.mark.parametrize("ids", [20, 600])
async def test_made_up_ids_cost_a_share_of_an_hour(new_stack: StartStack, ids: int) -> None:
    """One delivery. Calls are counted at the simulator; Real records are read as ever; all made-up ids end in quarantine."""
    environment = {"XERO_STREAM_PATIENCE_SECONDS": "5", "XERO_APP_TIER": "starter"}
    async with new_stack("--tenants=1", "--invoices=5", "--contacts=3", environment=environment) as stack:
        (tenant,) = await stack.connect()
        await stack.drained()
        await stack.control("DELETE", "/calls")

        made_up = [str(uuid.uuid4()) for _ in range(ids)]
        first_hour = hour_of(datetime.now(UTC))
        await deliver(stack, tenant, made_up)

        async def aside() -> bool:
            (row,) = await stack.fetch(
                "SELECT count(*) AS n FROM quarantine WHERE reason = 'never_seen' AND state = 'open'"
            )
            return bool(row["n"] == ids)

        await stack.until(aside, 90, f"{ids} records to be put aside")
        counted = await invoice_calls(stack)
        budgets = 1 + (hour_of(datetime.now(UTC)) - first_hour) // timedelta(hours=1)
        assert counted["404"] <= budgets * (BUDGET + 1), "the hour's budget; a call may be under way when it is used up"
        assert counted["calls"] - counted["404"] <= 3 + -(-ids // 50), "one sweep, and batches by id"
        series = await stack.series("processors-0")
        put_aside = {
            name: value for name, value in series.items() if name.startswith("xero_stream_records_never_seen_total")
        }
        assert sum(put_aside.values()) == ids

        await stack.edit(tenantId=tenant, endpoint="Invoices", kind="change")
        await stack.drained()
        assert (await invoice_calls(stack))["404"] == counted["404"]
        assert await stack.fetch("SELECT 1 FROM changes WHERE op = 'u'"), "an event of a real record is read as ever"
