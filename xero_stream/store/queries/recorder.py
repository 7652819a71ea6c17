"""What the recorder compares a read with: the record, its dirty row, its quarantine entry, unfinished passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# raw_form is of the release before 0010, which knew two forms: where it is set, that release wrote the record last. A record
# taken over from Kafka has no read time. A catch-up counts as loading: it may be what is left of a first load that ended at its
# bound, and what it reads may be older than our first sight of it too.
_LOAD = """
SELECT i.record_id, r.version_at, r.read_at, r.gone, r.status, r.body, r.raw, r.shown,
       CASE r.raw_form WHEN 'one' THEN 'one' WHEN 'list' THEN 'page' ELSE r.form END AS form,
       r.read_at = to_timestamp(0) AS taken_over,
       d.event_at, d.first_received_at, d.attempts, d.equal_reads, d.marks, d.deliveries, d.traceparent,
       coalesce(d.created, false) AS created, coalesce(d.broke, 0) > 0 AS broke, q.kept, coalesce(q.created, false) AS kept_created,
       EXISTS (SELECT 1 FROM passes p WHERE p.tenant_id = $1 AND p.entity = $2 AND p.finished_at IS NULL) AS loading
FROM unnest($3::text[]) AS i(record_id)
LEFT JOIN records r ON r.tenant_id = $1 AND r.entity = $2 AND r.record_id = i.record_id
LEFT JOIN dirty d ON d.tenant_id = $1 AND d.entity = $2 AND d.record_id = i.record_id
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS kept, bool_or(created) AS created FROM quarantine
    WHERE tenant_id = $1 AND entity = $2 AND record_id = i.record_id AND state <> 'resolved') AS q
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store has on one record.

    Attributes:
        read_at: None where there is no record.
        taken_over: the record comes from the compacted topic.
        marks: of the dirty row; None where there is none.
        created: an event of the dirty row said that the record was created.
        broke: a read of it failed in our code.
        kept: it is in quarantine.
        kept_created: the same of events that could not be applied.
        loading: a pass over its entity is not done.
    """

    record_id: str
    version_at: datetime | None
    read_at: datetime | None
    gone: str | None
    status: str | None
    body: bytes | None
    raw: bytes | None
    shown: bytes | None
    form: str | None
    taken_over: bool | None
    event_at: datetime | None
    first_received_at: datetime | None
    attempts: int | None
    equal_reads: int | None
    marks: int | None
    deliveries: list[str] | None
    traceparent: str | None
    created: bool
    broke: bool
    kept: bool
    kept_created: bool
    loading: bool


async def known(connection: Any, tenant_id: str, entity: str, record_ids: Sequence[str]) -> list[Known]:
    """What the store has on these records; one entry each."""
    return [Known(**dict(row)) for row in await connection.fetch(_LOAD, tenant_id, entity, list(record_ids))]
