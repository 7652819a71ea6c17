"""What invoices and credit notes share: lines, payments, totals."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.books.amounts import Cents, Day, TenThousandths, line_total, tax_on
from simulator.books.words import Endpoint, LineAmountTypes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """The option of a tracking category on a line."""

    category_id: str
    option_id: str
    name: str
    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One line.

    Attributes:
        tax_rate: ten-thousandths of a percent.
        discount_rate: hundredths of a percent.
        discount_amount: taken off beside the rate.
        unrecovered: what of the tax is a cost, because nobody gives it back.
    """

    line_item_id: str
    description: str
    quantity: TenThousandths
    unit_amount: TenThousandths
    account_code: str
    account_id: str
    tax_type: str
    tax_rate: int
    line_amount: Cents
    tax_amount: Cents
    discount_rate: int = 0
    discount_amount: Cents = 0
    unrecovered: Cents = 0
    item_code: str | None = None
    tracking: tuple[Tracking, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether it is a description alone: it costs nothing and posts nowhere."""
        return not (self.account_code or self.quantity or self.unit_amount or self.line_amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money received for, or paid on, a document; ``currency_rate`` None: the document's."""

    payment_id: str
    date: Day
    amount: Cents
    reference: str
    currency_rate: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Credit applied to an invoice; the same value stands on both.

    Attributes:
        credit_note_id: the credit note, prepayment or overpayment.
        source: which of the three.
        invoice_rate: the invoice's currency rate; None: the same as the credit's.
    """

    allocation_id: str
    invoice_id: str
    credit_note_id: str
    amount: Cents
    date: Day
    source: Endpoint = Endpoint.CREDIT_NOTES
    invoice_rate: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file at a record; ``size`` in bytes, ``online`` if customers see it with the online document."""

    attachment_id: str
    file_name: str
    size: int
    mime_type: str = "application/pdf"
    online: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over a document's lines."""

    sub_total: Cents
    total_tax: Cents
    total: Cents
    total_discount: Cents


def line_amounts(
    quantity: TenThousandths,
    unit_amount: TenThousandths,
    discount_rate: int,
    tax_rate: int,
    types: LineAmountTypes,
    discount_amount: Cents = 0,
) -> tuple[Cents, Cents]:
    """A line's amount and the tax on it (or in it)."""
    amount = line_total(quantity, unit_amount, discount_rate) - discount_amount
    rate = 0 if types is LineAmountTypes.NO_TAX else tax_rate
    return amount, tax_on(amount, rate, inclusive=types is LineAmountTypes.INCLUSIVE)


def add_up(lines: Sequence[LineItem], types: LineAmountTypes) -> Totals:
    """Totals of priced lines."""
    amounts = sum(line.line_amount for line in lines)
    tax = sum(line.tax_amount for line in lines)
    discount = sum(line_total(line.quantity, line.unit_amount, 0) - line.line_amount for line in lines)
    sub_total = amounts - tax if types is LineAmountTypes.INCLUSIVE else amounts
    return Totals(sub_total=sub_total, total_tax=tax, total=sub_total + tax, total_discount=discount)
