"""Fields that ``where`` and ``order`` may name, and how to read them from the books."""

from typing import Any

from simulator.accounting_api.where import Fields
from simulator.books.amounts import DAY_MS
from simulator.books.words import Endpoint

_DOCUMENT: Fields = {
    "type": lambda record: record.type,
    "status": lambda record: record.status,
    "reference": lambda record: record.reference,
    "contact.contactid": lambda record: record.contact_id,
    "date": lambda record: record.date * DAY_MS,
    "total": lambda record: record.total / 100,
    "currencycode": lambda record: record.currency,
    "updateddateutc": lambda record: record.updated_ms,
}

FIELDS: dict[Endpoint, Fields] = {
    Endpoint.INVOICES: {
        **_DOCUMENT,
        "invoiceid": lambda record: record.id,
        "invoicenumber": lambda record: record.number,
        "duedate": lambda record: record.due_date * DAY_MS,
        "amountdue": lambda record: record.amount_due / 100,
        "amountpaid": lambda record: record.amount_paid / 100,
    },
    Endpoint.CREDIT_NOTES: {
        **_DOCUMENT,
        "creditnoteid": lambda record: record.id,
        "creditnotenumber": lambda record: record.number,
        "remainingcredit": lambda record: record.remaining_credit / 100,
    },
    Endpoint.CONTACTS: {
        "contactid": lambda record: record.id,
        "name": lambda record: record.name,
        "contactnumber": lambda record: record.number,
        "accountnumber": lambda record: record.account_number,
        "contactstatus": lambda record: record.status,
        "emailaddress": lambda record: record.email,
        "iscustomer": lambda record: record.is_customer,
        "issupplier": lambda record: record.is_supplier,
        "updateddateutc": lambda record: record.updated_ms,
    },
}

ID_FIELD: dict[Endpoint, str] = {
    Endpoint.INVOICES: "invoiceid",
    Endpoint.CREDIT_NOTES: "creditnoteid",
    Endpoint.CONTACTS: "contactid",
}


def sort_key(value: Any) -> tuple[bool, Any]:
    """Order values with the missing ones first."""
    return value is not None, value
