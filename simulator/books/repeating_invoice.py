"""Repeating invoices: templates with a schedule. They tell no date of change."""

from dataclasses import dataclass, field

from simulator.books.amounts import Cents, Day
from simulator.books.document import LineItem
from simulator.books.invoice import InvoiceType
from simulator.books.words import LineAmountTypes


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the next one is made, and when that is due."""

    period: int
    unit: str
    due_day: int
    due_type: str
    start: Day
    next: Day
    end: Day | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatingInvoice:
    """A template; status DRAFT, AUTHORISED or DELETED."""

    id: str
    type: InvoiceType
    status: str
    contact_id: str
    schedule: Schedule
    line_amount_types: LineAmountTypes
    lines: tuple[LineItem, ...]
    currency: str
    updated_ms: int
    reference: str = ""
    sub_total: Cents = 0
    total_tax: Cents = 0
    total: Cents = 0
    overrides: dict[str, str] = field(default_factory=dict)
