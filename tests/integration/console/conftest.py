"""A console on a real store, reached over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from console.app import ConsoleConfig, run
from tests.support.stack import free_port
from xero_stream.contracts.api_key import Scope
from xero_stream.settings.console import ConsoleSettings
from xero_stream.settings.store import StoreSettings
from xero_stream.settings.telemetry import PrivatePortSettings
from xero_stream.store.api_keys import NewKey, create
from xero_stream.store.deployment import claim
from xero_stream.store.pool import open_pool

A, B, C = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")
PARTITION = {A: 0, B: 1, C: 1}
"""Where the tests put the organisations; three partitions in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningConsole:
    """A console that runs.

    Attributes:
        url: of the API.
        private_url: of health and metrics.
        pool: its store, for the test.
    """

    url: str
    private_url: str
    pool: "asyncpg.Pool[Any]"

    async def key(self, *scopes: Scope, **more: Any) -> str:
        """Make a key; with the scope read if none is named."""
        _, key = await create(self.pool, NewKey(name="test", scopes=scopes or (Scope.READ,), **more), actor="test")
        return str(key)

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """A client that sends a key."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, trust_env=False)


async def connect(pool: "asyncpg.Pool[Any]") -> None:
    """Two customers: c-1 has the organisations A and B, c-2 has C."""
    await pool.execute("INSERT INTO apps (app, tier) VALUES ('default', 'core')")
    await pool.execute(
        "WITH g AS (INSERT INTO grants (grant_id, app, kind) VALUES (gen_random_uuid(), 'default', 'authorization_code') RETURNING grant_id) "
        "INSERT INTO tenants (tenant_id, app, grant_id, name, partition, customer_ref) "
        "SELECT t, 'default', grant_id, 'Name of ' || t, p, c FROM g, unnest($1::text[], $2::int[], $3::text[]) AS n(t, p, c)",
        [A, B, C],
        [PARTITION[one] for one in (A, B, C)],
        ["c-1", "c-1", "c-2"],
    )


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[asyncpg.Pool[Any]]":
    """The store, with its deployment of three partitions and three organisations."""
    opened = await open_pool(database_url, size=4)
    await claim(opened, topic_prefix="test", partitions=3)
    await connect(opened)
    yield opened
    await opened.close()


@contextlib.asynccontextmanager
async def running(pool: "asyncpg.Pool[Any]", database_url: str, **more: Any) -> AsyncIterator[RunningConsole]:
    """Run a console until the block ends."""
    port, private_port = free_port(), free_port()
    config = ConsoleConfig(
        console=ConsoleSettings(port=port, private_port=private_port, **more),
        store=StoreSettings(database_url=database_url),
        private=PrivatePortSettings(),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(run(config, stop))
    console = RunningConsole(url=f"http://127.0.0.1:{port}", private_url=f"http://127.0.0.1:{private_port}", pool=pool)
    try:
        await until_ready(console, task)
        yield console
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def until(true: Callable[[], Any], limit: float = 20.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(limit):
        while not await true():  # noqa: ASYNC110 - another process is looked at
            await asyncio.sleep(0.02)


async def until_ready(console: RunningConsole, task: "asyncio.Task[None]") -> None:
    """Wait until the console answers."""

    async def ready() -> bool:
        if task.done():
            task.result()
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{console.private_url}/readyz")).status_code == 200
        return False

    await until(ready)


@pytest.fixture
async def console(pool: "asyncpg.Pool[Any]", database_url: str) -> AsyncIterator[RunningConsole]:
    """A console on the store."""
    async with running(pool, database_url) as found:
        yield found
