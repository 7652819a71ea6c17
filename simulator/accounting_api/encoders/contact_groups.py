"""Contact groups."""

from typing import Any

from simulator.accounting_api.view import Form, View
from simulator.books.contact_group import ContactGroup


def contact_group(record: ContactGroup, view: View) -> dict[str, Any]:
    """A group; only a single GET says who is in it."""
    members = [view.contact(contact_id, Form.PAGE) for contact_id in record.contact_ids] if view.single else []
    return {
        "ContactGroupID": record.id,
        "Name": record.name,
        "Status": record.status,
        "Contacts": members,
        "HasValidationErrors": False,
    }
