"""Kafka and PostgreSQL killed and started again under load, through the whole system."""

import asyncio
import random

from tests.support.servers import StartServers
from tests.support.stack import Stack
from tests.support.stacks import StartStack
from xero_stream.local.server import Server


async def outage(stack: Stack, server: Server, chance: random.Random) -> None:
    """Kill a server, leave it dead for a moment, start it again on its data."""
    await asyncio.sleep(chance.uniform(0.5, 1.5))
    stack.note(f"kill {server.name}")
    await server.kill()
    await asyncio.sleep(chance.uniform(0.5, 2.0))
    await server.start()
    stack.note(f"{server.name} is back")


async def test_kafka_and_postgres_killed_under_load(
    new_stack: StartStack, private_servers: StartServers, chance: random.Random, scale: int
) -> None:
    """No process of ours is restarted, and when the servers are back everything goes on: all of it once, in order."""
    servers = await private_servers()
    async with new_stack(
        f"--tenants={12 * scale}",
        "--invoices=25",
        "--contacts=10",
        "--credit-notes=5",
        bootstrap_servers=servers.bootstrap_servers,
        database_url=servers.database_url,
        processor_count=2,
    ) as stack:
        await stack.settled_group()
        tenants = await stack.connect()
        await stack.traffic(15 * scale)

        for _ in range(scale):
            for server in chance.sample([servers.kafka, servers.postgres], 2):
                await outage(stack, server, chance)

        await asyncio.sleep(1)
        edits = await stack.traffic(0)
        await stack.drained(within=90)
        assert edits >= 60 * scale, "too little traffic to prove anything"
        await stack.judged(tenants, least=40 * len(tenants))
        await stack.assert_quotas_kept()
        assert {process.starts for process in stack.processes.values()} == {1}
        for name in ("receiver", *stack.processors):
            assert await stack.health(name, "livez") == 200
            assert await stack.health(name, "readyz") == 200
