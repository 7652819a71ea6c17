"""Journals that follow from records, and what money does to several of them."""

from dataclasses import replace
from itertools import pairwise

import pytest

from simulator.books import invoice as invoices
from simulator.books import money
from simulator.books.account import Account
from simulator.books.amounts import RATE_ONE
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.chart import BANK, PAYABLE, REALISED, RECEIVABLE, SAVINGS, TAX
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.journal import Journal
from simulator.books.manual_journal import ManualJournal, ManualLine, ManualStatus
from simulator.books.organisation import Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord
from simulator.books.prepayment import Prepayment
from simulator.books.words import CreditStatus, DocumentStatus, Endpoint, LineAmountTypes, RuleError, Standing
from tests.unit.simulator.builders import (
    CUSTOMER,
    DAY,
    NOW,
    allocation,
    credit_note,
    guid,
    invoice,
    line,
    organisation,
    payment,
)

LATER = 10**6


def nets(books: Organisation, journal: Journal) -> dict[str, int]:
    """Account code → what the journal put there, for the accounts of the books themselves."""
    codes = {account_id: code for code, account_id in books.account_ids.items()}
    found: dict[str, int] = {}
    for one in journal.lines:
        found[codes[one.account_id]] = found.get(codes[one.account_id], 0) + one.net
    return found


def journals(books: Organisation, source_id: str) -> list[Journal]:
    """The journals of a record, oldest first."""
    return [journal for journal in books.ledger.after(0) if journal.source_id == source_id]


def on_account(kind: type[Overpayment] | type[Prepayment], cents: int = 5_000) -> Overpayment | Prepayment:
    """Money of the customer without an invoice."""
    return kind(
        id=guid(60),
        receives=True,
        status=CreditStatus.AUTHORISED,
        contact_id=CUSTOMER,
        account_id=organisation().account_ids[BANK],
        date=DAY,
        line_amount_types=LineAmountTypes.NO_TAX,
        lines=money.one_line(guid(61), "Too much", cents, "825", organisation().account_ids["825"]),
        currency="NZD",
        updated_ms=NOW,
        total=cents,
        sub_total=cents,
    )


def refund(credit: money.Credit, cents: int, number: int = 710) -> PaymentRecord:
    """Credit given back today."""
    return PaymentRecord(
        id=guid(number),
        type=money.type_of(credit),
        status=Standing.AUTHORISED,
        document_id=credit.id,
        account_id=organisation().account_ids[BANK],
        date=DAY,
        amount=cents,
        updated_ms=NOW,
    )


def test_a_sale_debits_receivables_and_credits_sales_and_tax() -> None:
    """115.00 with 15 % tax."""
    books = organisation(invoice())
    (journal,) = journals(books, guid(1))

    assert nets(books, journal) == {RECEIVABLE: 11_500, "200": -10_000, TAX: -1_500}
    assert (journal.source_type, journal.date, journal.updated_ms) == ("ACCREC", DAY - 30, NOW - 999)


def test_a_bill_and_a_credit_note_post_the_other_way_round() -> None:
    """Payables instead of receivables; credit takes both back."""
    books = organisation(invoice(type=InvoiceType.ACCPAY), credit_note())

    assert nets(books, *journals(books, guid(1))) == {PAYABLE: -11_500, "200": 10_000, TAX: 1_500}
    assert nets(books, *journals(books, guid(100))) == {RECEIVABLE: -11_500, "200": 10_000, TAX: 1_500}


def test_foreign_amounts_are_posted_in_the_own_currency() -> None:
    """At the document's rate; the control account takes what rounding leaves."""
    books = organisation(invoice(currency="AUD", currency_rate=RATE_ONE * 3 // 4))

    assert nets(books, *journals(books, guid(1))) == {RECEIVABLE: 15_333, "200": -13_333, TAX: -2_000}


def test_inclusive_amounts_are_posted_without_their_tax() -> None:
    """100.00 of which 13.04 is tax."""
    types = LineAmountTypes.INCLUSIVE
    books = organisation(invoice(line_amount_types=types, lines=(line(types=types),)))

    assert nets(books, *journals(books, guid(1))) == {RECEIVABLE: 10_000, "200": -8_696, TAX: -1_304}


@pytest.mark.parametrize("status", [DocumentStatus.DRAFT, DocumentStatus.SUBMITTED, DocumentStatus.DELETED])
def test_what_isnt_approved_posts_nothing(status: DocumentStatus) -> None:
    """Drafts have no journals."""
    assert journals(organisation(invoice(status=status)), guid(1)) == []


def test_changed_lines_are_posted_as_a_reversal_and_anew() -> None:
    """Journals are permanent: two more, and together they say what is."""
    books = organisation(invoice())
    record = books.invoices.get(guid(1))
    assert record is not None

    books.write(invoices.with_lines(record, [line(quantity=20_000)]), NOW)

    first, reversal, again = journals(books, guid(1))
    assert nets(books, first) == {RECEIVABLE: 11_500, "200": -10_000, TAX: -1_500}
    assert nets(books, reversal) == {RECEIVABLE: -11_500, "200": 10_000, TAX: 1_500}
    assert nets(books, again) == {RECEIVABLE: 23_000, "200": -20_000, TAX: -3_000}
    assert first.updated_ms < reversal.updated_ms == again.updated_ms == NOW
    assert [one.record for one in books.take_followed()] == [reversal, again]


def test_a_void_writes_only_the_reversal() -> None:
    """And nothing is owed any more."""
    books = organisation(invoice())

    books.move(Endpoint.INVOICES, guid(1), DocumentStatus.VOIDED, NOW)

    assert len(journals(books, guid(1))) == 2
    assert books.ledger.balances(LATER)[books.account_ids[RECEIVABLE]] == 0


def test_what_isnt_posted_changes_without_journals() -> None:
    """A due date or a reference is none of the ledger's business."""
    books = organisation(invoice())
    record = books.invoices.get(guid(1))
    assert record is not None

    books.write(replace(record, due_date=DAY + 5, reference="PO 9"), NOW)

    assert len(journals(books, guid(1))) == 1


def test_numbers_grow_with_gaps() -> None:
    """One in sixteen or so is followed by a gap."""
    books = organisation(*(invoice(number) for number in range(1, 80)))
    numbers = [journal.number for journal in books.ledger.after(0)]
    steps = {after - before for before, after in pairwise(numbers)}

    assert numbers[0] >= 1
    assert steps == {1, 8}
    assert [one.number for one in books.ledger.after(numbers[40])] == numbers[41:]
    assert books.ledger.by_number(numbers[7]) is books.ledger.after(numbers[6])[0]
    assert books.ledger.by_number(numbers[-1] + 1) is None


def test_a_payment_is_a_record_and_a_journal() -> None:
    """Xero announces the payment and not the journal."""
    books = organisation(invoice())

    changes = books.pay(guid(1), payment(5_000), NOW)

    followed = books.take_followed()
    record = books.of(PaymentRecord).get(guid(700))
    assert record is not None
    assert (record.amount, record.document_id, record.status, record.updated_ms) == (5_000, guid(1), "AUTHORISED", NOW)
    assert [(one.endpoint, one.silent) for one in changes] == [(Endpoint.PAYMENTS, False), (Endpoint.INVOICES, False)]
    assert {one.endpoint for one in followed} == {Endpoint.JOURNALS}
    assert all(one.silent for one in followed)
    assert nets(books, *journals(books, guid(700))) == {BANK: 5_000, RECEIVABLE: -5_000}


def test_a_deleted_payment_is_due_again() -> None:
    """The invoice is no longer PAID; the record stays, DELETED."""
    books = organisation(invoice())
    books.pay(guid(1), payment(11_500), NOW)

    changes = money.delete_payment(books, guid(700), NOW + 1)

    paid = books.invoices.get(guid(1))
    assert paid is not None
    assert (paid.status, paid.amount_due, paid.fully_paid_on) == (DocumentStatus.AUTHORISED, 11_500, None)
    assert {one.endpoint for one in changes} == {Endpoint.PAYMENTS, Endpoint.INVOICES}
    assert books.must_have(PaymentRecord, guid(700)).status is Standing.DELETED
    assert books.ledger.balances(LATER)[books.account_ids[BANK]] == 0
    with pytest.raises(RuleError, match="deleted before"):
        money.delete_payment(books, guid(700), NOW + 2)


def test_a_batch_takes_its_payments_with_it() -> None:
    """Deleting one of them is refused; deleting the batch makes all of them due again."""
    books = organisation(invoice(1), invoice(2))
    for number in (1, 2):
        books.pay(guid(number), payment(11_500, 700 + number), NOW)
    batch = BatchPayment(
        id=guid(50),
        receives=True,
        status=Standing.AUTHORISED,
        account_id=books.account_ids[BANK],
        date=DAY,
        payment_ids=(guid(701), guid(702)),
        total=0,
        updated_ms=NOW,
    )
    money.batch(books, batch, NOW + 1)
    with pytest.raises(RuleError, match="with its batch"):
        money.delete_payment(books, guid(701), NOW + 2)

    money.delete_batch(books, guid(50), NOW + 3)

    assert [one.amount_due for one in books.invoices] == [11_500, 11_500]
    assert books.must_have(BatchPayment, guid(50)).total == 23_000
    assert {one.status for one in books.of(PaymentRecord)} == {Standing.DELETED}


@pytest.mark.parametrize("kind", [Overpayment, Prepayment])
def test_money_on_account_moves_to_an_invoice_and_back(kind: type[Overpayment] | type[Prepayment]) -> None:
    """Remaining credit and what is due move by the same amount, and the ledger with them."""
    books = organisation(invoice())
    money.take(books, on_account(kind), NOW)
    advance = books.must_have(kind, guid(60))
    bill = books.must_have(Invoice, guid(1))
    allocation = money.allocation_of(advance, bill, guid(62), DAY)

    money.allocate(books, advance, allocation, NOW + 1)
    applied, credited = books.must_have(kind, guid(60)), books.must_have(Invoice, guid(1))

    assert (applied.remaining_credit, applied.status) == (0, CreditStatus.PAID)
    assert (credited.amount_credited, credited.amount_due) == (5_000, 6_500)
    assert books.ledger.balances(LATER)[books.account_ids[RECEIVABLE]] == 6_500
    with pytest.raises(RuleError, match="allocated"):
        money.void(books, applied, NOW + 2)

    money.withdraw(books, applied, guid(62), NOW + 3)
    money.void(books, books.must_have(kind, guid(60)), NOW + 4)

    assert books.must_have(Invoice, guid(1)).amount_due == 11_500
    assert books.ledger.balances(LATER)[books.account_ids[BANK]] == 0


def test_a_transfer_moves_money_once_and_can_be_taken_back() -> None:
    """Two bank transactions stand for it, one journal posts it; taking it back moves no date."""
    books = organisation(invoice())
    transfer = BankTransfer(
        id=guid(70),
        status=Standing.AUTHORISED,
        from_account_id=books.account_ids[BANK],
        to_account_id=books.account_ids[SAVINGS],
        from_transaction_id=guid(71),
        to_transaction_id=guid(72),
        amount=900,
        date=DAY,
        updated_ms=NOW,
    )
    money.transfer(books, transfer, NOW)
    assert nets(books, *journals(books, guid(70))) == {SAVINGS: 900, BANK: -900}

    money.delete_transfer(books, guid(70), NOW + 5)

    assert books.must_have(BankTransfer, guid(70)).updated_ms == NOW
    assert {one.status for one in books.shelf(Endpoint.BANK_TRANSACTIONS)} == {Standing.DELETED}
    assert books.ledger.balances(LATER)[books.account_ids[SAVINGS]] == 0


def test_nothing_is_written_in_a_locked_period() -> None:
    """Documents, payments and manual journals dated up to the lock date are refused, and change nothing."""
    books = organisation(invoice())
    books.write(replace(books.company(), period_lock=DAY), NOW)
    ids = books.account_ids
    manual = ManualJournal(
        id=guid(80),
        narration="Accrual",
        status=ManualStatus.POSTED,
        date=DAY,
        lines=tuple(ManualLine(account_code=code, account_id=ids[code], amount=sum_) for code, sum_ in (("200", 5),)),
        updated_ms=NOW,
    )
    before = len(books.ledger.after(0))

    with pytest.raises(RuleError, match="lock date"):
        books.pay(guid(1), payment(100), NOW + 1)
    with pytest.raises(RuleError, match="lock date"):
        books.write(manual, NOW + 1)
    with pytest.raises(RuleError, match="lock date"):
        books.move(Endpoint.INVOICES, guid(1), DocumentStatus.VOIDED, NOW + 1)

    assert len(books.ledger.after(0)) == before
    books.write(replace(manual, date=DAY + 1, lines=()), NOW + 2)


@pytest.mark.parametrize("sales", [True, False])
def test_a_credit_note_is_given_back_and_the_refund_taken_back(sales: bool) -> None:
    """A customer's costs money, a supplier's brings it; the last of it turns the credit note PAID."""
    kind = CreditNoteType.ACCRECCREDIT if sales else CreditNoteType.ACCPAYCREDIT
    books = organisation(credit_note(type=kind))
    control, sign = (RECEIVABLE, 1) if sales else (PAYABLE, -1)

    money.pay(books, refund(books.must_have(CreditNote, guid(100)), 4_000), NOW)
    part = books.must_have(CreditNote, guid(100))
    with pytest.raises(RuleError, match="applied or refunded"):
        books.move(Endpoint.CREDIT_NOTES, guid(100), DocumentStatus.VOIDED, NOW + 1)
    with pytest.raises(RuleError, match=r"at most what remains \(75.00\)"):
        money.pay(books, refund(part, 7_501), NOW + 1)
    changes = money.pay(books, refund(part, 7_500, 711), NOW + 1)
    spent = books.must_have(CreditNote, guid(100))
    owed = books.ledger.balances(LATER)[books.account_ids[control]]
    money.delete_payment(books, guid(711), NOW + 2)
    back = books.must_have(CreditNote, guid(100))

    assert (part.status, part.remaining_credit) == (DocumentStatus.AUTHORISED, 7_500)
    assert (spent.status, spent.remaining_credit, spent.fully_paid_on, owed) == (DocumentStatus.PAID, 0, DAY, 0)
    assert (back.status, back.remaining_credit, back.fully_paid_on) == (DocumentStatus.AUTHORISED, 7_500, None)
    assert [one.endpoint for one in changes] == [Endpoint.PAYMENTS, Endpoint.CREDIT_NOTES]
    (first,) = journals(books, guid(710))
    assert nets(books, first) == {BANK: -4_000 * sign, control: 4_000 * sign}
    assert first.source_type == ("ARCREDITPAYMENT" if sales else "APCREDITPAYMENT")
    assert books.ledger.balances(LATER)[books.account_ids[BANK]] == -4_000 * sign


@pytest.mark.parametrize(("kind", "held"), [(Overpayment, RECEIVABLE), (Prepayment, "825")])
def test_money_on_account_is_given_back(kind: type[Overpayment] | type[Prepayment], held: str) -> None:
    """From where it was held; what was given back can't be voided, and remains again once that is deleted."""
    books = organisation()
    money.take(books, on_account(kind), NOW)

    money.pay(books, refund(books.must_have(kind, guid(60)), 5_000), NOW + 1)
    spent = books.must_have(kind, guid(60))
    balances = books.ledger.balances(LATER)
    with pytest.raises(RuleError, match="given back"):
        money.void(books, spent, NOW + 2)
    money.delete_payment(books, guid(710), NOW + 2)
    back = books.must_have(kind, guid(60))

    assert (spent.status, spent.remaining_credit) == (CreditStatus.PAID, 0)
    assert (balances[books.account_ids[BANK]], balances[books.account_ids[held]]) == (0, 0)
    assert journals(books, guid(710))[0].source_type == f"AR{kind.__name__.upper()}"
    assert (back.status, back.remaining_credit) == (CreditStatus.AUTHORISED, 5_000)
    assert books.ledger.balances(LATER)[books.account_ids[BANK]] == 5_000


def test_refunds_are_in_no_batch() -> None:
    """Batches pay invoices, or bills."""
    books = organisation(credit_note())
    money.pay(books, refund(books.must_have(CreditNote, guid(100)), 100), NOW)
    batch = BatchPayment(
        id=guid(50),
        receives=True,
        status=Standing.AUTHORISED,
        account_id=books.account_ids[BANK],
        date=DAY,
        payment_ids=(guid(710),),
        total=0,
        updated_ms=NOW,
    )

    with pytest.raises(RuleError, match="for invoices"):
        money.batch(books, batch, NOW + 1)


THREE_QUARTERS, FOUR_FIFTHS = RATE_ONE * 3 // 4, RATE_ONE * 4 // 5


@pytest.mark.parametrize(("sales", "loss"), [(True, 958), (False, -958)])
def test_a_foreign_document_settled_at_another_rate_realises_the_difference(sales: bool, loss: int) -> None:
    """115.00 posted as 153.33 and settled with 143.75: nothing stays where it was owed, and taken back nothing is left."""
    side, control, sign = (InvoiceType.ACCREC, RECEIVABLE, 1) if sales else (InvoiceType.ACCPAY, PAYABLE, -1)
    books = organisation(invoice(type=side, currency="AUD", currency_rate=THREE_QUARTERS))

    books.pay(guid(1), replace(payment(11_500), currency_rate=FOUR_FIFTHS), NOW)
    (posted,) = journals(books, guid(700))
    balances = books.ledger.balances(LATER)
    money.delete_payment(books, guid(700), NOW + 1)

    assert nets(books, posted) == {BANK: 14_375 * sign, control: -15_333 * sign, REALISED: loss}
    assert balances[books.account_ids[control]] == 0
    assert books.ledger.balances(LATER)[books.account_ids[REALISED]] == 0
    realised = books.account(books.account_ids[REALISED])
    assert realised is not None
    assert (realised.system, realised.type, realised.tax_type) == ("REALISEDCURRENCYGAIN", "EXPENSE", "NONE")


def test_a_refund_at_another_rate_realises_the_difference() -> None:
    """The credit was 153.33, given back with 143.75: a gain."""
    books = organisation(credit_note(currency="AUD", currency_rate=THREE_QUARTERS))
    back = replace(refund(books.must_have(CreditNote, guid(100)), 11_500), currency_rate=FOUR_FIFTHS)

    money.pay(books, back, NOW)

    (posted,) = journals(books, guid(710))
    assert nets(books, posted) == {BANK: -14_375, RECEIVABLE: 15_333, REALISED: -958}


def test_a_payment_at_the_documents_rate_realises_nothing() -> None:
    """As one in the own currency does."""
    books = organisation(invoice(currency="AUD", currency_rate=THREE_QUARTERS))

    books.pay(guid(1), payment(11_500), NOW)

    (posted,) = journals(books, guid(700))
    assert nets(books, posted) == {BANK: 15_333, RECEIVABLE: -15_333}


@pytest.mark.parametrize("kind", [CreditNote, Overpayment, Prepayment])
def test_credit_of_another_rate_realises_the_difference(kind: type[money.Credit]) -> None:
    """When it is applied: both sides are cleared; taken back, the gain is too."""
    books = organisation(invoice(currency="AUD", currency_rate=FOUR_FIFTHS))
    credit: money.Credit
    if issubclass(kind, CreditNote):
        books.write(credit_note(currency="AUD", currency_rate=THREE_QUARTERS), NOW)
        books.allocate(allocation(11_500), NOW + 1)
        credit, allocation_id = books.must_have(CreditNote, guid(100)), guid(800)
    else:
        advance = replace(on_account(kind, 11_500), currency="AUD", currency_rate=THREE_QUARTERS)
        money.take(books, advance, NOW)
        applied = money.allocation_of(advance, books.must_have(Invoice, guid(1)), guid(62), DAY)
        money.allocate(books, advance, applied, NOW + 1)
        credit, allocation_id = books.must_have(kind, guid(60)), guid(62)
    balances = books.ledger.balances(LATER)
    money.withdraw(books, credit, allocation_id, NOW + 2)
    back = books.ledger.balances(LATER)

    control, realised = books.account_ids[RECEIVABLE], books.account_ids[REALISED]
    assert (balances[control], balances[realised], back[realised]) == (0, 14_375 - 15_333, 0)
    assert all(sum(line.net for line in one.lines) == 0 for one in books.ledger.after(0))


def test_every_chart_has_the_accounts_of_currency_gains() -> None:
    """Realised, unrealised and of bank accounts; documents can't post to them."""
    systems = {one.system: one.code for one in organisation().of(Account)}

    assert (systems["BANKCURRENCYGAIN"], systems["UNREALISEDCURRENCYGAIN"]) == ("497", "498")
    assert systems["REALISEDCURRENCYGAIN"] == REALISED
