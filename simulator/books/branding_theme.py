"""Branding themes: how documents look."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandingTheme:
    """A theme; ``updated_ms`` is when it was created."""

    id: str
    name: str
    sort_order: int
    updated_ms: int
    overrides: dict[str, str] = field(default_factory=dict)
