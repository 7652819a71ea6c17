"""The processors as processes: what they share and count goes through the store."""

from pathlib import Path

import asyncpg

from tests.support.stack import Stack


async def test_processes_share_the_apps_minute_and_count_bytes(
    kafka: str, database_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Both hold a part while they run and give it back at the end; every byte of the bodies is in the store by then."""
    async with Stack(
        bootstrap_servers=kafka,
        database_url=database_url,
        prefix=topic_prefix,
        folder=tmp_path,
        simulator_options=["--tenants=18", "--invoices=5", "--contacts=5", "--credit-notes=2"],
        processor_count=2,
    ) as stack:
        await stack.settled_group()  # else the one that is first may do it all
        tenants = await stack.connect()
        await stack.drained()
        series = [await stack.series(name) for name in stack.processors]
        for name in stack.processors:
            await stack.processes[name].stop()

        connection = await asyncpg.connect(database_url)
        ledger = await connection.fetchval("SELECT ledger FROM app_minutes WHERE app = 'default'")
        rows = await connection.fetch("SELECT tenant_id, sum(bytes)::bigint AS bytes FROM egress GROUP BY 1")
        await connection.close()

    received = [v for one in series for k, v in one.items() if k.startswith("xero_stream_xero_received_bytes_total{")]
    assert min(one["xero_stream_app_minute_held_calls"] for one in series) >= 50
    assert 0 < len(ledger) < 1_000
    assert {row["tenant_id"] for row in rows} == set(tenants)
    assert sum(row["bytes"] for row in rows) >= sum(received) > 0
