"""Payments, batches of them and transfers as clients write them. Texts not known are marked (unconfirmed)."""

from dataclasses import replace
from typing import Any

from simulator.accounting_api.desk import Desk
from simulator.accounting_api.validation import Fields
from simulator.books import money
from simulator.books.account import Account
from simulator.books.amounts import RATE_ONE
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.invoice import Invoice
from simulator.books.payment import PaymentRecord, PaymentType
from simulator.books.shelf import Shelf
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


def write_payment(desk: Desk, fields: Fields, record_id: str | None) -> str | None:
    """Pay an invoice or a bill, or give credit back; the address of a payment takes ``{"Status": "DELETED"}`` only.

    Args:
        desk: the books.
        fields: the element.
        record_id: the payment of the address, if it names one.

    Returns:
        Its id.
    """
    if record_id is not None:
        return _deleted(desk, fields, record_id, "Payment", lambda: money.delete_payment(*_at(desk, record_id)))
    payment = _payment(desk, fields, _account(desk, fields), {})
    if payment is None:
        return None
    desk.run(fields.problems, lambda: money.pay(desk.organisation, payment, desk.now_ms))
    return None if fields.problems else payment.id


def write_batch(desk: Desk, fields: Fields, record_id: str | None) -> str | None:
    """Pay several bills, or take several payments, at once; POST deletes a batch with all of them."""
    batch_id = record_id or (None if desk.creates else fields.guid("BatchPaymentID"))
    if batch_id is not None or not desk.creates:
        return _deleted(desk, fields, batch_id, "BatchPayment", lambda: money.delete_batch(*_at(desk, str(batch_id))))
    account = _account(desk, fields)
    day = fields.day("Date", desk.today)
    due: dict[str, int] = {}
    rows = [_payment(desk, one, account, due, day=day) for one in fields.each("Payments")]
    if not rows:
        fields.wrong("At least one payment must be specified.")  # (unconfirmed)
    made = [one for one in rows if one is not None]
    if len({one.type for one in made}) > 1 or any(one.type.refunds for one in made):
        fields.wrong("Payments of a batch must be all for bills, or all for sales invoices.")  # (unconfirmed)
    if fields.problems or account is None:
        return None
    batch = BatchPayment(
        id=desk.new_id(),
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
    desk.run(fields.problems, lambda: money.pay_together(desk.organisation, batch, made, desk.now_ms))
    return None if fields.problems else batch.id


def write_transfer(desk: Desk, fields: Fields, record_id: str | None) -> str | None:
    """Move money between two bank accounts; POST deletes a transfer."""
    transfer_id = record_id or (None if desk.creates else fields.guid("BankTransferID"))
    if transfer_id is not None or not desk.creates:
        return _deleted(
            desk, fields, transfer_id, "BankTransfer", lambda: money.delete_transfer(*_at(desk, str(transfer_id)))
        )
    accounts = [_bank(desk, fields, name) for name in ("FromBankAccount", "ToBankAccount")]
    there, back = accounts
    amount = _amount(fields)
    if there and back and there.id == back.id:
        fields.wrong("The bank accounts must be different.")  # (unconfirmed)
    if there and back and there.currency != back.currency:
        fields.wrong("The bank accounts must have the same currency.")  # (unconfirmed)
    if there and there.currency not in (None, desk.organisation.profile.currency):
        fields.wrong("Transfers in other currencies are not modelled by the simulator.")
    if fields.problems or there is None or back is None:
        return None
    tracking = {
        name: tuple(one for one in map(desk.tracking, fields.each(name)) if one)
        for name in ("FromTracking", "ToTracking")
    }
    transfer = BankTransfer(
        id=desk.new_id(),
        status=Standing.AUTHORISED,
        from_account_id=there.id,
        to_account_id=back.id,
        from_transaction_id=desk.new_id(),
        to_transaction_id=desk.new_id(),
        amount=amount,
        date=fields.day("Date", desk.today),
        updated_ms=0,
        reference=fields.text("Reference", ""),
        from_is_reconciled=fields.flag("FromIsReconciled", before=False),
        to_is_reconciled=fields.flag("ToIsReconciled", before=False),
        from_tracking=tracking["FromTracking"],
        to_tracking=tracking["ToTracking"],
    )
    desk.run(fields.problems, lambda: money.transfer(desk.organisation, transfer, desk.now_ms))
    return None if fields.problems else transfer.id


def _at(desk: Desk, record_id: str) -> tuple[Any, str, int]:
    return desk.organisation, record_id, desk.now_ms


def _deleted(desk: Desk, fields: Fields, record_id: str | None, word: str, operation: Any) -> str | None:
    """Delete what an element names: nothing else can be done to it."""
    if record_id is None:
        fields.wrong(f"{word}ID must be specified.")  # (unconfirmed)
    elif fields.text("Status", "") != _DELETED:
        fields.wrong(f"{word} Status must be {_DELETED}.")  # (unconfirmed)
    desk.run(fields.problems, operation)
    return None if fields.problems else record_id


def _payment(
    desk: Desk, fields: Fields, account: Account | None, due: dict[str, int], *, day: int | None = None
) -> PaymentRecord | None:
    """A payment read and checked; ``due`` keeps what earlier ones of the same batch left open."""
    document = _document(desk, fields)
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
        id=desk.new_id(),
        type=money.type_of(document),
        status=Standing.AUTHORISED,
        document_id=document.id,
        account_id=account.id if account else "",
        date=fields.day("Date", desk.today) if day is None else day,
        amount=amount,
        updated_ms=0,
        currency_rate=_rate(desk, fields, document),
        reference=fields.text("Reference", ""),
        is_reconciled=fields.flag("IsReconciled", before=False),
        overrides=fields.carried({}, "Particulars", "Details", "BankAccountNumber", "Code"),
    )
    desk.check_open(fields, payment)
    return None if fields.problems else payment


def _rate(desk: Desk, fields: Fields, document: money.Settled) -> int:
    """Of the day; what is in the own currency has none. Left out it is the document's, where Xero asks XE."""
    if document.currency == desk.organisation.profile.currency:
        return RATE_ONE
    rate = fields.units("CurrencyRate", 10, document.currency_rate)
    if rate <= 0:
        fields.wrong("CurrencyRate must be greater than zero.")  # (unconfirmed)
    return rate


def _document(desk: Desk, fields: Fields) -> money.Settled | None:
    """The one document that is named, by its id or its number; else a complaint."""
    named = [name for name in _DOCUMENTS if fields.has(name) or fields.has(f"{name}Number")]
    if len(named) > 1:
        fields.wrong(f"A payment is for one document: {' or '.join(named)}.")  # (unconfirmed)
        return None
    name = named[0] if named else "Invoice"
    found: money.Settled | None = _named(fields, name, desk.organisation.shelf(_DOCUMENTS[name]))
    if found is None:
        fields.wrong(f"{_WORDS.get(name, name)} could not be found.")  # (unconfirmed but for invoices)
    return found


def _named(fields: Fields, name: str, shelf: Shelf[Any]) -> Any:
    inner = fields.inner(name)
    record_id = inner.guid(f"{name}ID") if inner is not None else None
    if record_id is not None or name not in _NUMBERED:
        return shelf.get(record_id or "")
    number = fields.text(f"{name}Number", "") or (inner.text(f"{name}Number", "") if inner is not None else "")
    return next((one for one in shelf if number and one.number == number), None)


def _account(desk: Desk, fields: Fields) -> Account | None:
    """Where money comes from or goes to: a bank account, or one that takes payments."""
    account = desk.pointed_account(fields, "Account") or desk.coded(fields.text("Code", ""))
    if account is None or not (account.type == "BANK" or account.takes_payments):
        fields.wrong("The account must be a bank account, or one that payments are enabled for.")  # (unconfirmed)
        return None
    return account


def _bank(desk: Desk, fields: Fields, name: str) -> Account | None:
    account = desk.pointed_account(fields, name)
    if account is None or account.type != "BANK":
        fields.wrong(f"{name} must be an active bank account.")  # (unconfirmed)
        return None
    return account


def _amount(fields: Fields) -> int:
    amount = fields.units("Amount", 2, 0)
    if amount <= 0:
        fields.wrong("The amount must be greater than zero.")  # (unconfirmed)
    return amount
