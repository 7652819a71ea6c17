"""What the store has on records, in the recorder's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from processors.recorder.decide import Stored
from processors.recorder.envelope import Webhook
from processors.recorder.judge import Row
from processors.recorder.versions import Version
from xero_api.entity import Form
from xero_stream.store.queries.recorder import Known, known


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A dirty row beside a record.

    Attributes:
        row: what a judgement needs.
        marks: which events it stands for.
        webhook: what goes into the change.
        traceparent: trace context of its first event.
        created: whether one of its events said that the record was created.
    """

    row: Row
    marks: int
    webhook: Webhook
    traceparent: str | None
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the store has on one record.

    Attributes:
        stored: the record.
        waiting: its dirty row.
        created: whether an event said that it was created, and it could not be applied then.
        unclear: whether it may be older than our first sight of it: a pass is not done, a read of it failed in our
            code, or it is in quarantine.
    """

    stored: Stored | None
    waiting: Waiting | None
    created: bool
    unclear: bool


async def load(connection: Any, tenant_id: str, entity: str, record_ids: Sequence[str]) -> dict[str, Loaded]:
    """The stored records and dirty rows of these ids."""
    return {row.record_id: _loaded(row) for row in await known(connection, tenant_id, entity, record_ids)}


def _loaded(row: Known) -> Loaded:
    stored = (
        Stored(
            version=Version(updated_at=row.version_at, read_at=row.read_at),
            gone=row.gone,
            status=row.status,
            body=row.body,
            raw=row.raw,
            form=Form(row.form) if row.form else None,
            shown=row.shown,
            taken_over=bool(row.taken_over),
        )
        if row.read_at is not None
        else None
    )
    waiting = _waiting(row) if row.marks is not None else None
    unclear = row.loading or row.kept or row.broke
    return Loaded(stored=stored, waiting=waiting, created=row.kept_created, unclear=unclear)


def _waiting(row: Known) -> Waiting:
    assert row.marks is not None
    assert row.event_at is not None
    assert row.first_received_at is not None
    return Waiting(
        row=Row(event_at=row.event_at, attempts=row.attempts or 0, equal_reads=row.equal_reads or 0),
        marks=row.marks,
        webhook=Webhook(deliveries=row.deliveries or [], event_at=row.event_at, received_at=row.first_received_at),
        traceparent=row.traceparent,
        created=row.created,
    )
