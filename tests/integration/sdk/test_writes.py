"""Xero's official SDK writes to the simulator: what it sends, what it is answered and what is in the books agree."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from xero_python.exceptions import AccountingBadRequestException

from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.writers.table import WRITES, Verb
from simulator.books.words import Endpoint
from tests.integration.sdk.compare import Compare
from tests.integration.sdk.rig import SINGLE, Sdk, id_of, model_id, models, records_of, snake

DAY = date(2026, 11, 20)
OWNED_BY_THE_ANSWER = {".StatusAttributeString"}
"""What only an answer to a write says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What is there to write about."""

    contact: Any
    due: Any
    bill: Any
    bank: Any

    def lines(self, price: float = 99.12, **more: Any) -> dict[str, Any]:
        """Contact, date and a line of any document."""
        line = models.LineItem(description="A day", quantity=2.0, unit_amount=price, account_code="200")
        return {"contact": self.contact, "date": DAY, "line_items": [line], **more}

    def payment(self, **more: Any) -> Any:
        """A part of what an invoice still owes."""
        return models.Payment(invoice=self.due, amount=1.25, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How the SDK's users write a kind of record.

    Attributes:
        new: what they create.
        change: what they change then; None: it never changes.
        always: what has to be in every request, changed or not.
        end: how it ends: a status to send, or ``DELETE``; None: it can't.
        ended: the status it has after; None: it is gone.
        status: which field that is.
    """

    new: Callable[[Books], Any]
    change: Mapping[str, Any] | None = field(default_factory=lambda: {"reference": "changed"})
    always: tuple[str, ...] = ()
    end: str | None = "DELETED"
    ended: str | None = "DELETED"
    status: str = "status"


def bank(number: str = "090") -> Any:
    """A bank account."""
    return models.Account(code=number)


def journal_lines() -> list[Any]:
    """Debit and credit."""
    return [
        models.ManualJournalLine(line_amount=7.5, account_code="400"),
        models.ManualJournalLine(line_amount=-7.5, account_code="200"),
    ]


def monthly() -> Any:
    """A schedule."""
    return models.Schedule(
        period=1, unit="MONTHLY", due_date=9, due_date_type="OFFOLLOWINGMONTH", start_date=date(2026, 12, 1)
    )


CASES: dict[Endpoint, Case] = {
    Endpoint.ACCOUNTS: Case(new=lambda _: models.Account(code="476", name="Paper", type=models.AccountType.EXPENSE), change={"description": "changed"}, end="DELETE"),
    Endpoint.BANK_TRANSACTIONS: Case(new=lambda b: models.BankTransaction(type="SPEND", bank_account=bank(), **b.lines(99.1225)), always=("type", "bank_account", "line_items")),
    Endpoint.BANK_TRANSFERS: Case(new=lambda _: models.BankTransfer(from_bank_account=bank(), to_bank_account=bank("091"), amount=5.5), change=None),
    Endpoint.BATCH_PAYMENTS: Case(new=lambda b: models.BatchPayment(account=b.bank, date=DAY, reference="B", payments=[b.payment()]), change=None),
    Endpoint.CONTACTS: Case(new=lambda _: models.Contact(name="Brand New Ltd", email_address="a@b.example"), change={"first_name": "Ann"}, end="ARCHIVED", ended="ARCHIVED", status="contact_status"),
    Endpoint.CONTACT_GROUPS: Case(new=lambda _: models.ContactGroup(name="Important"), change={"name": "Rather important"}),
    Endpoint.CREDIT_NOTES: Case(new=lambda b: models.CreditNote(type="ACCRECCREDIT", status="AUTHORISED", **b.lines(99.1225)), end="VOIDED", ended="VOIDED"),
    Endpoint.CURRENCIES: Case(new=lambda _: models.Currency(code=models.CurrencyCode.EUR), change=None, end=None),
    Endpoint.INVOICES: Case(new=lambda b: models.Invoice(type="ACCREC", status="AUTHORISED", due_date=date(2026, 12, 20), **b.lines(99.1225)), end="VOIDED", ended="VOIDED"),
    Endpoint.ITEMS: Case(new=lambda _: models.Item(code="abc", name="A thing", sales_details=models.Purchase(unit_price=1.2345)), change={"description": "changed"}, always=("code",), end="DELETE", ended=None),
    Endpoint.LINKED_TRANSACTIONS: Case(new=lambda b: models.LinkedTransaction(source_transaction_id=b.bill.invoice_id), change={}, always=("source_transaction_id",), end="DELETE", ended=None),
    Endpoint.MANUAL_JOURNALS: Case(new=lambda _: models.ManualJournal(narration="Prepaid", date=DAY, journal_lines=journal_lines()), change={"journal_lines": journal_lines()[::-1]}, always=("narration",)),
    Endpoint.PAYMENTS: Case(new=lambda b: b.payment(account=bank(), date=DAY, reference="P"), change=None),
    Endpoint.PAYMENT_SERVICES: Case(new=lambda _: models.PaymentService(payment_service_name="Pay", payment_service_url="https://x.example"), change=None, end=None),
    Endpoint.PURCHASE_ORDERS: Case(new=lambda b: models.PurchaseOrder(**b.lines(99.1225))),
    Endpoint.QUOTES: Case(new=lambda b: models.Quote(**b.lines(99.1225)), always=("contact", "date"), end=models.QuoteStatusCodes.DELETED),
    Endpoint.REPEATING_INVOICES: Case(new=lambda b: models.RepeatingInvoice(type="ACCREC", schedule=monthly(), **{name: value for name, value in b.lines().items() if name != "date"})),
    Endpoint.TAX_RATES: Case(new=lambda _: models.TaxRate(name="State", tax_components=[models.TaxComponent(name="a", rate=2.5)]), change={"report_tax_type": "INPUT"}, always=("name",)),
    Endpoint.TRACKING_CATEGORIES: Case(new=lambda _: models.TrackingCategory(name="Floor"), change={"name": "Storey"}, end="DELETE"),
}  # fmt: skip
"""One line for each kind of record that the simulator lets clients write."""


@pytest.fixture(scope="module")
def books(sdk: Sdk) -> Books:
    """A contact, an invoice that something is due on, a bill."""
    open_ones = [row for row in sdk.truth(Endpoint.INVOICES) if row["Status"] == "AUTHORISED" and row["AmountDue"] > 10]
    contact = next(row for row in sdk.truth(Endpoint.CONTACTS) if row["ContactStatus"] == "ACTIVE")
    bill = next(row for row in sdk.truth(Endpoint.INVOICES) if row["Type"] == "ACCPAY" and row["Status"] != "DELETED")
    return Books(
        contact=models.Contact(contact_id=contact["ContactID"]),
        due=models.Invoice(invoice_id=open_ones[0]["InvoiceID"]),
        bill=models.Invoice(invoice_id=bill["InvoiceID"]),
        bank=models.Account(
            account_id=next(row["AccountID"] for row in sdk.truth(Endpoint.ACCOUNTS) if row["Code"] == "090")
        ),
    )


def singular(endpoint: Endpoint) -> str:
    """``tax_rate`` of ``TaxRates``."""
    single = SINGLE.get(endpoint, "").removeprefix("get_").removesuffix("_by_tax_type")
    return single or {Endpoint.CURRENCIES: "currency", Endpoint.PAYMENT_SERVICES: "payment_service"}[endpoint]


def camel(name: str) -> str:
    """``PaymentDelete`` of ``payment_delete``."""
    return "".join(word.title() for word in name.split("_"))


def method_of(sdk: Sdk, *names: str) -> Any:
    """The first of the SDK's methods that exists."""
    return next(getattr(sdk.accounting, name) for name in names if hasattr(sdk.accounting, name))


def send(sdk: Sdk, endpoint: Endpoint, method: Any, record: Any, record_id: str | None = None) -> Any:
    """Call one of the SDK's writing methods: whatever it takes, wrapped as it wants it."""
    names = [name for name in inspect.signature(method).parameters if name[0] != "_"][1:]
    given: dict[str, Any] = {"unitdp": 4} if "unitdp" in names else {}
    ids = [record_id] if record_id and names[0].endswith(("_id", "_type")) else []
    body = names[len(ids)] if len(names) > len(ids) else ""
    if body == snake(endpoint):
        given[body] = getattr(models, endpoint)(**{body: [record]})
    elif "delete" in body:
        given[body] = getattr(models, camel(body))(status="DELETED")
    elif body and body != "idempotency_key":
        given[body] = record
    return method(sdk.tenant, *ids, **given)


def truth_of(sdk: Sdk, endpoint: Endpoint, record_id: str) -> dict[str, Any] | None:
    """The record as it is, or None."""
    return next((row for row in sdk.truth(endpoint) if id_of(row, endpoint) == record_id), None)


def agree(answer: Any, asked: Any, row: dict[str, Any] | None) -> None:
    """What was answered is what is there; what was asked for too."""
    told = {one for one in Compare().differences(answer, row) if one.partition(":")[0] not in OWNED_BY_THE_ANSWER}
    done = set(Compare(sparse=True).differences(asked, row))
    assert (told, done) == (set(), set())


@pytest.mark.parametrize("endpoint", list(CASES))
def test_records_are_created_changed_and_ended(sdk: Sdk, books: Books, endpoint: Endpoint) -> None:
    """By the SDK's own methods for it."""
    case, name, names = CASES[endpoint], singular(endpoint), snake(endpoint)
    asked = case.new(books)

    made = records_of(send(sdk, endpoint, method_of(sdk, f"create_{names}", f"create_{name}"), asked), endpoint)[0]

    record_id = model_id(made, endpoint)
    agree(made, asked, truth_of(sdk, endpoint, record_id))
    always = {id_name(asked, endpoint): record_id} | {one: getattr(asked, one) for one in case.always}
    if case.change is not None:
        change = type(asked)(**always, **case.change)
        update = method_of(sdk, f"update_or_create_{names}", f"update_{name}")
        agree(
            records_of(send(sdk, endpoint, update, change, record_id), endpoint)[0],
            change,
            truth_of(sdk, endpoint, record_id),
        )
    if case.end is None:
        return
    if case.end == "DELETE" or case.change is None:
        send(sdk, endpoint, method_of(sdk, f"delete_{name}_by_url_param", f"delete_{name}"), None, record_id)
    else:
        last = type(asked)(**always, **{case.status: case.end})
        send(sdk, endpoint, method_of(sdk, f"update_{name}"), last, record_id)
    row = truth_of(sdk, endpoint, record_id)
    assert (row and row[asked.attribute_map.get(case.status, "Status")]) == case.ended


def id_name(model: Any, endpoint: Endpoint) -> str:
    """The SDK's name of a record's id."""
    (name,) = (name for name, key in model.attribute_map.items() if key == FACTS[endpoint].id_field)
    return str(name)


def test_every_writer_has_a_case() -> None:
    """The simulator's own table is the list of what there is; every way to delete is gone."""
    assert CASES.keys() == WRITES.keys()
    assert {one for one, case in CASES.items() if case.end == "DELETE"} == {
        one for one, writes in WRITES.items() if Verb.DELETE in writes.verbs
    }
    updates = {Verb.UPDATE, Verb.POST}
    for endpoint, case in CASES.items():
        assert (case.change is None and case.end is None) == (not WRITES[endpoint].verbs & updates), endpoint


def test_a_refusal_is_the_sdks_error(sdk: Sdk, books: Books) -> None:
    """Summarised: an exception that finds Xero's message. By row: both rows, the bad one with its errors."""
    good = models.Invoice(type="ACCREC", **books.lines())
    bad = models.Invoice(type="ACCREC", contact=books.contact, line_items=[models.LineItem(description="x", account_code="999", quantity=1.0, unit_amount=1.0)])  # fmt: skip
    both = models.Invoices(invoices=[good, bad])

    with pytest.raises(AccountingBadRequestException) as caught:
        sdk.accounting.create_invoices(sdk.tenant, models.Invoices(invoices=[bad]))
    rows = sdk.accounting.create_invoices(sdk.tenant, both, summarize_errors=False).invoices

    assert caught.value.reason == "Account code '999' is not a valid code for this document."
    assert [row.status_attribute_string for row in rows] == ["OK", "ERROR"]
    assert rows[1].validation_errors[0].message == caught.value.reason


def test_a_key_makes_a_request_safe_to_repeat(sdk: Sdk, books: Books) -> None:
    """``Idempotency-Key`` as the SDK sends it: the same answer, one record."""
    asked = models.Invoices(invoices=[models.Invoice(type="ACCREC", **books.lines())])
    before = len(sdk.truth(Endpoint.INVOICES))

    first, again = (sdk.accounting.create_invoices(sdk.tenant, asked, idempotency_key="k").invoices[0] for _ in "ab")

    assert first == again
    assert len(sdk.truth(Endpoint.INVOICES)) == before + 1


def test_credit_is_given_back(sdk: Sdk, books: Books) -> None:
    """Payments of a credit note and of money on account: what remains of them, and again once they are deleted."""
    api, tenant = sdk.accounting, sdk.tenant
    note = models.CreditNote(type="ACCRECCREDIT", status="AUTHORISED", **books.lines())
    note = api.create_credit_notes(tenant, models.CreditNotes(credit_notes=[note])).credit_notes[0]
    taken = models.BankTransaction(type="SPEND-PREPAYMENT", bank_account=bank(), **books.lines())
    taken = api.create_bank_transactions(tenant, models.BankTransactions(bank_transactions=[taken]))
    held = taken.bank_transactions[0].prepayment_id

    for endpoint, record_id, given in (
        (Endpoint.CREDIT_NOTES, note.credit_note_id, {"credit_note": models.CreditNote(credit_note_id=note.credit_note_id)}),
        (Endpoint.PREPAYMENTS, held, {"prepayment": models.Prepayment(prepayment_id=held)}),
    ):  # fmt: skip
        before = truth_of(sdk, endpoint, record_id) or {}
        payment = models.Payment(account=bank(), amount=1.25, date=DAY, **given)
        made = api.create_payment(tenant, payment).payments[0]
        after = truth_of(sdk, endpoint, record_id) or {}
        agree(made, models.Payment(amount=1.25, date=DAY), truth_of(sdk, Endpoint.PAYMENTS, made.payment_id))
        api.delete_payment(tenant, made.payment_id, models.PaymentDelete(status="DELETED"))
        back = truth_of(sdk, endpoint, record_id) or {}

        assert (after["RemainingCredit"], after["Payments"][0]["PaymentID"]) == (
            before["RemainingCredit"] - Decimal("1.25"),
            made.payment_id,
        )
        assert (back["RemainingCredit"], back["Payments"]) == (before["RemainingCredit"], [])


def test_credit_files_notes_and_mail(sdk: Sdk, books: Books) -> None:
    """What hangs on a record: an allocation made and taken back, an attachment, a note, an email."""
    api, tenant = sdk.accounting, sdk.tenant
    contact = models.Contact(name="Parts Ltd", email_address="parts@b.example")
    contact = api.create_contacts(tenant, models.Contacts(contacts=[contact])).contacts[0]
    lines = books.lines() | {"contact": models.Contact(contact_id=contact.contact_id)}
    invoice = models.Invoice(type="ACCREC", status="AUTHORISED", due_date=DAY, **lines)
    invoice_id = api.create_invoices(tenant, models.Invoices(invoices=[invoice])).invoices[0].invoice_id
    note = models.CreditNote(type="ACCRECCREDIT", status="AUTHORISED", **lines)
    note_id = api.create_credit_notes(tenant, models.CreditNotes(credit_notes=[note])).credit_notes[0].credit_note_id
    part = models.Allocation(invoice=models.Invoice(invoice_id=invoice_id), amount=5.25, date=DAY)

    (given,) = api.create_credit_note_allocation(tenant, note_id, models.Allocations(allocations=[part])).allocations
    row = truth_of(sdk, Endpoint.INVOICES, invoice_id) or {}
    api.delete_credit_note_allocations(tenant, note_id, given.allocation_id)
    back = truth_of(sdk, Endpoint.INVOICES, invoice_id) or {}
    record = models.HistoryRecords(history_records=[models.HistoryRecord(details="called")])
    api.create_invoice_history(tenant, invoice_id, record)
    api.create_invoice_attachment_by_file_name(tenant, invoice_id, "a.txt", b"some bytes")
    api.email_invoice(tenant, invoice_id, models.RequestEmpty())

    assert (row["AmountCredited"], back["AmountCredited"]) == (Decimal("5.25"), 0)
    assert [one.details for one in api.get_invoice_history(tenant, invoice_id).history_records] == ["called"]
    assert [one.file_name for one in api.get_invoice_attachments(tenant, invoice_id).attachments] == ["a.txt"]
    assert (truth_of(sdk, Endpoint.INVOICES, invoice_id) or {})["SentToContact"] is True
