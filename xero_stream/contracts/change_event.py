"""``ChangeEvent``: the value on ``changes.<entity>``. Debezium's envelope with our fields, and CloudEvents headers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID, uuid5

import orjson
from pydantic import BaseModel, ConfigDict, Field

from xero_stream.contracts.names import EntityName


class Op(StrEnum):
    """What happened, in Debezium's letters."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    READ = "r"  # a backfill snapshot


class Snapshot(StrEnum):
    """Debezium's place in a snapshot."""

    FIRST = "first"
    TRUE = "true"
    LAST = "last"
    FALSE = "false"


class Trigger(StrEnum):
    """What made us read the record."""

    WEBHOOK = "webhook"
    POLL = "poll"
    BACKFILL = "backfill"
    COMMAND = "command"
    RECONCILE = "reconcile"


class Origin(StrEnum):
    """Who changed the record."""

    XERO = "xero"
    SELF = "self"  # the echo of our own write


class DeletionReason(StrEnum):
    """Why a record is gone."""

    DELETED = "deleted"
    MERGED = "merged"
    ERASED = "erased"
    MISSING = "missing"


class WebhookSource(BaseModel):
    """The webhook behind a change, if there was one."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    deliveries: list[str]
    """Delivery ids folded into this read, oldest first, at most 20."""
    event_date: str | None
    """Latest ``eventDateUtc`` among them, ISO 8601 with ``Z``."""
    received_at: str | None
    """When the Kafka broker appended the first of them, by its clock, ISO 8601 with ``Z``."""


class FetchSource(BaseModel):
    """The read behind a change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    correlation_id: str | None
    """Xero's ``xero-correlation-id``: what its support asks for."""
    fetched_at: str
    """When the answer was complete, by the store's clock, ISO 8601 with ``Z``."""


class Source(BaseModel):
    """Debezium's source block with ours."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    connector: Literal["xero"] = "xero"
    name: str
    """The topic prefix."""
    version: str
    """Version of xero-stream."""
    ts_ms: int | None
    """Xero's UpdatedDateUTC in epoch milliseconds; null where Xero gives none."""
    snapshot: Snapshot
    db: str
    """Tenant id."""
    table: str
    """Entity."""
    tenant_id: str
    customer_ref: str | None
    entity: str
    record_id: str
    partition: int
    position: int = Field(ge=1)
    """Commit order within the partition over all entities, from 1, without a gap."""
    previous: int = Field(ge=0)
    """Position of the change before it in the same topic partition; 0 for the first."""
    trigger: Trigger
    origin: Origin
    webhook: WebhookSource | None
    fetch: FetchSource | None


class ChangeEvent(BaseModel):
    """One change of one record."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    op: Op
    before: dict[str, Any] | None
    """The unified record before: what the last change of the record left. Null with ``op`` c and r, and only there. A
    delete that is the first change of a record has what Xero still showed of it, at least ``tenant_id`` and ``id``."""
    after: dict[str, Any] | None
    """The unified record after. Null with ``op`` d, and only there."""
    ts_ms: int
    """When we recorded the change, epoch milliseconds."""
    transaction: None = None
    source: Source
    changed_fields: list[str]
    """Paths of the unified record that differ, e.g. ``status``, ``line_items[0].quantity``."""
    deletion_reason: DeletionReason | None = None
    """Only with ``op`` d."""
    raw: dict[str, Any] | None = None
    """Xero's own JSON, where the setting asks for it."""
    omitted: list[str] | None = None
    """What was left out because the change would not fit Kafka's message size: ``raw``, ``before.<field>``,
    ``after.<field>``. Those fields are null, or empty where null is not allowed; read the record from Xero by its ``id``."""


def record_key(tenant_id: str, record_id: str) -> bytes:
    """The key on ``changes`` and ``records``: fields of the unified record, compact JSON in this order."""
    return orjson.dumps({"tenant_id": tenant_id, "id": record_id})


def ce_id(incarnation: UUID, partition: int, position: int) -> str:
    """The CloudEvents id of a change: always the same for the same change.

    Args:
        incarnation: of the partition's positions; drawn again when a store that lost its tail gives positions out again.
        partition: the change's partition.
        position: the change's position.
    """
    return str(uuid5(incarnation, f"{partition}/{position}"))


def latest_headers(change: Mapping[str, str], entity: EntityName, dataschema: str | None) -> dict[str, str]:
    """The headers of the message on ``records.<entity>``: an event of its own, about the same record.

    Args:
        change: the headers of the change behind it.
        dataschema: URN of the value's schema; None for a tombstone, which has no data and none of the data's headers.
    """
    headers = {
        **change,
        "ce_id": str(uuid5(UUID(change["ce_id"]), "latest")),
        "ce_type": f"io.xerostream.{entity.singular}.latest",
    }
    if dataschema is None:
        return {name: text for name, text in headers.items() if name not in {"ce_dataschema", "content-type"}}
    return {**headers, "ce_dataschema": dataschema}
