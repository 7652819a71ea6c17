"""``TrackingCategory``: what lines can be tracked by. A category carries its options, as in Xero.

For tools that know one flat list: the category's parent is none, an option's is ``parent_id``.
"""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Id, Known, Part, Record


class TrackingStatus(StrEnum):
    """Where a category or option stands."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class TrackingOption(Part):
    """One option of a category."""

    id: Id | None
    """Tracking option id."""
    parent_id: Id
    """The category it belongs to."""
    name: str | None
    """Name, e.g. ``North``."""
    status: Known[TrackingStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""


class TrackingCategory(Record):
    """A tracking category with its options. Xero gives it no ``updated_at``."""

    version: ClassVar[int] = 1

    status: Known[TrackingStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    name: str | None
    """Name, e.g. ``Region``."""
    options: tuple[TrackingOption, ...]
    """Its options, archived ones included, by name and id."""
