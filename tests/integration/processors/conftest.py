"""A store with one leased partition."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from xero_stream.store.deployment import Deployment, claim
from xero_stream.store.leases import Lease
from xero_stream.store.ownership import take
from xero_stream.store.pool import open_pool

Pool = asyncpg.Pool


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[asyncpg.Pool[Any]]":
    """The store."""
    opened = await open_pool(database_url, size=6)
    yield opened
    await opened.close()


@pytest.fixture
async def deployment(pool: "asyncpg.Pool[Any]") -> Deployment:
    """A deployment of three partitions."""
    return await claim(pool, topic_prefix="test", partitions=3)


@pytest.fixture
async def lease(pool: "asyncpg.Pool[Any]", deployment: Deployment) -> Lease:
    """Our lease on partition 1."""
    assert deployment.partitions == 3
    return await take(pool, 1, "test")
