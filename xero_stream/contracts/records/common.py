"""What the unified records share: the base, exact numbers, and the parts that occur in several of them.

A record is plain JSON on the wire; these models are for consumers in Python. Read one with :meth:`Record.read`, which
keeps every digit (a plain JSON parser turns a 17-digit amount into the nearest double).
"""

import json
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema


def _as_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() and value.adjusted() < 18 else float(value)


Number = Annotated[
    Decimal,
    PlainSerializer(_as_number, return_type=int | float, when_used="json"),
    WithJsonSchema({"type": "number", "format": "decimal"}),
]
"""A JSON number, exact: ``Decimal`` in Python, also in what generators make of the schema's format. ``model_dump_json`` writes the nearest double."""

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"})]
"""A calendar date of the organisation, ``YYYY-MM-DD``. It has no time zone; never shift it."""

Instant = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$", json_schema_extra={"format": "date-time"})
]
"""A moment in UTC with milliseconds, ``2018-11-02T16:31:30.160Z``."""

Id = Annotated[str, Field(min_length=1, pattern=r"^[^A-Z]+$")]
"""Xero's id (a GUID), in lower case."""

E = TypeVar("E", bound=StrEnum)

Known = Annotated[E | str, Field(union_mode="left_to_right")]
"""A word of Xero's in lower case: a member of ``E`` where we know it, else a plain string, so that a word Xero adds never
costs the record. Compare with members (``is`` works); a ``match`` over them needs a case for the rest."""


class Part(BaseModel):
    """Base of everything inside a record: immutable, no field that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Record(Part):
    """Base of the unified records.

    Every field is always present; null means Xero has no value (it sends an empty string or leaves the field out).
    """

    version: ClassVar[int]
    """Version of the contract: it grows when a field changes meaning, narrows or goes, never for a new field."""

    tenant_id: Id
    """Xero's id of the organisation, in lower case. Together with ``id`` it is the key of the Kafka record."""
    id: Id
    """Xero's id of the record, in lower case."""
    updated_at: Instant | None
    """Xero's UpdatedDateUTC: when the record last changed. Null only if Xero sent none we can read."""

    @classmethod
    def read(cls, data: bytes | str | dict[str, Any]) -> Self:
        """The record from JSON, keeping every digit of its amounts; fields added after this release are ignored.

        Args:
            data: the JSON text of the record, or the same already parsed (with ``parse_float=Decimal`` to be exact).

        Raises:
            pydantic.ValidationError: it is not such a record.
            json.JSONDecodeError: it is not JSON.
        """
        document = data if isinstance(data, dict) else json.loads(data, parse_float=Decimal)
        return cls.model_validate(document, extra="ignore")


class Direction(StrEnum):
    """Which side of the books a document is on."""

    RECEIVABLE = "receivable"
    PAYABLE = "payable"


class TaxInclusion(StrEnum):
    """How the amounts of the lines stand to tax."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"
    NO_TAX = "no_tax"


class ContactRef(Part):
    """The contact of a document."""

    id: Id | None
    """Contact id."""
    name: str | None
    """The contact's name when the document was read."""


class AccountRef(Part):
    """An account of the chart of accounts."""

    id: Id | None
    """Account id."""
    code: str | None
    """Account code, e.g. ``200``."""


class ItemRef(Part):
    """A product or service."""

    id: Id | None
    """Item id."""
    code: str | None
    """Item code."""
    name: str | None
    """Item name."""


class TrackingRef(Part):
    """A tracking category and the option chosen in it."""

    category_id: Id | None
    """Tracking category id."""
    category_name: str | None
    """Tracking category name, e.g. ``Region``."""
    option_id: Id | None
    """Tracking option id."""
    option_name: str | None
    """Tracking option name, e.g. ``North``."""


class LineItem(Part):
    """One line of a document. A line may be a mere description: all its numbers are null then."""

    id: Id | None
    """Line item id."""
    description: str | None
    """What the line says."""
    quantity: Number | None
    """How many."""
    unit_price: Number | None
    """Price of one, up to four decimals."""
    discount_rate: Number | None
    """Discount in percent."""
    discount_amount: Number | None
    """Discount as an amount."""
    tax_amount: Number | None
    """Tax on the line."""
    total: Number | None
    """Xero's LineAmount: quantity x unit price less discount; with or without tax as ``tax_inclusion`` says."""
    account: AccountRef | None
    """The account the line is booked to."""
    item: ItemRef | None
    """The product or service sold or bought."""
    tax_rate: str | None
    """Code of the tax rate (Xero's TaxType), e.g. ``OUTPUT2``."""
    tracking: tuple[TrackingRef, ...]
    """Tracking options, at most two."""


class DocumentPayment(Part):
    """A payment on a document, as the document shows it."""

    id: Id | None
    """Payment id."""
    date: Day | None
    """When it was paid."""
    amount: Number | None
    """In the document's currency."""
    reference: str | None
    """The payment's reference."""
    exchange_rate: Number | None
    """Exchange rate of the payment."""


class InvoiceRef(Part):
    """The invoice an allocation goes to."""

    id: Id | None
    """Invoice id."""
    number: str | None
    """Invoice number."""


class Allocation(Part):
    """A part of the credit applied to an invoice."""

    id: Id | None
    """Allocation id."""
    invoice: InvoiceRef | None
    """Which invoice."""
    amount: Number | None
    """How much."""
    date: Day | None
    """When it was applied."""
