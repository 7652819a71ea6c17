"""Tracking categories with their options."""

from dataclasses import dataclass, field, replace

from simulator.books.words import Presence, RuleError

MOST_ACTIVE = 2
"""Active categories of an organisation. Source: developer.xero.com/documentation/api/accounting/trackingcategories."""

MOST_OPTIONS = 100
"""Options of a category. Source: the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingOption:
    """An option of a category."""

    id: str
    name: str
    status: Presence = Presence.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingCategory:
    """A category; it tells no date of change."""

    id: str
    name: str
    status: Presence
    options: tuple[TrackingOption, ...]
    updated_ms: int
    overrides: dict[str, str] = field(default_factory=dict)


def move(category: TrackingCategory, to: Presence) -> TrackingCategory:
    """Archive, take back or delete it, options and all.

    Raises:
        RuleError: it is that already, or deleted.
    """
    if category.status in (Presence.DELETED, to):
        raise RuleError(f"a tracking category that is {category.status} can't become {to}")
    options = tuple(replace(option, status=to) for option in category.options)
    return replace(category, status=to, options=options)
