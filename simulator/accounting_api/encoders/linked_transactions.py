"""Linked transactions."""

from typing import Any

from simulator.accounting_api.view import View
from simulator.accounting_api.wire import ms_date
from simulator.books.linked_transaction import LinkedTransaction


def linked_transaction(record: LinkedTransaction, view: View) -> dict[str, Any]:
    """A billable expense; target fields only once it was charged."""
    del view
    optional = {
        "ContactID": record.contact_id,
        "TargetTransactionID": record.target_id,
        "TargetLineItemID": record.target_line_id,
    }
    return {
        "LinkedTransactionID": record.id,
        "SourceTransactionID": record.source_id,
        "SourceLineItemID": record.source_line_id,
        **{name: value for name, value in optional.items() if value},
        "Status": record.status,
        "Type": "BILLABLEEXPENSE",
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "SourceTransactionTypeCode": record.source_type,
    }
