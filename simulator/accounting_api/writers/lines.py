"""Line items as clients write them. Texts not known from field reports are marked (unconfirmed)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from simulator.accounting_api.validation import NO_ID, Fields
from simulator.accounting_api.write_context import WriteContext
from simulator.books.account import Account
from simulator.books.amounts import ONE, half_up, line_total, tax_on
from simulator.books.document import LineItem, Tracking, line_amounts
from simulator.books.item import Item
from simulator.books.tax_rate import TaxRate, unrecovered
from simulator.books.words import LineAmountTypes

AccountOf = Callable[[WriteContext, Fields, str, Any], Account | None]
"""The account that a line of a document posts to, by its code; else a complaint."""

_OF_A_TEXT = frozenset({"Description", "LineItemID", "Tracking", "ValidationErrors"})
"""Fields that leave a line a mere description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of one document.

    Attributes:
        document: all of it but its lines.
        sale: whether they are sold, not bought.
        account: where they post to.
        strict: whether each needs its account.
        exact: whether prices have four decimals without being asked for.
    """

    context: WriteContext
    document: Any
    sale: bool
    account: AccountOf
    strict: bool
    exact: bool = False

    def read(self, fields: Fields) -> list[LineItem]:
        """The lines sent: one with the id of a line that is there changes it, any other is new (its own id: unconfirmed)."""
        known = {line.line_item_id: line for line in self.document.lines}
        return [self._line(one, known.get(one.guid("LineItemID") or NO_ID)) for one in fields.each("LineItems")]

    def repriced(self) -> list[LineItem]:
        """The lines that are there, with other line amount types."""
        types = self.document.line_amount_types
        return [self._costed(_repriced(line, types)) for line in self.document.lines]

    def _line(self, fields: Fields, before: LineItem | None) -> LineItem:
        if (before is None or before.is_text) and not any(map(fields.has, set(fields.values) - _OF_A_TEXT)):
            return self._text(fields, before)
        profile = self.context.organisation.profile
        types = self.document.line_amount_types
        item_code = fields.text("ItemCode", before.item_code if before else None) or None
        item = next((one for one in self.context.organisation.of(Item) if one.code == item_code), None)
        offer = item.offer(sale=self.sale) if item is not None and before is None else None
        description = fields.text("Description", before.description if before else offer.description if offer else "")
        if not description:
            fields.wrong("Description must be specified.")  # (unconfirmed)
        usual_code = before.account_code if before else offer.account if offer else ""
        code = fields.text("AccountCode", self.context.code_of(fields, usual_code))
        if not code and self.strict:
            fields.wrong("Account code must be specified")
        account = self.account(self.context, fields, code, self.document) if code else None
        usual = account.tax_type if account else profile.sales_tax if self.sale else profile.purchase_tax
        usual = offer.tax if offer else usual
        tax_type = fields.text("TaxType", before.tax_type if before else usual)
        if types is LineAmountTypes.NO_TAX:
            tax_type = usual if tax_type == "NONE" else tax_type
        line = LineItem(
            line_item_id=before.line_item_id if before else self.context.new_id(),
            description=description,
            quantity=fields.units("Quantity", 4, before.quantity if before else ONE),
            unit_amount=self._price(fields, before.unit_amount if before else offer.price if offer else 0),
            account_code=account.code if account else code,
            account_id=account.id if account else "",
            tax_type=tax_type,
            tax_rate=self.context.tax_rate(tax_type, fields),
            line_amount=0,
            tax_amount=0,
            discount_rate=fields.units("DiscountRate", 2, before.discount_rate if before else 0),
            discount_amount=fields.units("DiscountAmount", 2, before.discount_amount if before else 0),
            item_code=item_code,
            tracking=self._tracking(fields, before),
        )
        if line.quantity < 0:
            fields.wrong(
                f"The quantity value '{line.quantity / ONE:.4f}' is invalid. Quantity must not be less than zero."
            )
        return self._costed(_totalled(fields, line, types))

    def _text(self, fields: Fields, before: LineItem | None) -> LineItem:
        """A description alone, which a document of any status may have. Source: published OpenAPI, ``LineItem.Description``."""
        description = fields.text("Description", before.description if before else "")
        if not description:
            fields.wrong("Description must be specified.")  # (unconfirmed)
        return LineItem(
            line_item_id=before.line_item_id if before else self.context.new_id(),
            description=description,
            quantity=0,
            unit_amount=0,
            account_code="",
            account_id="",
            tax_type="NONE",
            tax_rate=0,
            line_amount=0,
            tax_amount=0,
        )

    def _costed(self, line: LineItem) -> LineItem:
        """With what of its tax is a cost."""
        rate = self.context.organisation.of(TaxRate).get(line.tax_type)
        return line if self.sale or rate is None else replace(line, unrecovered=unrecovered(rate, line.tax_amount))

    def _tracking(self, fields: Fields, before: LineItem | None) -> tuple[Tracking, ...]:
        if fields.has("Tracking"):
            return tuple(one for one in map(self.context.tracking, fields.each("Tracking")) if one)
        return before.tracking if before else ()

    def _price(self, fields: Fields, usual: int) -> int:
        if not fields.has("UnitAmount") and fields.has("LineAmount"):
            quantity = fields.units("Quantity", 4, ONE) or ONE
            return half_up(fields.units("LineAmount", 2, 0) * 100 * ONE, quantity)
        return self.context.price(fields, "UnitAmount", usual, exact=self.exact)


def _repriced(line: LineItem, types: LineAmountTypes) -> LineItem:
    amount, tax = line_amounts(
        line.quantity, line.unit_amount, line.discount_rate, line.tax_rate, types, line.discount_amount
    )
    return replace(line, line_amount=amount, tax_amount=tax)


def _totalled(fields: Fields, line: LineItem, types: LineAmountTypes) -> LineItem:
    expected = line_total(line.quantity, line.unit_amount, line.discount_rate) - line.discount_amount
    amount = fields.units("LineAmount", 2, expected)
    if amount != expected and fields.has("UnitAmount"):
        fields.wrong(f"The line total {amount / 100:.2f} does not match the expected line total {expected / 100:.2f}")
    rate = 0 if types is LineAmountTypes.NO_TAX else line.tax_rate
    tax = tax_on(amount, rate, inclusive=types is LineAmountTypes.INCLUSIVE)
    if types is not LineAmountTypes.NO_TAX:
        tax = fields.units("TaxAmount", 2, tax)
    return replace(line, line_amount=amount, tax_amount=tax)
