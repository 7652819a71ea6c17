"""Manual journals."""

from typing import Any

from simulator.accounting_api.documents import tracking_fields
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import day_date, money, ms_date
from simulator.books.manual_journal import ManualJournal


def manual_journal(record: ManualJournal, view: View) -> dict[str, Any]:
    """A manual journal; without ``page`` no lines."""
    return {
        "Date": day_date(record.date),
        "Status": record.status,
        "LineAmountTypes": record.line_amount_types,
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "ManualJournalID": record.id,
        "Narration": record.narration,
        "JournalLines": [
            {
                "Description": line.description,
                "TaxType": line.tax_type,
                "TaxAmount": money(line.tax_amount),
                "LineAmount": money(line.amount),
                "AccountCode": line.account_code,
                "AccountID": line.account_id,
                "Tracking": tracking_fields(line.tracking),
                "IsBlank": False,
            }
            for line in (record.lines if view.lines else ())
        ],
        "ShowOnCashBasisReports": record.shows_on_cash_reports,
        "HasAttachments": bool(record.attachments),
    }
