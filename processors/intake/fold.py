"""Fold the records of a poll into marks: one per (tenant, entity, record), whatever the number of events. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from processors.intake.place import Place
from processors.intake.subject import Subjects
from processors.sync.sequence import is_range
from xero_stream.contracts.ids import canonical_guid, tenant_id_of
from xero_stream.contracts.names import AppName, EntityName, RecordId, TenantId

T = TypeVar("T")
KEPT_DELIVERIES = 20
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""An event dated later than this after the broker appended it is not believed: no read would ever be new enough for it.
Nor is it taken for old: it may be the broker's clock that is wrong."""
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One record of ``webhook-events`` as read from Kafka.

    Attributes:
        offset: its offset in the partition.
        key: its key.
        value: its bytes.
        appended_at: when the broker appended it, by its clock.
        traceparent: W3C trace context from its headers.
    """

    offset: int
    key: bytes | None
    value: bytes
    appended_at: datetime
    traceparent: str | None = None


@dataclass(slots=True, kw_only=True)
class Mark:
    """What the events of one record come to.

    Attributes:
        app: by whose webhook the first of them came.
        event_at: the latest ``eventDateUtc``.
        dated: whether that can be: else the record is read, whatever is known of it.
        received_at: when the first of them was appended, by the broker's clock.
        deliveries: ids of the deliveries they came in, oldest first, at most 20.
        events: how many were folded.
        traceparent: trace context of the first.
        created: whether one of them said that the record was created.
    """

    app: AppName
    tenant_id: TenantId
    entity: EntityName
    record_id: RecordId
    event_at: datetime
    received_at: datetime
    deliveries: list[str]
    dated: bool = True
    events: int = 1
    traceparent: str | None = None
    created: bool = False


class Refusal(StrEnum):
    """Why a record of webhook-events goes into quarantine."""

    UNREADABLE_EVENT = "unreadable_event"  # no event, or its ids are none
    MISPLACED_EVENT = "misplaced_event"  # not under the key, or not in the partition, of its organisation
    EVENT_OF_ANOTHER_APP = "event_of_another_app"  # than the organisation is connected through
    UNSTORABLE_EVENT = "unstorable_event"  # the store refuses what it comes to, or our code fails on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record that no mark may be made of.

    Attributes:
        arrived: the record.
        reason: why.
        error: one sentence.
        app: the app that it names, as far as that can be read.
        tenant_id: the organisation that it names, as far as that can be read.
    """

    arrived: Arrived
    reason: Refusal
    error: str
    app: str | None = None
    tenant_id: TenantId | None = None


@dataclass(slots=True, kw_only=True)
class Folded:
    """The outcome of a fold.

    Attributes:
        marks: one per record that changed.
        events: how many events they stand for.
        disabled: events of entities that are known and not streamed here, counted by entity.
        ignored: events of categories without records, counted by category.
        refused: what has to be quarantined.
        newest: when the latest of all events was appended, or None.
        ranges: the numbers (first, last) of the deliveries they came in by app, with the latest time of appending.
    """

    marks: list[Mark] = field(default_factory=list)
    events: int = 0
    disabled: dict[EntityName, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    newest: datetime | None = None
    ranges: dict[tuple[AppName, int, int], datetime] = field(default_factory=dict)


def moment(text: str) -> datetime:
    """Xero's ``eventDateUtc`` (ISO 8601 without offset, in UTC) or any ISO 8601 time, as an aware UTC datetime.

    Raises:
        ValueError: not a time.
    """
    parsed = datetime.fromisoformat(text)
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        raise ValueError("beyond the years 1 to 9999") from None


def _event_at(event: Mapping[str, Any], received_at: datetime) -> datetime | None:
    """The event's date; None where it has none that can be."""
    try:
        event_at = moment(_text(event, "eventDateUtc"))
    except ValueError:
        return None
    return event_at if _EARLIEST <= event_at <= received_at + _AHEAD else None


def _note_range(ranges: dict[tuple[AppName, int, int], datetime], envelope: Any, received_at: datetime) -> None:
    first, last = envelope.get("first_event_sequence"), envelope.get("last_event_sequence")
    if is_range(first, last):
        key = (AppName(_name(_text(envelope, "app"), "app")), first, last)
        ranges[key] = max(ranges.get(key, received_at), received_at)


def _name(value: Any, what: str) -> str:
    """What the store takes as a name: it would refuse others, and with them all events of the poll, indefinitely."""
    text = str(value)
    if not text or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise ValueError(f"{what} is not a valid name")
    return text


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing")
    return value


def _known(name: str, found: T | None) -> T:
    if found is None:
        raise ValueError(f"{name} is not a GUID")
    return found


def refused(record: Arrived, reason: Refusal, error: str) -> Refused:
    """A refusal with the app and the organisation: it counts for the app, and an erasure of the organisation has to find it.

    Args:
        record: what is refused.
        error: one sentence; no payload in it.
    """
    app = tenant_id = None
    try:
        envelope = orjson.loads(record.value)
        named = envelope.get("app")
        app = named if isinstance(named, str) and named.isprintable() else None
        tenant_id = tenant_id_of(envelope["event"].get("tenantId"))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        pass
    return Refused(arrived=record, reason=reason, error=error[:300], app=app, tenant_id=tenant_id)


def fold(arrived: Iterable[Arrived], subjects: Subjects, place: Place, disabled: Subjects | None = None) -> Folded:
    """Fold records into marks.

    Args:
        arrived: records of one partition in offset order.
        subjects: the entities that are streamed.
        place: the partition, and which app each organisation is connected through.
        disabled: those that could be streamed, and are not.

    Returns:
        The marks and what was left over. Never raises: what can't be read, or has no business here, is in ``refused``.
    """
    folded = Folded()
    by_record: dict[tuple[str, EntityName, str], Mark] = {}
    for record in arrived:
        try:
            envelope = orjson.loads(record.value)
            event = envelope["event"]
            received_at = record.appended_at
            folded.newest = max(folded.newest or received_at, received_at)
            _note_range(folded.ranges, envelope, received_at)
            category = _text(event, "eventCategory").upper()
            entity = subjects.entity_of(category, event)
            off = disabled.entity_of(category, event) if entity is None and disabled else None
            if off is not None:
                folded.disabled[off] = folded.disabled.get(off, 0) + 1
                continue
            if entity is None:
                known = category if category.isascii() and len(category) <= 32 else "OTHER"
                folded.ignored[known] = folded.ignored.get(known, 0) + 1
                continue
            tenant_id = _known("tenantId", tenant_id_of(event.get("tenantId")))
            record_id = RecordId(_known("resourceId", canonical_guid(_text(event, "resourceId"))))
            app = AppName(_name(_text(envelope, "app"), "app"))
            delivery = _name(envelope["delivery_id"], "delivery_id")
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            folded.refused.append(refused(record, Refusal.UNREADABLE_EVENT, f"{type(error).__name__}: {error}"))
            continue
        misplaced, foreign = place.misplaced(tenant_id, record.key), place.refused(tenant_id, app)
        if misplaced or foreign:
            reason = Refusal.MISPLACED_EVENT if misplaced else Refusal.EVENT_OF_ANOTHER_APP
            folded.refused.append(refused(record, reason, misplaced or foreign or ""))
            continue
        told_at = _event_at(event, received_at)
        event_at = told_at or received_at
        created = str(event.get("eventType")).upper() == "CREATE"
        folded.events += 1
        key = (tenant_id, entity, record_id)
        mark = by_record.get(key)
        if mark is None:
            by_record[key] = Mark(
                app=app,
                tenant_id=tenant_id,
                entity=entity,
                record_id=record_id,
                event_at=event_at,
                received_at=received_at,
                deliveries=[delivery],
                dated=told_at is not None,
                traceparent=record.traceparent if (record.traceparent or "").isprintable() else None,
                created=created,
            )
            continue
        mark.event_at = max(mark.event_at, event_at)
        mark.received_at = min(mark.received_at, received_at)
        mark.dated = mark.dated and told_at is not None
        mark.created = mark.created or created
        mark.events += 1
        if delivery not in mark.deliveries:
            mark.deliveries = [*mark.deliveries, delivery][:KEPT_DELIVERIES]
    folded.marks = list(by_record.values())
    return folded
