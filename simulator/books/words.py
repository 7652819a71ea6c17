"""Words shared by all books, and the one error their rules raise."""

from enum import StrEnum


class Endpoint(StrEnum):
    """Path segment and list key of the Accounting API."""

    INVOICES = "Invoices"
    CONTACTS = "Contacts"
    CREDIT_NOTES = "CreditNotes"


class DocumentStatus(StrEnum):
    """Status of an invoice or a credit note. Source: published OpenAPI, ``Invoice.Status``."""

    DRAFT = "DRAFT"  # to SUBMITTED, AUTHORISED, DELETED
    SUBMITTED = "SUBMITTED"  # to DRAFT, AUTHORISED, DELETED
    AUTHORISED = "AUTHORISED"  # to VOIDED while nothing is paid or applied; to PAID by the books themselves
    PAID = "PAID"  # final here: payments are not taken back
    VOIDED = "VOIDED"  # final
    DELETED = "DELETED"  # final


class ContactStatus(StrEnum):
    """Status of a contact. Source: published OpenAPI, ``Contact.ContactStatus``."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    GDPRREQUEST = "GDPRREQUEST"


class LineAmountTypes(StrEnum):
    """Whether line amounts include tax."""

    EXCLUSIVE = "Exclusive"
    INCLUSIVE = "Inclusive"
    NO_TAX = "NoTax"


class RuleError(Exception):
    """Xero would refuse this; the message says why."""


MOVES: dict[DocumentStatus, frozenset[DocumentStatus]] = {
    DocumentStatus.DRAFT: frozenset({DocumentStatus.SUBMITTED, DocumentStatus.AUTHORISED, DocumentStatus.DELETED}),
    DocumentStatus.SUBMITTED: frozenset({DocumentStatus.DRAFT, DocumentStatus.AUTHORISED, DocumentStatus.DELETED}),
    DocumentStatus.AUTHORISED: frozenset({DocumentStatus.VOIDED}),
    DocumentStatus.PAID: frozenset(),
    DocumentStatus.VOIDED: frozenset(),
    DocumentStatus.DELETED: frozenset(),
}
"""What a user may do to a document's status."""


def check_move(current: DocumentStatus, to: DocumentStatus) -> None:
    """Refuse an illegal change of status.

    Raises:
        RuleError: a user can't move a document that way.
    """
    if to not in MOVES[current]:
        raise RuleError(f"a document that is {current} can't become {to}")
