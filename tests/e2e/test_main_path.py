"""From a signed webhook to a change event on Kafka, in real processes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest

from tests.support.stack import Stack
from xero_api.registry import by_name
from xero_stream.contracts.names import EntityName


async def told(stack: Stack, tenant: str, kind: EntityName) -> list[Mapping[str, Any]]:
    """The changes of an organisation's records of a kind, in order."""
    changes = [change for change in await stack.changes() if change.ref[:2] == (tenant, kind.value)]
    return [change.event for change in sorted(changes, key=lambda change: change.position)]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("kind", [EntityName.PREPAYMENTS, EntityName.OVERPAYMENTS])
async def test_money_on_account_is_followed_like_any_record(quiet: Stack, kind: EntityName) -> None:
    """Made, applied, taken back, voided: each step a change, and the invoice it goes to follows."""
    tenants = await quiet.tenants()
    endpoint = by_name(kind).path
    before = len(await told(quiet, tenants[0], kind))

    await quiet.edit(tenantId=tenants[0], endpoint=endpoint, kind="create", count=8)
    for step in ("allocate", "withdraw", "void"):
        await quiet.drained()
        done = await quiet.edit(tenantId=tenants[0], endpoint=endpoint, kind=step)
        assert len(done["edits"]) == 1, done
    await quiet.drained()

    published = (await told(quiet, tenants[0], kind))[before:]
    assert [change["op"] for change in published] == ["c"] * 8 + ["u"] * 3
    assert published[-3]["after"]["allocations"]
    assert published[-1]["after"]["status"] == "voided"
    assert await quiet.findings(tenants) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_payments_are_followed_from_their_making_to_their_deletion(quiet: Stack) -> None:
    """An invoice is paid, credit is given back, payments are made as a batch; a payment with the status DELETED is gone."""
    tenants = await quiet.tenants()
    seen = len(await told(quiet, tenants[1], EntityName.PAYMENTS))

    async def published(**edit: object) -> list[Mapping[str, Any]]:
        nonlocal seen
        done = await quiet.edit(tenantId=tenants[1], **edit)
        assert len(done["edits"]) == 1, done
        await quiet.drained()
        found = (await told(quiet, tenants[1], EntityName.PAYMENTS))[seen:]
        seen += len(found)
        return found

    (paid,) = await published(endpoint="Invoices", kind="pay")
    assert (paid["op"], paid["after"]["kind"], paid["source"]["trigger"]) == ("c", "invoice", "webhook")
    (refund,) = await published(endpoint="Payments", kind="create")
    assert refund["op"] == "c"
    assert refund["after"]["kind"] != "invoice"
    (deleted,) = await published(endpoint="Payments", kind="delete", recordId=paid["source"]["record_id"])
    assert (deleted["op"], deleted["before"], deleted["after"]) == ("d", paid["after"], None)
    assert deleted["deletion_reason"] == "deleted"
    made = await published(endpoint="BatchPayments", kind="create")
    assert made
    assert {change["op"] for change in made} <= {"c", "u"}
    assert all(change["after"]["batch_id"] for change in made)
    ended = await published(endpoint="BatchPayments", kind="delete")
    assert ended
    assert {change["op"] for change in ended} == {"d"}
    assert await quiet.findings(tenants) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_an_app_without_the_payment_webhook_gets_payments_by_its_first_load_only(quiet: Stack) -> None:
    """What docs/guarantees.md says: the payment is missing, the invoice it pays is not, and a later event brings it."""
    tenants = await quiet.tenants()
    before = len(await told(quiet, tenants[2], EntityName.PAYMENTS))
    categories = (await quiet.control("GET", "/webhooks?limit=0"))["categories"]

    await quiet.control("PUT", "/webhooks", {"categories": [one for one in categories if one != "PAYMENT"]})
    (done,) = (await quiet.edit(tenantId=tenants[2], endpoint="Invoices", kind="pay"))["edits"]
    await quiet.drained()
    await quiet.control("PUT", "/webhooks", {"categories": categories})
    without = len(await told(quiet, tenants[2], EntityName.PAYMENTS))
    (payment,) = [record["id"] for record in done["records"] if record["endpoint"] == "Payments"]
    # Whatever word Xero chooses: the URL says what the event is about.
    event = await quiet.event_of(tenants[2], "Payments", payment) | {
        "eventCategory": "ACCOUNTINGPAYMENT",
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Payments/{payment}",
    }
    await quiet.control("POST", "/webhooks/events", {"events": [event]})
    await quiet.drained()

    found = (await told(quiet, tenants[2], EntityName.PAYMENTS))[before:]
    assert without == before
    assert [change["source"]["record_id"] for change in found] == [payment]
    assert await quiet.findings(tenants) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_edited_during_a_first_load_is_created_only_if_xero_says_so(quiet: Stack) -> None:
    """An invoice that the load has not reached is edited: ``r``. One is made meanwhile: ``c``. The load changes neither."""
    tenants = await quiet.tenants()
    tenant, topic = tenants[3], quiet.topics.changes(EntityName.INVOICES)
    edit = {"tenantId": tenant, "endpoint": "Invoices"}
    (old,) = (await quiet.edit(**edit, kind="create", webhook=False))["edits"]
    load = "UPDATE passes SET place = NULL, finished_at = NULL, not_before = now() + $2 WHERE tenant_id = $1 AND entity = 'invoices'"
    await quiet.fetch(load, tenant, timedelta(hours=1))

    await quiet.edit(**edit, kind="change", recordId=old["records"][0]["id"])
    (new,) = (await quiet.edit(**edit, kind="create"))["edits"]
    ids = [edit["records"][0]["id"] for edit in (old, new)]

    async def both() -> bool:
        found = await quiet.fetch("SELECT DISTINCT record_id FROM changes WHERE record_id = ANY($1)", ids)
        return len(found) == 2

    await quiet.until(both, 20, "the edits to be recorded before the load goes on")
    await quiet.fetch(load, tenant, timedelta())
    await quiet.drained()

    found: dict[str, tuple[str, str, str]] = {}
    for record in await quiet.read([topic]):
        change = orjson.loads(record.value)
        if change["source"]["record_id"] in ids:
            verb = dict(record.headers)["ce_type"].decode().rsplit(".", 1)[1]
            found.setdefault(change["source"]["record_id"], (change["op"], verb, change["source"]["trigger"]))
    assert found == {ids[0]: ("r", "read", "webhook"), ids[1]: ("c", "created", "webhook")}
    assert await quiet.findings(tenants) == []
