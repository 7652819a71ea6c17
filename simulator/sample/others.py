"""Records beside contacts, invoices and credit notes, as a user would enter them. Pure but for the random source.

They come from a stream of their own, so that what is drawn here changes nothing that is drawn elsewhere.
"""

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from simulator.books import money
from simulator.books.amounts import DAY_MS, ONE, Cents
from simulator.books.bank_transaction import BankTransaction, BankTransactionType
from simulator.books.bank_transfer import BankTransfer
from simulator.books.batch_payment import BatchPayment
from simulator.books.budget import Budget, BudgetLine
from simulator.books.chart import BANK, FUNDS, PAYABLE, PREPAID_BY_US, PREPAID_TO_US, RECEIVABLE, SAVINGS
from simulator.books.contact import Contact
from simulator.books.contact_group import ContactGroup
from simulator.books.document import add_up
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.item import Item
from simulator.books.kinds import AnyRecord
from simulator.books.linked_transaction import LinkedTransaction
from simulator.books.manual_journal import ManualJournal, ManualLine, ManualStatus
from simulator.books.organisation import Organisation
from simulator.books.overpayment import Overpayment
from simulator.books.payment import PaymentRecord
from simulator.books.payment_service import PaymentService
from simulator.books.prepayment import Prepayment
from simulator.books.purchase_order import OrderStatus, PurchaseOrder
from simulator.books.quote import Quote, QuoteStatus
from simulator.books.repeating_invoice import RepeatingInvoice, RepeatingStatus, Schedule
from simulator.books.user import User
from simulator.books.words import ContactStatus, CreditStatus, LineAmountTypes, Presence, RuleError, Standing
from simulator.chance import draw_uuid
from simulator.sample.records import draw_lines
from simulator.sample.words import FIRST_NAMES, GOODS, LAST_NAMES

_TRACKED = ("CABLE", "SCREW")
_LOOKED_AT = 200
_WORTH_MOVING = 10_00
_IN_STOCK = 5_000_000 * ONE


class Drawer:
    """Draws new records for an organisation, each stamped ``now_ms``."""

    def __init__(self, source: random.Random, books: Organisation, now_ms: int) -> None:
        self._source = source
        self._books = books
        self._now_ms = now_ms
        self._day = now_ms // DAY_MS

    def bank_transaction(self) -> BankTransaction:
        """Money spent or received with a contact."""
        source, receives = self._source, self._source.random() < 0.4
        types = LineAmountTypes.INCLUSIVE if source.random() < 0.7 else LineAmountTypes.EXCLUSIVE
        lines = draw_lines(source, self._books.profile, types, sales=receives, most=2)
        totals = add_up(lines, types)
        return BankTransaction(
            id=draw_uuid(source),
            type=BankTransactionType.RECEIVE if receives else BankTransactionType.SPEND,
            status=Standing.AUTHORISED,
            contact_id=self._contact().id,
            account_id=self._books.account_ids[BANK],
            date=self._day,
            line_amount_types=types,
            lines=lines,
            currency=self._books.profile.currency,
            updated_ms=self._now_ms,
            sub_total=totals.sub_total,
            total_tax=totals.total_tax,
            total=totals.total,
            reference=f"Card {source.randrange(1000, 9999)}" if source.random() < 0.5 else "",
            is_reconciled=source.random() < 0.3,
        )

    def funds(self) -> BankTransaction:
        """What the owner puts in: enough to pay bills before customers pay."""
        sold = sum(one.total for one in self._books.invoices if one.type is InvoiceType.ACCREC)
        amount = max(sold // 4, 10_000_00) // 100_00 * 100_00
        lines = money.one_line(draw_uuid(self._source), "Owner's funds", amount, FUNDS, self._books.account_ids[FUNDS])
        return BankTransaction(
            id=draw_uuid(self._source),
            type=BankTransactionType.RECEIVE,
            status=Standing.AUTHORISED,
            contact_id=self._contact().id,
            account_id=self._books.account_ids[BANK],
            date=self._day,
            line_amount_types=LineAmountTypes.NO_TAX,
            lines=lines,
            currency=self._books.profile.currency,
            updated_ms=self._now_ms,
            sub_total=amount,
            total=amount,
            reference="Capital",
        )

    def transfer(self) -> BankTransfer:
        """Money from one bank account to the other, mostly into savings; of those at most a half goes back."""
        source, ids = self._source, self._books.account_ids
        saved = self._saved()
        there, back = (SAVINGS, BANK) if source.random() < 0.2 and saved >= _WORTH_MOVING else (BANK, SAVINGS)
        amount = source.randrange(1_00, 5000_00)
        return BankTransfer(
            id=draw_uuid(source),
            status=Standing.AUTHORISED,
            from_account_id=ids[there],
            to_account_id=ids[back],
            from_transaction_id=draw_uuid(source),
            to_transaction_id=draw_uuid(source),
            amount=amount if there == BANK else min(amount, saved // 2),
            date=self._day,
            updated_ms=self._now_ms,
            reference=f"Sub {source.randrange(10_000, 99_999)}",
        )

    def _saved(self) -> Cents:
        """What transfers have brought into savings."""
        savings = self._books.account_ids[SAVINGS]
        return sum(
            one.amount if one.to_account_id == savings else -one.amount
            for one in self._books.of(BankTransfer)
            if one.status is Standing.AUTHORISED
        )

    def prepayment(self, contact: Contact | None = None) -> Prepayment:
        """Money before the invoice."""
        source, contact = self._source, contact or self._contact()
        receives = contact.is_customer or not contact.is_supplier
        code = PREPAID_TO_US if receives else PREPAID_BY_US
        amount = source.randrange(10_00, 2000_00)
        return Prepayment(
            id=draw_uuid(source),
            receives=receives,
            status=CreditStatus.AUTHORISED,
            contact_id=contact.id,
            account_id=self._books.account_ids[BANK],
            date=self._day,
            line_amount_types=LineAmountTypes.NO_TAX,
            lines=money.one_line(draw_uuid(source), "Deposit", amount, code, self._books.account_ids[code]),
            currency=self._books.profile.currency,
            updated_ms=self._now_ms,
            sub_total=amount,
            total=amount,
            reference=f"Deposit {source.randrange(100, 999)}",
            number=f"PRE-{source.randrange(10_000, 99_999)}" if receives else "",
        )

    def overpayment(self, contact: Contact | None = None) -> Overpayment:
        """Money beyond what was due."""
        source, contact = self._source, contact or self._contact()
        receives = contact.is_customer or not contact.is_supplier
        code = RECEIVABLE if receives else PAYABLE
        amount = source.randrange(1_00, 500_00)
        return Overpayment(
            id=draw_uuid(source),
            receives=receives,
            status=CreditStatus.AUTHORISED,
            contact_id=contact.id,
            account_id=self._books.account_ids[BANK],
            date=self._day,
            line_amount_types=LineAmountTypes.NO_TAX,
            lines=money.one_line(draw_uuid(source), "Paid too much", amount, code, self._books.account_ids[code]),
            currency=self._books.profile.currency,
            updated_ms=self._now_ms,
            sub_total=amount,
            total=amount,
            reference=f"Overpaid {source.randrange(100, 999)}",
        )

    def refund(self, credit: money.Credit) -> PaymentRecord:
        """Credit given back, all that remains or a part."""
        source, left = self._source, credit.remaining_credit
        return PaymentRecord(
            id=draw_uuid(source),
            type=money.type_of(credit),
            status=Standing.AUTHORISED,
            document_id=credit.id,
            account_id=self._books.bank_account(),
            date=self._day,
            amount=left if left < 100 or source.random() < 0.5 else source.randrange(1, left),
            updated_ms=self._now_ms,
            currency_rate=credit.currency_rate,
            reference=f"Refund {source.randrange(1000, 9999)}",
        )

    def batch(self) -> BatchPayment:
        """One to three payments of one side that are in no batch yet.

        Raises:
            RuleError: there is none.
        """
        shelf, source = self._books.of(PaymentRecord), self._source
        found: list[PaymentRecord] = []
        for payment_id in self._some(shelf.ids):
            payment = self._books.must_have(PaymentRecord, payment_id)
            if payment.status is Standing.DELETED or payment.batch_id or payment.is_reconciled or payment.type.refunds:
                continue
            if found and (payment.type is not found[0].type or payment.date != found[0].date):
                break
            found.append(payment)
            if len(found) == 3:
                break
        if not found:
            raise RuleError("there is no payment without a batch")
        return BatchPayment(
            id=draw_uuid(source),
            receives=found[0].type.sales,
            status=Standing.AUTHORISED,
            account_id=found[0].account_id,
            date=found[0].date,
            payment_ids=tuple(payment.id for payment in found),
            total=sum(payment.amount for payment in found),
            updated_ms=self._now_ms,
            reference=f"Batch {source.randrange(100, 999)}",
        )

    def purchase_order(self) -> PurchaseOrder:
        """A draft to a contact."""
        source, profile = self._source, self._books.profile
        lines = draw_lines(source, profile, LineAmountTypes.EXCLUSIVE, sales=False, most=3)
        totals = add_up(lines, LineAmountTypes.EXCLUSIVE)
        return PurchaseOrder(
            id=draw_uuid(source),
            number=f"PO-{len(self._books.of(PurchaseOrder)) + 1:04d}",
            status=OrderStatus.DRAFT,
            contact_id=self._contact().id,
            date=self._day,
            line_amount_types=LineAmountTypes.EXCLUSIVE,
            lines=lines,
            currency=profile.currency,
            updated_ms=self._now_ms,
            delivery_date=self._day + source.randrange(1, 30) if source.random() < 0.7 else None,
            attention_to=source.choice(FIRST_NAMES),
            sub_total=totals.sub_total,
            total_tax=totals.total_tax,
            total=totals.total,
            total_discount=totals.total_discount,
        )

    def quote(self) -> Quote:
        """A draft for a contact."""
        source, profile = self._source, self._books.profile
        lines = draw_lines(source, profile, LineAmountTypes.EXCLUSIVE, sales=True, most=3)
        totals = add_up(lines, LineAmountTypes.EXCLUSIVE)
        return Quote(
            id=draw_uuid(source),
            number=f"QU-{len(self._books.of(Quote)) + 1:04d}",
            status=QuoteStatus.DRAFT,
            contact_id=self._contact().id,
            date=self._day,
            line_amount_types=LineAmountTypes.EXCLUSIVE,
            lines=lines,
            currency=profile.currency,
            updated_ms=self._now_ms,
            expiry_date=self._day + 30 if source.random() < 0.8 else None,
            title="Our offer",
            terms="Valid for thirty days",
            sub_total=totals.sub_total,
            total_tax=totals.total_tax,
            total=totals.total,
            total_discount=totals.total_discount,
        )

    def manual_journal(self) -> ManualJournal:
        """A draft of two lines that add up to nothing."""
        source, ids = self._source, self._books.account_ids
        amount: Cents = source.randrange(1_00, 900_00)
        debit, credit = source.sample(("200", "260", "400", "429"), 2)
        return ManualJournal(
            id=draw_uuid(source),
            narration=f"Accrual {source.randrange(100, 999)}",
            status=ManualStatus.DRAFT,
            date=self._day,
            lines=tuple(
                ManualLine(account_code=code, account_id=ids[code], amount=cents, description="Accrued")
                for code, cents in ((debit, amount), (credit, -amount))
            ),
            updated_ms=self._now_ms,
        )

    def repeating_invoice(self) -> RepeatingInvoice:
        """A monthly sales invoice."""
        source, profile = self._source, self._books.profile
        lines = draw_lines(source, profile, LineAmountTypes.EXCLUSIVE, sales=True, most=2)
        totals = add_up(lines, LineAmountTypes.EXCLUSIVE)
        schedule = Schedule(
            period=1, unit="MONTHLY", due_day=20, due_type="OFFOLLOWINGMONTH", start=self._day, next=self._day + 30
        )
        return RepeatingInvoice(
            id=draw_uuid(source),
            type=InvoiceType.ACCREC,
            status=RepeatingStatus.AUTHORISED if source.random() < 0.7 else RepeatingStatus.DRAFT,
            contact_id=self._contact().id,
            schedule=schedule,
            line_amount_types=LineAmountTypes.EXCLUSIVE,
            lines=lines,
            currency=profile.currency,
            updated_ms=self._now_ms,
            reference="[Month]",
            sub_total=totals.sub_total,
            total_tax=totals.total_tax,
            total=totals.total,
        )

    def linked_transaction(self) -> LinkedTransaction:
        """A line of a bill that a customer is to be charged for.

        Raises:
            RuleError: there is no bill.
        """
        source = self._source
        for invoice_id in self._some(self._books.invoices.ids):
            bill = self._books.must_have(Invoice, invoice_id)
            if bill.type is InvoiceType.ACCPAY:
                return LinkedTransaction(
                    id=draw_uuid(source),
                    status="APPROVED",
                    source_id=bill.id,
                    source_line_id=bill.lines[0].line_item_id,
                    source_type="ACCPAY",
                    updated_ms=self._now_ms,
                    contact_id=self._contact().id if source.random() < 0.7 else None,
                )
        raise RuleError("there is no bill to charge a customer for")

    def item(self) -> Item:
        """An item that is not on the list yet."""
        source = self._source
        code = f"NEW-{source.randrange(10_000, 99_999)}"
        price = source.randrange(1_00, 900_00) * 100
        return Item(
            id=draw_uuid(source),
            code=code,
            name=f"Article {code}",
            updated_ms=self._now_ms,
            description=f"Article {code}",
            sales_price=price,
            sales_tax=self._books.profile.sales_tax,
            purchase_price=price // 2,
            purchase_tax=self._books.profile.purchase_tax,
        )

    def contact_group(self) -> ContactGroup:
        """Some contacts together."""
        ids = self._books.contacts.ids
        members = self._source.sample(list(ids), min(3, len(ids)))
        name = f"Group {self._source.randrange(1000, 9999)}"
        return ContactGroup(
            id=draw_uuid(self._source),
            name=name,
            status=Presence.ACTIVE,
            contact_ids=tuple(members),
            updated_ms=self._now_ms,
        )

    def _some(self, ids: Sequence[str]) -> Iterator[str]:
        """A few ids in a row from anywhere."""
        start = self._source.randrange(len(ids)) if ids else 0
        for place in range(min(len(ids), _LOOKED_AT)):
            yield ids[(start + place) % len(ids)]

    def _contact(self) -> Contact:
        """An active contact, if chance finds one soon."""
        ids = self._books.contacts.ids
        drawn = [self._books.must_have(Contact, contact_id) for contact_id in self._source.choices(ids, k=8)]
        return next((contact for contact in drawn if contact.status is ContactStatus.ACTIVE), drawn[0])


def settings_of(source: random.Random, books: Organisation) -> Iterator[AnyRecord]:
    """Items, users, groups and the like: a handful of each, from the first day."""
    profile, at_ms = books.profile, books.profile.created_ms
    for code, name, price in GOODS:
        tracked = code in _TRACKED
        yield Item(
            id=draw_uuid(source),
            code=code,
            name=name.partition(",")[0],
            updated_ms=at_ms,
            description=name,
            is_tracked=tracked,
            opening=_IN_STOCK if tracked else 0,
            sales_price=price,
            sales_tax=profile.sales_tax,
            purchase_price=price // 2,
            purchase_tax=profile.purchase_tax,
        )
    for role, subscriber in (("FINANCIALADVISER", True), ("STANDARD", False), ("READONLY", False)):
        first, last = source.choice(FIRST_NAMES), source.choice(LAST_NAMES)
        yield User(
            id=draw_uuid(source),
            first_name=first,
            last_name=last,
            email=f"{first.lower()}@office.example",
            role=role,
            updated_ms=at_ms,
            is_subscriber=subscriber,
        )
    yield PaymentService(
        id=draw_uuid(source),
        name="PayUpNow",
        url="https://pay.example/",
        pay_now_text="Pay now",
        updated_ms=at_ms,
    )
    ids = books.contacts.ids
    for name in ("Training", "Support"):
        members = tuple(source.sample(list(ids), min(4, len(ids))))
        yield ContactGroup(
            id=draw_uuid(source), name=name, status=Presence.ACTIVE, contact_ids=members, updated_ms=at_ms
        )
    months = tuple(f"2026-{month:02d}" for month in range(1, 13))
    yield Budget(
        id=draw_uuid(source),
        type="OVERALL",
        description="Overall Budget",
        updated_ms=at_ms,
        lines=tuple(
            BudgetLine(
                account_id=books.account_ids[code],
                account_code=code,
                months=tuple((month, source.randrange(100, 900) * 100) for month in months),
            )
            for code in ("200", "400", "429")
        ),
    )


def furnish(source: random.Random, books: Organisation, *, scale: int, first_ms: int, last_ms: int) -> None:
    """Give books everything that isn't a contact, an invoice or a credit note.

    Args:
        source: where choices come from.
        books: with contacts and documents.
        scale: how many invoices there are; the rest follows from it.
        first_ms: the first stamp.
        last_ms: after the last one; batches of payments and the like come shortly before it.
    """
    for record in settings_of(source, books):
        books.put(record, record.updated_ms, stamp=False)
    books.put(Drawer(random.Random(f"{books.id}:funds"), books, first_ms).funds(), first_ms)
    rounds = max(scale // 20, 3)
    last_ms -= 2 * rounds
    for place in range(rounds):
        now_ms = first_ms + (last_ms - first_ms) * place // rounds
        draw = Drawer(source, books, now_ms)
        for record in (draw.bank_transaction(), draw.bank_transaction(), _ordered(source, draw), _quoted(source, draw)):
            books.put(record, now_ms)
        if place % 2:
            money.transfer(books, draw.transfer(), now_ms)
        elif place % 4 == 2:
            money.take(books, draw.prepayment(), now_ms)
        else:
            money.take(books, draw.overpayment(), now_ms)
        journal = draw.manual_journal()
        books.put(replace(journal, status=ManualStatus.POSTED) if source.random() < 0.7 else journal, now_ms)
        if not place % 3:
            books.put(draw.repeating_invoice(), now_ms)
    for place in range(rounds):
        now_ms = last_ms + place
        draw = Drawer(source, books, now_ms)
        with contextlib.suppress(RuleError):  # no payment is left
            money.batch(books, draw.batch(), now_ms)
        with contextlib.suppress(RuleError):  # no bill
            books.put(draw.linked_transaction(), now_ms)


def _ordered(source: random.Random, draw: Drawer) -> PurchaseOrder:
    return replace(draw.purchase_order(), status=source.choice(list(OrderStatus)))


def _quoted(source: random.Random, draw: Drawer) -> Quote:
    return replace(draw.quote(), status=source.choice(list(QuoteStatus)))
