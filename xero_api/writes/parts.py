"""What to write below a record: a file, a note, credit; and its email. Pure. Reading them: ``xero_api/parts.py``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from xero_api.entity import Entity, Key, Part
from xero_api.writes.requests import EACH_FOR_ITSELF, Verb, WriteRequest, cannot, checked_id, encoded, lacks, path_of
from xero_stream.contracts.names import RecordId

MOST_ALLOCATIONS = 50
"""Per call; Xero advises against more elements in one request."""

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)


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
        file_name: its name, with an ending Xero knows; quoted here.
        content_type: e.g. ``application/pdf``.
        key: as for :func:`~xero_api.writes.requests.create`.
        include_online: show it with the online document.

    Raises:
        UnsendableError: such records have no attachments, or none that are shown online, or the file can't be sent.
    """
    path = _below(entity, record_id, Part.ATTACHMENTS, Verb.ATTACH)
    if include_online and not (entity.writes and entity.writes.include_online):
        raise cannot(entity, Verb.ATTACH, "with the online document: leave include_online out")
    if not file_name or file_name in {".", ".."} or any(sign in file_name for sign in "/\\\0\r\n"):
        raise cannot(entity, Verb.ATTACH, "under that name: it takes a file name without a path")
    if not content:
        raise cannot(entity, Verb.ATTACH, "an empty file")
    if not _MEDIA_TYPE.fullmatch(content_type):
        raise cannot(entity, Verb.ATTACH, "that type: it is written like application/pdf")
    return WriteRequest(
        entity=entity,
        verb=Verb.ATTACH,
        method="PUT",
        path=f"{path}/{quote(file_name, safe='')}",
        params=(("IncludeOnline", "true"),) if include_online else (),
        body=content,
        content_type=content_type,
        key=key,
        list_key="Attachments",
        id_field="AttachmentID",
        ids=(None,),
    )


def add_note(entity: Entity[Any], record_id: RecordId, details: str, *, key: str) -> WriteRequest:
    """Add a note to a record's history.

    Args:
        key: as for :func:`~xero_api.writes.requests.create`.

    Raises:
        UnsendableError: such records have no history, or the text is empty.
    """
    path = _below(entity, record_id, Part.HISTORY, Verb.ADD_NOTE)
    if not details.strip():
        raise cannot(entity, Verb.ADD_NOTE, "without a text")
    return WriteRequest(
        entity=entity,
        verb=Verb.ADD_NOTE,
        method="PUT",
        path=path,
        body=encoded(entity, Verb.ADD_NOTE, "HistoryRecords", [{"Details": details}]),
        key=key,
        list_key="HistoryRecords",
        ids=(None,),
    )


def email(entity: Entity[Any], record_id: RecordId, *, key: str) -> WriteRequest:
    """Have Xero email a record to its contact.

    Args:
        key: as for :func:`~xero_api.writes.requests.create`.

    Raises:
        UnsendableError: such records can't be emailed.
    """
    path = _below(entity, record_id, Part.EMAIL, Verb.EMAIL)
    return WriteRequest(entity=entity, verb=Verb.EMAIL, method="POST", path=path, body=b"{}", key=key)


def allocate(entity: Entity[Any], record_id: RecordId, allocations: Sequence[Allocation], *, key: str) -> WriteRequest:
    """Apply a record's credit to invoices.

    Args:
        record_id: whose credit.
        allocations: 1 to 50 of them.
        key: as for :func:`~xero_api.writes.requests.create`.

    Raises:
        UnsendableError: such records have no credit to apply, or it is too much.
    """
    path = _below(entity, record_id, Part.ALLOCATIONS, Verb.ALLOCATE)
    rows = [
        {
            "Invoice": {"InvoiceID": checked_id(Key.GUID, one.invoice_id, "invoices")},
            "Amount": one.amount,
            "Date": one.day,
        }
        for one in allocations
    ]
    return WriteRequest(
        entity=entity,
        verb=Verb.ALLOCATE,
        method="PUT",
        path=path,
        params=(EACH_FOR_ITSELF,),
        body=encoded(entity, Verb.ALLOCATE, "Allocations", rows, most=MOST_ALLOCATIONS),
        key=key,
        list_key="Allocations",
        ids=(None,) * len(rows),
    )


def remove_allocation(entity: Entity[Any], record_id: RecordId, allocation_id: RecordId) -> WriteRequest:
    """Take applied credit back.

    Args:
        record_id: whose credit.

    Raises:
        UnsendableError: such records have no credit to apply.
    """
    path = _below(entity, record_id, Part.ALLOCATIONS, Verb.REMOVE_ALLOCATION)
    return WriteRequest(
        entity=entity,
        verb=Verb.REMOVE_ALLOCATION,
        method="DELETE",
        path=f"{path}/{checked_id(Key.GUID, allocation_id, 'allocations')}",
        ids=(allocation_id,),
    )


def _below(entity: Entity[Any], record_id: RecordId, part: Part, verb: Verb) -> str:
    if part not in entity.parts:
        raise lacks(entity, verb)
    return f"{path_of(entity, record_id)}/{part}"
