"""Purchase orders."""

from typing import Any

from simulator.accounting_api.documents import line_fields
from simulator.accounting_api.view import Form, View
from simulator.accounting_api.wire import currency_rate, day_date, day_string, money, ms_date
from simulator.books.purchase_order import PurchaseOrder


def purchase_order(record: PurchaseOrder, view: View) -> dict[str, Any]:
    """A purchase order: always in full, prices with four decimals, the contact as a single GET shows it."""
    fields: dict[str, Any] = {
        "PurchaseOrderID": record.id,
        "PurchaseOrderNumber": record.number,
        "DateString": day_string(record.date),
        "Date": day_date(record.date),
        "AttentionTo": record.attention_to,
        "HasErrors": False,
        "IsDiscounted": record.total_discount != 0,
        "SentToContact": record.sent_to_contact,
        "Reference": record.reference,
        "Type": "PURCHASEORDER",
        "CurrencyRate": currency_rate(record.currency_rate),
        "CurrencyCode": record.currency,
        "Contact": view.contact(record.contact_id, Form.SINGLE),
        "Status": record.status,
        "LineAmountTypes": record.line_amount_types,
        "LineItems": [line_fields(line, record, four_decimals=True) for line in record.lines],
        "SubTotal": money(record.sub_total),
        "TotalTax": money(record.total_tax),
        "Total": money(record.total),
        "TotalDiscount": money(record.total_discount),
        "UpdatedDateUTC": ms_date(record.updated_ms),
        "HasAttachments": bool(record.attachments),
    }
    if record.delivery_date is not None:
        fields |= {
            "DeliveryDateString": day_string(record.delivery_date),
            "DeliveryDate": day_date(record.delivery_date),
        }
    return fields
