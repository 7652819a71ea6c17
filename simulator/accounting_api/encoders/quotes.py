"""Quotes."""

from typing import Any

from simulator.accounting_api.documents import line_fields
from simulator.accounting_api.view import View
from simulator.accounting_api.wire import currency_rate, day_date, day_string, money, ms_date
from simulator.books.contact import Contact
from simulator.books.quote import Quote


def quote(record: Quote, view: View) -> dict[str, Any]:
    """A quote: tax words in capitals, the contact by id and name only."""
    contact = view.books.must_have(Contact, record.contact_id)
    fields: dict[str, Any] = {
        "QuoteID": record.id,
        "QuoteNumber": record.number,
        "Reference": record.reference,
        "Terms": record.terms,
        "Contact": {"ContactID": contact.id, "Name": contact.name, "EmailAddress": contact.email},
        "LineItems": [line_fields(line, record, four_decimals=True) for line in record.lines],
        "Date": day_date(record.date),
        "DateString": day_string(record.date),
        "Status": record.status,
        "CurrencyRate": currency_rate(record.currency_rate),
        "CurrencyCode": record.currency,
        "SubTotal": money(record.sub_total),
        "TotalTax": money(record.total_tax),
        "Total": money(record.total),
        "TotalDiscount": money(record.total_discount),
        "Title": record.title,
        "Summary": record.summary,
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "LineAmountTypes": record.line_amount_types.upper(),
    }
    if record.expiry_date is not None:
        fields |= {"ExpiryDate": day_date(record.expiry_date), "ExpiryDateString": day_string(record.expiry_date)}
    return fields
