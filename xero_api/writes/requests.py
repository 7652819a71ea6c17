"""What to write: records, as plain values, without sending anything. Pure. What hangs below them: ``parts.py``.

Whatever can be refused here is refused before the network, in words that name the verb and the kind of record. The body
is built once and kept: Xero answers 400 to the same ``Idempotency-Key`` with other bytes, so a write that is sent again
must be this value, not one built again (https://developer.xero.com/documentation/guides/idempotent-requests).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from xero_api.decode import encode
from xero_api.entity import Entity, Json, Key, UpdateAt, Writes
from xero_api.errors import UnsendableError
from xero_api.requests import API_PATH, xeros_id
from xero_api.writes.values import sendable
from xero_stream.contracts.names import RecordId

LONGEST_KEY = 128
"""Characters of an ``Idempotency-Key``. Source: published OpenAPI, ``idempotencyKey``."""

MOST_BYTES = 3_000_000
"""Bytes of a body. Xero's pages say 3.5 MB and 10 MB; this is under both."""

MOST_FILE_BYTES = 10_000_000
"""Bytes of an attachment; ten of them a record (https://docs.workato.com/connectors/xero/upload-attachment.html)."""

EACH_FOR_ITSELF = ("summarizeErrors", "false")
"""The parameter that has Xero answer row by row."""

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?", re.ASCII)


class Verb(StrEnum):
    """What is done; also what a metric or a call record calls it."""

    CREATE = "create"
    UPDATE_OR_CREATE = "update_or_create"
    UPDATE = "update"
    DELETE = "delete"
    ATTACH = "attach"
    ADD_NOTE = "add_note"
    EMAIL = "email"
    ALLOCATE = "allocate"
    REMOVE_ALLOCATION = "remove_allocation"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """One write to send. It can't be made with a key that Xero would not take, or too large.

    Attributes:
        entity: what kind of record it is about.
        verb: what is done.
        method: HTTP method.
        path: path on the API host, encoded.
        params: query parameters in order, not yet encoded.
        body: the exact bytes.
        content_type: what they are.
        key: ``Idempotency-Key``; None where Xero takes none.
        list_key: key of the list in the answer; None: the answer says nothing.
        id_field: field with the id in each element of that list; None: they have none.
        ids: the id of each row sent, None where Xero gives one.
        natural_keys: the natural key of each row sent, None where it has none; empty: none has.
    """

    entity: Entity[Any]
    verb: Verb
    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    key: str | None = None
    list_key: str | None = None
    id_field: str | None = None
    ids: tuple[RecordId | None, ...] = ()
    natural_keys: tuple[str | None, ...] = ()

    def __post_init__(self) -> None:
        """Raises: UnsendableError: Xero would refuse it."""
        if self.key is not None and not _KEY.fullmatch(self.key):
            message = f"an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters, no blank at an end"
            raise UnsendableError(message)
        most = MOST_FILE_BYTES if self.verb is Verb.ATTACH else MOST_BYTES
        if len(self.body) > most:
            raise cannot(self.entity, self.verb, f"{len(self.body)} bytes at once: Xero takes {most}")

    @property
    def rows(self) -> int:
        """How many rows are sent; as many must come back."""
        return len(self.ids)

    @property
    def findable(self) -> bool:
        """Whether a look-up can tell what became of every row, should the answer get lost."""
        known = zip_longest(self.ids, self.natural_keys)
        return bool(self.ids) and all(record_id is not None or key is not None for record_id, key in known)

    @property
    def each_for_itself(self) -> bool:
        """Whether Xero was told to answer row by row (``summarizeErrors=false``)."""
        return EACH_FOR_ITSELF in self.params

    @property
    def endpoint(self) -> str:
        """A bounded label, e.g. ``Invoices/create``."""
        return f"{self.entity.path}/{self.verb}"

    @property
    def target(self) -> str:
        """Path and query."""
        query = "&".join(f"{name}={quote(value)}" for name, value in self.params)
        return f"{self.path}?{query}" if query else self.path

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers beside authorisation, tenant and Accept."""
        found = {"Content-Type": self.content_type} if self.body else {}
        return found | ({"Idempotency-Key": self.key} if self.key else {})


def create(entity: Entity[Any], records: Sequence[Json], *, key: str, allow_backorders: bool = False) -> WriteRequest:
    """Create records; none that is there already is touched.

    Args:
        records: 1 to ``entity.writes.many`` records in Xero's own fields; money as ``Decimal`` or int.
        key: the caller's ``Idempotency-Key``: stored before the request is sent, never used for another one.
        allow_backorders: sell items beyond what is in stock; invoices only.

    Raises:
        UnsendableError: the entity can't be created, or it is too much, or the key can't be one.
        UnfitFieldError: a value of a record can't be sent as it is.
    """
    writes = _writes(entity, Verb.CREATE)
    options = _options(entity, writes, Verb.CREATE, allow_backorders=allow_backorders)
    return _many(entity, writes, Verb.CREATE, writes.create, records, key, options)


def update_or_create(
    entity: Entity[Any], records: Sequence[Json], *, key: str, allow_backorders: bool = False
) -> WriteRequest:
    """Update the records whose id (or natural key) Xero knows, create the others.

    Lines without their ``LineItemID`` are new lines, and lines left out are deleted; without ``LineItems`` none changes.

    Args:
        records: 1 to ``entity.writes.many`` records in Xero's own fields.
        key: as for :func:`create`.
        allow_backorders: as for :func:`create`.

    Raises:
        UnsendableError: the entity can't be updated at its collection, or it is too much, or the key can't be one.
        UnfitFieldError: a value of a record can't be sent as it is.
    """
    writes = _writes(entity, Verb.UPDATE_OR_CREATE)
    method = writes.update if writes.update_at is not UpdateAt.RECORD else None
    options = _options(entity, writes, Verb.UPDATE_OR_CREATE, allow_backorders=allow_backorders)
    return _many(entity, writes, Verb.UPDATE_OR_CREATE, method, records, key, options)


def update(
    entity: Entity[Any], record_id: RecordId, fields: Json, *, key: str, allow_backorders: bool = False
) -> WriteRequest:
    """Update one record; a record that is not there is not created.

    Args:
        fields: what changes, in Xero's own fields; lines as for :func:`update_or_create`.
        key: as for :func:`create`.
        allow_backorders: as for :func:`create`.

    Raises:
        UnsendableError: the entity's records can't be updated one by one, or another id is among the fields.
        UnfitFieldError: a value can't be sent as it is.
    """
    writes = _writes(entity, Verb.UPDATE)
    if writes.update is None or writes.update_at is UpdateAt.COLLECTION:
        raise lacks(entity, Verb.UPDATE)
    options = _options(entity, writes, Verb.UPDATE, allow_backorders=allow_backorders)
    return _one(entity, Verb.UPDATE, writes.update, record_id, fields, key, options)


def delete(entity: Entity[Any], record_id: RecordId, *, status: str | None, key: str) -> WriteRequest:
    """Delete, void or archive a record, whichever Xero has for the status it has.

    Args:
        status: the status it has now; None where the entity has none.
        key: as for :func:`create`; unused where Xero wants HTTP DELETE, which takes no key.

    Raises:
        UnsendableError: such records can't be deleted, or not one of this status.
    """
    writes = _writes(entity, Verb.DELETE)
    if writes.removed:
        path = path_of(entity, record_id)
        return WriteRequest(entity=entity, verb=Verb.DELETE, method="DELETE", path=path, ids=(record_id,))
    if not writes.delete:
        raise lacks(entity, Verb.DELETE)
    to = writes.delete.get(status or "", writes.delete.get("*"))
    if to is None or entity.status_field is None:
        allowed = ", ".join(sorted(writes.delete))
        raise cannot(entity, Verb.DELETE, f"a record that is {status}, only one that is {allowed}")
    if writes.update_at is UpdateAt.COLLECTION:
        fields = {entity.id_field: checked_id(entity.key, record_id, entity.name), entity.status_field: to}
        return _many(entity, writes, Verb.DELETE, "POST", [fields], key)
    return _one(entity, Verb.DELETE, "POST", record_id, {entity.status_field: to}, key)


def _options(entity: Entity[Any], writes: Writes, verb: Verb, *, allow_backorders: bool) -> tuple[tuple[str, str], ...]:
    if allow_backorders and not writes.backorders:
        raise cannot(entity, verb, "with back orders: leave allow_backorders out")
    return (("allowBackorders", "true"),) if allow_backorders else ()


def _many(
    entity: Entity[Any],
    writes: Writes,
    verb: Verb,
    method: str | None,
    records: Sequence[Json],
    key: str,
    options: tuple[tuple[str, str], ...] = (),
) -> WriteRequest:
    if method is None:
        raise lacks(entity, verb)
    params = (EACH_FOR_ITSELF,) if method in writes.summarizes else ()
    return WriteRequest(
        entity=entity,
        verb=verb,
        method=method,
        path=f"{API_PATH}/{entity.path}",
        params=params + _four_decimals(entity) + options,
        body=encoded(entity, verb, entity.list_key, records, most=writes.many),
        key=key,
        list_key=entity.list_key,
        id_field=entity.id_field,
        ids=tuple(entity.id_of(record) for record in records),
        natural_keys=tuple(_natural_key(writes, record) for record in records),
    )


def _one(
    entity: Entity[Any],
    verb: Verb,
    method: str,
    record_id: RecordId,
    fields: Json,
    key: str,
    options: tuple[tuple[str, str], ...] = (),
) -> WriteRequest:
    if entity.id_of(fields) not in {None, record_id}:
        raise cannot(entity, verb, "one record under the id of another")
    record = {**fields, entity.id_field: checked_id(entity.key, record_id, entity.name)}
    return WriteRequest(
        entity=entity,
        verb=verb,
        method=method,
        path=path_of(entity, record_id),
        params=_four_decimals(entity) + options,
        body=encoded(entity, verb, entity.list_key, [record]),
        key=key,
        list_key=entity.list_key,
        id_field=entity.id_field,
        ids=(record_id,),
    )


def _writes(entity: Entity[Any], verb: Verb) -> Writes:
    if entity.writes is None:
        raise lacks(entity, verb)
    return entity.writes


def _four_decimals(entity: Entity[Any]) -> tuple[tuple[str, str], ...]:
    """Where reads take ``unitdp``, writes do: else Xero rounds unit prices to cents (``tests/registry`` checks that)."""
    return tuple((name, value) for name, value in entity.on_single.items() if name == "unitdp")


def _natural_key(writes: Writes, record: Json) -> str | None:
    value = record.get(writes.natural_key) if writes.natural_key else None
    return value if isinstance(value, str) and value else None


def cannot(entity: Entity[Any], verb: Verb, what: str) -> UnsendableError:
    """The error for what can't be sent.

    Args:
        entity: what kind of record it is about.
        verb: what should have been done.
        what: with what; how it can be done.
    """
    return UnsendableError(f"{entity.path} can't {verb} {what}")


def lacks(entity: Entity[Any], verb: Verb) -> UnsendableError:
    """The error for a call that Xero doesn't have.

    Args:
        entity: for what kind of record.
    """
    return UnsendableError(f"{entity.path} can't {verb}: Xero has no such call for them")


def encoded(entity: Entity[Any], verb: Verb, list_key: str, rows: Sequence[Json], *, most: int = 1) -> bytes:
    """A body with a list of rows.

    Args:
        entity: what kind of record it is about.
        list_key: the list's name.
        rows: what goes into it.
        most: how many Xero takes at once.

    Raises:
        UnsendableError: none, or too many, or what is no list of records.
        UnfitFieldError: a value that can't go to Xero without becoming another one.
    """
    if not all(isinstance(row, Mapping) for row in rows):
        raise cannot(entity, verb, "what is no list of records: give [record], a list even of one")
    if not 0 < len(rows) <= most:
        raise UnsendableError(f"{entity.path} can {verb} 1 to {most} at once, not {len(rows)}: send several requests")
    return encode({list_key: [sendable(row, f"{list_key}[{index}]") for index, row in enumerate(rows)]})


def path_of(entity: Entity[Any], record_id: RecordId) -> str:
    """Where one record is, on the API host.

    Raises:
        UnsendableError: the id is none.
    """
    return f"{API_PATH}/{entity.path}/{checked_id(entity.key, record_id, entity.name)}"


def checked_id(key: Key, record_id: RecordId, of: str) -> str:
    """An id as Xero spells it.

    Args:
        record_id: as we spell it.
        of: what it is an id of, for the error.

    Raises:
        UnsendableError: it is none.
    """
    try:
        return xeros_id(key, record_id, of)
    except (TypeError, ValueError) as error:
        raise UnsendableError(str(error)) from None
