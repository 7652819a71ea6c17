"""Contacts: customers, suppliers, both. They are archived, merged or erased, never deleted."""

from dataclasses import dataclass, field, replace

from simulator.books.document import Attachment
from simulator.books.words import ContactStatus, RuleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal or street address."""

    type: str
    line1: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


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
    payment_days: int | None = None
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
