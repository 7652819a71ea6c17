"""Contacts: customers, suppliers, both. They are archived, merged or erased, never deleted."""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from simulator.books.amounts import Day
from simulator.books.document import Attachment
from simulator.books.words import ContactStatus, RuleError

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal or street address."""

    type: str
    line1: str = ""
    line2: str = ""
    line3: str = ""
    line4: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    attention_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A telephone number in Xero's three pieces."""

    type: str
    number: str = ""
    area_code: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at the contact."""

    first_name: str
    last_name: str
    email: str
    include_in_emails: bool = False


class TermsType(StrEnum):
    """What the day of payment terms counts. Source: published OpenAPI, ``PaymentTermType``."""

    AFTER_DATE = "DAYSAFTERBILLDATE"
    AFTER_MONTH = "DAYSAFTERBILLMONTH"
    OF_MONTH = "OFCURRENTMONTH"
    OF_NEXT_MONTH = "OFFOLLOWINGMONTH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When documents are due; ``day`` is a number of days, or a day of a month, as the type says."""

    day: int
    type: TermsType = TermsType.AFTER_DATE

    def due(self, issued: Day) -> Day:
        """When a document of that date is due. A month that is too short ends on its last day."""
        of_issue = date.fromordinal(_EPOCH + issued)
        first, following = _month(of_issue, 0), _month(of_issue, 1)
        match self.type:
            case TermsType.AFTER_DATE:
                return issued + self.day
            case TermsType.AFTER_MONTH:
                return following - 1 + self.day
            case TermsType.OF_MONTH:
                return min(first + max(self.day, 1), following) - 1
            case TermsType.OF_NEXT_MONTH:
                return min(following + max(self.day, 1), _month(of_issue, 2)) - 1


def _month(day: date, later: int) -> Day:
    """The first of a month, so many months later."""
    years, month = divmod(day.month - 1 + later, 12)
    return date(day.year + years, month + 1, 1).toordinal() - _EPOCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A customer or supplier. ``is_customer`` and ``is_supplier`` follow from documents and move no stamp."""

    id: str
    name: str
    status: ContactStatus
    updated_ms: int
    number: str | None = None
    account_number: str | None = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    tax_number: str = ""
    company_number: str = ""
    bank_account: str = ""
    website: str | None = None
    currency: str | None = None
    addresses: tuple[Address, ...] = ()
    phones: tuple[Phone, ...] = ()
    persons: tuple[Person, ...] = ()
    sales_terms: Terms | None = None
    bills_terms: Terms | None = None
    is_customer: bool = False
    is_supplier: bool = False
    merged_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)


def archive(contact: Contact) -> Contact:
    """Archive it.

    Raises:
        RuleError: it isn't active.
    """
    _must_be_active(contact)
    return replace(contact, status=ContactStatus.ARCHIVED)


def unarchive(contact: Contact) -> Contact:
    """Make an archived contact active again.

    Raises:
        RuleError: it isn't archived, or disappeared in a merge.
    """
    if contact.status is not ContactStatus.ARCHIVED or contact.merged_to is not None:
        raise RuleError(f"the contact {contact.name!r} isn't archived, or was merged")
    return replace(contact, status=ContactStatus.ACTIVE)


def merge_into(contact: Contact, target: Contact) -> Contact:
    """The contact that disappears in another: archived, pointing at it.

    Raises:
        RuleError: either isn't active, or both are the same.
    """
    _must_be_active(contact)
    _must_be_active(target)
    if contact.id == target.id:
        raise RuleError("a contact can't be merged into itself")
    return replace(contact, status=ContactStatus.ARCHIVED, merged_to=target.id)


def erase(contact: Contact) -> Contact:
    """A person asked to be erased (GDPRREQUEST): personal details go, the name stays on the documents.

    Raises:
        RuleError: that was asked before.
    """
    if contact.status is ContactStatus.GDPRREQUEST:
        raise RuleError("the contact's erasure was requested before")
    return replace(
        contact,
        status=ContactStatus.GDPRREQUEST,
        first_name="",
        last_name="",
        email="",
        tax_number="",
        bank_account="",
        addresses=(),
        phones=(),
        persons=(),
    )


def _must_be_active(contact: Contact) -> None:
    if contact.status is not ContactStatus.ACTIVE:
        raise RuleError(f"the contact {contact.name!r} is {contact.status}, not ACTIVE")
