"""When chaos presses which key. Pure; the random source is an argument."""

import random
from dataclasses import dataclass

from cli.demo.keys import Key

FIRST_AT = 1.0
"""Seconds of calm at the beginning."""
LAST_BEFORE = 1.0
"""Seconds of calm at the end."""
KAFKA_APART = 12.0
"""Seconds between two stops of Kafka: it has to be back before it goes again."""
MEAN_SECONDS = 4.0
"""Seconds between two keys on average."""

_WEIGHTS = {Key.KILL: 5, Key.EDIT: 3, Key.RATE_LIMIT: 2, Key.STOP_KAFKA: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One key at one time.

    Attributes:
        at: seconds after the live view began.
        key: which.
    """

    at: float
    key: Key


def schedule(source: random.Random, seconds: float) -> list[Press]:
    """Keys for a run of that many seconds: at least one kill and, where there is time for it, one stop of Kafka.

    Args:
        source: decides keys and times.
        seconds: how long the run lasts.
    """
    first, last = min(FIRST_AT, seconds / 4), max(seconds - LAST_BEFORE, seconds / 2)
    count = max(1, round((last - first) / MEAN_SECONDS))
    keys = [Key.KILL] + ([Key.STOP_KAFKA] if count > 1 else [])
    keys += source.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()), k=max(0, count - len(keys)))
    source.shuffle(keys)
    times = sorted(source.uniform(first, last) for _ in keys)
    presses: list[Press] = []
    free_from = 0.0
    for at, key in zip(times, keys, strict=True):
        if key is Key.STOP_KAFKA:
            if at < free_from:
                key = Key.KILL  # noqa: PLW2901 - Kafka is still down or just back: something else instead
            else:
                free_from = at + KAFKA_APART
        presses.append(Press(at=at, key=key))
    return presses
