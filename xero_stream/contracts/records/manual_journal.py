"""``ManualJournal``: postings made by hand, with lines."""

from enum import StrEnum
from typing import ClassVar

from xero_stream.contracts.records.common import AccountRef, Day, Known, Number, Part, Record, TaxInclusion, TrackingRef


class ManualJournalStatus(StrEnum):
    """Where a manual journal stands."""

    DRAFT = "draft"
    POSTED = "posted"
    ARCHIVED = "archived"
    VOIDED = "voided"
    DELETED = "deleted"


class ManualJournalLine(Part):
    """One line of a manual journal."""

    description: str | None
    """What the line says."""
    account: AccountRef | None
    """The account it is booked to."""
    amount: Number | None
    """Debits are positive, credits negative; with or without tax as ``tax_inclusion`` says."""
    tax_amount: Number | None
    """Tax on the line."""
    tax_rate: str | None
    """Code of the tax rate (Xero's TaxType)."""
    tracking: tuple[TrackingRef, ...]
    """Tracking options, at most two."""
    is_blank: bool
    """Whether it is an empty line of a draft."""


class ManualJournal(Record):
    """A manual journal."""

    version: ClassVar[int] = 1

    status: Known[ManualJournalStatus] | None
    """The status; an unknown status of Xero's is passed on in lower case."""
    narration: str | None
    """What it is for."""
    date: Day | None
    """Date of the posting."""
    tax_inclusion: Known[TaxInclusion] | None
    """How line amounts stand to tax."""
    lines: tuple[ManualJournalLine, ...]
    """The lines, in the order of the journal; their debits and credits are equal."""
    on_cash_basis_reports: bool
    """Whether reports on a cash basis show it."""
    has_attachments: bool
    """Whether files are attached."""
    url: str | None
    """Link to a source document."""
