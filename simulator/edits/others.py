"""Edits of everything that isn't an invoice, a contact or a credit note. Pure but for the random source and the books.

Those of kinds that Xero announces are drawn with the rest; the others only when asked for: by endpoint, or by
``everything``.
"""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from simulator.books import account as accounts
from simulator.books import bank_transaction as bank_transactions
from simulator.books import contact_group as contact_groups
from simulator.books import manual_journal as manual_journals
from simulator.books import money
from simulator.books import purchase_order as purchase_orders
from simulator.books import quote as quotes
from simulator.books import repeating_invoice as repeating_invoices
from simulator.books import tracking_category as tracking_categories
from simulator.books.account import Account, AccountStatus
from simulator.books.amounts import DAY_MS
from simulator.books.bank_transaction import BankTransaction
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.contact_group import ContactGroup
from simulator.books.credit_note import CreditNote
from simulator.books.invoice import Invoice
from simulator.books.item import Item
from simulator.books.kinds import AnyRecord
from simulator.books.manual_journal import ManualJournal, ManualStatus
from simulator.books.organisation import Change, Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord
from simulator.books.prepayment import Prepayment
from simulator.books.purchase_order import OrderStatus, PurchaseOrder
from simulator.books.quote import Quote, QuoteStatus
from simulator.books.repeating_invoice import RepeatingInvoice, RepeatingStatus
from simulator.books.tax_rate import TaxRate
from simulator.books.tracking_category import TrackingCategory
from simulator.books.user import User
from simulator.books.words import CreditStatus, Endpoint, Presence, RuleError, Standing
from simulator.chance import draw_uuid
from simulator.edits.kinds import EditKind
from simulator.sample.others import Drawer
from simulator.sample.records import draw_lines

R = TypeVar("R", bound=AnyRecord)
Done = tuple[tuple[Change, ...], str]
_LOCKED_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where an edit is made: in which books, when, and perhaps on which record."""

    source: random.Random
    books: Organisation
    now_ms: int
    record_id: str | None

    @property
    def draw(self) -> Drawer:
        """Draws what is new."""
        return Drawer(self.source, self.books, self.now_ms)

    def pick(self, kind: type[R], fits: Callable[[R], bool]) -> R:
        """The record that is asked for, or any that fits.

        Raises:
            RuleError: it doesn't fit, or none does.
        """
        shelf = self.books.of(kind)
        if self.record_id is not None:
            record = self.books.must_have(kind, self.record_id)
            if not fits(record):
                raise RuleError(f"{self.record_id} is not in a state for that")
            return record
        start = self.source.randrange(len(shelf)) if len(shelf) else 0
        for place in range(len(shelf)):
            found = shelf.get(shelf.ids[(start + place) % len(shelf)])
            if found is not None and fits(found):
                return found
        raise RuleError("no record is in a state for that")

    def write(self, record: AnyRecord) -> tuple[Change, ...]:
        """Put it."""
        return self.books.write(record, self.now_ms)

    def letter(self) -> str:
        """Something to tell two states apart."""
        return f"{self.source.randrange(1000, 9999)}"


def _delete_payment(at: At) -> Done:
    payment = at.pick(
        PaymentRecord, lambda one: one.status is Standing.AUTHORISED and not one.batch_id and not one.is_reconciled
    )
    return money.delete_payment(at.books, payment.id, at.now_ms), f"took a payment of {payment.amount / 100:.2f} back"


def _refund(at: At) -> Done:
    """Credit given back: of a credit note, a prepayment or an overpayment, wherever chance looks first."""
    kinds: list[type[CreditNote] | type[Prepayment] | type[Overpayment]] = [CreditNote, Prepayment, Overpayment]
    at.source.shuffle(kinds)
    for kind in kinds:
        with contextlib.suppress(RuleError):  # none of that kind has any left
            credit = at.pick(kind, lambda one: one.status == "AUTHORISED" and one.remaining_credit > 0)
            refund = at.draw.refund(credit)
            return money.pay(at.books, refund, at.now_ms), f"gave {refund.amount / 100:.2f} of a {credit.type} back"
    raise RuleError("no record is in a state for that")


def _spend(at: At) -> Done:
    transaction = at.draw.bank_transaction()
    return at.write(transaction), f"{transaction.type} {transaction.total / 100:.2f}"


def _change_bank(at: At) -> Done:
    transaction = at.pick(BankTransaction, _plain_bank)
    sales = transaction.type.receives
    lines = draw_lines(at.source, at.books.profile, transaction.line_amount_types, sales=sales, most=2)
    return at.write(bank_transactions.with_lines(transaction, lines)), "bank transaction: lines changed"


def _delete_bank(at: At) -> Done:
    transaction = at.pick(BankTransaction, lambda one: _plain_bank(one) and not one.is_reconciled)
    return at.write(bank_transactions.delete(transaction)), f"deleted a {transaction.type}"


def _plain_bank(transaction: BankTransaction) -> bool:
    return transaction.status is Standing.AUTHORISED and "-" not in transaction.type


def _transfer(at: At) -> Done:
    record = at.draw.transfer()
    return money.transfer(at.books, record, at.now_ms), f"moved {record.amount / 100:.2f} between bank accounts"


def _delete_transfer(at: At) -> Done:
    record = at.pick(BankTransfer, lambda one: one.status is Standing.AUTHORISED)
    return money.delete_transfer(at.books, record.id, at.now_ms), "took a transfer back"


def _batch(at: At) -> Done:
    record = at.draw.batch()
    return money.batch(at.books, record, at.now_ms), f"a batch of {len(record.payment_ids)} payments"


def _delete_batch(at: At) -> Done:
    record = at.pick(BatchPayment, lambda one: one.status is Standing.AUTHORISED)
    return money.delete_batch(at.books, record.id, at.now_ms), "took a batch back"


def _prepay(at: At) -> Done:
    record = at.draw.prepayment()
    return money.take(at.books, record, at.now_ms), f"{record.type} of {record.total / 100:.2f}"


def _overpay(at: At) -> Done:
    record = at.draw.overpayment()
    return money.take(at.books, record, at.now_ms), f"{record.type} of {record.total / 100:.2f}"


def _on_account(kind: type[Prepayment] | type[Overpayment]) -> dict[EditKind, Callable[[At], Done]]:
    def allocate(at: At) -> Done:
        advance = at.pick(kind, lambda one: one.status is CreditStatus.AUTHORISED and _taker(at, one) is not None)
        invoice = _taker(at, advance)
        assert invoice is not None
        allocation = money.allocation_of(advance, invoice, draw_uuid(at.source), at.now_ms // DAY_MS)
        changes = money.allocate(at.books, advance, allocation, at.now_ms)
        return changes, f"applied {allocation.amount / 100:.2f} of a {advance.type} to {invoice.number}"

    def withdraw(at: At) -> Done:
        advance = at.pick(kind, lambda one: bool(one.allocations))
        allocation = advance.allocations[-1]
        changes = money.withdraw(at.books, advance, allocation.allocation_id, at.now_ms)
        return changes, f"took {allocation.amount / 100:.2f} of a {advance.type} back"

    def void(at: At) -> Done:
        advance = at.pick(
            kind, lambda one: not (one.allocations or one.payments) and one.status is not CreditStatus.VOIDED
        )
        return money.void(at.books, advance, at.now_ms), f"voided a {advance.type}"

    return {EditKind.ALLOCATE: allocate, EditKind.WITHDRAW: withdraw, EditKind.VOID: void}


def _taker(at: At, advance: money.MoneyOnAccount) -> Invoice | None:
    documents = at.books.documents_of(advance.contact_id)
    return next((one for one in documents if isinstance(one, Invoice) and money.fits(advance, one)), None)


def _create_item(at: At) -> Done:
    item = at.draw.item()
    return at.write(item), f"item {item.code}"


def _change_item(at: At) -> Done:
    item = at.pick(Item, lambda _: True)
    return at.write(replace(item, sales_price=item.sales_price + 100)), f"{item.code} costs more"


def _delete_item(at: At) -> Done:
    item = at.pick(Item, lambda one: not one.is_tracked)
    return (at.books.remove(Item, item.id, at.now_ms),), f"deleted {item.code} for good"


def _order(at: At) -> Done:
    order = at.draw.purchase_order()
    return at.write(order), f"ordered {order.number}"


def _move_order(to: tuple[OrderStatus, ...]) -> Callable[[At], Done]:
    def move(at: At) -> Done:
        order = at.pick(PurchaseOrder, lambda one: not purchase_orders.MOVES[one.status].isdisjoint(to))
        status = next(one for one in to if one in purchase_orders.MOVES[order.status])
        return at.write(purchase_orders.move(order, status)), f"{order.number}: {order.status} to {status}"

    return move


def _quote(at: At) -> Done:
    quote = at.draw.quote()
    return at.write(quote), f"quoted {quote.number}"


def _move_quote(to: tuple[QuoteStatus, ...]) -> Callable[[At], Done]:
    def move(at: At) -> Done:
        quote = at.pick(Quote, lambda one: not quotes.MOVES[one.status].isdisjoint(to))
        status = next(one for one in to if one in quotes.MOVES[quote.status])
        return at.write(quotes.move(quote, status)), f"{quote.number}: {quote.status} to {status}"

    return move


def _journal(at: At) -> Done:
    journal = at.draw.manual_journal()
    return at.write(journal), journal.narration


def _move_journal(to: ManualStatus) -> Callable[[At], Done]:
    def move(at: At) -> Done:
        journal = at.pick(ManualJournal, lambda one: to in manual_journals.MOVES[one.status])
        return at.write(manual_journals.move(journal, to)), f"{journal.narration}: {journal.status} to {to}"

    return move


def _archive_account(at: At) -> Done:
    account = at.pick(
        Account,
        lambda one: one.status is AccountStatus.ACTIVE and one.system is None and one.type != "BANK",
    )
    return at.write(accounts.move(account, AccountStatus.ARCHIVED)), f"archived {account.name}"


def _unarchive_account(at: At) -> Done:
    account = at.pick(Account, lambda one: one.status is AccountStatus.ARCHIVED)
    return at.write(accounts.move(account, AccountStatus.ACTIVE)), f"took {account.name} back"


def _set(kind: type[Any], fits: Callable[[Any], bool], field: str) -> Callable[[At], Done]:
    """An edit that writes another word into a field."""

    def change(at: At) -> Done:
        record = at.pick(kind, fits)
        value = f"{str(getattr(record, field)).partition(' #')[0]} #{at.letter()}"
        return at.write(replace(record, **{field: value})), f"{field} is {value} now"

    return change


def _move_category(to: Presence) -> Callable[[At], Done]:
    def move(at: At) -> Done:
        category = at.pick(TrackingCategory, lambda one: one.status not in (to, Presence.DELETED))
        return at.write(tracking_categories.move(category, to)), f"{category.name}: {category.status} to {to}"

    return move


def _repeat(at: At) -> Done:
    return at.write(at.draw.repeating_invoice()), "a repeating invoice"


def _delete_repeating(at: At) -> Done:
    record = at.pick(RepeatingInvoice, lambda one: one.status is not RepeatingStatus.DELETED)
    return at.write(repeating_invoices.move(record, RepeatingStatus.DELETED)), "deleted a repeating invoice"


def _link(at: At) -> Done:
    return at.write(at.draw.linked_transaction()), "a line to charge a customer for"


def _group(at: At) -> Done:
    group = at.draw.contact_group()
    return at.write(group), f"group {group.name}"


def _delete_group(at: At) -> Done:
    group = at.pick(ContactGroup, lambda one: one.status is Presence.ACTIVE)
    return at.write(contact_groups.delete(group)), f"deleted group {group.name}"


def _lock(at: At) -> Done:
    day = at.now_ms // DAY_MS - _LOCKED_DAYS - at.source.randrange(100)
    return at.write(replace(at.books.company(), period_lock=day)), f"locked everything {_LOCKED_DAYS} days old"


def _always(_: Any) -> bool:
    return True


def _rows() -> dict[tuple[Endpoint, EditKind], Callable[[At], Done]]:
    e, k = Endpoint, EditKind
    return {
        (e.PAYMENTS, k.CREATE): _refund,
        (e.PAYMENTS, k.DELETE): _delete_payment,
        (e.BANK_TRANSACTIONS, k.CREATE): _spend,
        (e.BANK_TRANSACTIONS, k.CHANGE): _change_bank,
        (e.BANK_TRANSACTIONS, k.DELETE): _delete_bank,
        (e.BANK_TRANSFERS, k.CREATE): _transfer,
        (e.BANK_TRANSFERS, k.DELETE): _delete_transfer,
        (e.BATCH_PAYMENTS, k.CREATE): _batch,
        (e.BATCH_PAYMENTS, k.DELETE): _delete_batch,
        (e.PREPAYMENTS, k.CREATE): _prepay,
        **{(e.PREPAYMENTS, kind): edit for kind, edit in _on_account(Prepayment).items()},
        (e.OVERPAYMENTS, k.CREATE): _overpay,
        **{(e.OVERPAYMENTS, kind): edit for kind, edit in _on_account(Overpayment).items()},
        (e.ITEMS, k.CREATE): _create_item,
        (e.ITEMS, k.CHANGE): _change_item,
        (e.ITEMS, k.DELETE): _delete_item,
        (e.PURCHASE_ORDERS, k.CREATE): _order,
        (e.PURCHASE_ORDERS, k.SUBMIT): _move_order((OrderStatus.SUBMITTED,)),
        (e.PURCHASE_ORDERS, k.APPROVE): _move_order((OrderStatus.AUTHORISED, OrderStatus.BILLED)),
        (e.PURCHASE_ORDERS, k.DELETE): _move_order((OrderStatus.DELETED,)),
        (e.PURCHASE_ORDERS, k.CHANGE): _set(PurchaseOrder, lambda one: one.status == "DRAFT", "reference"),
        (e.QUOTES, k.CREATE): _quote,
        (e.QUOTES, k.SUBMIT): _move_quote((QuoteStatus.SENT,)),
        (e.QUOTES, k.APPROVE): _move_quote((QuoteStatus.ACCEPTED, QuoteStatus.INVOICED)),
        (e.QUOTES, k.DELETE): _move_quote((QuoteStatus.DELETED,)),
        (e.QUOTES, k.CHANGE): _set(Quote, lambda one: one.status == "DRAFT", "title"),
        (e.MANUAL_JOURNALS, k.CREATE): _journal,
        (e.MANUAL_JOURNALS, k.APPROVE): _move_journal(ManualStatus.POSTED),
        (e.MANUAL_JOURNALS, k.VOID): _move_journal(ManualStatus.VOIDED),
        (e.MANUAL_JOURNALS, k.DELETE): _move_journal(ManualStatus.DELETED),
        (e.ACCOUNTS, k.CHANGE): _set(Account, lambda one: one.status is AccountStatus.ACTIVE, "name"),
        (e.ACCOUNTS, k.ARCHIVE): _archive_account,
        (e.ACCOUNTS, k.UNARCHIVE): _unarchive_account,
        (e.TRACKING_CATEGORIES, k.CHANGE): _set(TrackingCategory, lambda one: one.status == "ACTIVE", "name"),
        (e.TRACKING_CATEGORIES, k.ARCHIVE): _move_category(Presence.ARCHIVED),
        (e.TRACKING_CATEGORIES, k.UNARCHIVE): _move_category(Presence.ACTIVE),
        (e.TAX_RATES, k.CHANGE): _set(TaxRate, _always, "name"),
        (e.USERS, k.CHANGE): _set(User, _always, "last_name"),
        (e.REPEATING_INVOICES, k.CREATE): _repeat,
        (e.REPEATING_INVOICES, k.DELETE): _delete_repeating,
        (e.LINKED_TRANSACTIONS, k.CREATE): _link,
        (e.CONTACT_GROUPS, k.CREATE): _group,
        (e.CONTACT_GROUPS, k.DELETE): _delete_group,
        (e.ORGANISATION, k.CHANGE): _set_company,
        (e.ORGANISATION, k.LOCK): _lock,
    }


def _set_company(at: At) -> Done:
    company = at.books.company()
    name = f"{company.name.partition(' #')[0]} #{at.letter()}"
    return at.write(replace(company, name=name)), f"the organisation is called {name} now"


OTHERS = _rows()
"""What can be done to which of them."""
