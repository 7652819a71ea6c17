"""What to write: requests as plain values, without sending anything. Pure.

Whatever can be refused here is refused before the network, in words that name the verb and the kind of record. The body
is built once and kept: Xero answers 400 to the same ``Idempotency-Key`` with other bytes, so a write that is sent again
must be this value, not one built anew (https://developer.xero.com/documentation/guides/idempotent-requests).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from xero_api.decode import encode
from xero_api.entity import Entity, Json, Key, Part, UpdateAt, Writes
from xero_api.errors import UnsendableError
from xero_api.requests import API_PATH
from xero_stream.contracts.names import RecordId

LONGEST_KEY = 128
"""Characters of an ``Idempotency-Key``. Source: published OpenAPI, ``idempotencyKey``."""

MOST_BYTES = 3_000_000
"""Bytes of a body. Xero's pages say 3.5 MB and 10 MB; this is under both."""

MOST_PARTS = 50
"""Allocations per call; Xero advises against more elements in one request."""

JSON = "application/json"

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_WORD = re.compile(r"[0-9a-z_]{1,50}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?", re.ASCII)
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)
_EACH_FOR_ITSELF = ("summarizeErrors", "false")


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
class Allocation:
    """Credit to apply.

    Attributes:
        invoice_id: the invoice it goes to.
        amount: how much, above zero.
        day: when.
    """

    invoice_id: RecordId
    amount: Decimal
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """One write to send.

    Attributes:
        entity: what kind of record it is about.
        verb: what is done.
        method: HTTP method.
        path: path on the API host, encoded.
        params: query parameters in order, not yet encoded.
        body: the exact bytes.
        content_type: what they are; None without a body.
        key: ``Idempotency-Key``; None where Xero takes none.
        list_key: key of the list in the answer; None: the answer says nothing.
        id_field: field with the id in each element of that list; None: they have none.
        ids: the id of each row sent, None where Xero gives one.
        natural_keys: the natural key of each row sent, None where it has none.
    """

    entity: Entity[Any]
    verb: Verb
    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    content_type: str | None = JSON
    key: str | None = None
    list_key: str | None = None
    id_field: str | None = None
    ids: tuple[RecordId | None, ...] = ()
    natural_keys: tuple[str | None, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows are sent; as many must come back."""
        return len(self.ids)

    @property
    def findable(self) -> bool:
        """Whether a look-up can tell what became of every row, should the answer get lost."""
        known = zip(self.ids, self.natural_keys, strict=True)
        return bool(self.ids) and all(record_id is not None or key is not None for record_id, key in known)

    @property
    def each_for_itself(self) -> bool:
        """Whether Xero was told to answer row by row (``summarizeErrors=false``)."""
        return _EACH_FOR_ITSELF in self.params

    @property
    def endpoint(self) -> str:
        """A bounded label, e.g. ``Invoices/create``."""
        return f"{self.entity.path}/{self.verb}"

    @property
    def target(self) -> str:
        """Path and query."""
        return (
            f"{self.path}?{'&'.join(f'{name}={quote(value)}' for name, value in self.params)}"
            if self.params
            else self.path
        )

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers beside authorisation, tenant and Accept."""
        found = {"Content-Type": self.content_type} if self.content_type else {}
        return found | ({"Idempotency-Key": self.key} if self.key else {})


def create(entity: Entity[Any], records: Sequence[Json], *, key: str) -> WriteRequest:
    """Create records; none that is there already is touched.

    Args:
        entity: what to create.
        records: 1 to ``entity.writes.many`` records in Xero's own fields; money as ``Decimal`` or int.
        key: the caller's ``Idempotency-Key``: stored before the request is sent, never used for another one.

    Raises:
        UnsendableError: the entity can't be created, or it is too much, or the key can't be one.
    """
    writes = _writes(entity, Verb.CREATE)
    return _rows(entity, writes, Verb.CREATE, writes.create, records, key)


def update_or_create(entity: Entity[Any], records: Sequence[Json], *, key: str) -> WriteRequest:
    """Update the records whose id (or natural key) Xero knows, create the others.

    Lines without their ``LineItemID`` are new lines, and lines left out are deleted; without ``LineItems`` none changes.

    Args:
        entity: what to write.
        records: 1 to ``entity.writes.many`` records in Xero's own fields.
        key: as for :func:`create`.

    Raises:
        UnsendableError: the entity can't be updated at its collection, or it is too much, or the key can't be one.
    """
    writes = _writes(entity, Verb.UPDATE_OR_CREATE)
    method = writes.update if writes.update_at is not UpdateAt.RECORD else None
    return _rows(entity, writes, Verb.UPDATE_OR_CREATE, method, records, key)


def update(entity: Entity[Any], record_id: RecordId, fields: Json, *, key: str) -> WriteRequest:
    """Update one record; a record that is not there is not created.

    Args:
        entity: what to update.
        record_id: which one.
        fields: what changes, in Xero's own fields; lines as for :func:`update_or_create`.
        key: as for :func:`create`.

    Raises:
        UnsendableError: the entity's records can't be updated one by one, or another id is among the fields.
    """
    writes = _writes(entity, Verb.UPDATE)
    method = writes.update if writes.update_at is not UpdateAt.COLLECTION else None
    if method is None:
        raise _lacks(entity, Verb.UPDATE)
    return _one(entity, Verb.UPDATE, method, record_id, fields, key)


def delete(entity: Entity[Any], record_id: RecordId, *, status: str | None, key: str) -> WriteRequest:
    """Delete, void or archive a record, whichever Xero has for the status it has.

    Args:
        entity: what it is.
        record_id: which one.
        status: the status it has now; None where the entity has none.
        key: as for :func:`create`; unused where Xero wants HTTP DELETE, which takes no key.

    Raises:
        UnsendableError: such records can't be deleted, or not one of this status.
    """
    writes = _writes(entity, Verb.DELETE)
    if writes.removed:
        return WriteRequest(
            entity=entity,
            verb=Verb.DELETE,
            method="DELETE",
            path=_path(entity, record_id),
            content_type=None,
            ids=(record_id,),
            natural_keys=(None,),
        )
    if not writes.delete:
        raise _lacks(entity, Verb.DELETE)
    to = writes.delete.get(status or "", writes.delete.get("*"))
    if to is None or entity.status_field is None:
        allowed = ", ".join(sorted(writes.delete))
        raise UnsendableError(
            f"{entity.path} can't {Verb.DELETE} a record that is {status}, only one that is {allowed}"
        )
    if writes.update_at is UpdateAt.COLLECTION:
        fields = {entity.id_field: _xeros_id(entity, record_id), entity.status_field: to}
        return _rows(entity, writes, Verb.DELETE, "POST", [fields], key)
    return _one(entity, Verb.DELETE, "POST", record_id, {entity.status_field: to}, key)


def attach(
    entity: Entity[Any],
    record_id: RecordId,
    *,
    file_name: str,
    content: bytes,
    content_type: str,
    key: str,
    include_online: bool = False,
) -> WriteRequest:
    """Attach a file.

    Args:
        entity: what the record is.
        record_id: to which.
        file_name: its name, with an ending Xero knows; quoted here.
        content: its bytes.
        content_type: e.g. ``application/pdf``.
        key: as for :func:`create`.
        include_online: show it with the online document.

    Raises:
        UnsendableError: such records have no attachments, or none that are shown online, or the file can't be sent.
    """
    _part(entity, Part.ATTACHMENTS, Verb.ATTACH)
    if include_online and not (entity.writes and entity.writes.include_online):
        raise UnsendableError(f"{entity.path} can't {Verb.ATTACH} with the online document: leave include_online out")
    if not file_name or file_name in {".", ".."} or any(sign in file_name for sign in "/\\\0\r\n"):
        raise UnsendableError(f"{entity.path} can't {Verb.ATTACH} under that name: it takes a file name without a path")
    if not content:
        raise UnsendableError(f"{entity.path} can't {Verb.ATTACH} an empty file")
    if not _MEDIA_TYPE.fullmatch(content_type):
        raise UnsendableError(f"{entity.path} can't {Verb.ATTACH} that type: it is written like application/pdf")
    return _below(
        entity,
        Verb.ATTACH,
        f"{_path(entity, record_id)}/{Part.ATTACHMENTS}/{quote(file_name, safe='')}",
        content,
        key,
        content_type=content_type,
        params=(("IncludeOnline", "true"),) if include_online else (),
        list_key="Attachments",
        id_field="AttachmentID",
    )


def add_note(entity: Entity[Any], record_id: RecordId, details: str, *, key: str) -> WriteRequest:
    """Add a note to a record's history.

    Args:
        entity: what the record is.
        record_id: to which.
        details: the text.
        key: as for :func:`create`.

    Raises:
        UnsendableError: such records have no history, or the text is empty.
    """
    _part(entity, Part.HISTORY, Verb.ADD_NOTE)
    if not details.strip():
        raise UnsendableError(f"{entity.path} can't {Verb.ADD_NOTE} without a text")
    body = _encoded(entity, Verb.ADD_NOTE, {"HistoryRecords": [{"Details": details}]})
    path = f"{_path(entity, record_id)}/{Part.HISTORY}"
    return _below(entity, Verb.ADD_NOTE, path, body, key, list_key="HistoryRecords")


def email(entity: Entity[Any], record_id: RecordId, *, key: str) -> WriteRequest:
    """Have Xero email a record to its contact.

    Args:
        entity: what the record is.
        record_id: which one.
        key: as for :func:`create`.

    Raises:
        UnsendableError: such records can't be emailed.
    """
    _part(entity, Part.EMAIL, Verb.EMAIL)
    path = f"{_path(entity, record_id)}/{Part.EMAIL}"
    return _below(entity, Verb.EMAIL, path, b"{}", key, method="POST", rows=0)


def allocate(entity: Entity[Any], record_id: RecordId, allocations: Sequence[Allocation], *, key: str) -> WriteRequest:
    """Apply a record's credit to invoices.

    Args:
        entity: what the record is.
        record_id: whose credit.
        allocations: 1 to 50 of them.
        key: as for :func:`create`.

    Raises:
        UnsendableError: such records have no credit to apply, or it is too much.
    """
    _part(entity, Part.ALLOCATIONS, Verb.ALLOCATE)
    _count(entity, Verb.ALLOCATE, len(allocations), MOST_PARTS)
    rows = [
        {"Invoice": {"InvoiceID": _guid(entity, one.invoice_id)}, "Amount": one.amount, "Date": one.day.isoformat()}
        for one in allocations
    ]
    return _below(
        entity,
        Verb.ALLOCATE,
        f"{_path(entity, record_id)}/{Part.ALLOCATIONS}",
        _encoded(entity, Verb.ALLOCATE, {"Allocations": rows}),
        key,
        params=(_EACH_FOR_ITSELF,),
        list_key="Allocations",
        rows=len(rows),
    )


def remove_allocation(entity: Entity[Any], record_id: RecordId, allocation_id: RecordId) -> WriteRequest:
    """Take applied credit back.

    Args:
        entity: what the record is.
        record_id: whose credit.
        allocation_id: which allocation.

    Raises:
        UnsendableError: such records have no credit to apply.
    """
    _part(entity, Part.ALLOCATIONS, Verb.REMOVE_ALLOCATION)
    return WriteRequest(
        entity=entity,
        verb=Verb.REMOVE_ALLOCATION,
        method="DELETE",
        path=f"{_path(entity, record_id)}/{Part.ALLOCATIONS}/{_guid(entity, allocation_id)}",
        content_type=None,
        ids=(allocation_id,),
        natural_keys=(None,),
    )


def _rows(
    entity: Entity[Any], writes: Writes, verb: Verb, method: str | None, records: Sequence[Json], key: str
) -> WriteRequest:
    if method is None:
        raise _lacks(entity, verb)
    _count(entity, verb, len(records), writes.many)
    params = (_EACH_FOR_ITSELF,) if method in writes.summarizes else ()
    return WriteRequest(
        entity=entity,
        verb=verb,
        method=method,
        path=f"{API_PATH}/{entity.path}",
        params=params + _four_decimals(entity),
        body=_encoded(entity, verb, {entity.list_key: list(records)}),
        key=_checked(key),
        list_key=entity.list_key,
        id_field=entity.id_field,
        ids=tuple(entity.id_of(record) for record in records),
        natural_keys=tuple(_natural_key(writes, record) for record in records),
    )


def _one(entity: Entity[Any], verb: Verb, method: str, record_id: RecordId, fields: Json, key: str) -> WriteRequest:
    if entity.id_of(fields) not in {None, record_id}:
        raise UnsendableError(f"{entity.path} can't {verb} one record under the id of another")
    return WriteRequest(
        entity=entity,
        verb=verb,
        method=method,
        path=_path(entity, record_id),
        params=_four_decimals(entity),
        body=_encoded(entity, verb, {entity.list_key: [{**fields, entity.id_field: _xeros_id(entity, record_id)}]}),
        key=_checked(key),
        list_key=entity.list_key,
        id_field=entity.id_field,
        ids=(record_id,),
        natural_keys=(None,),
    )


def _below(
    entity: Entity[Any],
    verb: Verb,
    path: str,
    body: bytes,
    key: str,
    *,
    method: str = "PUT",
    content_type: str = JSON,
    params: tuple[tuple[str, str], ...] = (),
    list_key: str | None = None,
    id_field: str | None = None,
    rows: int = 1,
) -> WriteRequest:
    _small(entity, verb, body)
    return WriteRequest(
        entity=entity,
        verb=verb,
        method=method,
        path=path,
        params=params,
        body=body,
        content_type=content_type,
        key=_checked(key),
        list_key=list_key,
        id_field=id_field,
        ids=(None,) * rows,
        natural_keys=(None,) * rows,
    )


def _writes(entity: Entity[Any], verb: Verb) -> Writes:
    if entity.writes is None:
        raise _lacks(entity, verb)
    return entity.writes


def _part(entity: Entity[Any], part: Part, verb: Verb) -> None:
    if part not in entity.parts:
        raise _lacks(entity, verb)


def _lacks(entity: Entity[Any], verb: Verb) -> UnsendableError:
    return UnsendableError(f"{entity.path} can't {verb}: Xero has no such call for them")


def _count(entity: Entity[Any], verb: Verb, count: int, most: int) -> None:
    if not 0 < count <= most:
        raise UnsendableError(f"{entity.path} can {verb} 1 to {most} at once, not {count}: send several requests")


def _encoded(entity: Entity[Any], verb: Verb, document: Any) -> bytes:
    try:
        body = encode(document)
    except TypeError as error:
        raise UnsendableError(f"{entity.path} can't {verb} what is no JSON: {error}") from None
    _small(entity, verb, body)
    return body


def _small(entity: Entity[Any], verb: Verb, body: bytes) -> None:
    if len(body) > MOST_BYTES:
        raise UnsendableError(f"{entity.path} can't {verb} {len(body)} bytes at once: Xero takes {MOST_BYTES}")


def _four_decimals(entity: Entity[Any]) -> tuple[tuple[str, str], ...]:
    """Where reads take ``unitdp``, writes do: else Xero rounds unit prices to cents (``tests/registry`` checks that)."""
    return tuple((name, value) for name, value in entity.on_single.items() if name == "unitdp")


def _natural_key(writes: Writes, record: Json) -> str | None:
    value = record.get(writes.natural_key) if writes.natural_key else None
    return value if isinstance(value, str) and value else None


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise UnsendableError(
            f"an Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters, no blank at an end"
        )
    return key


def _path(entity: Entity[Any], record_id: RecordId) -> str:
    return f"{API_PATH}/{entity.path}/{_xeros_id(entity, record_id)}"


def _xeros_id(entity: Entity[Any], record_id: RecordId) -> str:
    """The id as Xero spells it: words are in capitals there, in lower case here."""
    if entity.key is Key.GUID:
        return _guid(entity, record_id)
    if not _WORD.fullmatch(record_id):
        raise UnsendableError(f"{entity.path}: an id is no lower-case word")
    return record_id.upper()


def _guid(entity: Entity[Any], record_id: RecordId) -> str:
    if not _GUID.fullmatch(record_id):
        raise UnsendableError(f"{entity.path}: an id is no lower-case GUID")
    return record_id
