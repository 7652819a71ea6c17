"""Journals of the general ledger: what postings wrote. They are never changed and never deleted."""

from dataclasses import dataclass, field

from simulator.books.amounts import Cents, Day
from simulator.books.document import Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """A line in the organisation's own currency; debits are above zero."""

    account_id: str
    net: Cents
    tax: Cents = 0
    tax_type: str | None = None
    description: str = ""
    tracking: tuple[Tracking, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal; ``updated_ms`` is when it was written."""

    id: str
    number: int
    date: Day
    updated_ms: int
    source_id: str
    source_type: str
    lines: tuple[JournalLine, ...]
    reference: str = ""
    overrides: dict[str, str] = field(default_factory=dict)
