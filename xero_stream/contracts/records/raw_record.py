"""Records that travel as Xero sends them, in an envelope of ours: what few build on, and what has few fields."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, PlainSerializer

from xero_stream.contracts.records.common import Record


def _exact(value: Any) -> Any:
    """Every number as an int or a ``Decimal``, however it was parsed."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return {key: _exact(item) for key, item in value.items()} if isinstance(value, dict) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return {key: _numbers(item) for key, item in value.items()} if isinstance(value, dict) else value


class RawRecord(Record):
    """A record as Xero sends it, with what all records have."""

    version: ClassVar[int] = 1

    name: str | None
    """What to call it, where it has a name or a description."""
    status: str | None
    """Xero's status in lower case, where it has one."""
    raw: Annotated[
        dict[str, Any],
        AfterValidator(_exact),
        PlainSerializer(_numbers, return_type=dict[str, Any], when_used="json"),
    ]
    """The whole record as Xero sent it; its dates are ``/Date(…)/``."""


class BrandingTheme(RawRecord):
    """How documents are printed."""


class Budget(RawRecord):
    """A budget, with the lines of the months read: previous, current and next one unless others were asked for."""


class ContactGroup(RawRecord):
    """A group of contacts, with ids and names of its contacts."""


class Currency(RawRecord):
    """A currency the organisation uses. Its ``id`` is the ISO 4217 code in lower case."""


class LinkedTransaction(RawRecord):
    """A line of a bill that is charged on to a customer."""


class PaymentService(RawRecord):
    """A way to pay that invoices link to."""


class User(RawRecord):
    """A person with access to the organisation; ``status`` is the role."""
