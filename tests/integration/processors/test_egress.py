"""What was read is remembered for a year's bills, and not indefinitely."""

from datetime import timedelta
from typing import Any

import asyncpg

from processors.quotas.egress import KEPT
from xero_stream.store import egress
from xero_stream.store.clock import utc_now


async def test_old_days_are_forgotten(pool: "asyncpg.Pool[Any]") -> None:
    """The oldest day that is kept stays; the one before goes."""
    oldest = utc_now().date() - KEPT
    for day in (oldest - timedelta(days=1), oldest):
        read = egress.Read(app="a", day=day, tenant_id="t", entity="contacts", calls=1, bytes=1)
        await egress.add(pool, [read])

    await egress.forget(pool, oldest)

    assert [row["day"] for row in await pool.fetch("SELECT day FROM egress WHERE app = 'a'")] == [oldest]
