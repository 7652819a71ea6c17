"""``BankTransfer``: money moved between two bank accounts of the organisation."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import Day, Id, Instant, Known, Number, Part, Record, TrackingRef


class BankTransferStatus(StrEnum):
    """Whether a transfer stands."""

    AUTHORISED = "authorised"
    DELETED = "deleted"


class TransferSide(Part):
    """One end of a transfer."""

    account_id: Id | None
    """The bank account."""
    account_name: str | None
    """Its name when the transfer was read."""
    transaction_id: Id | None
    """The bank transaction on that account."""
    is_reconciled: bool
    """Whether that transaction is matched with a line of the bank statement."""
    tracking: tuple[TrackingRef, ...]
    """Tracking options of that end, at most two."""


class BankTransfer(Record):
    """A transfer between two bank accounts. It can be deleted, not changed; ``updated_at`` is null, Xero keeps none."""

    version: ClassVar[int] = 1

    created_at: Instant | None
    """Xero's CreatedDateUTC. It doesn't move when the transfer is deleted or reconciled."""
    status: Known[BankTransferStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    date: Day | None
    """When."""
    amount: Number | None
    """How much left ``source``, in its currency."""
    exchange_rate: Number | None
    """Exchange rate between the currencies of the two accounts; null where it is 1."""
    reference: str | None
    """Reference."""
    source: TransferSide
    """Where the money came from."""
    destination: TransferSide
    """Where it went."""
    has_attachments: bool
    """Whether files are attached."""
