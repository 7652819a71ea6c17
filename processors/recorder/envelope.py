"""The final bytes of a change: value, key, headers, and the value for the compacted topic. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as installed_version
from typing import Any
from uuid import UUID

import orjson

from processors.recorder.shorten import shorten
from xero_api.registry import by_name
from xero_stream.contracts.change_event import DeletionReason, Op, Origin, Snapshot, Trigger, ce_id, record_key
from xero_stream.contracts.dataschema import change_schema, schema_urn
from xero_stream.contracts.names import EntityName

VERSION = installed_version("xero-stream")
LARGEST = 8 * 1024 * 1024 - 16 * 1024
"""Bytes a record may have: the topics' ``max.message.bytes`` less room for key, headers and framing."""


_TOP = re.compile(r"[.\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """The webhooks behind a change."""

    deliveries: list[str]
    event_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """The read behind a change."""

    correlation_id: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change before it has a position.

    Attributes:
        before: bytes of the unified record before; None only where the record begins.
        after: bytes of the unified record after; None only where it ends.
        raw: bytes of Xero's own JSON, or None.
        updated_at: Xero's UpdatedDateUTC.
        status: the unified status after, for ``ce_type``.
        status_before: the same before.
    """

    op: Op
    entity: EntityName
    tenant_id: str
    record_id: str
    before: bytes | None
    after: bytes | None
    changed_fields: list[str]
    updated_at: datetime | None
    trigger: Trigger
    snapshot: Snapshot = Snapshot.FALSE
    deletion_reason: DeletionReason | None = None
    raw: bytes | None = None
    status: str | None = None
    status_before: str | None = None
    webhook: Webhook | None = None
    fetch: Fetch | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a change stands in the log.

    Attributes:
        incarnation: of the partition's positions.
        prefix: topic prefix.
        topic: the change's topic.
        partition: its partition.
        position: its position.
        previous: the position before it in the same topic partition, 0 for the first.
        recorded_at: when.
        customer_ref: of the tenant.
    """

    incarnation: UUID
    prefix: str
    topic: str
    partition: int
    position: int
    previous: int
    recorded_at: datetime
    customer_ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The bytes that go to Kafka as they are.

    Attributes:
        key: key on both topics.
        value: the ChangeEvent.
        headers: JSON object of header name to text, in order.
        record: value on ``records.<entity>``; None is a tombstone.
        omitted: what was left out of the value because it did not fit.
    """

    key: bytes
    value: bytes
    headers: bytes
    record: bytes | None
    omitted: list[str]

    @property
    def size(self) -> int:
        """Bytes of it all."""
        return len(self.key) * 2 + len(self.value) + len(self.headers) + len(self.record or b"")


@cache
def change_urn(entity: EntityName) -> str:
    """``ce_dataschema`` on ``changes``."""
    return schema_urn(*change_schema(entity, by_name(entity).model.version))


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(moment: datetime) -> int:
    """Epoch milliseconds."""
    return round(moment.timestamp() * 1000)


def change_type(draft: Draft) -> str:
    """``ce_type``: created, updated, deleted, read, and voided or archived where the status became so."""
    verb = {Op.CREATE: "created", Op.UPDATE: "updated", Op.DELETE: "deleted", Op.READ: "read"}[draft.op]
    if draft.op is Op.UPDATE and draft.status in {"voided", "archived"} and draft.status != draft.status_before:
        verb = draft.status
    return f"io.xerostream.{draft.entity.singular}.{verb}"


def encode_change(draft: Draft, placement: Placement, *, largest: int = LARGEST) -> Encoded:
    """Encode a change. What is too large drops ``raw``, then shortens ``before``, then ``after``; never to null.

    Args:
        largest: most bytes of a value.
    """
    value, omitted = _fitting(draft, placement, largest)
    return Encoded(
        key=record_key(draft.tenant_id, draft.record_id),
        value=value,
        headers=orjson.dumps(_headers(draft, placement)),
        record=_record(draft, placement, largest),
        omitted=omitted,
    )


def _fitting(draft: Draft, placement: Placement, largest: int) -> tuple[bytes, list[str]]:
    """The value, and what it leaves out: ``raw``, ``before.<field>``, ``after.<field>``."""
    omitted: list[str] = []
    value = _value(draft, placement, omitted)
    if len(value) > largest and draft.raw is not None:
        draft = replace(draft, raw=None)
        omitted.append("raw")
        value = _value(draft, placement, omitted)
    if len(value) > largest and draft.before is not None:
        before, left_out = shorten(draft.before, draft.entity)
        draft = replace(draft, before=before)
        omitted += [f"before.{name}" for name in left_out]
        value = _value(draft, placement, omitted)
    if len(value) > largest and draft.after is not None:
        after, left_out = shorten(draft.after, draft.entity)
        draft = replace(draft, after=after)
        omitted += [f"after.{name}" for name in left_out]
        value = _value(draft, placement, omitted)
    if len(value) > largest:  # then it is the paths: below ``raw`` they are made of names that Xero chose
        draft = replace(
            draft, changed_fields=list(dict.fromkeys(_TOP.split(path, 1)[0] for path in draft.changed_fields))
        )
        value = _value(draft, placement, omitted)
    return value, omitted


def _fragment(body: bytes | None) -> Any:
    return None if body is None else orjson.Fragment(body)


def _value(draft: Draft, placement: Placement, omitted: list[str]) -> bytes:
    document: dict[str, Any] = {
        "op": draft.op.value,
        "before": _fragment(draft.before),
        "after": _fragment(draft.after),
        "ts_ms": epoch_ms(placement.recorded_at),
        "transaction": None,
        "source": _source(draft, placement),
        "changed_fields": draft.changed_fields,
        "deletion_reason": draft.deletion_reason.value if draft.deletion_reason else None,
        "raw": _fragment(draft.raw),
        "omitted": omitted or None,
    }
    return orjson.dumps(document)


def _source(draft: Draft, placement: Placement) -> dict[str, Any]:
    return {
        "connector": "xero",
        "name": placement.prefix,
        "version": VERSION,
        "ts_ms": epoch_ms(draft.updated_at) if draft.updated_at else None,
        "snapshot": draft.snapshot.value,
        "db": draft.tenant_id,
        "table": draft.entity.value,
        "tenant_id": draft.tenant_id,
        "customer_ref": placement.customer_ref,
        "entity": draft.entity.value,
        "record_id": draft.record_id,
        "partition": placement.partition,
        "position": placement.position,
        "previous": placement.previous,
        "trigger": draft.trigger.value,
        "origin": Origin.XERO.value,
        "webhook": {
            "deliveries": draft.webhook.deliveries,
            "event_date": iso(draft.webhook.event_at),
            "received_at": iso(draft.webhook.received_at),
        }
        if draft.webhook
        else None,
        "fetch": {"correlation_id": draft.fetch.correlation_id, "fetched_at": iso(draft.fetch.fetched_at)}
        if draft.fetch
        else None,
    }


def _record(draft: Draft, placement: Placement, largest: int) -> bytes | None:
    if draft.after is None:
        return None
    head = {
        "position": placement.position,
        "partition": placement.partition,
        "ts_ms": epoch_ms(placement.recorded_at),
        "version_ts_ms": epoch_ms(draft.updated_at) if draft.updated_at else None,
    }
    value = orjson.dumps({**head, "record": orjson.Fragment(draft.after)})
    if len(value) > largest:
        short, left_out = shorten(draft.after, draft.entity)
        omitted = [f"record.{name}" for name in left_out]
        return orjson.dumps({**head, "record": orjson.Fragment(short), "omitted": omitted})
    return value


def _headers(draft: Draft, placement: Placement) -> dict[str, str]:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": ce_id(placement.incarnation, placement.partition, placement.position),
        "ce_type": change_type(draft),
        "ce_source": f"/xero-stream/{placement.prefix}/{draft.tenant_id}",
        "ce_subject": f"{draft.entity}/{draft.record_id}",
        "ce_time": iso(placement.recorded_at),
        "ce_dataschema": change_urn(draft.entity),
        "content-type": "application/json",
    }
    if draft.traceparent:
        headers["traceparent"] = draft.traceparent
    if placement.customer_ref:
        headers["customer_ref"] = placement.customer_ref
    return headers
