"""Whole organisations, the same from the same source to the byte."""

import random
from dataclasses import replace

from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.amounts import DAY_MS, in_base
from simulator.books.contact import Contact
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.document import Allocation, Payment
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.organisation import Organisation
from simulator.books.profile import Profile
from simulator.books.words import ContactStatus, DocumentStatus
from simulator.chance import draw_uuid
from simulator.sample.others import furnish
from simulator.sample.records import Cost, approved, draw_contact, draw_credit_note, draw_invoice, rate_on_the_day
from simulator.sample.words import ACCOUNTS, COUNTRIES, ORGANISATIONS, TRACKING

FIRST_MS = 1_767_571_200_000
"""2026-01-05: the first sample record. Fixed, so that the books don't depend on the day they are drawn."""

LAST_MS = 1_793_318_400_000
"""2026-10-30: after the last sample record."""

_FATES = (
    (
        30,
        ("open",) * 10
        + ("paid",) * 4
        + ("part",) * 2
        + ("draft",) * 3
        + ("submitted", "submitted", "voided", "deleted"),
    ),
    (60, ("paid",) * 12 + ("open",) * 5 + ("part",) * 2 + ("draft", "submitted", "voided", "deleted")),
    (10_000, ("paid",) * 32 + ("open", "part", "voided", "voided", "deleted", "deleted", "draft", "submitted")),
)
"""What becomes of invoices, by their age in days: most are paid within two months, so that few are long overdue."""

_COSTS = {"310": 50, "429": 20, "400": 5}
"""Account → percent of the sales before that bills come up to."""

_USUAL_BILL = 145_000
"""Cents of a bill of the usual size, about."""

_POSTED = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)


def draw_profile(source: random.Random, place: int, *, name: str | None = None, country: str | None = None) -> Profile:
    """An organisation's fixed facts.

    Args:
        source: where ids come from.
        place: how many organisations there were before.
        name: its name; None draws one.
        country: NZ, GB or AU; None draws one.
    """
    round_, rest = divmod(place, len(ORGANISATIONS))
    drawn_name, drawn_country = ORGANISATIONS[rest]
    country = country or drawn_country
    currency, foreign, sales_tax, purchase_tax, tax = COUNTRIES[country]
    return Profile(
        id=draw_uuid(source),
        name=name or (drawn_name if not round_ else f"{drawn_name} {round_ + 1}"),
        country=country,
        currency=currency,
        foreign_currency=foreign,
        sales_tax=sales_tax,
        purchase_tax=purchase_tax,
        tax=tax,
        created_ms=FIRST_MS,
        tracking=tuple(
            (draw_uuid(source), category, tuple((draw_uuid(source), option) for option in options))
            for category, options in TRACKING
        ),
        accounts={code: draw_uuid(source) for code in ACCOUNTS},
    )


def draw_organisation(
    source: random.Random, profile: Profile, *, contacts: int, invoices: int, credit_notes: int
) -> Organisation:
    """An organisation with a past.

    Args:
        source: where everything comes from.
        profile: its fixed facts.
        contacts: how many contacts, at least one.
        invoices: how many invoices and bills.
        credit_notes: how many credit notes.
    """
    empty = Organisation(profile)
    span = (LAST_MS - FIRST_MS) // max(contacts + invoices + credit_notes, 1)
    people = [
        draw_contact(source, profile, place=place, now_ms=FIRST_MS + place * span + source.randrange(span))
        for place in range(contacts)
    ]
    # Two in three are customers, one in three suppliers, some both; each has the documents that make it so only if
    # there are enough of them, but the flags are true from the start: in life they would be.
    customers = [person for place, person in enumerate(people) if place % 3 != 2]
    suppliers = [person for place, person in enumerate(people) if place % 3 == 2 or place % 7 == 0]
    documents = _Documents(
        source=source,
        organisation=empty,
        customers=customers,
        suppliers=suppliers,
        start_ms=FIRST_MS + contacts * span,
        span=span,
    )
    sold = {contact.id for contact in customers}
    bought = {contact.id for contact in suppliers}
    drawn_invoices, drawn_notes = documents.draw(invoices, credit_notes)
    busy = {invoice.contact_id for invoice in drawn_invoices} | {note.contact_id for note in drawn_notes}
    books = Organisation(
        profile,
        contacts=[
            replace(
                person,
                is_customer=person.id in sold,
                is_supplier=person.id in bought,
                status=ContactStatus.ARCHIVED
                if person.id not in busy and source.random() < 0.3
                else ContactStatus.ACTIVE,
            )
            for person in people
        ],
        invoices=drawn_invoices,
        credit_notes=drawn_notes,
        post=False,
    )
    others = random.Random(f"{profile.id}:others")  # of its own: what is drawn above stays as it was
    furnish(others, books, scale=invoices, first_ms=FIRST_MS, last_ms=LAST_MS)
    books.open_ledger()
    return books


class _Documents:
    """Draws documents one after the other, each later than the one before."""

    def __init__(
        self,
        *,
        source: random.Random,
        organisation: Organisation,
        customers: list[Contact],
        suppliers: list[Contact],
        start_ms: int,
        span: int,
    ) -> None:
        self._source = source
        self._organisation = organisation
        self._customers = customers
        self._suppliers = suppliers
        self._at_ms = start_ms
        self._span = span
        self._numbers: dict[str, int] = {}
        self._end_ms = start_ms
        self._sold = 0
        self._spent = dict.fromkeys(_COSTS, 0)

    def draw(self, invoices: int, credit_notes: int) -> tuple[list[Invoice], list[CreditNote]]:
        """That many invoices, then that many credit notes, some of them applied."""
        self._end_ms += invoices * self._span
        drawn = {invoice.id: invoice for invoice in (self._counted() for _ in range(invoices))}
        applicable: dict[tuple[str, str, str], list[str]] = {}
        for invoice in drawn.values():
            if invoice.status is DocumentStatus.AUTHORISED:
                applicable.setdefault((invoice.contact_id, invoice.type, invoice.currency), []).append(invoice.id)
        notes = [self._credit_note(drawn, applicable) for _ in range(credit_notes)]
        return list(drawn.values()), notes

    def _next_ms(self) -> int:
        at_ms = self._at_ms + self._source.randrange(self._span)
        self._at_ms += self._span
        return at_ms

    def _number(self, kind: str) -> int:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind]

    def _counted(self) -> Invoice:
        """The next invoice, counted as sales or costs if it is posted."""
        invoice = self._invoice()
        if invoice.status in _POSTED:
            net = in_base(invoice.sub_total, invoice.currency_rate)
            if invoice.type is InvoiceType.ACCREC:
                self._sold += net
            else:
                self._spent[invoice.lines[0].account_code] += net
        return invoice

    def _lacking(self, account: str) -> int:
        """What bills lack of their share of the sales so far."""
        return self._sold * _COSTS[account] // 100 - self._spent[account]

    def _cost(self) -> Cost:
        """What the next bill is for: what lacks most, the more of it the more lacks."""
        account = max(_COSTS, key=self._lacking)
        return Cost(account, min(max(1 + self._lacking(account) // _USUAL_BILL, 1), 4))

    def _bounded(self, bill: Invoice) -> Invoice:
        """The bill without its dearest lines, while it is far beyond what lacks."""
        bound = max(self._lacking(bill.lines[0].account_code) * 3 // 2, _USUAL_BILL // 2)
        while len(bill.lines) > 1 and in_base(bill.sub_total, bill.currency_rate) > bound:
            dearest = max(bill.lines, key=lambda line: line.line_amount)
            bill = invoices.with_lines(bill, [line for line in bill.lines if line is not dearest])
        return bill

    def _invoice(self) -> Invoice:
        source = self._source
        kind = InvoiceType.ACCREC if source.random() < 0.65 else InvoiceType.ACCPAY
        contact = source.choice(self._customers if kind is InvoiceType.ACCREC else self._suppliers)
        now_ms = self._next_ms()
        draft = draw_invoice(
            source, self._organisation, contact, kind, now_ms=now_ms, number=self._number(kind), cost=self._cost()
        )
        if kind is InvoiceType.ACCPAY:
            draft = self._bounded(draft)
        age = (self._end_ms - now_ms) // DAY_MS
        fate = source.choice(next(fates for days, fates in _FATES if age <= days))
        if fate == "draft":
            return draft
        if fate in ("submitted", "deleted"):
            return invoices.move(draft, DocumentStatus.SUBMITTED if fate == "submitted" else DocumentStatus.DELETED)
        invoice = approved(draft)
        if fate == "voided":
            return invoices.move(invoice, DocumentStatus.VOIDED)
        if fate == "open":
            return invoice
        amount = invoice.total if fate == "paid" else invoice.total // 2
        if amount <= 0:
            return invoice
        paid_ms = min(now_ms + source.randrange(5, 40) * DAY_MS, self._end_ms - 1)
        return replace(invoices.pay(invoice, self._payment(invoice, amount, paid_ms)), updated_ms=paid_ms)

    def _payment(self, invoice: Invoice, amount: int, now_ms: int) -> Payment:
        payment_id = draw_uuid(self._source)
        return Payment(
            payment_id=payment_id,
            date=now_ms // DAY_MS,
            amount=amount,
            reference="",
            currency_rate=rate_on_the_day(invoice.currency_rate, payment_id),
        )

    def _credit_note(self, drawn: dict[str, Invoice], applicable: dict[tuple[str, str, str], list[str]]) -> CreditNote:
        source = self._source
        kind = CreditNoteType.ACCRECCREDIT if source.random() < 0.7 else CreditNoteType.ACCPAYCREDIT
        sales = kind is CreditNoteType.ACCRECCREDIT
        contact = source.choice(self._customers if sales else self._suppliers)
        now_ms = self._next_ms()
        note = draw_credit_note(source, self._organisation, contact, kind, now_ms=now_ms, number=self._number(kind))
        if source.random() < 0.2:
            return note
        note = credit_notes.move(note, DocumentStatus.AUTHORISED)
        side = InvoiceType.ACCREC if sales else InvoiceType.ACCPAY
        candidates = applicable.get((contact.id, side, note.currency), [])
        if not candidates or source.random() < 0.4:
            return note
        invoice = drawn[candidates.pop()]
        allocation = Allocation(
            allocation_id=draw_uuid(source),
            invoice_id=invoice.id,
            credit_note_id=note.id,
            amount=min(note.remaining_credit, invoice.amount_due),
            date=now_ms // DAY_MS,
        )
        if allocation.amount <= 0:
            return note
        drawn[invoice.id] = replace(invoices.apply_credit(invoice, allocation), updated_ms=now_ms)
        return credit_notes.allocate(note, allocation)
