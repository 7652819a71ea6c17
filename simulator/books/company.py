"""The organisation as a record of its own: what Settings shows, and the dates up to which the books are locked."""

from dataclasses import dataclass, field

from simulator.books.amounts import Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The organisation. Nothing in it tells when it changed."""

    id: str
    name: str
    country: str
    currency: str
    created_ms: int
    updated_ms: int
    period_lock: Day | None = None
    end_of_year_lock: Day | None = None
    overrides: dict[str, str] = field(default_factory=dict)

    def locks(self, day: Day) -> bool:
        """Whether nothing may be written on that day any more."""
        return any(lock is not None and day <= lock for lock in (self.period_lock, self.end_of_year_lock))
