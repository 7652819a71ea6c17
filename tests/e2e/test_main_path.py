"""From a signed webhook to a change event on Kafka, in real processes."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack
from xero_api.decode import decode
from xero_api.registry import by_name
from xero_stream.contracts.names import EntityName


async def test_a_load_and_an_edit_reach_kafka(kafka: str, database_url: str, topic_prefix: str, tmp_path: Path) -> None:
    """A tenant that connects is loaded; an edit in Xero becomes a change; everything published equals the truth."""
    async with Stack(
        bootstrap_servers=kafka,
        database_url=database_url,
        prefix=topic_prefix,
        folder=tmp_path,
        simulator_options=["--tenants=2", "--invoices=60", "--contacts=15", "--credit-notes=5"],
    ) as stack:
        tenants = await stack.connect()
        await stack.drained()
        await stack.edit(count=40)
        await stack.drained()

        assert await stack.findings(tenants) == []
        await stack.assert_quotas_kept()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("kind", [EntityName.PREPAYMENTS, EntityName.OVERPAYMENTS])
async def test_money_on_account_is_followed_like_any_record(quiet: Stack, kind: EntityName) -> None:
    """Made, applied, taken back, voided: each step a change, and the invoice it goes to follows."""
    tenants = await quiet.tenants()
    endpoint, topic = by_name(kind).path, quiet.topics.changes(kind)
    before = len(await quiet.read([topic]))

    await quiet.edit(tenantId=tenants[0], endpoint=endpoint, kind="create", count=8)
    for step in ("allocate", "withdraw", "void"):
        await quiet.drained()
        done = await quiet.edit(tenantId=tenants[0], endpoint=endpoint, kind=step)
        assert len(done["edits"]) == 1, done
    await quiet.drained()

    published = [decode(record.value) for record in (await quiet.read([topic]))[before:]]
    assert [change["op"] for change in published] == ["c"] * 8 + ["u"] * 3
    assert published[-3]["after"]["allocations"]
    assert published[-1]["after"]["status"] == "voided"
    assert await quiet.findings(tenants) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_payments_are_followed_from_their_making_to_their_deletion(quiet: Stack) -> None:
    """An invoice is paid, credit is given back, payments are made as a batch; a payment with the status DELETED is gone."""
    tenants = await quiet.tenants()
    topic = quiet.topics.changes(EntityName.PAYMENTS)
    before = len(await quiet.read([topic]))

    async def published(**edit: object) -> list[Any]:
        done = await quiet.edit(tenantId=tenants[1], **edit)
        assert len(done["edits"]) == 1, done
        await quiet.drained()
        return [decode(record.value) for record in (await quiet.read([topic]))[before:]]

    (paid,) = await published(endpoint="Invoices", kind="pay")
    assert (paid["op"], paid["after"]["kind"], paid["source"]["trigger"]) == ("c", "invoice", "webhook")
    (_, refund) = await published(endpoint="Payments", kind="create")
    assert (refund["op"], refund["after"]["kind"] != "invoice") == ("c", True)
    (*_, deleted) = await published(endpoint="Payments", kind="delete", recordId=paid["source"]["record_id"])
    assert (deleted["op"], deleted["before"], deleted["after"]) == ("d", paid["after"], None)
    assert deleted["deletion_reason"] == "deleted"
    made = (await published(endpoint="BatchPayments", kind="create"))[3:]
    assert made
    assert {change["op"] for change in made} <= {"c", "u"}
    assert all(change["after"]["batch_id"] for change in made)
    ended = (await published(endpoint="BatchPayments", kind="delete"))[3 + len(made) :]
    assert ended
    assert {change["op"] for change in ended} == {"d"}
    assert await quiet.findings(tenants) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_an_app_without_the_payment_webhook_gets_payments_by_its_first_load_only(quiet: Stack) -> None:
    """What docs/guarantees.md says: the payment is missing, the invoice it pays is not, and a later event brings it."""
    tenants = await quiet.tenants()
    topic = quiet.topics.changes(EntityName.PAYMENTS)
    before = len(await quiet.read([topic]))
    categories = (await quiet.control("GET", "/webhooks?limit=0"))["categories"]

    await quiet.control("PUT", "/webhooks", {"categories": [one for one in categories if one != "PAYMENT"]})
    (done,) = (await quiet.edit(tenantId=tenants[2], endpoint="Invoices", kind="pay"))["edits"]
    await quiet.drained()
    await quiet.control("PUT", "/webhooks", {"categories": categories})
    missing = len(await quiet.read([topic])) - before
    (payment,) = [record["id"] for record in done["records"] if record["endpoint"] == "Payments"]
    # Whatever word Xero chooses: the URL says what the event is about.
    event = await quiet.event_of(tenants[2], "Payments", payment) | {
        "eventCategory": "ACCOUNTINGPAYMENT",
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Payments/{payment}",
    }
    await quiet.control("POST", "/webhooks/events", {"events": [event]})
    await quiet.drained()

    assert missing == 0
    assert [decode(record.value)["source"]["record_id"] for record in (await quiet.read([topic]))[before:]] == [payment]
    assert await quiet.findings(tenants) == []
