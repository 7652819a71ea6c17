"""Payments, batches of them and transfers as clients write them. Texts not known are marked (unconfirmed)."""

from dataclasses import replace
from typing import Any

from simulator.accounting_api.validation import Fields
from simulator.accounting_api.write_context import WriteContext
from simulator.books import money
from simulator.books.account import Account
from simulator.books.amounts import RATE_ONE
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.collection import Collection
from simulator.books.invoice import Invoice
from simulator.books.payment import PaymentRecord, PaymentType
from simulator.books.words import Endpoint, Standing

_DOCUMENTS = {
    "Invoice": Endpoint.INVOICES,
    "CreditNote": Endpoint.CREDIT_NOTES,
    "Prepayment": Endpoint.PREPAYMENTS,
    "Overpayment": Endpoint.OVERPAYMENTS,
}
"""The object that names the document, and where that is."""

_NUMBERED = ("Invoice", "CreditNote")
_WORDS = {"CreditNote": "Credit note"}
_DELETED = "DELETED"


def write_payment(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Pay an invoice or a bill, or give credit back; the address of a payment takes ``{"Status": "DELETED"}`` only.

    Args:
        record_id: the payment of the address, if it names one.

    Returns:
        Its id.
    """
    if record_id is not None:
        return _deleted(context, fields, record_id, "Payment", lambda: money.delete_payment(*_at(context, record_id)))
    payment = _payment(context, fields, _account(context, fields), {})
    if payment is None:
        return None
    context.run(fields.problems, lambda: money.pay(context.organisation, payment, context.now_ms))
    return None if fields.problems else payment.id


def write_batch(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Pay several bills, or take several payments, at once; POST deletes a batch with all of them."""
    batch_id = record_id or (None if context.creates else fields.guid("BatchPaymentID"))
    if batch_id is not None or not context.creates:
        return _deleted(
            context, fields, batch_id, "BatchPayment", lambda: money.delete_batch(*_at(context, str(batch_id)))
        )
    account = _account(context, fields)
    day = fields.day("Date", context.today)
    due: dict[str, int] = {}
    rows = [_payment(context, one, account, due, day=day) for one in fields.each("Payments")]
    if not rows:
        fields.wrong("At least one payment must be specified.")  # (unconfirmed)
    made = [one for one in rows if one is not None]
    if len({one.type for one in made}) > 1 or any(one.type.refunds for one in made):
        fields.wrong("Payments of a batch must be all for bills, or all for sales invoices.")  # (unconfirmed)
    if fields.problems or account is None:
        return None
    batch = BatchPayment(
        id=context.new_id(),
        receives=made[0].type is PaymentType.ACCRECPAYMENT,
        status=Standing.AUTHORISED,
        account_id=account.id,
        date=day,
        payment_ids=tuple(one.id for one in made),
        total=sum(one.amount for one in made),
        updated_ms=0,
        reference=fields.text("Reference", ""),
        overrides=fields.carried({}, "Narrative", "Particulars", "Code", "Details"),
    )
    made = [replace(one, batch_id=batch.id) for one in made]
    context.run(fields.problems, lambda: money.pay_together(context.organisation, batch, made, context.now_ms))
    return None if fields.problems else batch.id


def write_transfer(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Move money between two bank accounts; POST deletes a transfer."""
    transfer_id = record_id or (None if context.creates else fields.guid("BankTransferID"))
    if transfer_id is not None or not context.creates:
        return _deleted(
            context, fields, transfer_id, "BankTransfer", lambda: money.delete_transfer(*_at(context, str(transfer_id)))
        )
    accounts = [_bank(context, fields, name) for name in ("FromBankAccount", "ToBankAccount")]
    there, back = accounts
    amount = _amount(fields)
    if there and back and there.id == back.id:
        fields.wrong("The bank accounts must be different.")  # (unconfirmed)
    if there and back and there.currency != back.currency:
        fields.wrong("The bank accounts must have the same currency.")  # (unconfirmed)
    if there and there.currency not in (None, context.organisation.profile.currency):
        fields.wrong("Transfers in other currencies are not modelled by the simulator.")
    if fields.problems or there is None or back is None:
        return None
    tracking = {
        name: tuple(one for one in map(context.tracking, fields.each(name)) if one)
        for name in ("FromTracking", "ToTracking")
    }
    transfer = BankTransfer(
        id=context.new_id(),
        status=Standing.AUTHORISED,
        from_account_id=there.id,
        to_account_id=back.id,
        from_transaction_id=context.new_id(),
        to_transaction_id=context.new_id(),
        amount=amount,
        date=fields.day("Date", context.today),
        updated_ms=0,
        reference=fields.text("Reference", ""),
        from_is_reconciled=fields.flag("FromIsReconciled", before=False),
        to_is_reconciled=fields.flag("ToIsReconciled", before=False),
        from_tracking=tracking["FromTracking"],
        to_tracking=tracking["ToTracking"],
    )
    context.run(fields.problems, lambda: money.transfer(context.organisation, transfer, context.now_ms))
    return None if fields.problems else transfer.id


def _at(context: WriteContext, record_id: str) -> tuple[Any, str, int]:
    return context.organisation, record_id, context.now_ms


def _deleted(context: WriteContext, fields: Fields, record_id: str | None, word: str, operation: Any) -> str | None:
    """Delete what an element names: nothing else can be done to it."""
    if record_id is None:
        fields.wrong(f"{word}ID must be specified.")  # (unconfirmed)
    elif fields.text("Status", "") != _DELETED:
        fields.wrong(f"{word} Status must be {_DELETED}.")  # (unconfirmed)
    context.run(fields.problems, operation)
    return None if fields.problems else record_id


def _payment(
    context: WriteContext, fields: Fields, account: Account | None, due: dict[str, int], *, day: int | None = None
) -> PaymentRecord | None:
    """A payment read and checked; ``due`` keeps what earlier ones of the same batch left open."""
    document = _document(context, fields)
    amount = _amount(fields)
    if document is None:
        return None
    if document.status != "AUTHORISED":
        fields.wrong("Payments can only be made against Authorised documents")
        return None
    open_ = document.amount_due if isinstance(document, Invoice) else document.remaining_credit
    left = due.get(document.id, open_) - amount
    due[document.id] = left
    if left < 0:
        fields.wrong("Payment amount exceeds the amount outstanding on this document")
    payment = PaymentRecord(
        id=context.new_id(),
        type=money.type_of(document),
        status=Standing.AUTHORISED,
        document_id=document.id,
        account_id=account.id if account else "",
        date=fields.day("Date", context.today) if day is None else day,
        amount=amount,
        updated_ms=0,
        currency_rate=_rate(context, fields, document),
        reference=fields.text("Reference", ""),
        is_reconciled=fields.flag("IsReconciled", before=False),
        overrides=fields.carried({}, "Particulars", "Details", "BankAccountNumber", "Code"),
    )
    context.check_open(fields, payment)
    return None if fields.problems else payment


def _rate(context: WriteContext, fields: Fields, document: money.Settled) -> int:
    """Of the day; what is in the own currency has none. Left out it is the document's, where Xero asks XE."""
    if document.currency == context.organisation.profile.currency:
        return RATE_ONE
    rate = fields.units("CurrencyRate", 10, document.currency_rate)
    if rate <= 0:
        fields.wrong("CurrencyRate must be greater than zero.")  # (unconfirmed)
    return rate


def _document(context: WriteContext, fields: Fields) -> money.Settled | None:
    """The one document that is named, by its id or its number; else a complaint."""
    named = [name for name in _DOCUMENTS if fields.has(name) or fields.has(f"{name}Number")]
    if len(named) > 1:
        fields.wrong(f"A payment is for one document: {' or '.join(named)}.")  # (unconfirmed)
        return None
    name = named[0] if named else "Invoice"
    found: money.Settled | None = _named(fields, name, context.organisation.shelf(_DOCUMENTS[name]))
    if found is None:
        fields.wrong(f"{_WORDS.get(name, name)} could not be found.")  # (unconfirmed but for invoices)
    return found


def _named(fields: Fields, name: str, shelf: Collection[Any]) -> Any:
    inner = fields.inner(name)
    record_id = inner.guid(f"{name}ID") if inner is not None else None
    if record_id is not None or name not in _NUMBERED:
        return shelf.get(record_id or "")
    number = fields.text(f"{name}Number", "") or (inner.text(f"{name}Number", "") if inner is not None else "")
    return next((one for one in shelf if number and one.number == number), None)


def _account(context: WriteContext, fields: Fields) -> Account | None:
    """Where money comes from or goes to: a bank account, or one that takes payments."""
    account = context.pointed_account(fields, "Account") or context.coded(fields.text("Code", ""))
    if account is None or not (account.type == "BANK" or account.takes_payments):
        fields.wrong("The account must be a bank account, or one that payments are enabled for.")  # (unconfirmed)
        return None
    return account


def _bank(context: WriteContext, fields: Fields, name: str) -> Account | None:
    account = context.pointed_account(fields, name)
    if account is None or account.type != "BANK":
        fields.wrong(f"{name} must be an active bank account.")  # (unconfirmed)
        return None
    return account


def _amount(fields: Fields) -> int:
    amount = fields.units("Amount", 2, 0)
    if amount <= 0:
        fields.wrong("The amount must be greater than zero.")  # (unconfirmed)
    return amount
