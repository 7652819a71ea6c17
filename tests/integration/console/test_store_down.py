"""PostgreSQL is not there yet, goes, comes again: the console says so and goes on without a restart."""

import asyncio
import json
from collections.abc import Awaitable

import httpx

from console.app import ConsoleConfig, run
from tests.integration.console.conftest import A, connect, running, until
from tests.integration.console.feeding import Log, places, read
from tests.support.servers import StartServers
from tests.support.stack import free_port
from xero_stream.settings.console import ConsoleSettings
from xero_stream.settings.store import StoreSettings
from xero_stream.settings.telemetry import PrivatePortSettings
from xero_stream.store.deployment import claim
from xero_stream.store.migrate import upgrade
from xero_stream.store.pool import open_pool


async def test_the_store_goes_and_comes_again(private_servers: StartServers) -> None:
    """503 with Retry-After for every request, ready is false and live is true; then all is well again, and a stream that was open goes on."""
    servers = await private_servers()
    await upgrade(servers.database_url)
    pool = await open_pool(servers.database_url, size=2)
    await claim(pool, topic_prefix="test", partitions=3)
    await connect(pool)
    async with running(pool, servers.database_url) as console:
        key = await console.key()
        async with console.client(key) as client, httpx.AsyncClient(trust_env=False) as private:

            async def status(url: str) -> int:
                return (await private.get(f"{console.private_url}{url}")).status_code

            assert (await client.get("/v1/tenants")).status_code == 200
            log = Log(pool)
            await log.record(A, A)
            await log.relay()
            stream = asyncio.create_task(read(client, 5, cursor="0:0,1:0,2:0"))
            await asyncio.sleep(0.5)
            await servers.postgres.kill()
            for _ in range(3):
                await _refused(client)
            await until(lambda: _is(status("/readyz"), 503))
            assert await status("/livez") == 200
            # A key that nobody knows yet is neither let in nor held against the caller.
            for number in range(15):
                await _refused(client, f"xsk_{number:012x}_{'A' * 43}")
            await servers.postgres.start()
            await until(lambda: _is(status("/readyz"), 200))
            answer = await client.get("/v1/tenants")
            assert answer.status_code == 200
            assert A in answer.text
            await log.record(A, A, A)
            await log.relay()
            found = places(json.loads(event.data or b"") for event in await asyncio.wait_for(stream, 30))
            assert found == [(0, position) for position in range(1, 6)]
    await pool.close()


async def test_a_console_may_start_before_the_schema_is_there(empty_database_url: str) -> None:
    """503 until `migrate` ran; then it answers."""
    port, private_port = free_port(), free_port()
    config = ConsoleConfig(
        console=ConsoleSettings(port=port, private_port=private_port),
        store=StoreSettings(database_url=empty_database_url),
        private=PrivatePortSettings(),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(run(config, stop))
    key = f"xsk_{'0' * 12}_{'A' * 43}"
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client:

        async def status(url: str) -> int:
            try:
                return (await client.get(url)).status_code
            except httpx.ConnectError:
                return 0

        await until(lambda: _is(status(f"http://127.0.0.1:{port}/v1/me"), 503))
        ready = await client.get(f"http://127.0.0.1:{private_port}/readyz")
        assert ready.status_code == 503
        await upgrade(empty_database_url)
        await until(lambda: _is(status(f"http://127.0.0.1:{private_port}/readyz"), 200))
        assert await status(f"http://127.0.0.1:{port}/v1/me") == 401
    stop.set()
    await task


async def _refused(client: httpx.AsyncClient, key: str | None = None) -> None:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = await client.get("/v1/tenants", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def _is(asked: Awaitable[int], wanted: int) -> bool:
    return await asked == wanted
