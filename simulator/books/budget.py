"""Budgets: amounts by account and month."""

from dataclasses import dataclass, field

from simulator.books.amounts import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """An account's amounts by month (``2026-01``)."""

    account_id: str
    account_code: str
    months: tuple[tuple[str, Cents], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A budget over all, or of a tracking option."""

    id: str
    type: str
    description: str
    lines: tuple[BudgetLine, ...]
    updated_ms: int
    overrides: dict[str, str] = field(default_factory=dict)
