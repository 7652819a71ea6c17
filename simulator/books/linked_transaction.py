"""Linked transactions: a line of a bill that a customer is charged for."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedTransaction:
    """A billable expense; no target while nothing was charged. Status APPROVED, DRAFT, ONDRAFT, BILLED or VOIDED."""

    id: str
    status: str
    source_id: str
    source_line_id: str
    source_type: str
    updated_ms: int
    contact_id: str | None = None
    target_id: str | None = None
    target_line_id: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)
