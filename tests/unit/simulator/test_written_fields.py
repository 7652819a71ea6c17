"""Every field that the published OpenAPI lets clients write is written and read back, kind by kind: equal, or listed as a gap."""

import pickle
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import orjson
import pytest

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.gaps import ANSWERS, GAPS, Gap
from simulator.accounting_api.reading import Moment, read_one
from simulator.accounting_api.writers.table import WRITES
from simulator.books.branding_theme import BrandingTheme
from simulator.books.invoice import InvoiceType
from simulator.books.words import Endpoint
from tests.unit.simulator import builders
from tests.unit.simulator.builders import NOW, guid
from tests.unit.simulator.office import Office
from tests.unit.simulator.published import MISSING, PUBLISHED, Schema, is_date, records, writable

pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=MISSING)

POINTERS = frozenset(
    {
        *("Account", "BankAccount", "BatchPayment", "Contact", "CreditNote", "FromBankAccount", "Invoice"),
        *("Overpayment", "Prepayment", "ToBankAccount", "ContactGroups", "Contacts"),
    }
)
"""Objects that point at another record. Which one they point at is in ``VALUES``."""

DATE, DATE_BACK = "2026-05-17", "/Date(1778976000000+0000)/"


def office(endpoint: Endpoint) -> Office:
    """Drawn books: contacts, items, tracking, themes, two currencies. They have room for no third category, small ones have."""
    found = Office()
    if endpoint is not Endpoint.TRACKING_CATEGORIES:
        found.books = pickle.loads(KEPT)
    return found


BOOKS = builders.sample(1)
KEPT = pickle.dumps(BOOKS)
REGION = BOOKS.profile.tracking[0]
TRACKED = {
    "Name": REGION[1],
    "Option": REGION[2][0][1],
    "TrackingCategoryID": REGION[0],
    "TrackingOptionID": REGION[2][0][0],
}
NAMED = {"TrackingCategoryName": REGION[1], "TrackingOptionName": REGION[2][0][1]}
FOREIGN = BOOKS.profile.foreign_currency
CONTACT = next(one for one in BOOKS.contacts if one.status == "ACTIVE").id
THEME = next(iter(BOOKS.of(BrandingTheme))).id
OPEN = next(
    one
    for one in BOOKS.invoices
    if one.type is InvoiceType.ACCREC and one.status == "AUTHORISED" and one.amount_due > 9_900
)
BILL = next(one for one in BOOKS.invoices if one.type is InvoiceType.ACCPAY and one.status == "AUTHORISED")
ABROAD = next(
    one for one in BOOKS.invoices if one.currency == FOREIGN and one.status == "AUTHORISED" and one.amount_due > 900
)
LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200"}
DOCUMENT: dict[str, Any] = {"Contact": {"ContactID": CONTACT}, "Date": "2026-11-20", "LineItems": [LINE]}
SCHEDULE = {"Period": 1, "Unit": "MONTHLY", "DueDate": 9, "DueDateType": "OFFOLLOWINGMONTH", "StartDate": "2026-12-01"}
POSTED = [{"LineAmount": 5, "AccountCode": "200"}, {"LineAmount": -5, "AccountCode": "400"}]

BASES: dict[Endpoint, dict[str, Any]] = {
    Endpoint.ACCOUNTS: {"Code": "476", "Name": "Paper", "Type": "EXPENSE"},
    Endpoint.BANK_TRANSACTIONS: DOCUMENT | {"Type": "RECEIVE", "BankAccount": {"Code": "090"}},
    Endpoint.BANK_TRANSFERS: {"FromBankAccount": {"Code": "090"}, "ToBankAccount": {"Code": "091"}, "Amount": 20},
    Endpoint.BATCH_PAYMENTS: {
        "Account": {"Code": "090"},
        "Payments": [{"Invoice": {"InvoiceID": OPEN.id}, "Amount": 1}],
    },
    Endpoint.CONTACTS: {"Name": "Quayside Kites"},
    Endpoint.CONTACT_GROUPS: {"Name": "VIP"},
    Endpoint.CREDIT_NOTES: DOCUMENT | {"Type": "ACCRECCREDIT"},
    Endpoint.CURRENCIES: {"Code": "SGD"},
    Endpoint.INVOICES: DOCUMENT | {"Type": "ACCREC", "DueDate": "2026-12-20"},
    Endpoint.ITEMS: {"Code": "KITE"},
    Endpoint.LINKED_TRANSACTIONS: {"SourceTransactionID": BILL.id, "SourceLineItemID": BILL.lines[0].line_item_id},
    Endpoint.MANUAL_JOURNALS: {"Narration": "Accrual", "JournalLines": POSTED},
    Endpoint.PAYMENTS: {"Invoice": {"InvoiceID": OPEN.id}, "Account": {"Code": "090"}, "Amount": 1},
    Endpoint.PAYMENT_SERVICES: {
        "PaymentServiceName": "PayUp",
        "PaymentServiceUrl": "https://pay.example/[INVOICENUMBER]",
    },
    Endpoint.PURCHASE_ORDERS: DOCUMENT,
    Endpoint.QUOTES: DOCUMENT,
    Endpoint.REPEATING_INVOICES: DOCUMENT | {"Type": "ACCREC", "Schedule": SCHEDULE},
    Endpoint.TAX_RATES: {"Name": "State", "TaxComponents": [{"Name": "City", "Rate": 1}]},
    Endpoint.TRACKING_CATEGORIES: {"Name": "Shelf"},
}

BESIDE: dict[str, dict[str, Any]] = {
    "CurrencyRate": {"CurrencyCode": FOREIGN},
    "BankAccountNumber": {"Type": "BANK"},
    "BankAccountType": {"Type": "BANK", "BankAccountNumber": "01-0902-0048-00"},
    "LineItems[].LineAmount": {"LineItems": [{"Description": "Work", "Quantity": 1, "AccountCode": "200"}]},
    "LineItems[].AccountID": {"LineItems": [{"Description": "Work", "Quantity": 1, "UnitAmount": 50}]},
    "LineItems[].Tracking[]": {"LineItems": [LINE | {"Tracking": [TRACKED]}]},
    "JournalLines[].Tracking[]": {"JournalLines": [POSTED[0] | {"Tracking": [TRACKED]}, POSTED[1]]},
    "JournalLines[].LineAmount": {"JournalLines": [POSTED[0], {"LineAmount": -7, "AccountCode": "400"}]},
    "JournalLines[].TaxAmount": {
        "JournalLines": [{"LineAmount": 5, "AccountCode": "200", "TaxType": "OUTPUT2"}, POSTED[1]]
    },
    "FromTracking[]": {"FromTracking": [TRACKED]},
    "ToTracking[]": {"ToTracking": [TRACKED]},
    "SalesTrackingCategories[]": {"SalesTrackingCategories": [NAMED]},
    "PurchasesTrackingCategories[]": {"PurchasesTrackingCategories": [NAMED]},
    "Addresses[]": {"Addresses": [{"AddressType": "STREET"}]},
    "Phones[]": {"Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1"}]},
    "TargetLineItemID": {"TargetTransactionID": OPEN.id, "ContactID": OPEN.contact_id},
    "PurchaseDetails.COGSAccountCode": {"InventoryAssetAccountCode": "630", "PurchaseDetails": {}},
}
"""What has to be written with a field, by the path it begins with, so that it makes sense."""

BESIDE_OF_KIND: dict[tuple[Endpoint, str], dict[str, Any]] = {
    (Endpoint.ACCOUNTS, "CurrencyCode"): {"Type": "BANK", "BankAccountNumber": "01-0902-0048-00"},
    (Endpoint.ITEMS, "IsTrackedAsInventory"): {"InventoryAssetAccountCode": "630"},
    (Endpoint.MANUAL_JOURNALS, "JournalLines[].AccountID"): {"JournalLines": [{"LineAmount": 5}, POSTED[1]]},
    (Endpoint.PAYMENTS, "CurrencyRate"): {"Invoice": {"InvoiceID": ABROAD.id}},
}
"""The same for one kind."""

VALUES: dict[str, Any] = {
    "BrandingThemeID": THEME,
    "BankAccountNumber": "01-0902-0048-00",
    "BankAccountType": "CREDITCARD",
    "CurrencyCode": FOREIGN,
    "DefaultCurrency": FOREIGN,
    "CurrencyRate": 1.25,
    "EmailAddress": "kite@example.com",
    "ContactPersons[].EmailAddress": "kite@example.com",
    "LineItems[].AccountCode": "260",
    "LineItems[].AccountID": BOOKS.account_ids["260"],
    "LineItems[].ItemCode": "CONSULT",
    "LineItems[].TaxType": "NONE",
    "LineItems[].DiscountRate": 10,
    "LineItems[].UnitAmount": 12.3456,
    "JournalLines[].AccountCode": "260",
    "JournalLines[].AccountID": BOOKS.account_ids["260"],
    "JournalLines[].TaxType": "NONE",
    "JournalLines[].LineAmount": 7,
    "TaxType": BOOKS.profile.purchase_tax,
    "ContactID": OPEN.contact_id,
    "TargetTransactionID": OPEN.id,
    "TargetLineItemID": OPEN.lines[0].line_item_id,
    "SourceTransactionID": BILL.id,
    "SourceLineItemID": BILL.lines[0].line_item_id,
    "SalesDetails.AccountCode": "260",
    "SalesDetails.TaxType": "NONE",
    "SalesDetails.UnitPrice": 12.3456,
    "PurchaseDetails.AccountCode": "429",
    "PurchaseDetails.COGSAccountCode": "429",
    "PurchaseDetails.TaxType": "NONE",
    "PurchaseDetails.UnitPrice": 12.3456,
    "InventoryAssetAccountCode": "630",
    "Schedule.Unit": "WEEKLY",
    "Schedule.DueDateType": "DAYSAFTERBILLDATE",
    "AccountsReceivableTaxType": "OUTPUT2",
    "AccountsPayableTaxType": "INPUT2",
    "SalesDefaultAccountCode": "200",
    "PurchasesDefaultAccountCode": "429",
    "SalesTrackingCategories[].TrackingCategoryName": REGION[1],
    "SalesTrackingCategories[].TrackingOptionName": REGION[2][0][1],
    "PurchasesTrackingCategories[].TrackingCategoryName": REGION[1],
    "PurchasesTrackingCategories[].TrackingOptionName": REGION[2][0][1],
    "ReportTaxType": "INPUT",
    **{
        f"{above}[].{name}": value
        for above in ("LineItems[].Tracking", "JournalLines[].Tracking", "FromTracking", "ToTracking")
        for name, value in TRACKED.items()
    },
}
"""Values that are taken, where not every value is."""

OF_KIND: dict[tuple[Endpoint, str], Any] = {
    (Endpoint.ACCOUNTS, "Type"): "OVERHEADS",
    (Endpoint.BANK_TRANSACTIONS, "Type"): "SPEND",
    (Endpoint.CURRENCIES, "Code"): "EUR",
    (Endpoint.INVOICES, "Type"): "ACCPAY",
    (Endpoint.REPEATING_INVOICES, "Type"): "ACCPAY",
    (Endpoint.CREDIT_NOTES, "Type"): "ACCPAYCREDIT",
    (Endpoint.BANK_TRANSFERS, "Amount"): 7.5,
    (Endpoint.PAYMENTS, "Amount"): 7.5,
    (Endpoint.QUOTES, "LineAmountTypes"): "INCLUSIVE",
}
"""The same for one kind."""

MOVES: dict[tuple[Endpoint, str], str] = {
    (Endpoint.ACCOUNTS, "Status"): "ARCHIVED",
    (Endpoint.BANK_TRANSACTIONS, "Status"): "DELETED",
    (Endpoint.CONTACTS, "ContactStatus"): "ARCHIVED",
    (Endpoint.CONTACT_GROUPS, "Status"): "DELETED",
    (Endpoint.PAYMENTS, "Status"): "DELETED",
    (Endpoint.TAX_RATES, "Status"): "DELETED",
    (Endpoint.TRACKING_CATEGORIES, "Status"): "ARCHIVED",
}
"""Fields that are written to a record that is there."""


def value_of(endpoint: Endpoint, path: str, schema: Schema) -> Any:
    """What is written."""
    if (endpoint, path) in OF_KIND:
        return OF_KIND[endpoint, path]
    if path in VALUES:
        return VALUES[path]
    if is_date(schema):
        return DATE
    if "enum" in schema:
        now = BASES[endpoint].get(path)
        return next((word for word in schema["enum"][1:] if word != now), schema["enum"][0])
    kinds = {"boolean": True, "integer": 3, "number": 12.34}
    return kinds.get(schema.get("type", ""), f"My {path.rpartition('.')[2]}"[:30])


def put_into(element: dict[str, Any], path: str, value: Any) -> None:
    """Write a value at a path; lists get one element."""
    *steps, last = path.split(".")
    for step in steps:
        name = step.removesuffix("[]")
        inside = element.setdefault(name, [{}] if step != name else {})
        element = inside[0] if step != name else inside
    element[last.removesuffix("[]")] = [value] if last.endswith("[]") else value


def found_at(document: Any, path: str) -> Iterator[Any]:
    """Every value at a path."""
    step, _, rest = path.partition(".")
    inside = document.get(step.removesuffix("[]")) if isinstance(document, dict) else None
    for one in inside if isinstance(inside, list) else [inside]:
        if rest:
            yield from found_at(one, rest)
        else:
            yield one


def written(endpoint: Endpoint, path: str, value: Any) -> tuple[dict[str, Any], str]:
    """Write an element with that value, read the record, and what was said if it was refused."""
    element = deepcopy(BASES[endpoint])
    beside: list[dict[str, Any]] = [more for start, more in BESIDE.items() if path.startswith(start)]
    for more in beside:
        element |= deepcopy(more)
    element |= deepcopy(BESIDE_OF_KIND.get((endpoint, path), {}))
    desk, id_field = office(endpoint), FACTS[endpoint].id_field
    moves = MOVES.get((endpoint, path))
    if moves is None and path:
        put_into(element, path, value)
    reply = desk.order("PUT", endpoint, element)
    if reply.status != 200:
        return {}, reply.body.decode()
    (row,) = orjson.loads(reply.body)[endpoint.value]
    if row.get("StatusAttributeString") == "ERROR":
        return {}, orjson.dumps(row["ValidationErrors"]).decode()
    record_id = row[id_field]
    if moves is not None:
        change = {id_field: record_id, path: value}
        by_row = endpoint is Endpoint.TAX_RATES
        reply = desk.order("POST", endpoint, row | change if by_row else change, None if by_row else record_id)
        assert reply.status == 200, reply.body
    moment = Moment(now_ms=NOW, answer_id=guid(1))
    body = read_one(desk.books, Encoder(desk.books), endpoint, record_id, moment, four=True)
    assert isinstance(body, bytes)
    document: dict[str, Any] = orjson.loads(body)[FACTS[endpoint].list_key][0]
    return document, ""


def comes_back(endpoint: Endpoint, path: str, schema: Schema) -> str:
    """What is wrong with a field; empty if it comes back as it was written."""
    value = MOVES.get((endpoint, path)) or value_of(endpoint, path, schema)
    document, refusal = written(endpoint, path, value)
    if refusal:
        return f"refused: {refusal}"
    expected = DATE_BACK if value == DATE and is_date(schema) else value
    values = list(found_at(document, path))
    return "" if expected in values else f"wrote {value!r}, read {values!r}"


@cache
def fields() -> list[tuple[Endpoint, str, Schema]]:
    """Every writable field of every kind that is written."""
    return [
        (endpoint, path, schema)
        for endpoint in WRITES
        for path, schema in writable(records(FACTS[endpoint].list_key), POINTERS)
    ]


def covering(table: tuple[Gap, ...], endpoint: Endpoint, path: str) -> Gap | None:
    """The row of a table that a field is in."""
    return next((gap for gap in table if gap.covers(endpoint, path)), None)


@pytest.mark.parametrize("endpoint", list(WRITES))
def test_what_is_written_is_read_back(endpoint: Endpoint) -> None:
    """Every field of a kind, but for those that only Xero fills, and the gaps."""
    wrong = {
        path: complaint
        for kind, path, schema in fields()
        if kind is endpoint and schema.get("type") != "pointer"
        if not covering((*ANSWERS, *GAPS), endpoint, path)
        if (complaint := comes_back(endpoint, path, schema))
    }

    assert wrong == {}


def test_gaps_are_gaps() -> None:
    """What is listed does not come back; the list can't be longer than it has to be."""
    closed = [
        f"{endpoint}: {path}"
        for endpoint, path, schema in fields()
        if covering(GAPS, endpoint, path) and not comes_back(endpoint, path, schema)
    ]

    assert closed == []


def test_every_row_is_about_published_fields() -> None:
    """Gaps, and what only Xero fills."""
    assert [
        gap for gap in (*GAPS, *ANSWERS) if not any(gap.covers(endpoint, path) for endpoint, path, _ in fields())
        if gap.of <= set(WRITES)
    ] == []  # fmt: skip


@pytest.mark.parametrize("endpoint", list(WRITES))
def test_what_is_pointed_at_is_read_back(endpoint: Endpoint) -> None:
    """The records that a new one names, by id or by code."""
    document, refusal = written(endpoint, "", None)
    named = {name: pointer for name, pointer in BASES[endpoint].items() if name in POINTERS}

    assert not refusal
    for name, pointer in named.items():
        account = BOOKS.account(document[name].get("AccountID", ""))
        assert pointer.items() <= (document[name] | ({"Code": account.code} if account else {})).items()


def test_a_wrong_field_would_be_noticed() -> None:
    """The comparison finds what is missing, and what is not what was written."""
    assert comes_back(Endpoint.CONTACTS, "Nonsense", {"type": "string"}) == "wrote 'My Nonsense', read [None]"
    assert comes_back(Endpoint.INVOICES, "Total", {"type": "number"}) == "wrote 12.34, read [57.5]"
    assert comes_back(Endpoint.CONTACTS, "FirstName", {"type": "string"}) == ""
