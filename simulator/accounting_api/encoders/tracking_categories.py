"""Tracking categories."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.books.tracking_category import TrackingCategory, TrackingOption
from simulator.books.words import Presence


def tracking_category(record: TrackingCategory, view: View) -> dict[str, Any]:
    """A category with its options."""
    del view
    return {
        "Name": record.name,
        "Status": record.status,
        "TrackingCategoryID": record.id,
        "Options": [option_row(option) for option in record.options if option.status is not Presence.DELETED],
    }


def option_row(option: TrackingOption) -> dict[str, Any]:
    """An option of a category."""
    return {
        "TrackingOptionID": option.id,
        "Name": option.name,
        "Status": option.status,
        "HasValidationErrors": False,
        "IsDeleted": option.status is Presence.DELETED,
        "IsArchived": option.status is Presence.ARCHIVED,
        "IsActive": option.status is Presence.ACTIVE,
    }
