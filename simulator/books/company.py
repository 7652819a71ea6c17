"""The organisation as a record of its own: what Settings shows, and the dates up to which the books are locked."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator.books.amounts import DAY_MS, Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The organisation. Nothing in it tells when it changed.

    Attributes:
        rounds: whether its invoices may be rounded: single reads and writes tell by how much, lists don't.
        lists_option_ids: whether lists give the ids of tracking options.
    """

    id: str
    name: str
    country: str
    currency: str
    created_ms: int
    updated_ms: int
    period_lock: Day | None = None
    end_of_year_lock: Day | None = None
    rounds: bool = False
    lists_option_ids: bool = True
    overrides: dict[str, str] = field(default_factory=dict)

    def refusals(self, day: Day) -> list[str]:
        """Why nothing may be written on that day any more: a text for each lock."""
        locks = (("period", self.period_lock), ("end of year", self.end_of_year_lock))
        return [
            f"The document date cannot be before the {name} lock date, currently set at {_spoken(lock)}"
            for name, lock in locks
            if lock is not None and day <= lock
        ]


def _spoken(day: Day) -> str:
    """``31-Jul-2013``."""
    return datetime.fromtimestamp(day * DAY_MS / 1000, UTC).strftime("%d-%b-%Y")
