"""Does a read settle what an event said? Pure.

E is the latest event date of the dirty row, V a record's UpdatedDateUTC, S Xero's clock when the request was sent (a
lower bound). Event and record are stamped by different parts of Xero, so two seconds of difference are forgiven; a read
sent more than two seconds after the event has seen it whatever the stamps say, unless the record is older still.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TOLERANCE = timedelta(seconds=2)
PROVISIONAL_WAIT = timedelta(seconds=15)
_STALE_WAITS = (1, 2, 5, 15, 30, 60, 120)
UNSEEN_WAITS = (2, 20)
"""Seconds until a record that no read ever gave is asked for again. The try after these comes when patience is over."""
MOST_UNSEEN = 6
"""Tries for such a record, however late its event is dated."""
_AFTER_PATIENCE = timedelta(seconds=2)
_EQUAL_READS = 3


class Verdict(StrEnum):
    """What becomes of a dirty row after a read."""

    SETTLED = "settled"
    PROVISIONAL = "provisional"  # the record is almost as new as the event: look once more
    STALE = "stale"  # the read is older than the event: read again
    UNTOLD = "untold"  # the form of this read leaves out what may have changed: read it alone
    WITHOUT_UPDATE = "event_without_update"  # patience is over: Xero sent an event and changed nothing
    MISSING = "missing"  # it was there, and a single GET proves that it is gone
    NOT_YET_SEEN = "not_yet_seen"  # no read ever gave the record: ask again, a few times
    NEVER_SEEN = "never_seen"  # an event for a record that no GET ever gave: an operator may know why


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a judgement needs of a dirty row.

    Attributes:
        event_at: E.
        attempts: stale reads so far.
        equal_reads: how many of them, up to the last, found the same.
    """

    event_at: datetime
    attempts: int = 0
    equal_reads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict and, where the row stays, when to read again.

    Attributes:
        verdict: what becomes of the row.
        again_in: how long to wait, or None where the row goes.
        attempts: the row's new count.
        equal_reads: the row's new count.
    """

    verdict: Verdict
    again_in: timedelta | None = None
    attempts: int = 0
    equal_reads: int = 0


def stale_wait(attempts: int) -> timedelta:
    """How long to wait after so many stale reads: 1, 2, 5, 15 … 120 s."""
    return timedelta(seconds=_STALE_WAITS[min(attempts, len(_STALE_WAITS) - 1)])


def judge_found(
    row: Row, *, version: datetime | None, read_at: datetime, changed: bool, patience: timedelta = timedelta(minutes=10)
) -> Judgement:
    """Judge a read that has the record.

    Args:
        version: the newer of the read's and the stored record's V; None where the entity has no stamp.
        read_at: S.
        changed: whether the read differs from what was stored (a sign that something arrived after all).
        patience: how long after E a stale answer is believed.

    Returns:
        SETTLED, PROVISIONAL, STALE or WITHOUT_UPDATE.
    """
    seen_after = read_at > row.event_at + TOLERANCE
    if version is None:
        return Judgement(verdict=Verdict.SETTLED) if seen_after else _later(row, Verdict.PROVISIONAL)
    if version >= row.event_at:
        return Judgement(verdict=Verdict.SETTLED)
    if version >= row.event_at - TOLERANCE:
        return Judgement(verdict=Verdict.SETTLED) if seen_after else _later(row, Verdict.PROVISIONAL)
    equal = 1 if changed else row.equal_reads + 1
    if equal >= _EQUAL_READS and read_at >= row.event_at + patience:
        return Judgement(verdict=Verdict.WITHOUT_UPDATE)
    return Judgement(
        verdict=Verdict.STALE, again_in=stale_wait(row.attempts), attempts=row.attempts + 1, equal_reads=equal
    )


def _later(row: Row, verdict: Verdict) -> Judgement:
    return Judgement(verdict=verdict, again_in=PROVISIONAL_WAIT, attempts=row.attempts, equal_reads=row.equal_reads)


def judge_missing(
    row: Row, *, known: bool, gone: bool, read_at: datetime, patience: timedelta = timedelta(minutes=10)
) -> Judgement:
    """Judge a single GET that answered 404.

    Args:
        known: whether the record was ever stored.
        gone: whether what is stored is a tombstone.
        read_at: S.
        patience: how long after E an absence is taken for a stale read.

    Returns:
        SETTLED (known to be gone), MISSING or STALE; of a record that was never stored NOT_YET_SEEN or NEVER_SEEN.
    """
    if gone:
        return Judgement(verdict=Verdict.SETTLED)
    if not known:
        return _unseen(row, read_at=read_at, patience=patience)
    if read_at < row.event_at + patience:
        return Judgement(
            verdict=Verdict.STALE,
            again_in=stale_wait(row.attempts),
            attempts=row.attempts + 1,
            equal_reads=row.equal_reads + 1,
        )
    return Judgement(verdict=Verdict.MISSING)


def _unseen(row: Row, *, read_at: datetime, patience: timedelta) -> Judgement:
    """Few tries: whoever can sign events could make up ids, and each try is a call of the organisation's day."""
    left = row.event_at + patience - read_at
    if left <= timedelta(0) or row.attempts + 1 >= MOST_UNSEEN:
        return Judgement(verdict=Verdict.NEVER_SEEN)
    last = min(left, patience) + _AFTER_PATIENCE
    wait = timedelta(seconds=UNSEEN_WAITS[row.attempts]) if row.attempts < len(UNSEEN_WAITS) else last
    return Judgement(
        verdict=Verdict.NOT_YET_SEEN,
        again_in=min(wait, last),
        attempts=row.attempts + 1,
        equal_reads=row.equal_reads + 1,
    )
