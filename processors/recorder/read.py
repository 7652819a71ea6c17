"""An answer of Xero becomes reads, a slice at a time so that no page stalls the loop; what can't be mapped is kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from processors.recorder.amounts import Amounts, written
from processors.recorder.decide import Read
from processors.recorder.policy import FieldPolicy
from xero_api.answers import Answer, Unreadable
from xero_api.decode import encode, encode_at_any_depth
from xero_api.entity import Entity, Form, Full
from xero_api.errors import InvalidRecordError
from xero_api.unify.oddities import Oddity, observed
from xero_stream.contracts.dead_letter import Stage
from xero_stream.contracts.names import RecordId, TenantId
from xero_stream.store.quarantine import Kept
from xero_stream.unforeseen import described

_YIELD_EVERY = 20
_LONGEST_ID = 200

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Reading:
    """A slice of an answer.

    Attributes:
        reads: what can be applied.
        bad: what can't.
        broken: what our code failed on.
        oddities: what was odd about the records that can, with their ids.
    """

    reads: list[Read] = field(default_factory=list)
    bad: list[Kept] = field(default_factory=list)
    broken: list[Kept] = field(default_factory=list)
    oddities: list[tuple[str, Oddity]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.reads) + len(self.bad) + len(self.broken)


def read_record(
    entity: Entity[Any],
    raw: dict[str, Any],
    *,
    tenant_id: TenantId,
    form: Form,
    keep_raw: bool,
    policy: FieldPolicy,
    amounts: Amounts = Amounts.NUMBER,
) -> tuple[Read, list[Oddity]]:
    """Map one record.

    Args:
        raw: as Xero sent it.
        form: how it was read: single GETs carry more than lists.
        keep_raw: keep Xero's own JSON, of kinds of record that no policy covers.
        policy: what of it must not be passed on.
        amounts: how its amounts are written.

    Returns:
        The read, and what was odd about the record.

    Raises:
        InvalidRecordError: it has no id, or is there and can't be mapped.
    """
    record_id = entity.id_of(raw)
    if record_id is None:
        raise InvalidRecordError(entity.id_field, "missing")
    if not _usable(record_id):
        raise InvalidRecordError(entity.id_field, "is not a valid id")
    gone = entity.gone_as(raw)
    body: bytes | None = None
    status: Any = None
    oddities: list[Oddity] = []
    try:
        mapped, oddities = observed(partial(entity.unified, tenant_id), raw)
        unified = written(policy.treated(entity.name, mapped), amounts)
        body, status = _encoded(entity, unified), unified.get("status")
    except InvalidRecordError:
        if gone is None:
            raise  # of one that is gone, the end counts, not how it looked
    keep_raw = keep_raw and not policy.covers(entity.name)
    read = Read(
        record_id=record_id,
        body=body,
        gone=gone,
        # A column of text takes no NUL; the body, which is bytes, keeps it.
        status=str(status).replace("\x00", "\ufffd") if status is not None else None,
        updated_at=entity.version(raw),
        raw=_encoded(entity, raw) if keep_raw and not gone else None,
        form=form,
        absent=() if gone else entity.absent(raw, form),
    )
    return read, oddities


def _encoded(entity: Entity[Any], record: Any) -> bytes:
    try:
        return encode(record)
    except TypeError:
        raise InvalidRecordError(entity.id_field, "the record is nested too deeply to be passed on") from None


async def read_answer(
    answer: Answer,
    *,
    tenant_id: TenantId,
    keep_raw: bool,
    policy: FieldPolicy,
    size: int,
    amounts: Amounts = Amounts.NUMBER,
) -> AsyncIterator[Reading]:
    """The records of an answer in slices; yields to the loop between them.

    Args:
        keep_raw: keep Xero's own JSON.
        policy: what of the records must not be passed on.
        size: most records per slice.
        amounts: how amounts are written.
    """
    entity, form = answer.request.entity, answer.request.form
    reading = Reading()
    hidden = policy.covers(entity.name)
    for item in answer.unreadable:
        kept = _unreadable(tenant_id, answer, item, hidden=hidden)
        (reading.bad if item.broke is None else reading.broken).append(kept)
    seen: dict[str, int] = {}
    for index, raw in enumerate(answer.records):
        if index % _YIELD_EVERY == _YIELD_EVERY - 1:
            await asyncio.sleep(0)
        if len(reading) >= size:
            yield reading
            reading = Reading()
            seen = {}
        try:
            read, oddities = read_record(
                entity, raw, tenant_id=tenant_id, form=form, keep_raw=keep_raw, policy=policy, amounts=amounts
            )
        except InvalidRecordError as error:
            reading.bad.append(_invalid(tenant_id, entity, raw, error, hidden=hidden))
            continue
        except Exception as error:  # noqa: BLE001 - a fault of ours on one record is no reason to stop at the others
            reading.broken.append(_broken(tenant_id, entity, raw, error, hidden=hidden))
            # No traceback: the exception's message may quote the record.
            log.error("record_broke", tenant=tenant_id, entity=entity.name, reason=described(error))  # noqa: TRY400
            continue
        twin = seen.get(read.record_id)
        if twin is not None:  # twice in one page: changed while Xero read it, so the newer one counts
            if _newer(read, reading.reads[twin]):
                reading.reads[twin] = read
            continue
        seen[read.record_id] = len(reading.reads)
        reading.reads.append(read)
        reading.oddities += [(read.record_id, oddity) for oddity in oddities]
    if len(reading):
        yield reading


def _newer(read: Read, other: Read) -> bool:
    return read.updated_at is not None and (other.updated_at is None or read.updated_at > other.updated_at)


def _usable(record_id: str) -> bool:
    return len(record_id) <= _LONGEST_ID and record_id.isprintable()


def _invalid(
    tenant_id: TenantId, entity: Entity[Any], raw: dict[str, Any], error: InvalidRecordError, *, hidden: bool
) -> Kept:
    record_id = entity.id_of(raw)
    return Kept(
        identity=f"{tenant_id}/{entity.name}/{record_id}",
        stage=Stage.FETCH,
        reason="invalid_record",
        error=str(error),
        source=f"{entity.name}/{record_id}",
        value=b"" if hidden else encode_at_any_depth(raw),  # a policy's fields have other names in there
        tenant_id=tenant_id,
        entity=entity.name.value,
        record_id=record_id if record_id is not None and _usable(record_id) else None,
    )


def _broken(tenant_id: TenantId, entity: Entity[Any], raw: dict[str, Any], error: Exception, *, hidden: bool) -> Kept:
    """Kept by its id, if it can be read again alone."""
    record_id = _id_of(entity, raw)
    return Kept(
        identity=f"{tenant_id}/{entity.name}/{record_id}",
        stage=Stage.FETCH,
        reason="broke",
        error=described(error),
        source=f"{entity.name}/{record_id}",
        value=b"" if hidden else _bytes(raw),
        tenant_id=tenant_id,
        entity=entity.name.value,
        record_id=_to_ask_for(entity, record_id),
    )


def _id_of(entity: Entity[Any], raw: dict[str, Any]) -> RecordId | None:
    try:
        return entity.id_of(raw)
    except Exception:  # noqa: BLE001 - the fault may be there too
        return None


def _to_ask_for(entity: Entity[Any], record_id: RecordId | None) -> RecordId | None:
    return record_id if record_id is not None and entity.full is not Full.LISTS and _usable(record_id) else None


def _bytes(value: Any) -> bytes:
    """The bytes of what our code failed on: it may fail on them too."""
    if isinstance(value, bytes):
        return value
    try:
        return encode_at_any_depth(value)
    except Exception:  # noqa: BLE001 - see above
        return b""


def _unreadable(tenant_id: TenantId, answer: Answer, item: Unreadable, *, hidden: bool) -> Kept:
    value = b"" if hidden else _bytes(item.value)
    entity = answer.request.entity
    if item.broke is not None:
        return Kept(
            identity=f"{tenant_id}/{entity.name}/{item.record_id or answer.meta.correlation_id}",
            stage=Stage.FETCH,
            reason="broke",
            error=item.broke,
            source=f"{entity.name}/{item.record_id}" if item.record_id else answer.request.endpoint,
            value=value,
            tenant_id=tenant_id,
            entity=entity.name.value,
            record_id=_to_ask_for(entity, item.record_id),
        )
    return Kept(
        identity=f"{tenant_id}/{entity.name}/{answer.meta.correlation_id}/{item.index}",
        stage=Stage.FETCH,
        reason="no_record",
        error=f"element {item.index} of the list: {item.reason}",
        source=answer.request.endpoint,
        value=value,
        tenant_id=tenant_id,
        entity=entity.name.value,
    )
