"""Rules of invoices, credit notes and contacts."""

import pytest

from simulator.books import contact as contacts
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.amounts import half_up, line_total, tax_on
from simulator.books.document import add_up
from simulator.books.words import MOVES, ContactStatus, DocumentStatus, LineAmountTypes, RuleError
from tests.unit.simulator.builders import OTHER, allocation, contact, credit_note, invoice, line, payment


@pytest.mark.parametrize(
    ("numerator", "denominator", "result"), [(5, 2, 3), (-5, 2, -3), (4, 2, 2), (1, 3, 0), (2, 3, 1), (0, 7, 0)]
)
def test_rounding_is_half_away_from_zero(numerator: int, denominator: int, result: int) -> None:
    """Cents are rounded as Xero rounds them."""
    assert half_up(numerator, denominator) == result


def test_a_line_is_quantity_times_price_less_discount() -> None:
    """2.5 times 99.99 less 10 % is 224.98."""
    assert line_total(25_000, 999_900, 1_000) == 22_498


def test_tax_is_added_or_contained() -> None:
    """15 % on 100.00 is 15.00; in 115.00 it is 15.00 too."""
    assert tax_on(10_000, 150_000, inclusive=False) == 1_500
    assert tax_on(11_500, 150_000, inclusive=True) == 1_500


@pytest.mark.parametrize(
    ("types", "sub_total", "tax", "total"),
    [
        (LineAmountTypes.EXCLUSIVE, 20_000, 3_000, 23_000),
        (LineAmountTypes.INCLUSIVE, 17_392, 2_608, 20_000),
        (LineAmountTypes.NO_TAX, 20_000, 0, 20_000),
    ],
)
def test_totals_follow_the_kind_of_line_amounts(types: LineAmountTypes, sub_total: int, tax: int, total: int) -> None:
    """Subtotal plus tax is the total, whichever way lines are written."""
    totals = add_up([line(1, types=types), line(2, types=types)], types)

    assert (totals.sub_total, totals.total_tax, totals.total) == (sub_total, tax, total)


def test_discounts_are_summed() -> None:
    """TotalDiscount is what the lines would have cost more."""
    totals = add_up([line(1, discount_rate=1_000)], LineAmountTypes.EXCLUSIVE)

    assert totals.total_discount == 1_000


@pytest.mark.parametrize("current", list(DocumentStatus))
@pytest.mark.parametrize("to", list(DocumentStatus))
def test_documents_move_only_as_xero_lets_them(current: DocumentStatus, to: DocumentStatus) -> None:
    """Each pair of statuses is either a move or refused, for invoices and credit notes alike."""
    document, note = invoice(status=current), credit_note(status=current)

    if to in MOVES[current]:
        assert invoices.move(document, to).status is to
        assert credit_notes.move(note, to).status is to
    else:
        with pytest.raises(RuleError, match="can't become"):
            invoices.move(document, to)
        with pytest.raises(RuleError, match="can't become"):
            credit_notes.move(note, to)


def test_a_part_payment_lowers_what_is_due() -> None:
    """The invoice stays approved."""
    after = invoices.pay(invoice(), payment(1_500))

    assert (after.status, after.amount_paid, after.amount_due) == (DocumentStatus.AUTHORISED, 1_500, 10_000)
    assert after.fully_paid_on is None


def test_the_last_payment_turns_it_paid() -> None:
    """PAID comes from the books, with the day."""
    after = invoices.pay(invoices.pay(invoice(), payment(1_500)), payment(10_000))

    assert (after.status, after.amount_due) == (DocumentStatus.PAID, 0)
    assert after.fully_paid_on == payment(1).date


@pytest.mark.parametrize("cents", [0, -1, 11_501])
def test_a_payment_must_fit_what_is_due(cents: int) -> None:
    """Neither nothing nor more than is due."""
    with pytest.raises(RuleError, match="at most what is due"):
        invoices.pay(invoice(), payment(cents))


def test_only_approved_invoices_take_money() -> None:
    """A draft can't be paid."""
    with pytest.raises(RuleError, match="DRAFT takes no payment"):
        invoices.pay(invoice(status=DocumentStatus.DRAFT), payment(100))


def test_an_invoice_with_money_on_it_can_neither_be_voided_nor_rewritten() -> None:
    """Payments first have to go."""
    paid = invoices.pay(invoice(), payment(100))

    with pytest.raises(RuleError, match="can't be voided"):
        invoices.move(paid, DocumentStatus.VOIDED)
    with pytest.raises(RuleError, match="without payments"):
        invoices.with_lines(paid, [line()])


def test_voided_and_deleted_invoices_owe_nothing() -> None:
    """AmountDue is zero, the total stands."""
    voided = invoices.move(invoice(), DocumentStatus.VOIDED)
    deleted = invoices.move(invoice(status=DocumentStatus.DRAFT), DocumentStatus.DELETED)

    assert (voided.amount_due, voided.total, deleted.amount_due) == (0, 11_500, 0)


def test_new_lines_bring_new_totals() -> None:
    """Totals follow the lines."""
    after = invoices.with_lines(invoice(), [line(1), line(2, discount_rate=1_000)])

    assert (after.sub_total, after.total_tax, after.total) == (19_000, 2_850, 21_850)
    assert after.total_discount == 1_000


def test_an_allocation_moves_credit_on_both_sides() -> None:
    """Used up and paid off, both become PAID."""
    note = credit_notes.allocate(credit_note(), allocation(11_500))
    settled = invoices.apply_credit(invoice(), allocation(11_500))

    assert (note.status, note.remaining_credit) == (DocumentStatus.PAID, 0)
    assert (settled.status, settled.amount_credited, settled.amount_due) == (DocumentStatus.PAID, 11_500, 0)


def test_a_part_of_the_credit_may_remain() -> None:
    """What isn't applied stays on the credit note."""
    note = credit_notes.allocate(credit_note(), allocation(500))

    assert (note.status, note.remaining_credit) == (DocumentStatus.AUTHORISED, 11_000)


def test_credit_must_fit_and_be_approved() -> None:
    """No more than remains, and not from a draft."""
    with pytest.raises(RuleError, match="at most what remains"):
        credit_notes.allocate(credit_note(), allocation(11_501))
    with pytest.raises(RuleError, match="DRAFT can't be applied"):
        credit_notes.allocate(credit_note(status=DocumentStatus.DRAFT), allocation(1))


def test_an_applied_credit_note_can_neither_be_voided_nor_rewritten() -> None:
    """It is in use."""
    used = credit_notes.allocate(credit_note(), allocation(500))

    with pytest.raises(RuleError, match="can't be voided"):
        credit_notes.move(used, DocumentStatus.VOIDED)
    with pytest.raises(RuleError, match="isn't applied"):
        credit_notes.with_lines(used, [line()])


def test_a_free_credit_note_can_be_rewritten_and_voided() -> None:
    """A voided one has no credit left."""
    note = credit_notes.with_lines(credit_note(), [line(1), line(2)])

    assert note.remaining_credit == 23_000
    assert credit_notes.move(note, DocumentStatus.VOIDED).remaining_credit == 0


def test_contacts_are_archived_and_come_back() -> None:
    """Archived once, active again; not twice."""
    archived = contacts.archive(contact())

    assert archived.status is ContactStatus.ARCHIVED
    assert contacts.unarchive(archived).status is ContactStatus.ACTIVE
    with pytest.raises(RuleError, match="ARCHIVED, not ACTIVE"):
        contacts.archive(archived)


def test_a_merged_contact_points_at_the_other_and_stays_gone() -> None:
    """It is archived for good."""
    merged = contacts.merge_into(contact(), contact(OTHER))

    assert (merged.status, merged.merged_to) == (ContactStatus.ARCHIVED, OTHER)
    with pytest.raises(RuleError, match="was merged"):
        contacts.unarchive(merged)


def test_a_contact_is_not_merged_into_itself_or_into_an_archived_one() -> None:
    """Both must be active, and two."""
    with pytest.raises(RuleError, match="into itself"):
        contacts.merge_into(contact(), contact())
    with pytest.raises(RuleError, match="not ACTIVE"):
        contacts.merge_into(contact(), contacts.archive(contact(OTHER)))


def test_erasure_takes_the_person_and_leaves_the_name() -> None:
    """GDPRREQUEST: no email, phone, address; asked once."""
    erased = contacts.erase(contact(email="a@b.example", first_name="Aroha", tax_number="1"))

    assert erased.status is ContactStatus.GDPRREQUEST
    assert (erased.email, erased.first_name, erased.tax_number, erased.name) == ("", "", "", "Ridgeway University")
    with pytest.raises(RuleError, match="before"):
        contacts.erase(erased)
