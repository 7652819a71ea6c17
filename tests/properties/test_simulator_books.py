"""The simulated books stay consistent whatever happens to them."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.books.collection import Collection
from simulator.books.credit_note import CreditNote
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.organisation import Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.prepayment import Prepayment
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint, RuleError
from simulator.edits.editor import edit
from simulator.edits.kinds import EditKind, Wish
from simulator.sample.organisations import draw_organisation, draw_profile
from tests.support.examples import examples

NOW = 1_795_000_000_000
GONE = (DocumentStatus.VOIDED, DocumentStatus.DELETED)


def check_invoice(books: Organisation, invoice: Invoice) -> None:
    """One invoice agrees with itself and with what is applied to it."""
    assert invoice.total == invoice.sub_total + invoice.total_tax
    assert sum(line.tax_amount for line in invoice.lines) == invoice.total_tax
    if invoice.status in GONE:
        assert invoice.amount_due == 0
    else:
        assert 0 <= invoice.amount_due == invoice.total - invoice.amount_paid - invoice.amount_credited
    assert (invoice.status is DocumentStatus.PAID) == (invoice.fully_paid_on is not None)
    if invoice.status is DocumentStatus.PAID:
        assert invoice.amount_due == 0
    for allocation in invoice.allocations:
        credit = books.shelf(allocation.source).get(allocation.credit_note_id)
        assert isinstance(credit, CreditNote | Prepayment | Overpayment)
        assert allocation in credit.allocations


def check_note(books: Organisation, note: CreditNote) -> None:
    """One credit note agrees with itself and with its invoices."""
    assert note.total == note.sub_total + note.total_tax
    assert 0 <= note.remaining_credit <= note.total
    assert (note.status is DocumentStatus.PAID) == (note.fully_paid_on is not None)
    for allocation in note.allocations:
        invoice = books.invoices.get(allocation.invoice_id)
        assert invoice is not None
        assert allocation in invoice.allocations
        assert invoice.contact_id == note.contact_id


def check_on_account(books: Organisation, advance: Prepayment | Overpayment) -> None:
    """Money on account agrees with its invoices, which are the same contact's."""
    assert 0 <= advance.remaining_credit <= advance.total
    for allocation in advance.allocations:
        invoice = books.invoices.get(allocation.invoice_id)
        assert invoice is not None
        assert allocation in invoice.allocations
        assert invoice.contact_id == advance.contact_id


def check(books: Organisation) -> None:
    """All records, their order, and what is derived from them."""
    for endpoint in Endpoint:
        shelf = books.shelf(endpoint)
        ordered = [(record.updated_ms, record.id) for record in shelf.since()]
        assert ordered == sorted((record.updated_ms, record.id) for record in shelf)
    for invoice in books.invoices:
        check_invoice(books, invoice)
    for note in books.credit_notes:
        check_note(books, note)
    for advance in (*books.of(Prepayment), *books.of(Overpayment)):
        check_on_account(books, advance)
        owner = books.contacts.get(advance.contact_id)
        assert owner is not None
        assert owner.merged_to is None
    for contact in books.contacts:
        owned = {document.id for document in books.documents_of(contact.id)}
        assert owned == {
            document.id for document in (*books.invoices, *books.credit_notes) if document.contact_id == contact.id
        }
        open_sales = sum(
            invoice.amount_due
            for invoice in books.invoices
            if invoice.contact_id == contact.id
            and invoice.type is InvoiceType.ACCREC
            and invoice.status is DocumentStatus.AUTHORISED
        )
        assert books.balances(contact.id, NOW)[0].outstanding == open_sales
        if contact.merged_to is not None:
            assert contact.status is ContactStatus.ARCHIVED
            assert owned == set()


@settings(max_examples=examples(15))
@given(
    seed=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from([None, *EditKind]), min_size=5, max_size=40),
)
def test_books_agree_after_any_edits(seed: int, kinds: list[EditKind | None]) -> None:
    """Whatever is edited, in whatever order; what is refused changes nothing."""
    source = random.Random(seed)
    books = draw_organisation(source, draw_profile(source, 0), contacts=6, invoices=25, credit_notes=10)
    check(books)
    for step, kind in enumerate(kinds):
        before = {endpoint: list(books.shelf(endpoint).since()) for endpoint in Endpoint}
        try:
            done = edit(source, books, Wish(kind=kind), NOW + step)
        except RuleError:
            assert before == {endpoint: list(books.shelf(endpoint).since()) for endpoint in Endpoint}
            continue
        for change in done.changes:
            assert books.shelf(change.endpoint).get(change.record.id) == change.record
            stamped = kind not in (EditKind.TOUCH_WITHOUT_STAMP, EditKind.RESTORE) and not change.silent
            assert (change.record.updated_ms == NOW + step) is stamped
    check(books)


class Row:
    """A record of the model test."""

    def __init__(self, record_id: str, updated_ms: int) -> None:
        self.id = record_id
        self.updated_ms = updated_ms


@settings(max_examples=examples(40))
@given(
    writes=st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=11),
    since=st.integers(0, 12),
    at_ms=st.integers(0, 12),
)
def test_a_shelf_remembers_what_was(writes: list[tuple[str, bool]], since: int, at_ms: int) -> None:
    """As a model that keeps every state does."""
    shelf = Collection([Row("a", 0), Row("b", 0)])
    states = {0: {row.id: row for row in shelf}}
    now_ms = 0
    for record_id, stamped in writes:
        now_ms += 1
        before = shelf.get(record_id)
        row = Row(record_id, now_ms if stamped or before is None else before.updated_ms)
        shelf.put(row, now_ms)
        states[now_ms] = states[now_ms - 1] | {record_id: row}

    then = states[min(at_ms, now_ms)]

    assert {record_id: shelf.as_of(record_id, at_ms) for record_id in "abcd"} == {
        record_id: then.get(record_id) for record_id in "abcd"
    }
    expected = sorted(
        (row for row in then.values() if row.updated_ms >= since), key=lambda row: (row.updated_ms, row.id)
    )
    assert shelf.since_as_of(since, at_ms) == expected
