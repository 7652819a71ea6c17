"""Fields that ``where`` and ``order`` may name, and how to read them: the usual ones straight from the books."""

from typing import Any

from simulator.accounting_api.names import NAMES
from simulator.accounting_api.where import Fields, Shown
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


def _money_on_account(id_field: str) -> Fields:
    return {
        **_DOCUMENT,
        id_field: lambda record: record.id,
        "remainingcredit": lambda record: record.remaining_credit / 100,
    }


FIELDS: dict[Endpoint, Fields] = {
    Endpoint.PAYMENTS: {
        "paymentid": lambda record: record.id,
        "status": lambda record: record.status,
        "paymenttype": lambda record: record.type,
        "date": lambda record: record.date * DAY_MS,
        "amount": lambda record: record.amount / 100,
        "reference": lambda record: record.reference,
        "isreconciled": lambda record: record.is_reconciled,
        "invoice.invoiceid": lambda record: record.document_id,
        "account.accountid": lambda record: record.account_id,
        "updateddateutc": lambda record: record.updated_ms,
    },
    Endpoint.BANK_TRANSACTIONS: {
        **_DOCUMENT,
        "banktransactionid": lambda record: record.id,
        "bankaccount.accountid": lambda record: record.account_id,
        "isreconciled": lambda record: record.is_reconciled,
    },
    Endpoint.PREPAYMENTS: _money_on_account("prepaymentid"),
    Endpoint.OVERPAYMENTS: _money_on_account("overpaymentid"),
    Endpoint.MANUAL_JOURNALS: {
        "manualjournalid": lambda record: record.id,
        "status": lambda record: record.status,
        "date": lambda record: record.date * DAY_MS,
        "narration": lambda record: record.narration,
        "updateddateutc": lambda record: record.updated_ms,
    },
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

_ALL: dict[Endpoint, Fields] = {
    endpoint: {name: Shown(tuple(name.split("."))) for name in NAMES.get(endpoint, ())} | dict(FIELDS.get(endpoint, {}))
    for endpoint in Endpoint
}


def fields_of(endpoint: Endpoint) -> Fields:
    """Every field of an endpoint that may be named."""
    return _ALL[endpoint]


def sort_key(value: Any) -> tuple[bool, Any]:
    """Order values with the missing ones first."""
    return value is not None, value
