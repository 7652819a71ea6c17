"""Currencies the organisation deals in. Their id is their code."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """A currency; ``id`` is its code."""

    id: str
    description: str
    updated_ms: int
    overrides: dict[str, str] = field(default_factory=dict)
