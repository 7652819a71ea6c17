"""Money and journals of the simulated books agree whatever happens, over every kind of record."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.books.advance import Advance
from simulator.books.amounts import RATE_ONE, in_base
from simulator.books.bank_transaction import BankTransaction
from simulator.books.batch_payment import BatchPayment
from simulator.books.chart import PAYABLE, RECEIVABLE
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.item import Item
from simulator.books.journal import Journal
from simulator.books.organisation import Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord
from simulator.books.prepayment import Prepayment
from simulator.books.words import CreditStatus, DocumentStatus, Endpoint, RuleError, Standing
from simulator.edits.editor import edit
from simulator.edits.kinds import WEIGHTS, EditKind, Wish
from simulator.edits.others import OTHERS
from simulator.sample.organisations import draw_organisation, draw_profile
from tests.support.examples import examples

NOW = 1_795_000_000_000
COUNTS = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)
FOREVER = 10**6


def credits_of(books: Organisation) -> list[CreditNote | Prepayment | Overpayment]:
    """Everything that can be applied to an invoice."""
    return [*books.credit_notes, *books.of(Prepayment), *books.of(Overpayment)]


def check_invoices(books: Organisation) -> None:
    """What is due = total - payments - credit, and each of those is a record of its own that says the same."""
    records = books.of(PaymentRecord)
    paid: dict[str, int] = {}
    for payment in records:
        if payment.status is Standing.AUTHORISED:
            paid[payment.document_id] = paid.get(payment.document_id, 0) + payment.amount
    credited: dict[str, int] = {}
    for credit in credits_of(books):
        for allocation in credit.allocations:
            credited[allocation.invoice_id] = credited.get(allocation.invoice_id, 0) + allocation.amount
    for invoice in books.invoices:
        assert invoice.amount_paid == paid.get(invoice.id, 0)
        assert invoice.amount_credited == credited.get(invoice.id, 0)
        if invoice.status in COUNTS:
            assert invoice.amount_due == invoice.total - paid.get(invoice.id, 0) - credited.get(invoice.id, 0) >= 0
            if invoice.total:
                assert (invoice.amount_due == 0) is (invoice.status is DocumentStatus.PAID)


def check_credit(books: Organisation) -> None:
    """What remains is never below nothing, and nothing remains of what is used up."""
    refunded: dict[str, int] = {}
    for payment in books.of(PaymentRecord):
        if payment.status is Standing.AUTHORISED and payment.type.refunds:
            refunded[payment.document_id] = refunded.get(payment.document_id, 0) + payment.amount
    for credit in credits_of(books):
        assert 0 <= credit.remaining_credit <= credit.total
        assert sum(one.amount for one in credit.payments) == refunded.get(credit.id, 0)
        if credit.status in ("AUTHORISED", "PAID"):
            used = sum(one.amount for one in credit.allocations) + refunded.get(credit.id, 0)
            assert credit.remaining_credit == credit.total - used
        if isinstance(credit, Advance) and credit.status is not CreditStatus.VOIDED:
            assert (credit.remaining_credit == 0) is (credit.status is CreditStatus.PAID)
    for batch in books.of(BatchPayment):
        for payment_id in batch.payment_ids:
            assert books.must_have(PaymentRecord, payment_id).batch_id == batch.id
            assert books.must_have(PaymentRecord, payment_id).status is batch.status


def due_in_base(invoice: Invoice) -> int:
    """What is due in the own currency, at the rate that it was posted at."""
    rate = invoice.currency_rate
    settled = (*(one.amount for one in invoice.payments), *(one.amount for one in invoice.allocations))
    return in_base(invoice.total, rate) - sum(in_base(amount, rate) for amount in settled)


def check_ledger(books: Organisation) -> None:
    """Debits equal credits in every journal; the control accounts hold what is owed."""
    numbers = [journal.number for journal in books.ledger.after(0)]
    assert numbers == sorted(set(numbers))
    assert {journal.id for journal in books.ledger.after(0)} == set(books.of(Journal).ids)
    for journal in books.of(Journal):
        assert sum(line.net for line in journal.lines) == 0
    balances = books.ledger.balances(FOREVER)
    assert sum(balances.values()) == 0
    foreign = sum(one.currency_rate != RATE_ONE for one in books.invoices)
    for code, side, note_type in (
        (RECEIVABLE, InvoiceType.ACCREC, CreditNoteType.ACCRECCREDIT),
        (PAYABLE, InvoiceType.ACCPAY, CreditNoteType.ACCPAYCREDIT),
    ):
        receives = side is InvoiceType.ACCREC
        owed = sum(due_in_base(one) for one in books.invoices if one.type is side and one.status in COUNTS)
        owed -= sum(
            one.remaining_credit for one in books.credit_notes if one.type is note_type and one.status in COUNTS
        )
        owed -= sum(one.remaining_credit for one in books.of(Overpayment) if one.receives is receives)
        # Each line of a document is rounded; that is all that other currencies may leave.
        left = balances.get(books.account_ids[code], 0) - (owed if receives else -owed)
        assert abs(left) <= 3 * foreign


def check_stock(books: Organisation) -> None:
    """Sales took away and purchases brought what is no longer, or more than, in stock from the first day."""
    moved: dict[str | None, int] = {}
    brings = {"ACCPAY": 1, "ACCRECCREDIT": 1, "SPEND": 1, "ACCREC": -1, "ACCPAYCREDIT": -1, "RECEIVE": -1}
    for record in (*books.invoices, *books.credit_notes, *books.of(BankTransaction)):
        if record.status in ("AUTHORISED", "PAID"):
            for line in record.lines:
                moved[line.item_code] = moved.get(line.item_code, 0) + brings.get(record.type, 0) * line.quantity
    for item in books.of(Item):
        assert books.on_hand(item) - item.opening == moved.get(item.code, 0)


@settings(max_examples=examples(8))
@given(
    seed=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from([*WEIGHTS, *OTHERS]), min_size=10, max_size=60),
)
def test_money_agrees_after_any_edits(seed: int, kinds: list[tuple[Endpoint, EditKind]]) -> None:
    """Whatever is edited; what is refused changes nothing, journals included."""
    source = random.Random(seed)
    profile = draw_profile(source, 0)
    books = draw_organisation(source, profile, contacts=5, invoices=25, credit_notes=6)
    for step, (endpoint, kind) in enumerate(kinds):
        before = {one: list(books.shelf(one).since()) for one in Endpoint}
        try:
            done = edit(source, books, Wish(endpoint=endpoint, kind=kind), NOW + step)
        except RuleError:
            assert before == {one: list(books.shelf(one).since()) for one in Endpoint}
            continue
        kept = {(one.endpoint, one.record.id): one for one in (*done.changes, *books.take_followed())}
        for one in Endpoint:
            changed = {record.id: record for record in books.shelf(one)}
            for record_id in {record.id for record in before[one]} | set(changed):
                was = next((record for record in before[one] if record.id == record_id), None)
                if was != changed.get(record_id):
                    assert (one, record_id) in kept
    check_invoices(books)
    check_credit(books)
    check_ledger(books)
    check_stock(books)


@settings(max_examples=examples(6))
@given(seed=st.integers(0, 10_000))
def test_money_agrees_from_the_first_day(seed: int) -> None:
    """In every drawn organisation; in its own currency the control accounts agree to the cent."""
    source = random.Random(seed)
    books = draw_organisation(source, draw_profile(source, 0), contacts=5, invoices=30, credit_notes=6)

    check_invoices(books)
    check_credit(books)
    check_ledger(books)
    check_stock(books)
    assert all(len(books.shelf(one)) for one in Endpoint)
