"""What was recorded: changes and records read from Kafka, webhooks acknowledged, the truth. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from xero_api.decode import decode


class RecordRef(NamedTuple):
    """Which record, of which organisation."""

    tenant_id: str
    entity: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.entity} {self.record_id} of {self.tenant_id}"


class Spot(NamedTuple):
    """Where a message stands in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A message of a ``changes`` topic.

    Attributes:
        spot: where it was read.
        key: its key.
        headers: its headers.
        event: the ChangeEvent, numbers exact.
    """

    spot: Spot
    key: bytes
    headers: Mapping[str, str]
    event: Mapping[str, Any]

    @property
    def ce_id(self) -> str:
        """Its CloudEvents id; empty where there is none."""
        return self.headers.get("ce_id", "")

    @property
    def source(self) -> Mapping[str, Any]:
        """The event's ``source``."""
        source: Mapping[str, Any] = self.event["source"]
        return source

    @property
    def ref(self) -> RecordRef:
        """Which record it is about."""
        source = self.source
        return RecordRef(source["tenant_id"], source["entity"], source["record_id"])

    @property
    def position(self) -> int:
        """Its position."""
        return int(self.source["position"])

    def omitted(self, side: str) -> frozenset[str]:
        """Which fields of ``before`` or ``after`` were left out because of the size."""
        return _fields(self.event, side)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMessage:
    """A message of a ``records`` topic.

    Attributes:
        spot: where it was read.
        key: tenant and record id, as JSON.
        headers: its headers.
        entity: the entity of the topic.
        value: the message; None is a tombstone.
    """

    spot: Spot
    key: bytes
    headers: Mapping[str, str]
    entity: str
    value: Mapping[str, Any] | None

    @property
    def ref(self) -> RecordRef:
        """Which record it is about."""
        key = decode(self.key)
        return RecordRef(key["tenant_id"], self.entity, key["id"])

    @property
    def omitted(self) -> frozenset[str]:
        """Which fields of the record were left out because of the size."""
        return _fields(self.value or {}, "record")

    @property
    def ce_id(self) -> str:
        """Its CloudEvents id; empty where there is none."""
        return self.headers.get("ce_id", "")


class EventRef(NamedTuple):
    """One event of one delivery: what is acknowledged, and what must be in the log."""

    delivery_id: str
    number: int

    def __str__(self) -> str:
        return f"event {self.number} of delivery {self.delivery_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything recorded of one deployment.

    Attributes:
        changes: all messages of all ``changes`` topics, from the beginning, as a read_committed consumer got them.
        records: all messages of all ``records`` topics, likewise.
        acknowledged: events of deliveries that were answered 200.
        logged: events on ``webhook-events``.
        truth: the unified record by reference; None for one that is gone.
        partitions: partition count; None leaves the placement unchecked.
        start: by partition, the position from which the log is complete, where retention has dropped older changes.
    """

    changes: Sequence[Change] = ()
    records: Sequence[RecordMessage] = ()
    acknowledged: Iterable[EventRef] = ()
    logged: Iterable[EventRef] = ()
    truth: Mapping[RecordRef, Mapping[str, Any] | None] = field(default_factory=dict)
    partitions: int | None = None
    start: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A record as the changes read so far leave it.

    Attributes:
        position: of its last change.
        record: the unified record; None where it is gone.
        omitted: fields that the last change was too large to carry.
    """

    position: int
    record: Mapping[str, Any] | None
    omitted: frozenset[str] = frozenset()


def read_change(spot: Spot, key: bytes, value: bytes, headers: Iterable[tuple[str, bytes]]) -> Change:
    """A change out of a Kafka message.

    Raises:
        ValueError: it is not JSON.
    """
    return Change(spot=spot, key=key, headers=_text(headers), event=decode(value))


def read_record(
    spot: Spot, key: bytes, value: bytes | None, headers: Iterable[tuple[str, bytes]], entity: str
) -> RecordMessage:
    """A record out of a Kafka message.

    Raises:
        ValueError: it is not JSON.
    """
    message = None if value is None else decode(value)
    return RecordMessage(spot=spot, key=key, headers=_text(headers), entity=entity, value=message)


def _text(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in headers}


def without(record: Mapping[str, Any] | None, fields: frozenset[str]) -> Mapping[str, Any] | None:
    """The record without these fields: what can be compared where they were left out."""
    if record is None or not fields:
        return record
    return {name: value for name, value in record.items() if name not in fields}


def _fields(message: Mapping[str, Any], side: str) -> frozenset[str]:
    return frozenset(
        path.removeprefix(f"{side}.") for path in message.get("omitted") or () if path.startswith(f"{side}.")
    )


def in_log_order(changes: Iterable[Change]) -> list[Change]:
    """Topic by topic, partition by partition, in the order of the log."""
    return sorted(changes, key=lambda change: change.spot)


def held(records: Iterable[RecordMessage]) -> dict[RecordRef, RecordMessage]:
    """The last message of each key: what compaction keeps."""
    return {message.ref: message for message in sorted(records, key=lambda message: message.spot)}


def latest(changes: Iterable[Change]) -> dict[RecordRef, Latest]:
    """Every record as its last change leaves it, folded in the order a consumer sees."""
    state: dict[RecordRef, Latest] = {}
    for change in in_log_order(changes):
        state[change.ref] = Latest(
            position=change.position, record=change.event["after"], omitted=change.omitted("after")
        )
    return state
