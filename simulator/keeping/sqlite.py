"""Books in one SQLite file. WAL without a sync per commit: a killed process loses nothing, a power cut may."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from simulator.books.kinds import KINDS
from simulator.books.organisation import Change, Organisation
from simulator.books.profile import Profile
from simulator.books.words import Endpoint
from simulator.identity.grants import Client, Grant
from simulator.keeping.books import KeepingError, Kept, PaperKind
from simulator.webhooks.events import Event

FILE_NAME = "simulator.sqlite3"

FORMAT = 5
"""Raised when a kept record can't be read by the code of before."""

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE organisations (place INTEGER PRIMARY KEY, profile BLOB NOT NULL) STRICT;
CREATE TABLE records (
    place INTEGER PRIMARY KEY, tenant TEXT NOT NULL, endpoint TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (tenant, endpoint, id)
) STRICT;
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, tenant TEXT NOT NULL, endpoint TEXT NOT NULL,
    body BLOB NOT NULL, parcel INTEGER
) STRICT;
CREATE TABLE papers (kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;
CREATE TABLE clients (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE grants (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
"""

_RECORD = """INSERT INTO records (tenant, endpoint, id, body) VALUES (?, ?, ?, ?)
ON CONFLICT (tenant, endpoint, id) DO UPDATE SET body = excluded.body"""
_FORGET = "DELETE FROM records WHERE tenant = ? AND endpoint = ? AND id = ?"
_EVENT = "INSERT INTO events (sequence, at_ms, tenant, endpoint, body, parcel) VALUES (?, ?, ?, ?, ?, ?)"
_FACT = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

_PROFILE = TypeAdapter(Profile)
_CLIENT = TypeAdapter(Client)
_GRANT = TypeAdapter(Grant)
_RECORDS: dict[Endpoint, TypeAdapter[Any]] = {endpoint: TypeAdapter(kind) for endpoint, kind in KINDS.items()}


class SqliteKeeping:
    """Keeps the books in a directory, which one simulator at a time may hold."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._connection: sqlite3.Connection | None = None

    def open(self) -> Kept | None:
        """What was kept; None for new books.

        Raises:
            KeepingError: the books are in use, damaged, or of another version.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=2, isolation_level=None)
            self._connection = connection
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                connection.execute(f"PRAGMA {pragma}")
            with self._transaction():
                facts = self._facts()
            return self._load(facts) if facts else None
        except sqlite3.OperationalError as error:
            if "locked" in f"{error}":
                raise KeepingError(
                    f"{self._path} is in use by another simulator; stop it or choose another data directory"
                ) from error
            raise KeepingError(f"{self._path} can't be opened: {error}") from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise KeepingError(f"{self._path} can't be opened: {error}") from error

    def _facts(self) -> dict[str, int]:
        found = self._run("SELECT count(*) FROM sqlite_master WHERE name = 'facts'").fetchone()
        if not found[0]:
            for statement in _SCHEMA.split(";"):
                self._run(statement)
            return {}
        return dict(self._run("SELECT name, value FROM facts").fetchall())

    def _load(self, facts: dict[str, int]) -> Kept:
        if facts.get("format") != FORMAT:
            raise KeepingError(f"{self._path} was written by another version; choose another data directory")
        boot = facts["boot"] + 1
        self._run(_FACT, ("boot", boot))
        organisations = [
            self._organisation(_PROFILE.validate_json(body))
            for (body,) in self._run("SELECT profile FROM organisations ORDER BY place").fetchall()
        ]
        events = [
            Event(sequence=sequence, at_ms=at_ms, tenant_id=tenant, endpoint=endpoint, body=body, parcel=parcel)
            for sequence, at_ms, tenant, endpoint, body, parcel in self._run(
                "SELECT sequence, at_ms, tenant, endpoint, body, parcel FROM events ORDER BY sequence"
            )
        ]
        return Kept(
            seed=facts["seed"],
            boot=boot,
            next_sequence=facts.get("next_sequence", 1),
            newest_ms=max([facts.get("newest_ms", 0), *(one.newest_ms() for one in organisations)]),
            organisations=organisations,
            clients=[_CLIENT.validate_json(body) for (body,) in self._run("SELECT body FROM clients")],
            grants=[_GRANT.validate_json(body) for (body,) in self._run("SELECT body FROM grants ORDER BY rowid")],
            events=events,
            papers=[
                (PaperKind(kind), of_id, body) for kind, of_id, body in self._run("SELECT kind, id, body FROM papers")
            ],
        )

    def _organisation(self, profile: Profile) -> Organisation:
        records: dict[Endpoint, list[Any]] = {endpoint: [] for endpoint in Endpoint}
        rows = self._run("SELECT endpoint, body FROM records WHERE tenant = ? ORDER BY place", (profile.id,))
        for name, body in rows:
            endpoint = Endpoint(name)
            records[endpoint].append(_RECORDS[endpoint].validate_json(body))
        return Organisation(
            profile,
            contacts=records.pop(Endpoint.CONTACTS),
            invoices=records.pop(Endpoint.INVOICES),
            credit_notes=records.pop(Endpoint.CREDIT_NOTES),
            others=(record for some in records.values() for record in some),
        )

    def begin(self, seed: int) -> None:
        """Start new books."""
        with self._transaction():
            for name, value in (("format", FORMAT), ("seed", seed), ("boot", 0), ("next_sequence", 1)):
                self._run(_FACT, (name, value))

    def add_organisation(self, organisation: Organisation) -> None:
        """Keep a whole organisation."""
        with self._transaction():
            self._run("INSERT INTO organisations (profile) VALUES (?)", (orjson.dumps(organisation.profile),))
            for endpoint in Endpoint:
                shelf = organisation.shelf(endpoint)
                self._many(
                    _RECORD, ((organisation.id, endpoint.value, record.id, orjson.dumps(record)) for record in shelf)
                )

    def save(self, profile: Profile, changes: Iterable[Change], events: Iterable[Event]) -> None:
        """Keep changes and the events that announce them, together or not at all."""
        with self._transaction():
            for change in changes:
                place = (profile.id, change.endpoint.value, change.record.id)
                if change.removed:
                    self._run(_FORGET, place)
                else:
                    self._run(_RECORD, (*place, orjson.dumps(change.record)))
            self._insert_events(events)

    def add_events(self, events: Iterable[Event]) -> None:
        """Keep events that announce nothing in the books."""
        with self._transaction():
            self._insert_events(events)

    def _insert_events(self, events: Iterable[Event]) -> None:
        last: Event | None = None
        for event in events:
            last = event
            self._run(_EVENT, (event.sequence, event.at_ms, event.tenant_id, event.endpoint, event.body, event.parcel))
        if last is not None:
            self._run(_FACT, ("next_sequence", last.sequence + 1))
            self._run(_FACT, ("newest_ms", last.at_ms))

    def settle_events(self, sequences: Iterable[int]) -> None:
        """Those events are delivered (or lost on purpose)."""
        with self._transaction():
            self._many("DELETE FROM events WHERE sequence = ?", ((sequence,) for sequence in sequences))

    def save_paper(self, kind: PaperKind, of_id: str, body: bytes) -> None:
        """Keep a file, or a record's notes, as they are now."""
        self._run("INSERT OR REPLACE INTO papers (kind, id, body) VALUES (?, ?, ?)", (kind.value, of_id, body))

    def save_client(self, client: Client) -> None:
        """Keep an app's credentials."""
        self._run("INSERT OR REPLACE INTO clients (id, body) VALUES (?, ?)", (client.id, orjson.dumps(client)))

    def save_grant(self, grant: Grant) -> None:
        """Keep a grant as it is now."""
        self._run(
            "INSERT INTO grants (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (grant.id, orjson.dumps(grant)),
        )

    def close(self) -> None:
        """Release the books."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        assert self._connection is not None
        return self._connection.execute(statement, values)

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        assert self._connection is not None
        self._connection.executemany(statement, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")
