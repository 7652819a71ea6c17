"""What is kept between runs, and the two ways to keep it: on disk, or not at all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from simulator.books.organisation import Change, Organisation
from simulator.books.profile import Profile
from simulator.identity.grants import Client, Grant
from simulator.webhooks.events import Event


class PaperKind(StrEnum):
    """What hangs on a record, beside its fields."""

    FILE = "file"  # the bytes of an attachment
    NOTES = "notes"  # notes on a record, JSON


@dataclass(slots=True, kw_only=True)
class Kept:
    """Everything found on disk.

    Attributes:
        seed: the seed the books were drawn with; it wins over the setting.
        boot: how often the books were opened before.
        next_sequence: the next webhook event's number.
        newest_ms: the latest time the books speak of.
        papers: files and notes: of which kind, the attachment's or the record's id, content.
    """

    seed: int
    boot: int = 0
    next_sequence: int = 1
    newest_ms: int = 0
    organisations: list[Organisation] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    papers: list[tuple[PaperKind, str, bytes]] = field(default_factory=list)


class KeepingError(Exception):
    """The books can't be opened; the message says what to do."""


class Keeping(Protocol):
    """Keeps the books. Whatever a method has taken survives ``kill -9`` once it returns."""

    def open(self) -> Kept | None:
        """What was kept; None for new books.

        Raises:
            KeepingError: the books are in use, damaged, or of another version.
        """

    def begin(self, seed: int) -> None:
        """Start new books."""

    def add_organisation(self, organisation: Organisation) -> None:
        """Keep a whole organisation."""

    def save(self, profile: Profile, changes: Iterable[Change], events: Iterable[Event]) -> None:
        """Keep changes and the events that announce them, together or not at all."""

    def add_events(self, events: Iterable[Event]) -> None:
        """Keep events that announce nothing in the books."""

    def settle_events(self, sequences: Iterable[int]) -> None:
        """Those events are delivered (or lost on purpose)."""

    def save_paper(self, kind: PaperKind, of_id: str, body: bytes) -> None:
        """Keep a file, or a record's notes, as they are now."""

    def save_client(self, client: Client) -> None:
        """Keep an app's credentials."""

    def save_grant(self, grant: Grant) -> None:
        """Keep a grant as it is now."""

    def close(self) -> None:
        """Release the books."""


class Forgetful:
    """Keeps nothing."""

    def open(self) -> Kept | None:
        """Nothing."""
        return None

    def begin(self, seed: int) -> None:
        """Nothing to do."""

    def add_organisation(self, organisation: Organisation) -> None:
        """Nothing to do."""

    def save(self, profile: Profile, changes: Iterable[Change], events: Iterable[Event]) -> None:
        """Nothing to do."""

    def add_events(self, events: Iterable[Event]) -> None:
        """Nothing to do."""

    def settle_events(self, sequences: Iterable[int]) -> None:
        """Nothing to do."""

    def save_paper(self, kind: PaperKind, of_id: str, body: bytes) -> None:
        """Nothing to do."""

    def save_client(self, client: Client) -> None:
        """Nothing to do."""

    def save_grant(self, grant: Grant) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
