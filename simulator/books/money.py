"""What money does to several records at once: payments taken back, batches, transfers, money on account.

Each operation checks its rules first, then puts the records; all share one stamp.
"""

from collections.abc import Sequence
from dataclasses import replace

from simulator.books import advance as advances
from simulator.books import bank_transfer as transfers
from simulator.books import batch_payment as batches
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books import payment as payments
from simulator.books.amounts import ONE
from simulator.books.bank_transaction import BankTransaction, BankTransactionType
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, LineItem, Payment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.kinds import ENDPOINTS, KINDS, AnyRecord
from simulator.books.organisation import Change, Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord, PaymentType
from simulator.books.prepayment import Prepayment
from simulator.books.profile import derived_id
from simulator.books.words import CreditStatus, Endpoint, LineAmountTypes, RuleError, Standing

MoneyOnAccount = Prepayment | Overpayment
Credit = CreditNote | MoneyOnAccount
Settled = Invoice | Credit


def pay(books: Organisation, payment: PaymentRecord, now_ms: int) -> tuple[Change, ...]:
    """Pay an invoice or a bill, or give credit back, through the account that the payment names.

    Raises:
        RuleError: it isn't approved, the amount is wrong, or the period is locked.
    """
    books.check_open(payment)
    document = _settled(books, payment)
    shown = _shown(payment)
    after: Settled
    match document:
        case Invoice():
            after = invoices.pay(document, shown)
        case CreditNote():
            after = credit_notes.refund(document, shown)
        case Prepayment() | Overpayment():
            after = advances.refund(document, shown)
    held_id = document.lines[0].account_id if isinstance(document, Prepayment) else None
    payment = replace(payment, held_id=held_id, document_rate=document.currency_rate)
    return (books.put(payment, now_ms), books.put(after, now_ms))


def type_of(document: Settled) -> PaymentType:
    """The type of a payment on that document."""
    if isinstance(document, Prepayment | Overpayment):
        sales = document.receives
    else:
        sales = document.type in (InvoiceType.ACCREC, CreditNoteType.ACCRECCREDIT)
    return PaymentType.of(ENDPOINTS[type(document)], sales=sales)


def _settled(books: Organisation, payment: PaymentRecord) -> Settled:
    document = books.must_have(KINDS[payment.type.endpoint], payment.document_id)
    assert isinstance(document, Settled)
    return document


def pay_together(
    books: Organisation, record: BatchPayment, made: Sequence[PaymentRecord], now_ms: int
) -> tuple[Change, ...]:
    """Make payments as one batch.

    Raises:
        RuleError: one of them is refused, then all are.
    """
    paid: dict[str, Invoice] = {}
    rated: list[PaymentRecord] = []
    for payment in made:
        books.check_open(payment)
        _check_batched(payment, record)
        invoice = paid.get(payment.document_id) or books.must_have(Invoice, payment.document_id)
        paid[invoice.id] = invoices.pay(invoice, _shown(payment))
        rated.append(replace(payment, document_rate=invoice.currency_rate))
    records: list[AnyRecord] = [record, *rated, *paid.values()]
    return tuple(books.put(one, now_ms) for one in records)


def _shown(payment: PaymentRecord) -> Payment:
    return Payment(
        payment_id=payment.id,
        date=payment.date,
        amount=payment.amount,
        reference=payment.reference,
        currency_rate=payment.currency_rate,
    )


def delete_payment(books: Organisation, payment_id: str, now_ms: int) -> tuple[Change, ...]:
    """Take a payment back: the invoice is due again, or the credit remains again.

    Raises:
        RuleError: it was deleted before, is reconciled, or belongs to a batch (that is deleted as a whole).
    """
    payment = books.must_have(PaymentRecord, payment_id)
    if payment.batch_id is not None:
        raise RuleError("a payment of a batch is deleted with its batch")
    books.check_open(payment)
    deleted = payments.delete(payment)
    document = _settled(books, payment)
    after: Settled
    match document:
        case Invoice():
            after = invoices.unpay(document, payment_id)
        case CreditNote():
            after = credit_notes.take_refund_back(document, payment_id)
        case Prepayment() | Overpayment():
            after = advances.take_refund_back(document, payment_id)
    return (books.put(deleted, now_ms), books.put(after, now_ms))


def batch(books: Organisation, record: BatchPayment, now_ms: int) -> tuple[Change, ...]:
    """Put payments that were made into one batch.

    Raises:
        RuleError: one of them is deleted, in another batch, or of the other side.
    """
    together = [books.must_have(PaymentRecord, payment_id) for payment_id in record.payment_ids]
    for payment in together:
        if payment.status is Standing.DELETED or payment.batch_id is not None:
            raise RuleError("a payment in a batch is neither deleted nor in another batch")
        _check_batched(payment, record)
    moved = [books.put(replace(payment, batch_id=record.id), now_ms) for payment in together]
    return (books.put(replace(record, total=sum(payment.amount for payment in together)), now_ms), *moved)


def _check_batched(payment: PaymentRecord, batch: BatchPayment) -> None:
    if payment.type.refunds or payment.type.sales is not batch.receives:
        raise RuleError("payments of a batch are all received for invoices, or all made for bills")


def delete_batch(books: Organisation, batch_id: str, now_ms: int) -> tuple[Change, ...]:
    """Take a batch back with all its payments.

    Raises:
        RuleError: it, or one of its payments, can't be deleted.
    """
    record = books.must_have(BatchPayment, batch_id)
    books.check_open(record)
    deleted = batches.delete(record)
    together = [payments.delete(books.must_have(PaymentRecord, payment_id)) for payment_id in record.payment_ids]
    changes = [books.put(deleted, now_ms)]
    for payment in together:
        invoice = invoices.unpay(books.must_have(Invoice, payment.document_id), payment.id)
        changes += [books.put(payment, now_ms), books.put(invoice, now_ms)]
    return tuple(changes)


def transfer(books: Organisation, record: BankTransfer, now_ms: int) -> tuple[Change, ...]:
    """Move money between two bank accounts: the transfer and a bank transaction on either side.

    Raises:
        RuleError: both accounts are the same, or the period is locked.
    """
    if record.from_account_id == record.to_account_id:
        raise RuleError("a transfer needs two accounts")
    books.check_open(record)
    return (books.put(record, now_ms), *(books.put(side, now_ms) for side in _sides(books, record)))


def delete_transfer(books: Organisation, transfer_id: str, now_ms: int) -> tuple[Change, ...]:
    """Take a transfer back. Only its status tells: it has no date of change.

    Raises:
        RuleError: it was deleted before, or is reconciled.
    """
    record = books.must_have(BankTransfer, transfer_id)
    books.check_open(record)
    deleted = transfers.delete(record)
    return (
        books.put(deleted, now_ms, stamp=False),
        *(books.put(replace(side, status=Standing.DELETED), now_ms) for side in _sides(books, record)),
    )


def _sides(books: Organisation, record: BankTransfer) -> list[BankTransaction]:
    return [
        BankTransaction(
            id=transaction_id,
            type=kind,
            status=Standing.AUTHORISED,
            contact_id=None,
            account_id=account_id,
            date=record.date,
            line_amount_types=LineAmountTypes.NO_TAX,
            lines=(),
            currency=books.profile.currency,
            updated_ms=record.updated_ms,
            sub_total=record.amount,
            total=record.amount,
            reference=record.reference,
        )
        for transaction_id, kind, account_id in (
            (record.from_transaction_id, BankTransactionType.SPEND_TRANSFER, record.from_account_id),
            (record.to_transaction_id, BankTransactionType.RECEIVE_TRANSFER, record.to_account_id),
        )
    ]


def take(books: Organisation, advance: MoneyOnAccount, now_ms: int) -> tuple[Change, ...]:
    """Receive or spend money on account: the prepayment or overpayment, and its bank transaction.

    Raises:
        RuleError: the period is locked.
    """
    books.check_open(advance)
    return (books.put(advance, now_ms), books.put(bank_side(advance), now_ms))


def void(books: Organisation, advance: MoneyOnAccount, now_ms: int) -> tuple[Change, ...]:
    """Void money on account and delete its bank transaction.

    Raises:
        RuleError: some of it is allocated or given back, or it was voided before.
    """
    books.check_open(advance)
    voided = advances.void(advance)
    return (books.put(voided, now_ms), books.put(replace(bank_side(advance), status=Standing.DELETED), now_ms))


def bank_side_id(advance_id: str) -> str:
    """Id of the bank transaction of money on account."""
    return derived_id(advance_id, "bank")


def bank_side(advance: MoneyOnAccount) -> BankTransaction:
    """The bank transaction of money on account; it posts nothing itself."""
    prepaid = isinstance(advance, Prepayment)
    return BankTransaction(
        id=bank_side_id(advance.id),
        type=BankTransactionType(advance.type),
        status=Standing.AUTHORISED,
        contact_id=advance.contact_id,
        account_id=advance.account_id,
        date=advance.date,
        line_amount_types=advance.line_amount_types,
        lines=advance.lines,
        currency=advance.currency,
        updated_ms=advance.updated_ms,
        sub_total=advance.sub_total,
        total_tax=advance.total_tax,
        total=advance.total,
        currency_rate=advance.currency_rate,
        reference=advance.reference,
        prepayment_id=advance.id if prepaid else None,
        overpayment_id=None if prepaid else advance.id,
    )


def allocate(books: Organisation, advance: MoneyOnAccount, allocation: Allocation, now_ms: int) -> tuple[Change, ...]:
    """Move money on account to an invoice; both move.

    Raises:
        RuleError: the two don't belong together, or the amount is more than either has.
    """
    books.check_open(allocation)
    invoice = books.must_have(Invoice, allocation.invoice_id)
    same_side = advance.receives is (invoice.type is InvoiceType.ACCREC)
    if not same_side or advance.contact_id != invoice.contact_id or advance.currency != invoice.currency:
        raise RuleError("money on account goes to an invoice of the same contact, side and currency")
    allocation = replace(allocation, invoice_rate=invoice.currency_rate)
    applied = invoices.apply_credit(invoice, allocation)
    return (books.put(advances.allocate(advance, allocation), now_ms), books.put(applied, now_ms))


def withdraw(books: Organisation, credit: Credit, allocation_id: str, now_ms: int) -> tuple[Change, ...]:
    """Take an allocation back: the invoice is due again, the credit remains.

    Raises:
        RuleError: there is no such allocation, or the period is locked.
    """
    allocation = next((one for one in credit.allocations if one.allocation_id == allocation_id), None)
    if allocation is None:
        raise RuleError(f"there is no allocation {allocation_id}")
    books.check_open(allocation)
    invoice = invoices.take_credit_back(books.must_have(Invoice, allocation.invoice_id), allocation_id)
    after: Credit
    if isinstance(credit, CreditNote):
        after = credit_notes.take_back(credit, allocation_id)
    else:
        after = advances.withdraw(credit, allocation_id)
    return (books.put(after, now_ms), books.put(invoice, now_ms))


def allocation_of(advance: MoneyOnAccount, invoice: Invoice, allocation_id: str, day: int) -> Allocation:
    """As much of it as the invoice takes."""
    return Allocation(
        allocation_id=allocation_id,
        invoice_id=invoice.id,
        credit_note_id=advance.id,
        amount=min(advance.remaining_credit, invoice.amount_due),
        date=day,
        source=Endpoint.PREPAYMENTS if isinstance(advance, Prepayment) else Endpoint.OVERPAYMENTS,
    )


def fits(advance: MoneyOnAccount, invoice: Invoice) -> bool:
    """Whether the invoice can take some of it."""
    return (
        advance.status is CreditStatus.AUTHORISED
        and invoice.amount_due > 0
        and invoice.status == "AUTHORISED"
        and advance.receives is (invoice.type is InvoiceType.ACCREC)
        and advance.contact_id == invoice.contact_id
        and advance.currency == invoice.currency
    )


def one_line(line_id: str, description: str, amount: int, account_code: str, account_id: str) -> tuple[LineItem, ...]:
    """A single line without tax, as money on account has it."""
    line = LineItem(
        line_item_id=line_id,
        description=description,
        quantity=ONE,
        unit_amount=amount * 100,
        account_code=account_code,
        account_id=account_id,
        tax_type="NONE",
        tax_rate=0,
        line_amount=amount,
        tax_amount=0,
    )
    return (line,)
