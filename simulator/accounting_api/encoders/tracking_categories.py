"""Tracking categories."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.books.tracking_category import TrackingCategory


def tracking_category(record: TrackingCategory, view: View) -> dict[str, Any]:
    """A category with its options."""
    del view
    return {
        "Name": record.name,
        "Status": record.status,
        "TrackingCategoryID": record.id,
        "Options": [
            {
                "TrackingOptionID": option.id,
                "Name": option.name,
                "Status": option.status,
                "HasValidationErrors": False,
                "IsDeleted": False,
                "IsArchived": option.status == "ARCHIVED",
                "IsActive": option.status == "ACTIVE",
            }
            for option in record.options
        ],
    }
