"""What can be edited, how often, and how one asks for it."""

from dataclasses import dataclass
from enum import StrEnum

from simulator.books.organisation import Change
from simulator.books.words import Endpoint


class EditKind(StrEnum):
    """What an edit does."""

    CREATE = "create"
    CHANGE = "change"
    SUBMIT = "submit"
    APPROVE = "approve"
    PAY = "pay"
    VOID = "void"
    DELETE = "delete"
    ALLOCATE = "allocate"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    MERGE = "merge"
    ERASE = "erase"
    RENAME = "rename"
    WITHDRAW = "withdraw"
    LOCK = "lock"
    TOUCH_WITHOUT_STAMP = "touch_without_stamp"
    RESTORE = "restore"


WEIGHTS: dict[tuple[Endpoint, EditKind], float] = {
    (Endpoint.INVOICES, EditKind.CREATE): 12,
    (Endpoint.INVOICES, EditKind.CHANGE): 16,
    (Endpoint.INVOICES, EditKind.SUBMIT): 3,
    (Endpoint.INVOICES, EditKind.APPROVE): 12,
    (Endpoint.INVOICES, EditKind.PAY): 16,
    (Endpoint.INVOICES, EditKind.VOID): 3,
    (Endpoint.INVOICES, EditKind.DELETE): 2,
    (Endpoint.CONTACTS, EditKind.CREATE): 3,
    (Endpoint.CONTACTS, EditKind.CHANGE): 10,
    (Endpoint.CONTACTS, EditKind.ARCHIVE): 1,
    (Endpoint.CONTACTS, EditKind.UNARCHIVE): 0.5,
    (Endpoint.CONTACTS, EditKind.MERGE): 1,
    (Endpoint.CONTACTS, EditKind.ERASE): 0.3,
    (Endpoint.CREDIT_NOTES, EditKind.CREATE): 4,
    (Endpoint.CREDIT_NOTES, EditKind.CHANGE): 3,
    (Endpoint.CREDIT_NOTES, EditKind.SUBMIT): 1,
    (Endpoint.CREDIT_NOTES, EditKind.APPROVE): 3,
    (Endpoint.CREDIT_NOTES, EditKind.ALLOCATE): 4,
    (Endpoint.CREDIT_NOTES, EditKind.VOID): 1,
    (Endpoint.CREDIT_NOTES, EditKind.DELETE): 0.5,
    (Endpoint.PREPAYMENTS, EditKind.CREATE): 2,
    (Endpoint.PREPAYMENTS, EditKind.ALLOCATE): 2,
    (Endpoint.PREPAYMENTS, EditKind.WITHDRAW): 1,
    (Endpoint.PREPAYMENTS, EditKind.VOID): 0.5,
    (Endpoint.OVERPAYMENTS, EditKind.CREATE): 2,
    (Endpoint.OVERPAYMENTS, EditKind.ALLOCATE): 2,
    (Endpoint.OVERPAYMENTS, EditKind.WITHDRAW): 1,
    (Endpoint.OVERPAYMENTS, EditKind.VOID): 0.5,
    (Endpoint.PAYMENTS, EditKind.CREATE): 1,
    (Endpoint.PAYMENTS, EditKind.DELETE): 1.5,
    (Endpoint.INVOICES, EditKind.ALLOCATE): 0,
    (Endpoint.INVOICES, EditKind.TOUCH_WITHOUT_STAMP): 0,
    (Endpoint.CONTACTS, EditKind.TOUCH_WITHOUT_STAMP): 0,
    (Endpoint.CREDIT_NOTES, EditKind.TOUCH_WITHOUT_STAMP): 0,
    (Endpoint.INVOICES, EditKind.RESTORE): 0,
    (Endpoint.CONTACTS, EditKind.RESTORE): 0,
    (Endpoint.CREDIT_NOTES, EditKind.RESTORE): 0,
    (Endpoint.CONTACTS, EditKind.RENAME): 0,
}
"""What can be done to what Xero announces by webhook, and how often it is drawn."""


OTHER_WEIGHT = 2
"""How often each edit of the other kinds is drawn, where they are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What was done: the record it was about, a few words, and everything that changed."""

    endpoint: Endpoint
    kind: EditKind
    record_id: str
    what: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What kind of edit is wanted; None leaves it to chance.

    Attributes:
        record_id: the record to edit, or for ``create`` the contact to create a document for.
        everything: whether what no endpoint is named for may be of any kind, or only what Xero announces.
        stamp: whether ``UpdatedDateUTC`` moves; None: as the kind has it.
        weights: odds by kind instead of the usual ones.
    """

    endpoint: Endpoint | None = None
    kind: EditKind | None = None
    record_id: str | None = None
    everything: bool = False
    stamp: bool | None = None
    weights: dict[EditKind, float] | None = None
