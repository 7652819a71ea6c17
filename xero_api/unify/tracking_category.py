"""Xero's TrackingCategory → unified tracking category. Pure."""

from typing import Any

from xero_api.unify.fields import Raw, identifier, parts, record_id, text, word


def unify(raw: Raw) -> dict[str, Any]:
    """The unified tracking category with its options, as JSON-able data in a fixed order of keys.

    Args:
        raw: an element of ``TrackingCategories`` as :func:`xero_api.decode.decode` gives it.

    Raises:
        InvalidRecordError: it can't be mapped.
    """
    category_id = record_id(raw, "TrackingCategoryID")

    def option(item: Raw) -> dict[str, Any]:
        return {
            "id": identifier(item, "TrackingOptionID"),
            "parent_id": category_id,
            "name": text(item, "Name"),
            "status": word(item, "Status", {}),
        }

    return {
        "id": category_id,
        "updated_at": None,
        "status": word(raw, "Status", {}),
        "name": text(raw, "Name"),
        "options": sorted(parts(raw, "Options", option), key=lambda o: (o["name"] or "", o["id"] or "")),
    }
