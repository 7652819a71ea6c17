"""Whatever clients write, and in whatever order, the simulated books still agree."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.accounting_api.writers.table import WRITES, Verb
from simulator.books.invoice import InvoiceType
from simulator.books.words import Endpoint
from tests.properties.test_simulator_ledger import check_credit, check_invoices, check_ledger, check_stock
from tests.support.examples import examples
from tests.unit.simulator.builders import CUSTOMER, credit_note, guid, invoice
from tests.unit.simulator.office import Office

DATE = "2026-11-20"
LINE = {"Description": "a", "Quantity": 2, "UnitAmount": 12.5, "AccountCode": "200"}
CONTACT = {"Contact": {"ContactID": CUSTOMER}}
LINES = {**CONTACT, "LineItems": [LINE], "Date": DATE}
BANK, SAVINGS = {"Code": "090"}, {"Code": "091"}
PAID = [{"Invoice": {"InvoiceID": guid(1)}, "Amount": 30}, {"Invoice": {"InvoiceID": guid(2)}, "Amount": 10}]
SCHEDULE = {"Period": 1, "Unit": "WEEKLY", "DueDate": 1, "DueDateType": "OFCURRENTMONTH", "StartDate": DATE}

GOOD: dict[Endpoint, list[dict[str, Any]]] = {
    Endpoint.ACCOUNTS: [{"Code": "476", "Name": "Paper", "Type": "EXPENSE"}],
    Endpoint.BANK_TRANSACTIONS: [
        {**LINES, "Type": "SPEND", "BankAccount": BANK},
        {**LINES, "Type": "RECEIVE", "BankAccount": SAVINGS, "LineItems": [{**LINE, "ItemCode": "abc"}]},
        {**LINES, "Type": "RECEIVE-OVERPAYMENT", "BankAccount": BANK},
        {**LINES, "Type": "RECEIVE-PREPAYMENT", "BankAccount": BANK},
    ],
    Endpoint.BANK_TRANSFERS: [{"FromBankAccount": BANK, "ToBankAccount": SAVINGS, "Amount": 7}],
    Endpoint.BATCH_PAYMENTS: [{"Account": BANK, "Payments": PAID}],
    Endpoint.CONTACTS: [{"Name": "New Ltd"}],
    Endpoint.CONTACT_GROUPS: [{"Name": "VIP"}],
    Endpoint.CREDIT_NOTES: [{**LINES, "Type": "ACCRECCREDIT", "Status": "AUTHORISED"}],
    Endpoint.CURRENCIES: [{"Code": "EUR"}],
    Endpoint.INVOICES: [{**LINES, "Type": "ACCPAY", "Status": "AUTHORISED", "DueDate": DATE}],
    Endpoint.ITEMS: [{"Code": "abc", "InventoryAssetAccountCode": "630"}],
    Endpoint.LINKED_TRANSACTIONS: [{"SourceTransactionID": guid(3)}],
    Endpoint.MANUAL_JOURNALS: [
        {
            "Narration": "x",
            "Status": "POSTED",
            "JournalLines": [{"LineAmount": 5, "AccountCode": "200"}, {"LineAmount": -5, "AccountCode": "400"}],
        }
    ],
    Endpoint.PAYMENTS: [{**one, "Account": account} for one in PAID for account in (BANK, SAVINGS)],
    Endpoint.PAYMENT_SERVICES: [{"PaymentServiceName": "a", "PaymentServiceUrl": "https://x.example"}],
    Endpoint.PURCHASE_ORDERS: [LINES],
    Endpoint.QUOTES: [LINES],
    Endpoint.REPEATING_INVOICES: [{**LINES, "Type": "ACCREC", "Schedule": SCHEDULE}],
    Endpoint.TAX_RATES: [{"Name": "State", "TaxComponents": [{"Name": "a", "Rate": 5}]}],
    Endpoint.TRACKING_CATEGORIES: [{"Name": "Region"}],
}
CHANGES = st.dictionaries(
    st.sampled_from(["Status", "Amount", "Date", "Name", "Code", "LineItems", "Type", "Contact", "LineAmountTypes"]),
    st.sampled_from(["DELETED", "VOIDED", "AUTHORISED", "ARCHIVED", "POSTED", "Inclusive", "NoTax", DATE, "x", 3, -1, None,
                     [], [LINE], [{**LINE, "Quantity": 1, "ItemCode": "abc"}], CONTACT["Contact"], {}]),
    max_size=2,
)  # fmt: skip
STEPS = st.tuples(
    st.sampled_from([(endpoint, verb) for endpoint, writes in WRITES.items() for verb in writes.verbs]),
    st.integers(0, 3),
    st.integers(0, 8),
    CHANGES,
)


def test_every_written_endpoint_is_among_them() -> None:
    """A new row of the table needs an element here."""
    assert set(GOOD) == set(WRITES)
    for endpoint, elements in GOOD.items():
        office = Office(invoice(1), invoice(2), invoice(3, type=InvoiceType.ACCPAY), credit_note(100))
        for element in elements:
            assert office.order("PUT", endpoint, element, summarize=True).status == 200, (endpoint, element)


@settings(max_examples=examples(12))
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_the_books_agree_after_any_writes(steps: list[Any]) -> None:
    """Never an exception; what is refused changes nothing; money, credit, journals and stock agree at the end."""
    office = Office(invoice(1), invoice(2), invoice(3, type=InvoiceType.ACCPAY), credit_note(100))
    for (endpoint, verb), which, place, changes in steps:
        ids = [one.id for one in office.books.shelf(endpoint)]
        good = GOOD[endpoint][which % len(GOOD[endpoint])]
        by_id = verb in (Verb.UPDATE, Verb.DELETE)
        if by_id and not ids:
            continue
        before = {one: list(office.books.shelf(one).since()) for one in Endpoint}

        reply = office.order(
            verb.split()[0],
            endpoint,
            (changes or good) if by_id else good | changes,
            ids[place % len(ids)] if by_id else None,
            summarize=True,
        )

        assert reply.status in {200, 204, 400}
        if reply.status == 400:
            orjson.loads(reply.body)
            assert before == {one: list(office.books.shelf(one).since()) for one in Endpoint}
    check_invoices(office.books)
    check_credit(office.books)
    check_ledger(office.books)
    check_stock(office.books)
