"""What one read of one record leads to: a change, a newer version, another look, or nothing. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from processors.recorder.judge import Judgement, Row, Verdict, judge_found, judge_missing, stale_wait
from processors.recorder.versions import Order, Version, compare
from xero_api.entity import Form, LeftOut
from xero_stream.contracts.change_event import DeletionReason, Op, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One record as an answer of Xero gave it.

    Attributes:
        record_id: its id.
        body: bytes of the unified record, also of one that is gone, as the answer shows it; None where it is missing, or
            gone and can't be mapped.
        gone: why it is gone, where the answer says so.
        missing: a single GET answered 404.
        status: the unified status.
        updated_at: V.
        raw: Xero's own JSON, where raw is kept.
        form: how it was read; None where there is no record.
        absent: what that form leaves out, and this answer did.
    """

    record_id: str
    body: bytes | None = None
    gone: DeletionReason | None = None
    missing: bool = False
    status: str | None = None
    updated_at: datetime | None = None
    raw: bytes | None = None
    form: Form | None = None
    absent: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The record as the store has it.

    Attributes:
        form: the form it was last written from.
        shown: how another form shows the fields that it gives with other values; see :mod:`processors.recorder.forms`.
        taken_over: it comes from the compacted topic, which has neither Xero's own JSON nor the form.
    """

    version: Version
    gone: str | None
    status: str | None
    body: bytes | None
    raw: bytes | None
    form: Form | None = None
    shown: bytes | None = None
    taken_over: bool = False


class Write(StrEnum):
    """What happens to the stored record."""

    NONE = "none"
    TOUCH = "touch"  # same content, newer version
    REPLACE = "replace"  # new content


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome for one read.

    Attributes:
        write: what happens to the stored record.
        op: the change to publish, or None.
        reason: with a delete, why.
        updated_at: V to store.
        row: what becomes of the dirty row, or None where there is none (or it was marked again meanwhile).
        doubt: the read may be the older of two with the same stamp: it has to be read again.
        alone: the form of this read can't tell what the record is now: it has to be read alone.
    """

    write: Write = Write.NONE
    op: Op | None = None
    reason: DeletionReason | None = None
    updated_at: datetime | None = None
    row: Judgement | None = None
    doubt: bool = False
    alone: bool = False


def _newest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _differs(stored: Stored, read: Read) -> bool:
    if (stored.gone is not None) != (read.gone is not None):
        return True
    if read.gone is not None:
        return False
    if stored.body != read.body:
        return True
    if read.raw is None or stored.taken_over:
        return False
    # Xero's own JSON of one record differs between single reads and lists.
    comparable = stored.raw is None or (stored.form is Form.ONE) == (read.form is Form.ONE)
    return comparable and stored.raw != read.raw


def _doubtful(row: Row | None) -> Decision:
    again = (
        Judgement(
            verdict=Verdict.STALE,
            again_in=stale_wait(row.attempts),
            attempts=row.attempts + 1,
            equal_reads=row.equal_reads,
        )
        if row
        else None
    )
    return Decision(row=again, doubt=True)


def _alone(row: Row | None) -> Decision:
    again = (
        Judgement(verdict=Verdict.UNTOLD, again_in=timedelta(0), attempts=row.attempts, equal_reads=row.equal_reads)
        if row
        else None
    )
    return Decision(row=again, alone=True)


def decide(
    read: Read,
    *,
    stored: Stored | None,
    row: Row | None,
    read_at: datetime,
    trigger: Trigger,
    created: bool = False,
    unclear: bool = False,
    untold: bool = False,
    patience: timedelta = timedelta(minutes=10),
) -> Decision:
    """Decide what a read leads to.

    Args:
        stored: what the store has.
        row: the dirty row, unless it was marked after the read was sent.
        read_at: S.
        trigger: why it was read.
        created: an event said that it was created.
        unclear: nobody can tell whether it is older than our first sight of it: the first load is not done, or it was in
            quarantine.
        untold: the read's form can't tell what the record is now.
        patience: see :mod:`processors.recorder.judge`.
    """
    if read.missing:
        return _missing(stored=stored, row=row, read_at=read_at, patience=patience)
    version = Version(updated_at=read.updated_at, read_at=read_at)
    order = compare(stored.version if stored else None, version, tombstone=bool(stored and stored.gone))
    differs = stored is None or _differs(stored, read)
    if order is Order.UNCERTAIN and (differs or untold):
        return _doubtful(row)
    if order is Order.NEWER and untold:
        return _alone(row)
    newest = _newest(read.updated_at, stored.version.updated_at if stored else None)
    judgement = judge_found(row, version=newest, read_at=read_at, changed=differs, patience=patience) if row else None
    if order is not Order.NEWER:
        return Decision(updated_at=newest, row=judgement)
    if not differs:
        # One taken over gets Xero's own JSON and its form, which the topic does not have.
        completed = stored is not None and stored.taken_over and read.gone is None
        return Decision(write=Write.REPLACE if completed else Write.TOUCH, updated_at=newest, row=judgement)
    begins = Op.CREATE if created or not (unclear or trigger in _REREAD) else Op.READ
    op, reason = _op(read, stored, trigger, begins)
    return Decision(write=Write.REPLACE, op=op, reason=reason, updated_at=newest, row=judgement)


_REREAD = frozenset({Trigger.BACKFILL, Trigger.RECONCILE})
"""Passes that read what is there: what they meet first may be years old."""


def _op(read: Read, stored: Stored | None, trigger: Trigger, begins: Op) -> tuple[Op | None, DeletionReason | None]:
    if read.gone is not None:
        # What a first load finds gone was never published. An event's record is announced even if its first change is its end.
        return (None, None) if stored is None and trigger is Trigger.BACKFILL else (Op.DELETE, read.gone)
    return (begins if stored is None or stored.gone else Op.UPDATE), None


def _missing(*, stored: Stored | None, row: Row | None, read_at: datetime, patience: timedelta) -> Decision:
    if row is None:
        return Decision()
    gone = bool(stored and stored.gone)
    judgement = judge_missing(row, known=stored is not None, gone=gone, read_at=read_at, patience=patience)
    if judgement.verdict is not Verdict.MISSING or stored is None:
        return Decision(row=judgement)
    if read_at <= stored.version.read_at:
        return _doubtful(row)
    return Decision(
        write=Write.REPLACE,
        op=Op.DELETE,
        reason=DeletionReason.MISSING,
        updated_at=stored.version.updated_at,
        row=judgement,
    )
