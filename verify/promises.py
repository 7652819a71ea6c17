"""One check per promise, over a recorded history. Pure: each returns what it found, quoting the promise that was broken."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from verify.history import (
    Change,
    EventRef,
    History,
    Latest,
    RecordMessage,
    RecordRef,
    Spot,
    held,
    in_log_order,
    latest,
    without,
)
from xero_api.decode import decode
from xero_stream.contracts.change_event import Op
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.contracts.partition import partition_of


class Promise(StrEnum):
    """What is promised, in the words of the documentation."""

    ACKNOWLEDGED = "A webhook answered 200 is acknowledged by Kafka"
    PUBLISHED = "Every accepted event leads to a published state at least as new as the event"
    ONCE = "A read_committed consumer sees each change once"
    IN_ORDER = "A read_committed consumer sees changes in order per topic partition, provable by `previous`"
    GAPLESS = "Over all topics of a partition, `position` is gapless"
    PLACED = "The partition of every keyed record is murmur2(tenant id) % partitions"
    DIFFERENCE = "A change is published if and only if the unified record differs"
    COMPACTED = "The records topics hold the latest record with its position"
    KEYED = "The key of a message is `tenant_id` and `id` of its record"
    DESCRIBED = "The headers of a message say what it is: a CloudEvent with an id of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A promise that was broken.

    Attributes:
        promise: which.
        where: the place in the log, or the record.
        what: one sentence.
    """

    promise: Promise
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} (“{self.promise.value}”)"


def check(history: History) -> list[Finding]:
    """All checks, the log's own order first: later findings may be consequences of earlier ones."""
    state = published_state(history)
    return [
        *acknowledged(history.acknowledged, history.logged),
        *once(history.changes, history.records),
        *gapless(history.changes, history.start),
        *in_order(history.changes),
        *chained(history.changes, history.start),
        *(placed(history.changes, history.partitions) if history.partitions else ()),
        *never_older(history.changes),
        *continuous(history.changes, history.start),
        *equal_to_truth(state, history.truth),
        *compacted(state, history.records),
        *keyed(history.changes, history.records),
        *described(history.changes, history.records),
    ]


def published_state(history: History) -> dict[RecordRef, Latest]:
    """Every record as the changes leave it; where retention dropped them, as the records topic has it."""
    state = latest(history.changes)
    for ref, message in held(history.records).items():
        if ref not in state and message.spot.partition in history.start and message.value is not None:
            state[ref] = Latest(
                position=message.value["position"], record=message.value["record"], omitted=message.omitted
            )
    return state


def acknowledged(answered: Iterable[EventRef], logged: Iterable[EventRef]) -> list[Finding]:
    """Every event answered 200 is in the log (it may be there more than once).

    Args:
        answered: events of deliveries that were answered 200.
        logged: events on ``webhook-events``.
    """
    present = set(logged)
    return [
        Finding(promise=Promise.ACKNOWLEDGED, where=str(event), what="was answered 200 and is not in the log")
        for event in dict.fromkeys(answered)
        if event not in present
    ]


def once(changes: Iterable[Change], records: Iterable[RecordMessage] = ()) -> list[Finding]:
    """No ``ce_id`` twice over all topics, none without, and no position of a partition twice.

    Args:
        changes: in any order.
        records: messages of the records topics: their ids are their own.
    """
    findings: list[Finding] = []
    by_id: dict[str, Change | RecordMessage] = {}
    by_position: dict[tuple[int, int], Change] = {}
    messages: list[Change | RecordMessage] = [*in_log_order(changes), *records]
    for message in messages:
        if not message.ce_id:
            findings.append(Finding(promise=Promise.ONCE, where=str(message.spot), what="has no ce_id"))
        elif (first := by_id.setdefault(message.ce_id, message)) is not message:
            what = f"has the ce_id {message.ce_id} of {first.spot}"
            findings.append(Finding(promise=Promise.ONCE, where=str(message.spot), what=what))
    for change in in_log_order(changes):
        place = (change.spot.partition, change.position)
        if (earlier := by_position.setdefault(place, change)) is not change:
            what = f"has the position {change.position} of {earlier.spot}"
            findings.append(Finding(promise=Promise.ONCE, where=str(change.spot), what=what))
    return findings


def gapless(changes: Iterable[Change], start: Mapping[int, int] | None = None) -> list[Finding]:
    """Positions of a partition, over all topics, follow one another without a gap.

    Args:
        changes: in any order.
        start: the first position expected, by partition; 1 where not named. Earlier ones are not looked at.
    """
    positions: dict[int, set[int]] = defaultdict(set)
    for change in changes:
        positions[change.spot.partition].add(change.position)
    findings: list[Finding] = []
    for partition, found in sorted(positions.items()):
        expected = (start or {}).get(partition, 1)
        for position in sorted(found):
            if position > expected:
                missing = f"{expected}" if position == expected + 1 else f"{expected} to {position - 1}"
                findings.append(
                    Finding(promise=Promise.GAPLESS, where=f"partition {partition}", what=f"lacks position {missing}")
                )
            expected = max(expected, position + 1)
    return findings


def in_order(changes: Iterable[Change]) -> list[Finding]:
    """Within a topic partition, positions rise with offsets."""
    findings: list[Finding] = []
    for topic_partition in _by_topic_partition(changes):
        for earlier, change in itertools.pairwise(topic_partition):
            if change.position < earlier.position:
                what = f"position {change.position} comes after {earlier.position}"
                findings.append(Finding(promise=Promise.IN_ORDER, where=str(change.spot), what=what))
    return findings


def chained(changes: Iterable[Change], start: Mapping[int, int] | None = None) -> list[Finding]:
    """Within a topic partition, each change's ``previous`` is the position of the change before it, 0 for the first.

    Args:
        changes: in any order.
        start: as in :func:`gapless`; in a partition named there the first link is not checked.
    """
    findings: list[Finding] = []
    for topic_partition in _by_topic_partition(changes):
        expected: int | None = None if topic_partition[0].spot.partition in (start or {}) else 0
        for change in topic_partition:
            previous = change.source["previous"]
            if expected is not None and previous != expected:
                what = f"previous is {previous}, but the change before it is at {expected}"
                findings.append(Finding(promise=Promise.IN_ORDER, where=str(change.spot), what=what))
            expected = change.position
    return findings


def placed(changes: Iterable[Change], partitions: int) -> list[Finding]:
    """Every change is in its tenant's partition, and says so.

    Args:
        changes: in any order.
        partitions: partition count.
    """
    findings: list[Finding] = []
    for change in in_log_order(changes):
        right = partition_of(TenantId(change.ref.tenant_id), partitions)
        if not change.spot.partition == change.source["partition"] == right:
            what = f"says partition {change.source['partition']}, and its tenant's is {right}"
            findings.append(Finding(promise=Promise.PLACED, where=str(change.spot), what=what))
    return findings


def never_older(changes: Iterable[Change]) -> list[Finding]:
    """Of one record, no change carries an earlier UpdatedDateUTC than a change before it."""
    findings: list[Finding] = []
    newest: dict[RecordRef, int] = {}
    for change in in_log_order(changes):
        stamp = change.source["ts_ms"]
        if stamp is None:
            continue
        if stamp < newest.get(change.ref, stamp):
            what = f"{change.ref} of {stamp} comes after one of {newest[change.ref]}"
            findings.append(Finding(promise=Promise.PUBLISHED, where=str(change.spot), what=what))
        newest[change.ref] = max(stamp, newest.get(change.ref, stamp))
    return findings


def continuous(changes: Iterable[Change], start: Mapping[int, int] | None = None) -> list[Finding]:
    """Of one record, each change begins where the one before it ended, fits its ``op``, and differs.

    ``before`` is null with c and r, and only there; ``after`` with d, and only there. The first change of a record may be its end.

    Args:
        changes: in any order.
        start: as in :func:`gapless`; in a partition named there a record may begin with any change.
    """
    findings: list[Finding] = []
    state: dict[RecordRef, Latest] = {}
    for change in in_log_order(changes):
        earlier = state.get(change.ref)
        cut = earlier is None and (change.spot.partition in (start or {}) or change.event["op"] == Op.DELETE)
        what = _misfit(change, earlier, cut=cut) or _discontinuity(change, earlier, cut=cut)
        if what:
            findings.append(Finding(promise=Promise.DIFFERENCE, where=str(change.spot), what=f"{change.ref}: {what}"))
        state[change.ref] = Latest(
            position=change.position, record=change.event["after"], omitted=change.omitted("after")
        )
    return findings


def _misfit(change: Change, earlier: Latest | None, *, cut: bool) -> str | None:
    """Whether ``op`` contradicts what was there before, ``before`` or ``after``."""
    op, before, after = change.event["op"], change.event["before"], change.event["after"]
    there = earlier is not None and earlier.record is not None
    begins = op in (Op.CREATE, Op.READ)
    if not cut and begins == there:
        return f"op {op}, but {'an' if there else 'no'} earlier change left it there"
    if (after is None) != (op == Op.DELETE):
        return f"op {op} with {'no' if after is None else 'an'} after"
    if (before is None) != begins:
        return f"op {op} with {'no' if before is None else 'a'} before"
    return None


def _discontinuity(change: Change, earlier: Latest | None, *, cut: bool) -> str | None:
    """Whether ``before`` is not what the last change left, or ``after`` is the same."""
    before, after = change.event["before"], change.event["after"]
    if cut or before is None:
        return None
    left = earlier.record if earlier else None
    unknown = change.omitted("before") | (earlier.omitted if earlier else frozenset())
    if without(before, unknown) != without(left, unknown):
        found = differences(without(left, unknown), without(before, unknown))
        return f"before is not what the last change left: {'; '.join(found[:3])}"
    if before == after and not change.event.get("omitted"):
        return "nothing differs"
    return None


def equal_to_truth(
    state: Mapping[RecordRef, Latest], truth: Mapping[RecordRef, Mapping[str, Any] | None]
) -> list[Finding]:
    """The published state is the truth, record by record.

    Args:
        state: from :func:`verify.history.latest`.
        truth: the unified record by reference; None for one that is gone (it may never have been published).
    """
    findings: list[Finding] = []
    for ref, expected in truth.items():
        found = state.get(ref)
        what = _unlike(expected, found)
        if what:
            findings.append(Finding(promise=Promise.PUBLISHED, where=str(ref), what=what))
    findings += [
        Finding(promise=Promise.PUBLISHED, where=str(ref), what="is published, and Xero has no such record")
        for ref, found in state.items()
        if ref not in truth and found.record is not None
    ]
    return findings


def _unlike(expected: Mapping[str, Any] | None, found: Latest | None) -> str | None:
    published = found.record if found else None
    if expected is None:
        return None if published is None else "is gone in Xero, and still published"
    if published is None:
        return "was never published" if found is None else "is published as deleted, and is there in Xero"
    omitted = found.omitted if found else frozenset()
    expected, published = without(expected, omitted), without(published, omitted)
    if published != expected:
        return "differs: " + "; ".join(differences(expected, published)[:3])
    return None


def compacted(state: Mapping[RecordRef, Latest], records: Iterable[RecordMessage]) -> list[Finding]:
    """What the records topics hold is what the changes leave, with the position of the last change.

    Args:
        state: from :func:`verify.history.latest`.
        records: all messages, or what compaction left of them.
    """
    kept = held(records)
    findings: list[Finding] = []
    for ref, found in state.items():
        message = kept.get(ref)
        what = _unlike_held(found, message)
        if what:
            where = str(message.spot) if message is not None else str(ref)
            findings.append(Finding(promise=Promise.COMPACTED, where=where, what=what))
    findings += [
        Finding(promise=Promise.COMPACTED, where=str(message.spot), what=f"{ref} has no change")
        for ref, message in kept.items()
        if ref not in state and message.value is not None
    ]
    return findings


def _unlike_held(found: Latest, message: RecordMessage | None) -> str | None:
    value = message.value if message else None
    if found.record is None:
        return None if value is None else "the record is deleted, and this is no tombstone"
    if value is None:
        return (
            "the record is published, and not held"
            if message is None
            else "the record is published, and this is a tombstone"
        )
    if value["position"] != found.position:
        return f"position {value['position']}, but the record's last change is at {found.position}"
    omitted = found.omitted | (message.omitted if message else frozenset())
    expected, record = without(found.record, omitted), without(value["record"], omitted)
    if record != expected:
        return "differs from the last change: " + "; ".join(differences(expected, record)[:3])
    return None


def keyed(changes: Iterable[Change], records: Iterable[RecordMessage] = ()) -> list[Finding]:
    """The key of every message is ``{"tenant_id", "id"}``, fields of each record that it carries.

    Args:
        changes: in any order.
        records: messages of the records topics.
    """
    findings: list[Finding] = []
    for change in in_log_order(changes):
        findings += _ill_keyed(change.spot, change.key, [change.event["before"], change.event["after"]], change.ref)
    for message in records:
        findings += _ill_keyed(message.spot, message.key, [message.value["record"] if message.value else None], None)
    return findings


def _ill_keyed(
    spot: Spot, key: bytes, records: Sequence[Mapping[str, Any] | None], ref: RecordRef | None
) -> Iterator[Finding]:
    fields = decode(key)
    if list(fields) != ["tenant_id", "id"]:
        yield Finding(promise=Promise.KEYED, where=str(spot), what=f"the key is {_short(key.decode())}")
        return
    if ref is not None and (fields["tenant_id"], fields["id"]) != (ref.tenant_id, ref.record_id):
        yield Finding(promise=Promise.KEYED, where=str(spot), what=f"the key is not that of {ref}")
    for record in records:
        if record is not None and {name: record.get(name) for name in fields} != fields:
            yield Finding(promise=Promise.KEYED, where=str(spot), what="the record lacks fields of the key")


_VERBS = {
    Op.CREATE: {"created"},
    Op.READ: {"read"},
    Op.DELETE: {"deleted"},
    Op.UPDATE: {"updated", "voided", "archived"},
}
_DATA_HEADERS = {"content-type", "ce_dataschema"}


def described(changes: Iterable[Change], records: Iterable[RecordMessage] = ()) -> list[Finding]:
    """Headers: a type and a schema of the topic's own; a tombstone has none of the data's headers.

    Args:
        changes: in any order.
        records: messages of the records topics.
    """
    findings: list[Finding] = []
    for change in in_log_order(changes):
        word = EntityName(change.ref.entity).singular
        types = {f"io.xerostream.{word}.{verb}" for verb in _VERBS[Op(change.event["op"])]}
        findings += _ill_described(change.spot, change.headers, types, f"{word}-change", data=True)
    for message in records:
        word, data = EntityName(message.entity).singular, message.value is not None
        types = {f"io.xerostream.{word}.latest"}
        findings += _ill_described(message.spot, message.headers, types, f"{word}-latest", data=data)
    return findings


def _ill_described(
    spot: Spot, headers: Mapping[str, str], types: set[str], schema: str, *, data: bool
) -> Iterator[Finding]:
    wrong: list[str] = []
    if headers.get("ce_type") not in types:
        wrong.append(f"ce_type is {headers.get('ce_type')}")
    if data and headers.get("content-type") != "application/json":
        wrong.append(f"content-type is {headers.get('content-type')}")
    if data and not headers.get("ce_dataschema", "").startswith(f"urn:xero-stream:schema:{schema}:"):
        wrong.append(f"ce_dataschema is {headers.get('ce_dataschema')}")
    if not data and (found := _DATA_HEADERS & headers.keys()):
        wrong.append(f"a tombstone has {', '.join(sorted(found))}")
    if "ce_partitionkey" in headers:
        wrong.append("has ce_partitionkey")
    yield from (Finding(promise=Promise.DESCRIBED, where=str(spot), what=what) for what in wrong)


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where two documents differ, as ``path: expected …, found …``.

    Args:
        expected: what should be there.
    """
    return list(_differences(expected, found, path))


def _differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name in [*expected, *(name for name in found if name not in expected)]:
            place = f"{path}.{name}" if path else name
            if name not in found:
                yield f"{place}: missing"
            elif name not in expected:
                yield f"{place}: not expected"
            else:
                yield from _differences(expected[name], found[name], place)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif expected != found:
        yield f"{path or 'record'}: expected {_short(expected)}, found {_short(found)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _by_topic_partition(changes: Iterable[Change]) -> Iterator[Sequence[Change]]:
    groups: dict[tuple[str, int], list[Change]] = defaultdict(list)
    for change in in_log_order(changes):
        groups[change.spot.topic, change.spot.partition].append(change)
    yield from groups.values()
