"""Invoices, bills and credit notes as clients write them. Texts not known from field reports are marked (unconfirmed)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from simulator.accounting_api.desk import Desk
from simulator.accounting_api.validation import NO_ID, Fields
from simulator.accounting_api.writers.contacts import contact_of
from simulator.books import credit_note as credit_notes
from simulator.books import invoice as invoices
from simulator.books.amounts import ONE, RATE_ONE, Day, half_up, line_total, tax_on
from simulator.books.credit_note import CreditNote, CreditNoteType
from simulator.books.currency import Currency
from simulator.books.document import LineItem, line_amounts
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.words import DocumentStatus, LineAmountTypes, RuleError

D = TypeVar("D", Invoice, CreditNote)

_NEW = (DocumentStatus.DRAFT, DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED)
_FINAL = (DocumentStatus.PAID, DocumentStatus.VOIDED, DocumentStatus.DELETED)
_APPROVED = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)
_SETTLED = "This document cannot be edited as it has a payment or credit note allocated to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What differs between invoices and credit notes."""

    word: str
    id_field: str
    number_field: str
    prefix: str
    types: type[InvoiceType] | type[CreditNoteType]
    sale: InvoiceType | CreditNoteType
    with_lines: Callable[[Any, Any], Any]
    move: Callable[[Any, DocumentStatus], Any]


_INVOICE = _Kind(
    word="Invoice",
    id_field="InvoiceID",
    number_field="InvoiceNumber",
    prefix="INV",
    types=InvoiceType,
    sale=InvoiceType.ACCREC,
    with_lines=invoices.with_lines,
    move=invoices.move,
)
_CREDIT_NOTE = _Kind(
    word="Credit Note",
    id_field="CreditNoteID",
    number_field="CreditNoteNumber",
    prefix="CN",
    types=CreditNoteType,
    sale=CreditNoteType.ACCRECCREDIT,
    with_lines=credit_notes.with_lines,
    move=credit_notes.move,
)


def write_invoice(desk: Desk, fields: Fields, record_id: str | None) -> str | None:
    """Create or update an invoice or a bill.

    Args:
        desk: the books.
        fields: the element.
        record_id: the invoice of the address, if it names one.

    Returns:
        Its id.
    """
    before = _found(desk, fields, Invoice, _INVOICE, record_id)
    if fields.problems:
        return None
    today = desk.today
    blank = before or Invoice(
        id=desk.new_id(), type=InvoiceType.ACCREC, number="", reference="", contact_id="", date=today, due_date=today,
        status=DocumentStatus.DRAFT, line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(),
        currency=desk.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip
    sent = fields.flag("SentToContact", blank.sent_to_contact)
    return _Writing(desk, fields, _INVOICE, before).write(
        blank, lambda document: replace(document, due_date=_due(desk, fields, before, document), sent_to_contact=sent)
    )


def write_credit_note(desk: Desk, fields: Fields, record_id: str | None) -> str | None:
    """Create or update a credit note; arguments as for :func:`write_invoice`."""
    before = _found(desk, fields, CreditNote, _CREDIT_NOTE, record_id)
    if fields.problems:
        return None
    blank = before or CreditNote(
        id=desk.new_id(), type=CreditNoteType.ACCRECCREDIT, number="", reference="", contact_id="", date=desk.today,
        status=DocumentStatus.DRAFT, line_amount_types=LineAmountTypes.EXCLUSIVE, lines=(),
        currency=desk.organisation.profile.currency, updated_ms=0,
    )  # fmt: skip
    return _Writing(desk, fields, _CREDIT_NOTE, before).write(blank, lambda document: document)


def _counts(document: Any) -> bool:
    """Whose numbers are taken: sales documents that are not deleted (that a deletion frees the number: unconfirmed)."""
    return document.type in (InvoiceType.ACCREC, CreditNoteType.ACCRECCREDIT) and (
        document.status is not DocumentStatus.DELETED
    )


def _found(desk: Desk, fields: Fields, document: type[D], kind: _Kind, record_id: str | None) -> D | None:
    shelf = desk.organisation.of(document)
    wanted = record_id or (None if desk.creates else fields.guid(kind.id_field))
    if wanted is not None:
        found = shelf.get(wanted)
        if found is None:
            fields.wrong(f"{kind.word} could not be found.")  # (unconfirmed)
        return found
    number = fields.text(kind.number_field, "")
    taken = desk.numbered(document, number, _counts) if number and fields.text("Type", "") in ("", kind.sale) else None
    if taken is None:
        return None
    if desk.creates:
        fields.wrong(f"{kind.word} # must be unique.")
        return None
    return shelf.get(taken)


def _due(desk: Desk, fields: Fields, before: Invoice | None, document: Invoice) -> Day:
    if before is not None:
        return fields.day("DueDate", before.due_date)
    contact = desk.organisation.contacts.get(document.contact_id)
    days = contact.payment_days if contact is not None else None
    if not fields.has("DueDate") and days is None and document.status is DocumentStatus.AUTHORISED:
        fields.wrong("The due date must be specified.")  # (unconfirmed)
    return fields.day("DueDate", document.date + (days or 0))


@dataclass(frozen=True, slots=True)
class _Writing:
    """One document being written."""

    desk: Desk
    fields: Fields
    kind: _Kind
    before: Any

    def write(self, blank: Any, own: Callable[[Any], Any]) -> str | None:
        """Read the fields over what is there; write if nothing is wrong."""
        fields, before = self.fields, self.before
        if before is not None and before.status in _FINAL:
            fields.wrong(f"{self.kind.word} not of valid status for modification")
            return None
        contact_id, contact = contact_of(self.desk, fields, blank.contact_id or None)
        document = replace(
            blank,
            type=self._type(blank),
            reference=fields.text("Reference", blank.reference),
            contact_id=contact_id,
            date=fields.day("Date", blank.date),
            branding_theme_id=fields.guid("BrandingThemeID") or blank.branding_theme_id,
            currency=self._currency(blank),
            currency_rate=fields.units("CurrencyRate", 10, blank.currency_rate) or RATE_ONE,
            line_amount_types=self._line_amount_types(blank),
        )
        status = self._status(document)
        document = replace(document, number=self._number(document))
        document = self._lines(document, strict=status is DocumentStatus.AUTHORISED)
        document = own(document if before is not None else replace(document, status=status))
        self._check_locks(document)
        self._remark(document, status)
        if not fields.problems:
            document = self._moved(document, status)
        settled = before is not None and bool(before.allocations or getattr(before, "payments", ()))
        if settled and _content(document) != _content(before):
            fields.wrong(_SETTLED)
        if contact is not None:
            self.desk.write(contact, fields.problems)
        # On documents with money on them Xero changes the due date and the sent mark without a stamp.
        self.desk.write(document, fields.problems, stamp=not settled or document.reference != before.reference)
        return None if fields.problems else str(document.id)

    def _type(self, blank: Any) -> Any:
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
        if self.desk.organisation.of(Currency).get(code) is None:
            self.fields.wrong(f"Organisation is not subscribed to currency {code}")
        return code

    def _line_amount_types(self, blank: Any) -> LineAmountTypes:
        text = self.fields.text("LineAmountTypes", blank.line_amount_types.value)
        known = {one.value.upper(): one for one in LineAmountTypes}
        if text.upper() not in known:
            self.fields.wrong(f"LineAmountTypes '{text}' is not valid.")  # (unconfirmed)
        return known.get(text.upper(), LineAmountTypes.EXCLUSIVE)

    def _status(self, document: Any) -> DocumentStatus:
        text = self.fields.text("Status", document.status.value)
        if text not in list(DocumentStatus) or (self.before is None and text not in _NEW):
            ending = "creation" if self.before is None else "modification"
            self.fields.wrong(f"{self.kind.word} not of valid status for {ending}")
            return DocumentStatus(document.status)
        return DocumentStatus(text)

    def _number(self, document: Any) -> str:
        """As given, or for a new sales document the next one; sales numbers are unique, bills' are not."""
        sale = document.type is self.kind.sale
        number = self.fields.text(self.kind.number_field, document.number)
        if number:
            taken = self.desk.numbered(type(document), number, _counts) if sale else None
            if taken not in (None, document.id):
                self.fields.wrong(f"{self.kind.word} # must be unique.")
            return number
        if not sale:
            return ""
        count = self.desk.organisation.next_number(document.type)
        while self.desk.numbered(type(document), f"{self.kind.prefix}-{count:04d}", _counts):
            count += 1
        return f"{self.kind.prefix}-{count:04d}"

    def _lines(self, document: Any, *, strict: bool) -> Any:
        given = "LineItems" in self.fields.values
        if strict and not given and not all(line.account_code for line in document.lines):
            self.fields.wrong("Account code must be specified")
        if not given and self.before is not None and document.line_amount_types is self.before.line_amount_types:
            return document
        known = {line.line_item_id: line for line in document.lines}
        if given:
            read = [self._line(one, known, document, strict=strict) for one in self.fields.each("LineItems")]
        else:
            read = [self._repriced(line, document.line_amount_types) for line in document.lines]
        if not read:
            self.fields.wrong("One or more line items must be specified")
        if self.fields.problems:
            return document
        try:
            return self.kind.with_lines(document, read)
        except RuleError:
            self.fields.wrong(_SETTLED)
            return document

    @staticmethod
    def _repriced(line: LineItem, types: LineAmountTypes) -> LineItem:
        amount, tax = line_amounts(line.quantity, line.unit_amount, line.discount_rate, line.tax_rate, types)
        return replace(line, line_amount=amount, tax_amount=tax)

    def _line(self, fields: Fields, known: dict[str, LineItem], document: Any, *, strict: bool) -> LineItem:
        """A line: one with the id of a line that is there changes it, any other is new (its own id: unconfirmed)."""
        before = known.get(fields.guid("LineItemID") or NO_ID)
        profile, sale = self.desk.organisation.profile, document.type is self.kind.sale
        description = fields.text("Description", before.description if before else "")
        if not description:
            fields.wrong("Description must be specified.")  # (unconfirmed)
        code = fields.text("AccountCode", before.account_code if before else "")
        if not code and strict:
            fields.wrong("Account code must be specified")
        account = self.desk.account(code, fields) if code else None
        usual = account.tax_type if account else profile.sales_tax if sale else profile.purchase_tax
        tax_type = fields.text("TaxType", before.tax_type if before else usual)
        if document.line_amount_types is LineAmountTypes.NO_TAX:
            tax_type = usual if tax_type == "NONE" else tax_type
        tracking = (self.desk.tracking(one) for one in fields.each("Tracking"))
        line = LineItem(
            line_item_id=before.line_item_id if before else self.desk.new_id(),
            description=description,
            quantity=fields.units("Quantity", 4, before.quantity if before else ONE),
            unit_amount=self._price(fields, before),
            account_code=code,
            account_id=account.id if account else "",
            tax_type=tax_type,
            tax_rate=self.desk.tax_rate(tax_type, fields),
            line_amount=0,
            tax_amount=0,
            discount_rate=fields.units("DiscountRate", 2, before.discount_rate if before else 0),
            item_code=fields.text("ItemCode", before.item_code if before else None) or None,
            tracking=tuple(one for one in tracking if one)
            if fields.has("Tracking")
            else before.tracking
            if before
            else (),
        )
        if line.quantity < 0:
            fields.wrong(
                f"The quantity value '{line.quantity / ONE:.4f}' is invalid. Quantity must not be less than zero."
            )
        return self._totalled(fields, line, document.line_amount_types)

    def _price(self, fields: Fields, before: LineItem | None) -> int:
        if not fields.has("UnitAmount") and fields.has("LineAmount"):
            quantity = fields.units("Quantity", 4, ONE) or ONE
            return half_up(fields.units("LineAmount", 2, 0) * 100 * ONE, quantity)
        decimals = 4 if self.desk.four_decimals else 2
        unit = fields.units("UnitAmount", decimals, None)
        return (before.unit_amount if before else 0) if unit is None else unit * (1 if decimals == 4 else 100)

    @staticmethod
    def _totalled(fields: Fields, line: LineItem, types: LineAmountTypes) -> LineItem:
        expected = line_total(line.quantity, line.unit_amount, line.discount_rate)
        amount = fields.units("LineAmount", 2, expected)
        if amount != expected and fields.has("UnitAmount"):
            fields.wrong(
                f"The line total {amount / 100:.2f} does not match the expected line total {expected / 100:.2f}"
            )
        rate = 0 if types is LineAmountTypes.NO_TAX else line.tax_rate
        tax = tax_on(amount, rate, inclusive=types is LineAmountTypes.INCLUSIVE)
        if types is not LineAmountTypes.NO_TAX:
            tax = fields.units("TaxAmount", 2, tax)
        return replace(line, line_amount=amount, tax_amount=tax)

    def _check_locks(self, document: Any) -> None:
        company = self.desk.organisation.company()
        days = [document.date] if self.before is None else [document.date, self.before.date]
        for lock, name in ((company.period_lock, "period"), (company.end_of_year_lock, "end of year")):
            if lock is not None and min(days) <= lock:
                self.fields.wrong(
                    f"The document date cannot be before the {name} lock date, currently set at {_spoken(lock)}"
                )

    def _remark(self, document: Any, status: DocumentStatus) -> None:
        if (
            self.fields.values.get("SentToContact") is True
            and isinstance(document, Invoice)
            and status not in _APPROVED
        ):
            self.fields.problems.warnings.append("Only AUTHORISED and PAID invoices may have SentToContact updated.")

    def _moved(self, document: Any, status: DocumentStatus) -> Any:
        if document.status is status:
            return document
        try:
            return self.kind.move(document, status)
        except RuleError:
            settled = status is DocumentStatus.VOIDED and document.status is DocumentStatus.AUTHORISED
            self.fields.wrong(_SETTLED if settled else f"{self.kind.word} not of valid status for modification")
            return document


def _content(document: Any) -> tuple[Any, ...]:
    """What money on a document fixes."""
    return (
        document.lines, document.contact_id, document.date, document.currency, document.currency_rate,
        document.line_amount_types, document.status,
    )  # fmt: skip


def _spoken(day: Day) -> str:
    """``31-Jul-2013``."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%d-%b-%Y")
