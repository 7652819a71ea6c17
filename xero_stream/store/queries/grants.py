"""Grants with their organisations, and how each stands: for ``grants list`` and ``doctor``."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from xero_stream.contracts.names import TenantId
from xero_stream.store import entity_holds
from xero_stream.store.entity_holds import EntityHold


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An organisation as ``grants list`` shows it.

    Attributes:
        tenant_id: which; None for a grant without any.
        app_trouble: why Xero refuses the app it is connected through; None: it doesn't.
        app_hint: what to do about that.
        loading: entities whose first load is not done.
        backlog: records known to have changed and not read yet.
        held: kinds of record that are not read for now, or keep failing.
        loaded: records seen by passes that are not done.
        load_total: records those passes have in all, as far as Xero said.
    """

    grant_id: UUID
    app: str
    kind: str
    grant_state: str
    refreshed_at: datetime | None
    tenant_id: TenantId | None
    name: str
    state: str | None
    partition: int | None
    customer_ref: str | None
    parked_until: datetime | None
    parked_reason: str | None
    day_remaining: int | None
    loading: list[str]
    loaded: int
    load_total: int | None
    backlog: int
    app_trouble: str | None = None
    app_hint: str | None = None
    held: list[EntityHold] = field(default_factory=list)


_STANDING = """
SELECT g.grant_id, g.app, g.kind, g.state AS grant_state, g.refreshed_at, t.tenant_id, coalesce(t.name, '') AS name,
       t.state, t.partition, t.customer_ref, t.day_remaining,
       CASE WHEN t.parked_until > now() THEN t.parked_until END AS parked_until,
       CASE WHEN t.parked_until > now() THEN t.parked_reason END AS parked_reason,
       a.trouble AS app_trouble, a.trouble_hint AS app_hint,
       coalesce(p.loading, '{}') AS loading, coalesce(p.loaded, 0) AS loaded, p.load_total,
       coalesce((SELECT count(*) FROM dirty d WHERE d.tenant_id = t.tenant_id), 0) AS backlog
FROM grants g JOIN apps a ON a.app = g.app LEFT JOIN tenants t USING (grant_id)
LEFT JOIN LATERAL (
    SELECT array_agg(entity ORDER BY entity) AS loading, sum(seen)::bigint AS loaded, sum(total)::bigint AS load_total
    FROM passes WHERE passes.tenant_id = t.tenant_id AND finished_at IS NULL
) p ON true
ORDER BY g.app, t.name, t.tenant_id
"""


async def standing(pool: "asyncpg.Pool[Any]") -> list[Standing]:
    """Every grant with its organisations."""
    held: dict[str, list[EntityHold]] = {}
    for hold in await entity_holds.shown(pool):
        held.setdefault(hold.tenant_id, []).append(hold)
    return [Standing(**dict(row), held=held.get(row["tenant_id"], [])) for row in await pool.fetch(_STANDING)]
