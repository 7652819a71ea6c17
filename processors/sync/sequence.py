"""Which numbers of Xero's events never came. Pure.

Xero numbers the events of an app's webhook; a delivery names the first and the last it holds
(https://developer.xero.com/documentation/guides/webhooks/overview). That the numbers leave no holes is nowhere promised,
nor that they come in order. So a gap is a hint: it may close for a while, as Xero sends a failed delivery again after a
quarter of an hour, and what follows from one that stays is only that records are read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_DELIVERY = 100_000
"""A range that is longer than this is no delivery's."""
HIGHEST = 2**63
"""No number is this high: it would fit no column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers that came, without holes.

    Attributes:
        first: the lowest.
        last: the highest.
        noted_at: when the first of them was taken in.
        received_at: when the last of them was received.
    """

    first: int
    last: int
    noted_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceTracker:
    """What is known of an app's numbers.

    Attributes:
        settled: every number up to here came, or was given up.
        settled_at: when the delivery that brought it was received.
        pending_ranges: what came beyond, in order, none touching another.
        lost_since: records changed since then may have been missed; None when nothing is to be done.
        healed_at: when that was last done something about.
    """

    settled: int
    settled_at: datetime
    pending_ranges: tuple[Range, ...] = ()
    lost_since: datetime | None = None
    healed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers that never came."""

    first: int
    last: int


def is_range(first: object, last: object) -> bool:
    """Whether two numbers of a delivery can be what they should be. An intent to receive has two zeros."""
    return type(first) is int and type(last) is int and 1 <= first <= last < min(first + LONGEST_DELIVERY, HIGHEST)


def reckon(
    tracker: SequenceTracker | None, came: Iterable[Range], now: datetime, patience: timedelta
) -> tuple[SequenceTracker | None, list[Gap]]:
    """Add what came; give up what did not come in time.

    Args:
        tracker: as it stands; None before the first range: what came before that is nobody's loss.
        came: in any order, any number of times.
        now: the clock of ``noted_at``.
        patience: how long a gap may stay open.

    Returns:
        The new tracker, and the gaps given up now.
    """
    pending_ranges = _merged([*(tracker.pending_ranges if tracker else ()), *came])
    if tracker is None:
        if not pending_ranges:
            return None, []
        tracker = SequenceTracker(settled=pending_ranges[0].first - 1, settled_at=pending_ranges[0].received_at)
    settled, settled_at, lost_since, gaps = tracker.settled, tracker.settled_at, tracker.lost_since, []
    while pending_ranges:
        pending = pending_ranges[0]
        if pending.first > settled + 1:
            if now - min(one.noted_at for one in pending_ranges) < patience:
                break
            gaps.append(Gap(first=settled + 1, last=pending.first - 1))
            lost_since = min(lost_since or settled_at, settled_at)
        if pending.last > settled:
            settled, settled_at = pending.last, pending.received_at
        pending_ranges.pop(0)
    tracker = SequenceTracker(
        settled=settled,
        settled_at=settled_at,
        pending_ranges=tuple(pending_ranges),
        lost_since=lost_since,
        healed_at=tracker.healed_at,
    )
    return tracker, gaps


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for one in sorted(ranges, key=lambda one: one.first):
        if merged and one.first <= merged[-1].last + 1:
            before = merged[-1]
            merged[-1] = Range(
                first=before.first,
                last=max(before.last, one.last),
                noted_at=min(before.noted_at, one.noted_at),
                received_at=max(before.received_at, one.received_at),
            )
        else:
            merged.append(one)
    return merged
