"""Bank transactions as clients write them, money on account among them. Texts not known are marked (unconfirmed)."""

from dataclasses import replace
from typing import Any

from simulator.accounting_api.validation import Fields
from simulator.accounting_api.write_context import WriteContext
from simulator.accounting_api.writers.documents import Kind, Writing
from simulator.books import bank_transaction as bank_transactions
from simulator.books import money
from simulator.books.account import Account
from simulator.books.amounts import RATE_ONE
from simulator.books.bank_transaction import BankTransaction, BankTransactionType
from simulator.books.chart import PAYABLE, RECEIVABLE
from simulator.books.document import add_up
from simulator.books.overpayment import Overpayment
from simulator.books.prepayment import Prepayment
from simulator.books.words import CreditStatus, LineAmountTypes, Standing

_RECONCILED = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."


def _blank(context: WriteContext) -> BankTransaction:
    return BankTransaction(
        id=context.new_id(), type=BankTransactionType.SPEND, status=Standing.AUTHORISED, contact_id=None, account_id="",
        date=context.today, line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(),
        currency=context.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip


def _own(writing: Writing, transaction: BankTransaction) -> BankTransaction:
    """The bank account, which sets the currency; money on account gets the record it is the bank's side of."""
    fields, context = writing.fields, writing.context
    account = context.pointed_account(fields, "BankAccount")
    if account is None and (writing.before is None or fields.has("BankAccount")):
        fields.wrong("Invalid Bank Account")  # (unconfirmed)
    elif account is not None and account.type != "BANK":
        fields.wrong("The account type is not valid: a bank account must be specified.")  # (unconfirmed)
    transaction = replace(
        transaction,
        account_id=account.id if account else transaction.account_id,
        currency=account.currency or transaction.currency if account else transaction.currency,
        is_reconciled=fields.flag("IsReconciled", transaction.is_reconciled),
        overrides=fields.carried(transaction.overrides, "Url"),
    )
    if transaction.type.endswith("TRANSFER"):
        fields.wrong("Bank transfers are created at the BankTransfers endpoint.")  # (unconfirmed)
    if writing.before is not None or not _on_account(transaction):
        return transaction
    advance_id = transaction.id
    prepaid = transaction.type.endswith("PREPAYMENT")
    return replace(
        transaction,
        id=money.bank_side_id(advance_id),
        prepayment_id=advance_id if prepaid else None,
        overpayment_id=None if prepaid else advance_id,
        line_amount_types=transaction.line_amount_types if prepaid else LineAmountTypes.NO_TAX,
    )


def _on_account(transaction: BankTransaction) -> bool:
    return transaction.type.endswith("PAYMENT")


def _account(context: WriteContext, fields: Fields, code: str, transaction: BankTransaction) -> Account | None:
    """What is paid too much stays with receivables or payables, whatever code is sent."""
    if not transaction.type.endswith("OVERPAYMENT"):
        return context.account(code, fields)
    books = context.organisation
    return books.account(books.account_ids[RECEIVABLE if transaction.type.receives else PAYABLE])


def _with_lines(transaction: BankTransaction, lines: Any) -> BankTransaction:
    if not _on_account(transaction):
        return bank_transactions.with_lines(transaction, lines)
    totals = add_up(lines, transaction.line_amount_types)
    return replace(
        transaction, lines=tuple(lines), sub_total=totals.sub_total, total_tax=totals.total_tax, total=totals.total
    )


def _move(transaction: BankTransaction, to: Standing) -> BankTransaction:
    assert to is Standing.DELETED, "the other status is what it has"
    return bank_transactions.delete(transaction)


def _closed(transaction: BankTransaction) -> str | None:
    if transaction.is_reconciled:
        return _RECONCILED
    if "-" in transaction.type:
        return f"This Bank Transaction cannot be edited as it is a {transaction.type}."  # (unconfirmed)
    return None


def _put(context: WriteContext, fields: Fields, transaction: BankTransaction, *, stamp: bool) -> None:
    if not _on_account(transaction):
        context.write(transaction, fields.problems, stamp=stamp)
    elif transaction.total <= 0:
        fields.wrong("The total must be greater than zero.")  # (unconfirmed)
    else:
        context.run(fields.problems, lambda: money.take(context.organisation, _advance(transaction), context.now_ms))


def _advance(transaction: BankTransaction) -> money.MoneyOnAccount:
    assert transaction.contact_id is not None, "money on account is somebody's"
    shared: dict[str, Any] = {
        "receives": transaction.type.receives,
        "status": CreditStatus.AUTHORISED,
        "contact_id": transaction.contact_id,
        "account_id": transaction.account_id,
        "date": transaction.date,
        "line_amount_types": transaction.line_amount_types,
        "lines": transaction.lines,
        "currency": transaction.currency,
        "updated_ms": 0,
        "sub_total": transaction.sub_total,
        "total_tax": transaction.total_tax,
        "total": transaction.total,
        "currency_rate": transaction.currency_rate or RATE_ONE,
        "reference": transaction.reference,
    }
    if transaction.prepayment_id:
        return Prepayment(id=transaction.prepayment_id, **shared)
    return Overpayment(id=str(transaction.overpayment_id), **shared)


BANK_TRANSACTION = Kind(
    record=BankTransaction,
    word="Bank Transaction",
    blank=_blank,
    own=_own,
    statuses=Standing,
    starts=(Standing.AUTHORISED,),
    final=(Standing.DELETED,),
    posts=(Standing.AUTHORISED,),
    types=BankTransactionType,
    sale=lambda transaction: transaction.type.receives,
    closed=_closed,
    account=_account,
    with_lines=_with_lines,
    move=_move,
    put=_put,
)
