"""Journals of the general ledger."""

from typing import Any

from simulator.accounting_api.documents import tracking_fields
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import day_date, money, ms_date
from simulator.books.journal import Journal, JournalLine
from simulator.books.profile import derived_id
from simulator.books.tax_rate import TaxRate


def journal(record: Journal, view: View) -> dict[str, Any]:
    """A journal; only lists say where it comes from, and only they name the tax type."""
    fields: dict[str, Any] = {
        "JournalID": record.id,
        "JournalDate": day_date(record.date),
        "JournalNumber": record.number,
        "CreatedDateUTC": ms_date(record.updated_ms),
        "Reference": record.reference,
    }
    if not view.single:
        fields |= {"SourceID": record.source_id, "SourceType": record.source_type}
    fields["JournalLines"] = [_line(record.id, place, line, view) for place, line in enumerate(record.lines)]
    return fields


def _line(journal_id: str, place: int, line: JournalLine, view: View) -> dict[str, Any]:
    account = view.books.account(line.account_id)
    fields: dict[str, Any] = {
        "JournalLineID": derived_id(journal_id, "line", str(place)),
        "AccountID": line.account_id,
        "AccountCode": account.code if account else "",
        "AccountType": account.type if account else "EXPENSE",
        "AccountName": account.name if account else "",
        "Description": line.description,
        "NetAmount": money(line.net),
        "GrossAmount": money(line.net + line.tax),
        "TaxAmount": money(line.tax),
        "TrackingCategories": tracking_fields(line.tracking),
    }
    if line.tax_type is not None:
        rate = view.books.of(TaxRate).get(line.tax_type)
        fields |= {"TaxType": "" if view.single else line.tax_type, "TaxName": rate.name if rate else line.tax_type}
    return fields
