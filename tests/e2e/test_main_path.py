"""From a signed webhook to a change event on Kafka, in real processes."""

from pathlib import Path

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
