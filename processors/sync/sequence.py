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
class Account:
    """What is known of an app's numbers.

    Attributes:
        settled: every number up to here came, or was given up.
        settled_at: when the delivery that brought it was received.
        islands: what came beyond, in order, none touching another.
        lost_since: records changed since then may have been missed; None when nothing is to be done.
        healed_at: when that was last done something about.
    """

    settled: int
    settled_at: datetime
    islands: tuple[Range, ...] = ()
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
    account: Account | None, came: Iterable[Range], now: datetime, patience: timedelta
) -> tuple[Account | None, list[Gap]]:
    """Add what came; give up what did not come in time.

    Args:
        account: as it stands; None before the first range: what came before that is nobody's loss.
        came: in any order, any number of times.
        now: the clock of ``noted_at``.
        patience: how long a gap may stay open.

    Returns:
        The new account, and the gaps given up now.
    """
    islands = _merged([*(account.islands if account else ()), *came])
    if account is None:
        if not islands:
            return None, []
        account = Account(settled=islands[0].first - 1, settled_at=islands[0].received_at)
    settled, settled_at, lost_since, gaps = account.settled, account.settled_at, account.lost_since, []
    while islands:
        island = islands[0]
        if island.first > settled + 1:
            if now - min(one.noted_at for one in islands) < patience:
                break
            gaps.append(Gap(first=settled + 1, last=island.first - 1))
            lost_since = min(lost_since or settled_at, settled_at)
        if island.last > settled:
            settled, settled_at = island.last, island.received_at
        islands.pop(0)
    account = Account(
        settled=settled,
        settled_at=settled_at,
        islands=tuple(islands),
        lost_since=lost_since,
        healed_at=account.healed_at,
    )
    return account, gaps


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
