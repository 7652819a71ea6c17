"""What a caller's key opens: the key, and the organisations that it may see."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from xero_stream.contracts.api_key import ApiKey
from xero_stream.store.api_keys import api_key

_FIND = """
SELECT k.*, now() AS now,
       CASE WHEN k.customer_ref IS NOT NULL
            THEN ARRAY(SELECT tenant_id FROM tenants t WHERE t.customer_ref = k.customer_ref) END AS of_customer
FROM api_keys k WHERE k.key_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A stored key with what is needed to check it.

    Attributes:
        key: the key.
        digest: of its secret.
        tenant_ids: the organisations that it may see; None: all.
        now: the store's time.
    """

    key: ApiKey
    digest: bytes = field(repr=False)
    tenant_ids: frozenset[str] | None
    now: datetime


async def find(pool: "asyncpg.Pool[Any]", key_id: str) -> Found | None:
    """A key by its public part, or None.

    Args:
        key_id: the public part.
    """
    row = await pool.fetchrow(_FIND, key_id)
    if row is None:
        return None
    key = api_key(row)
    return Found(
        key=key,
        digest=row["digest"],
        tenant_ids=key.visible(frozenset(row["of_customer"] or ())),
        now=row["now"],
    )
