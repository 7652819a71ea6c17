"""Documents with a contact and lines as clients write them. Texts not known from field reports are marked (unconfirmed)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.validation import Fields
from simulator.accounting_api.write_context import WriteContext, Writer
from simulator.accounting_api.writers.contacts import contact_of
from simulator.accounting_api.writers.lines import AccountOf, Lines
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books import purchase_order as purchase_orders
from simulator.books import quote as quotes
from simulator.books import repeating_invoice as repeating_invoices
from simulator.books.account import Account
from simulator.books.amounts import RATE_ONE
from simulator.books.contact import Contact, Terms
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.currency import Currency
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.kinds import ENDPOINTS, AnyRecord
from simulator.books.purchase_order import OrderStatus, PurchaseOrder
from simulator.books.quote import Quote, QuoteStatus
from simulator.books.repeating_invoice import RepeatingInvoice, RepeatingStatus, Schedule
from simulator.books.words import DocumentStatus, LineAmountTypes, RuleError

_APPROVED = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)
_NOT_DRAFT = (DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED)
_MOST_ROUNDING = 10
_SETTLED = "This document cannot be edited as it has a payment or credit note allocated to it."


def _never(_: Any) -> bool:
    return False


def _plain_account(context: WriteContext, fields: Fields, code: str, document: Any) -> Account | None:
    del document
    return context.account(code, fields)


def _put(context: WriteContext, fields: Fields, document: Any, *, stamp: bool) -> None:
    context.write(document, fields.problems, stamp=stamp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What differs between documents.

    Attributes:
        record: their class.
        word: in refusals.
        blank: a new one, before anything is read.
        own: reads what only this kind has, over a document whose shared fields are read.
        statuses: every status there is.
        starts: those a new one may have.
        final: those that nothing leads out of.
        posts: those for which each line needs its account.
        types: of its ``Type``, if it has one.
        sale: whether its lines are sold, not bought.
        number_field: of its number, if it has one.
        prefix: of numbers that are given.
        numbered: the ``Type`` whose numbers are unique; empty: any.
        unique: whether its number is nobody else's, and is given where none is sent.
        taken: the refusal of a number that is somebody else's.
        makes_contacts: whether a contact's name that nobody has makes a contact.
        closed: why it can't be changed at all, beside its status.
        account: the account a line posts to.
        exact: whether its prices have four decimals, ``unitdp=4`` or not.
        with_lines: replaces lines and totals.
        move: changes the status.
        put: writes it.
    """

    record: type[AnyRecord]
    word: str
    blank: Callable[[WriteContext], Any]
    own: Callable[["Writing", Any], Any] = field(default=lambda _, document: document)
    statuses: type[StrEnum]
    starts: tuple[StrEnum, ...]
    final: tuple[StrEnum, ...]
    posts: tuple[StrEnum, ...] = ()
    types: type[StrEnum] | None = None
    sale: Callable[[Any], bool] = _never
    number_field: str = ""
    prefix: str = ""
    numbered: str = ""
    unique: Callable[[Any], bool] = _never
    taken: str = ""
    makes_contacts: bool = True
    closed: Callable[[Any], str | None] = field(default=lambda _: None)
    account: AccountOf = _plain_account
    exact: bool = False
    with_lines: Callable[[Any, Any], Any]
    move: Callable[[Any, Any], Any]
    put: Callable[..., None] = _put

    @property
    def id_field(self) -> str:
        """Field of its id."""
        return FACTS[ENDPOINTS[self.record]].id_field


def writer_of(kind: Kind) -> Writer:
    """Who creates and updates documents of a kind."""

    def write(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
        before = _found(context, fields, kind, record_id)
        if fields.problems:
            return None
        return Writing(context=context, fields=fields, kind=kind, before=before).write(before or kind.blank(context))

    return write


def _found(context: WriteContext, fields: Fields, kind: Kind, record_id: str | None) -> Any:
    shelf = context.organisation.of(kind.record)
    wanted = record_id or (None if context.creates else fields.guid(kind.id_field))
    if wanted is not None:
        found = shelf.get(wanted)
        if found is None:
            fields.wrong(f"{kind.word} could not be found.")  # (unconfirmed)
        return found
    number = fields.text(kind.number_field, "") if kind.number_field else ""
    of_numbered = not kind.numbered or fields.text("Type", "") in ("", kind.numbered)
    taken = context.numbered(kind.record, number, kind.unique) if number and of_numbered else None
    if taken is None:
        return None
    if context.creates:
        fields.wrong(kind.taken)
        return None
    return shelf.get(taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One document being written; ``before`` is None for a new one."""

    context: WriteContext
    fields: Fields
    kind: Kind
    before: Any

    def write(self, blank: Any) -> str | None:
        """Read the fields over what is there; write if nothing is wrong."""
        fields, before, kind = self.fields, self.before, self.kind
        if before is not None and (closed := self._closed()):
            fields.wrong(closed)
            return None
        contact_id, contact = contact_of(self.context, fields, blank.contact_id or None, makes=kind.makes_contacts)
        document = replace(
            blank,
            reference=fields.text("Reference", blank.reference),
            contact_id=contact_id,
            currency=self._currency(blank),
            line_amount_types=fields.one_of("LineAmountTypes", LineAmountTypes, blank.line_amount_types),
            **self._shared(blank),
        )
        status = self._status(document)
        document = kind.own(self, document if before is not None else replace(document, status=status))
        document = self._lines(document, strict=status in kind.posts)
        self.context.check_open(fields, document, before)
        if not fields.problems:
            document = self._moved(document, status)
        settled = before is not None and bool(getattr(before, "allocations", ()) or getattr(before, "payments", ()))
        if settled and _content(document) != _content(before):
            fields.wrong(_SETTLED)
        if contact is not None:
            self.context.write(contact, fields.problems)
        # On documents with money on them Xero changes the due date and the sent mark without a stamp.
        kind.put(self.context, fields, document, stamp=not settled or document.reference != before.reference)
        return None if fields.problems else str(document.id)

    def _closed(self) -> str | None:
        if self.before.status in self.kind.final:
            return f"{self.kind.word} not of valid status for modification"
        return self.kind.closed(self.before)

    def _shared(self, blank: Any) -> dict[str, Any]:
        """What most kinds have."""
        fields = self.fields
        shared: dict[str, Any] = {}
        if self.kind.types is not None:
            shared["type"] = self._type(blank)
        if hasattr(blank, "date"):
            shared["date"] = fields.day("Date", blank.date)
            shared["currency_rate"] = fields.units("CurrencyRate", 10, blank.currency_rate) or RATE_ONE
        if self.kind.number_field:
            shared["number"] = self._number(replace(blank, **shared))
        return shared

    def _type(self, blank: Any) -> Any:
        assert self.kind.types is not None
        text = self.fields.text("Type", "" if self.before is None else blank.type.value)
        if not text:
            self.fields.wrong(f"{self.kind.word} Type must be specified")
        elif text not in list(self.kind.types):
            self.fields.wrong(f"{self.kind.word} Type '{text}' is not valid.")  # (unconfirmed)
        elif self.before is not None and text != blank.type:
            self.fields.wrong(f"{self.kind.word} Type cannot be changed.")  # (unconfirmed)
        else:
            return self.kind.types(text)
        return blank.type

    def _currency(self, blank: Any) -> str:
        code = self.fields.text("CurrencyCode", blank.currency)
        if self.context.organisation.of(Currency).get(code) is None:
            self.fields.wrong(f"Organisation is not subscribed to currency {code}")
        return code

    def _status(self, document: Any) -> Any:
        text = self.fields.text("Status", document.status.value)
        if text not in list(self.kind.statuses) or (self.before is None and text not in self.kind.starts):
            ending = "creation" if self.before is None else "modification"
            self.fields.wrong(f"{self.kind.word} not of valid status for {ending}")
            return document.status
        return self.kind.statuses(text)

    def _number(self, document: Any) -> str:
        """As given, or the next one for a new document whose numbers are unique: bills' are not."""
        kind, context = self.kind, self.context
        unique = kind.unique(document)
        number = self.fields.text(kind.number_field, document.number)
        if number:
            taken = context.numbered(kind.record, number, kind.unique) if unique else None
            if taken not in (None, document.id):
                self.fields.wrong(kind.taken)
            return number
        if not unique:
            return ""
        books = context.organisation
        count = books.next_number(document.type) if kind.types else len(books.of(kind.record)) + 1
        while context.numbered(kind.record, f"{kind.prefix}-{count:04d}", kind.unique):
            count += 1
        return f"{kind.prefix}-{count:04d}"

    def _lines(self, document: Any, *, strict: bool) -> Any:
        fields = self.fields
        given = "LineItems" in fields.values
        if strict and not given and not all(line.account_code or line.is_text for line in document.lines):
            fields.wrong("Account code must be specified")
        if not given and self.before is not None and document.line_amount_types is self.before.line_amount_types:
            return document
        kind = self.kind
        sale = kind.sale(document)
        lines = Lines(
            context=self.context, document=document, sale=sale, account=kind.account, strict=strict, exact=kind.exact
        )
        read = lines.read(fields) if given else lines.repriced()
        if not read:
            fields.wrong("One or more line items must be specified")
        if fields.problems:
            return document
        try:
            return kind.with_lines(document, read)
        except RuleError:
            fields.wrong(_SETTLED)
            return document

    def _moved(self, document: Any, status: Any) -> Any:
        if document.status is status:
            return document
        try:
            return self.kind.move(document, status)
        except RuleError:
            settled = status is DocumentStatus.VOIDED and document.status is DocumentStatus.AUTHORISED
            self.fields.wrong(_SETTLED if settled else f"{self.kind.word} not of valid status for modification")
            return document

    def sent(self, document: Any, statuses: tuple[StrEnum, ...], names: str) -> bool:
        """``SentToContact``; a remark where the status doesn't have it yet."""
        status = self.fields.text("Status", document.status.value)
        if self.fields.values.get("SentToContact") is True and status not in statuses:
            self.fields.problems.warnings.append(f"Only {names} may have SentToContact updated.")
        return self.fields.flag("SentToContact", document.sent_to_contact)


def _content(document: Any) -> tuple[Any, ...]:
    """What money on a document fixes."""
    return (
        document.lines, document.contact_id, document.date, document.currency, document.currency_rate,
        document.line_amount_types, document.status,
    )  # fmt: skip


# -- invoices and credit notes ---------------------------------------------------------------------------------------------


def _numbered_sale(document: Any) -> bool:
    """Whose numbers are taken: sales documents that are not deleted (that a deletion frees the number: unconfirmed)."""
    return document.type in (InvoiceType.ACCREC, CreditNoteType.ACCRECCREDIT) and (
        document.status is not DocumentStatus.DELETED
    )


def _blank_invoice(context: WriteContext) -> Invoice:
    today = context.today
    return Invoice(
        id=context.new_id(), type=InvoiceType.ACCREC, number="", reference="", contact_id="", date=today, due_date=today,
        status=DocumentStatus.DRAFT, line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(),
        currency=context.organisation.profile.currency, updated_ms=0, created_by=context.client_id or None,
    )  # fmt: skip


def _own_invoice(writing: Writing, invoice: Invoice) -> Invoice:
    fields = writing.fields
    if writing.before is not None:
        due = fields.day("DueDate", writing.before.due_date)
    else:
        contact = writing.context.organisation.contacts.get(invoice.contact_id)
        terms = _terms_of(contact, invoice.type)
        if not fields.has("DueDate") and terms is None and invoice.status is DocumentStatus.AUTHORISED:
            fields.wrong("The due date must be specified.")  # (unconfirmed)
        due = fields.day("DueDate", terms.due(invoice.date) if terms else invoice.date)
    rounding, entered = _rounding(writing, invoice)
    return replace(
        invoice,
        due_date=due,
        branding_theme_id=fields.guid("BrandingThemeID") or invoice.branding_theme_id,
        sent_to_contact=writing.sent(invoice, _APPROVED, "AUTHORISED and PAID invoices"),
        overrides=fields.carried(
            invoice.overrides, "Url", days=("ExpectedPaymentDate", "PlannedPaymentDate"), whole=("InvoiceAddresses",)
        ),
        rounding=rounding,
        entered_total=entered,
    )


def _terms_of(contact: Contact | None, kind: InvoiceType) -> Terms | None:
    if contact is None:
        return None
    return contact.sales_terms if kind is InvoiceType.ACCREC else contact.bills_terms


def _rounding(writing: Writing, invoice: Invoice) -> tuple[int, int | None]:
    """Rounding and entered total. Source: release notes of Xero's OpenAPI 19.0.0; the texts are unconfirmed."""
    fields = writing.fields
    rounding = fields.units("RoundingAmount", 2, invoice.rounding)
    entered = fields.units("EnteredTotal", 2, invoice.entered_total)
    if not writing.context.organisation.company().rounds:
        return invoice.rounding, invoice.entered_total  # what Xero does without the option: unconfirmed
    status = fields.text("Status", invoice.status.value)
    if rounding != invoice.rounding:
        if abs(rounding) > _MOST_ROUNDING:
            fields.wrong("RoundingAmount must be between -0.10 and 0.10.")
        if status in _NOT_DRAFT and not all(fields.has(name) for name in ("SubTotal", "TotalTax", "Total")):
            fields.wrong("RoundingAmount needs SubTotal, TotalTax and Total.")
    if entered != invoice.entered_total and status != DocumentStatus.DRAFT:
        fields.wrong("EnteredTotal can only be set on DRAFT invoices.")
    return rounding, entered


def _blank_credit_note(context: WriteContext) -> CreditNote:
    return CreditNote(
        id=context.new_id(), type=CreditNoteType.ACCRECCREDIT, number="", reference="", contact_id="", date=context.today,
        status=DocumentStatus.DRAFT, line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(),
        currency=context.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip


def _own_credit_note(writing: Writing, note: CreditNote) -> CreditNote:
    fields = writing.fields
    return replace(
        note,
        branding_theme_id=fields.guid("BrandingThemeID") or note.branding_theme_id,
        sent_to_contact=writing.sent(note, _APPROVED, "AUTHORISED and PAID credit notes"),
        overrides=fields.carried(note.overrides, days=("DueDate",), whole=("InvoiceAddresses",)),
    )


INVOICE = Kind(
    record=Invoice,
    word="Invoice",
    blank=_blank_invoice,
    own=_own_invoice,
    statuses=DocumentStatus,
    starts=(DocumentStatus.DRAFT, DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED),
    final=(DocumentStatus.PAID, DocumentStatus.VOIDED, DocumentStatus.DELETED),
    posts=(DocumentStatus.AUTHORISED,),
    types=InvoiceType,
    sale=lambda invoice: invoice.type is InvoiceType.ACCREC,
    number_field="InvoiceNumber",
    prefix="INV",
    numbered=InvoiceType.ACCREC,
    unique=_numbered_sale,
    taken="Invoice # must be unique.",
    with_lines=invoices.with_lines,
    move=invoices.move,
)
CREDIT_NOTE = Kind(
    record=CreditNote,
    word="Credit Note",
    blank=_blank_credit_note,
    own=_own_credit_note,
    statuses=DocumentStatus,
    starts=INVOICE.starts,
    final=INVOICE.final,
    posts=INVOICE.posts,
    types=CreditNoteType,
    sale=lambda note: note.type is CreditNoteType.ACCRECCREDIT,
    number_field="CreditNoteNumber",
    prefix="CN",
    numbered=CreditNoteType.ACCRECCREDIT,
    unique=_numbered_sale,
    taken="Credit Note # must be unique.",
    with_lines=credit_notes.with_lines,
    move=credit_notes.move,
)


# -- purchase orders and quotes ----------------------------------------------------------------------------------------------


def _blank_order(context: WriteContext) -> PurchaseOrder:
    return PurchaseOrder(
        id=context.new_id(), number="", status=OrderStatus.DRAFT, contact_id="", date=context.today,
        line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(), currency=context.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip


def _own_order(writing: Writing, order: PurchaseOrder) -> PurchaseOrder:
    fields = writing.fields
    carried = ("DeliveryAddress", "Telephone", "DeliveryInstructions", "BrandingThemeID")
    return replace(
        order,
        delivery_date=fields.day("DeliveryDate", order.delivery_date),
        attention_to=fields.text("AttentionTo", order.attention_to),
        sent_to_contact=writing.sent(
            order, (OrderStatus.AUTHORISED, OrderStatus.BILLED), "AUTHORISED and BILLED purchase orders"
        ),
        overrides=fields.carried(order.overrides, *carried, days=("ExpectedArrivalDate",)),
    )


def _blank_quote(context: WriteContext) -> Quote:
    return Quote(
        id=context.new_id(), number="", status=QuoteStatus.DRAFT, contact_id="", date=context.today,
        line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(), currency=context.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip


def _own_quote(writing: Writing, quote: Quote) -> Quote:
    fields = writing.fields
    return replace(
        quote,
        expiry_date=fields.day("ExpiryDate", quote.expiry_date),
        title=fields.text("Title", quote.title),
        summary=fields.text("Summary", quote.summary),
        terms=fields.text("Terms", quote.terms),
        overrides=fields.carried(quote.overrides, "BrandingThemeID"),
    )


PURCHASE_ORDER = Kind(
    record=PurchaseOrder,
    word="Purchase Order",
    blank=_blank_order,
    own=_own_order,
    statuses=OrderStatus,
    starts=(OrderStatus.DRAFT, OrderStatus.SUBMITTED, OrderStatus.AUTHORISED),
    final=(OrderStatus.BILLED, OrderStatus.DELETED),
    number_field="PurchaseOrderNumber",
    prefix="PO",
    unique=lambda order: order.status is not OrderStatus.DELETED,
    taken="Order number must be unique",
    makes_contacts=False,
    exact=True,
    with_lines=purchase_orders.with_lines,
    move=purchase_orders.move,
)
QUOTE = Kind(
    record=Quote,
    word="Quote",
    blank=_blank_quote,
    own=_own_quote,
    statuses=QuoteStatus,
    starts=(QuoteStatus.DRAFT, QuoteStatus.SENT),  # (unconfirmed)
    final=(QuoteStatus.DELETED,),
    sale=lambda _: True,
    number_field="QuoteNumber",
    prefix="QU",
    unique=lambda quote: quote.status is not QuoteStatus.DELETED,
    taken="Quote number must be unique",  # (unconfirmed)
    exact=True,  # (unconfirmed)
    with_lines=quotes.with_lines,
    move=quotes.move,
)


# -- repeating invoices ------------------------------------------------------------------------------------------------------


def _blank_repeating(context: WriteContext) -> RepeatingInvoice:
    schedule = Schedule(
        period=1, unit="MONTHLY", due_day=20, due_type="OFFOLLOWINGMONTH", start=context.today, next=context.today
    )
    return RepeatingInvoice(
        id=context.new_id(), type=InvoiceType.ACCREC, status=RepeatingStatus.DRAFT, contact_id="", schedule=schedule,
        line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(), currency=context.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip


def _own_repeating(writing: Writing, record: RepeatingInvoice) -> RepeatingInvoice:
    sent = ("ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF")
    record = replace(record, overrides=writing.fields.carried(record.overrides, "BrandingThemeID", flags=sent))
    given, before = writing.fields.inner("Schedule"), record.schedule
    if given is None:
        if writing.before is None:
            writing.fields.wrong("A Schedule must be specified.")  # (unconfirmed)
        return record
    start = given.day("StartDate", before.start)
    schedule = Schedule(
        period=given.units("Period", 0, before.period),
        unit=given.text("Unit", before.unit),
        due_day=given.units("DueDate", 0, before.due_day),
        due_type=given.text("DueDateType", before.due_type),
        start=start,
        next=given.day("NextScheduledDate", start if writing.before is None else before.next),
        end=given.day("EndDate", before.end),
    )
    if schedule.unit not in ("WEEKLY", "MONTHLY") or schedule.period < 1:
        given.wrong("Period must be above zero, and Unit WEEKLY or MONTHLY.")  # (unconfirmed)
    if schedule.due_type not in repeating_invoices.DUE_TYPES:
        given.wrong(f"DueDateType {schedule.due_type} is not valid.")  # (unconfirmed)
    return replace(record, schedule=schedule)


REPEATING_INVOICE = Kind(
    record=RepeatingInvoice,
    word="Repeating Invoice",
    blank=_blank_repeating,
    own=_own_repeating,
    statuses=RepeatingStatus,
    starts=(RepeatingStatus.DRAFT, RepeatingStatus.AUTHORISED),
    final=(RepeatingStatus.DELETED,),
    posts=(RepeatingStatus.AUTHORISED,),
    types=InvoiceType,
    sale=INVOICE.sale,
    exact=True,  # (unconfirmed): Xero takes no unitdp there
    with_lines=repeating_invoices.with_lines,
    move=repeating_invoices.move,
)
