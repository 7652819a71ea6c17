"""From a signed webhook to a change event on Kafka, in real processes."""

from pathlib import Path

from tests.support.stack import Stack


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
