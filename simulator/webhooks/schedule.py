"""When to try a delivery again. Pure; ``now_ms`` is an argument.

```
HEALTHY --failed twice in a row--> RETRYING --200--> HEALTHY (what was stored goes first, in order)
RETRYING --24 hours of failure--> DISABLED --intent-to-receive passed--> HEALTHY
```
While RETRYING or DISABLED events are stored, for 31 days.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

DISABLED_AFTER_MS = 24 * 3_600_000
STORED_FOR_MS = 31 * 86_400_000
ANSWER_SECONDS = 5.0
"""How long a receiver may take."""


class Health(StrEnum):
    """State of the app's one subscription: one failing receiver stops the webhooks of all tenants."""

    HEALTHY = "healthy"
    RETRYING = "retrying"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Health, since when it fails, and when the next attempt is due."""

    retry_ms: int
    health: Health = Health.HEALTHY
    failing_since_ms: int = 0
    next_attempt_ms: int = 0


def failed(schedule: Schedule, now_ms: int) -> Schedule:
    """A delivery, or a retry, got no good answer."""
    since = now_ms if schedule.health is Health.HEALTHY else schedule.failing_since_ms
    over = now_ms - since >= DISABLED_AFTER_MS
    return replace(
        schedule,
        health=Health.DISABLED if over else Health.RETRYING,
        failing_since_ms=since,
        next_attempt_ms=now_ms + schedule.retry_ms,
    )


def succeeded(schedule: Schedule) -> Schedule:
    """A retry got a good answer, or the handshake passed."""
    return replace(schedule, health=Health.HEALTHY, failing_since_ms=0, next_attempt_ms=0)
