"""Random valid edits."""

import random
import re
from typing import Any

import pytest

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.view import Form
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote
from simulator.books.invoice import Invoice
from simulator.books.organisation import Organisation
from simulator.books.words import ContactStatus, DocumentStatus, Endpoint, RuleError
from simulator.edits.editor import edit
from simulator.edits.kinds import WEIGHTS, Edit, EditKind, Wish
from simulator.webhooks.events import CATEGORY
from tests.support.examples import examples
from tests.unit.simulator.builders import (
    CUSTOMER,
    NOW,
    OTHER,
    contact,
    credit_note,
    guid,
    invoice,
    organisation,
    payment,
    sample,
)


def do(books: Organisation, now_ms: int = NOW, seed: int = 3, **wish: Any) -> Edit:
    """One edit."""
    return edit(random.Random(seed), books, Wish(**wish), now_ms)


@pytest.mark.parametrize(("endpoint", "kind"), sorted(WEIGHTS))
def test_every_kind_can_be_forced(endpoint: Endpoint, kind: EditKind) -> None:
    """On believable books; the answer names what was edited."""
    books = sample(credit_notes=20, contacts=40)
    if kind is EditKind.RESTORE:
        do(books, endpoint=endpoint, kind=EditKind.TOUCH_WITHOUT_STAMP)
    if kind is EditKind.ALLOCATE and endpoint in (Endpoint.INVOICES, Endpoint.CREDIT_NOTES):
        books = organisation(invoice(), credit_note())
    if kind in (EditKind.ALLOCATE, EditKind.WITHDRAW) and endpoint in (Endpoint.PREPAYMENTS, Endpoint.OVERPAYMENTS):
        for number in range(10):
            do(books, seed=number, endpoint=endpoint, kind=EditKind.CREATE)
    if kind is EditKind.WITHDRAW:
        do(books, endpoint=endpoint, kind=EditKind.ALLOCATE)

    done = do(books, NOW + 1, endpoint=endpoint, kind=kind)

    assert (done.endpoint, done.kind) == (endpoint, kind)
    assert done.what
    assert done.record_id in {change.record.id for change in done.changes}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (EditKind.SUBMIT, DocumentStatus.SUBMITTED),
        (EditKind.APPROVE, DocumentStatus.AUTHORISED),
        (EditKind.VOID, DocumentStatus.VOIDED),
        (EditKind.DELETE, DocumentStatus.DELETED),
    ],
)
@pytest.mark.parametrize("endpoint", [Endpoint.INVOICES, Endpoint.CREDIT_NOTES])
def test_moves_lead_where_they_say(kind: EditKind, status: DocumentStatus, endpoint: Endpoint) -> None:
    """For both kinds of document."""
    start = DocumentStatus.AUTHORISED if kind is EditKind.VOID else DocumentStatus.DRAFT
    books = organisation(invoice(status=start), credit_note(status=start))

    (change,) = do(books, endpoint=endpoint, kind=kind).changes

    assert isinstance(change.record, Invoice | CreditNote)
    assert change.record.status is status


def test_a_certain_record_can_be_edited() -> None:
    """By its id."""
    books = organisation(*(invoice(number) for number in range(1, 30)))

    assert do(books, kind=EditKind.PAY, record_id=guid(17)).record_id == guid(17)


def test_a_record_that_does_not_fit_is_refused_with_the_reason() -> None:
    """Not replaced by another one."""
    books = organisation(invoice(status=DocumentStatus.DRAFT))

    with pytest.raises(RuleError, match="nothing to pay"):
        do(books, kind=EditKind.PAY, record_id=guid(1))
    with pytest.raises(RuleError, match="is no such record"):
        do(books, kind=EditKind.PAY, record_id=guid(2))


def test_a_document_can_be_created_for_a_certain_contact() -> None:
    """Also for one that wasn't a customer yet, which changes it silently."""
    books = organisation(contacts=(contact(is_customer=False),))

    done = do(books, endpoint=Endpoint.INVOICES, kind=EditKind.CREATE, record_id=CUSTOMER)

    assert [change.silent for change in done.changes] == [True, False]
    assert done.record_id == done.changes[1].record.id


def test_a_kind_that_does_not_exist_there_is_refused() -> None:
    """Contacts aren't paid."""
    with pytest.raises(RuleError, match="doesn't exist for that endpoint"):
        do(sample(), endpoint=Endpoint.CONTACTS, kind=EditKind.PAY)


def test_empty_books_have_nothing_to_edit() -> None:
    """All reasons are told."""
    with pytest.raises(RuleError, match="nothing to edit"):
        do(organisation(), endpoint=Endpoint.INVOICES, kind=EditKind.PAY)


def test_by_default_nothing_happens_silently() -> None:
    """Every record that looks different afterwards moved its stamp (balances apart)."""
    books, source = sample(invoices=80), random.Random(11)
    encoder = Encoder(books)
    before = everything(books, encoder)
    for step in range(examples(100)):
        now_ms = NOW + step
        changes = edit(source, books, Wish(), now_ms).changes
        assert not any(change.silent for change in changes)
        after = everything(books, encoder)
        changed = {key for key in after if after[key] != before.get(key)}
        assert changed == {(one.endpoint, one.record.id) for one in changes if one.endpoint in CATEGORY}
        assert all(b"/Date(%d+0000)/" % now_ms in after[key] for key in changed)
        before = after


def everything(books: Organisation, encoder: Encoder) -> dict[tuple[Endpoint, str], bytes]:
    """All records that Xero announces as a client sees them, less balances, which move without a stamp."""
    found: dict[tuple[Endpoint, str], bytes] = {}
    for endpoint in CATEGORY:
        for record in books.shelf(endpoint):
            body = encoder.encode(record, Form.PAGE, four_decimals=True, now_ms=NOW)
            found[endpoint, record.id] = re.sub(rb'"Balances":{.*?}}', b"", body)
    return found


def test_the_same_seed_edits_the_same() -> None:
    """Determinism, edit by edit."""
    runs = []
    for _ in range(2):
        books, source = sample(), random.Random(4)
        runs.append([edit(source, books, Wish(), NOW + step).what for step in range(50)])

    assert runs[0] == runs[1]


def test_weights_decide_the_mix() -> None:
    """Only what has weight is drawn."""
    books, source = sample(), random.Random(4)

    kinds = {edit(source, books, Wish(weights={EditKind.CREATE: 1}), NOW + step).kind for step in range(30)}

    assert kinds == {EditKind.CREATE}


def test_touching_without_a_stamp_changes_content_only() -> None:
    """UpdatedDateUTC stays, and totals do."""
    books = organisation(invoice())

    (change,) = do(books, endpoint=Endpoint.INVOICES, kind=EditKind.TOUCH_WITHOUT_STAMP).changes

    assert isinstance(change.record, Invoice)
    assert change.record.updated_ms == invoice().updated_ms
    assert change.record != invoice()
    assert change.record.total == invoice().total


@pytest.mark.parametrize("endpoint", [Endpoint.INVOICES, Endpoint.CREDIT_NOTES, Endpoint.CONTACTS])
def test_restoring_brings_back_the_content_with_its_stamp(endpoint: Endpoint) -> None:
    """A → B → A to the byte; with ``stamp`` the way back is stamped."""
    records = {Endpoint.INVOICES: guid(1), Endpoint.CREDIT_NOTES: guid(100), Endpoint.CONTACTS: CUSTOMER}
    books = organisation(invoice(), credit_note())
    record_id = records[endpoint]
    first = books.shelf(endpoint).get(record_id)
    assert first is not None
    do(books, NOW, kind=EditKind.TOUCH_WITHOUT_STAMP, endpoint=endpoint, record_id=record_id)

    do(books, NOW + 1, kind=EditKind.RESTORE, endpoint=endpoint, record_id=record_id)

    again = books.shelf(endpoint).get(record_id)
    assert again == first
    (change,) = do(books, NOW + 2, kind=EditKind.RESTORE, endpoint=endpoint, record_id=record_id, stamp=True).changes
    assert change.record.updated_ms == NOW + 2


def test_restoring_never_takes_back_money() -> None:
    """An earlier content with another balance isn't restored."""
    books = organisation(invoice())
    books.pay(guid(1), payment(500), NOW)

    with pytest.raises(RuleError, match="no earlier content"):
        do(books, NOW + 1, kind=EditKind.RESTORE, endpoint=Endpoint.INVOICES, record_id=guid(1))


def test_a_merge_takes_a_certain_contact() -> None:
    """Whatever documents it has."""
    books = organisation(*(invoice(number) for number in range(1, 9)))

    done = do(books, kind=EditKind.MERGE, endpoint=Endpoint.CONTACTS, record_id=CUSTOMER)

    merged = next(change.record for change in done.changes if change.record.id == CUSTOMER)
    assert isinstance(merged, Contact)
    assert merged.merged_to == OTHER
    assert len(done.changes) == 10


def test_a_rename_changes_the_name_only() -> None:
    """The contact's own stamp moves, its documents' don't."""
    books = organisation(invoice())

    (change,) = do(books, kind=EditKind.RENAME, endpoint=Endpoint.CONTACTS, record_id=CUSTOMER).changes

    assert isinstance(change.record, Contact)
    assert change.record.name != "Ridgeway University"
    assert change.record.status is ContactStatus.ACTIVE
