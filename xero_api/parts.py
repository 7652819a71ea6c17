"""Reading what hangs below a record: the list of its attachments, their content, its history, its PDF. Pure.

Writing it: ``xero_api/writes``. What Xero has: https://developer.xero.com/documentation/api/accounting/attachments and
/historyandnotes; a PDF is the record itself, asked for as one (published OpenAPI, ``x-path`` of ``getInvoiceAsPdf``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from xero_api.answers import error_of
from xero_api.entity import Entity, Part
from xero_api.envelope import open_envelope
from xero_api.errors import InvalidRecordError
from xero_api.meta import Meta, read_meta
from xero_api.requests import record_path
from xero_api.verdicts import Subject
from xero_stream.contracts.names import RecordId

PDF = "application/pdf"
MOST_BYTES = 64 * 1024 * 1024
"""Of a file. Xero's own limit for an attachment is well below."""

_ANY_FILE = "application/octet-stream"
_LIST_KEYS = {Part.ATTACHMENTS: "Attachments", Part.HISTORY: "HistoryRecords"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequest:
    """A list below a record.

    Attributes:
        entity: what the record is.
        part: attachments or history.
        path: path on the API host, encoded.
    """

    entity: Entity[Any]
    part: Part
    path: str

    @property
    def endpoint(self) -> str:
        """A bounded label, e.g. ``Invoices/Attachments``."""
        return f"{self.entity.path}/{self.part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswer:
    """A list below a record.

    Attributes:
        request: what was asked.
        rows: as Xero sent them; those of a history have no ids.
        meta: what the headers say.
    """

    request: PartRequest
    rows: tuple[Mapping[str, Any], ...]
    meta: Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What Xero says about an attachment.

    Attributes:
        id: its id, in lower case.
        file_name: its name; one of its kind at a record.
        content_type: its media type.
        size: bytes.
        online: whether it is shown with the online document; None where it can't be.
    """

    id: str
    file_name: str
    content_type: str | None
    size: int | None
    online: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    """A read whose answer is a file.

    Attributes:
        endpoint: a bounded label, e.g. ``Invoices/pdf``.
        path: path on the API host, encoded.
        headers: headers beside authorisation and tenant.
        content_type: what the answer must be; None: anything.
        most: bytes that it may have.
        size: bytes that it must have; None: unknown.
    """

    endpoint: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    most: int = MOST_BYTES
    size: int | None = None


def get_attachments(entity: Entity[Any], record_id: RecordId) -> PartRequest:
    """The list of a record's attachments, without their content.

    Raises:
        ValueError: such records have none, or the id is none.
    """
    return _list(entity, record_id, Part.ATTACHMENTS)


def get_history(entity: Entity[Any], record_id: RecordId) -> PartRequest:
    """A record's history and notes.

    Raises:
        ValueError: such records have none, or the id is none.
    """
    return _list(entity, record_id, Part.HISTORY)


def get_attachment(
    entity: Entity[Any],
    record_id: RecordId,
    name_or_id: str,
    *,
    content_type: str = _ANY_FILE,
    most: int = MOST_BYTES,
    size: int | None = None,
) -> FileRequest:
    """An attachment's content.

    Args:
        name_or_id: the attachment's file name, or its id.
        content_type: its media type, from the list of attachments.
        most: bytes that it may have.
        size: its bytes, from that list: a file that was cut before it was sent is an error then.

    Raises:
        ValueError: such records have no attachments, or there is no such name or media type.
    """
    path = _path(entity, record_id, Part.ATTACHMENTS)
    if not name_or_id or name_or_id in {".", ".."} or not name_or_id.isprintable():
        raise ValueError("an attachment has a name, or an id")
    if not (content_type.isascii() and content_type.isprintable()):
        raise ValueError(f"no media type: {content_type!r}")
    return FileRequest(
        endpoint=f"{entity.path}/attachment",
        path=f"{path}/{quote(name_or_id, safe='')}",
        headers={"Accept": _ANY_FILE, "contentType": content_type},
        most=most,
        size=size,
    )


def get_pdf(entity: Entity[Any], record_id: RecordId, *, most: int = MOST_BYTES) -> FileRequest:
    """A record as Xero prints it.

    Args:
        most: bytes that it may have.

    Raises:
        ValueError: Xero prints no such records, or the id is none.
    """
    _check(entity, Part.PDF)
    return FileRequest(
        endpoint=f"{entity.path}/{Part.PDF}",
        path=record_path(entity, record_id),
        headers={"Accept": PDF},
        content_type=PDF,
        most=most,
    )


def read_attachment(row: Mapping[str, Any]) -> Attachment:
    """What a row of the list says.

    Args:
        row: one of ``PartAnswer.rows``.

    Raises:
        InvalidRecordError: it has no id or no name.
    """
    for name in ("AttachmentID", "FileName"):
        if not isinstance(row.get(name), str) or not row[name]:
            raise InvalidRecordError(name, "missing")
    size, online, content_type = row.get("ContentLength"), row.get("IncludeOnline"), row.get("MimeType")
    return Attachment(
        id=row["AttachmentID"].lower(),
        file_name=row["FileName"],
        content_type=content_type if isinstance(content_type, str) else None,
        size=int(size) if isinstance(size, int) else None,
        online=online if isinstance(online, bool) else None,
    )


def decipher_part(request: PartRequest, status: int, headers: Mapping[str, str], body: bytes) -> PartAnswer:
    """Make sense of an answer.

    Args:
        headers: response headers, names in lower case.

    Raises:
        XeroError: one of ``xero_api.errors``, by status and body.
    """
    if status != HTTPStatus.OK:
        raise error_of(request.endpoint, status, headers, body, Subject.PART)
    meta, key = read_meta(headers), _LIST_KEYS[request.part]
    rows = open_envelope(request.endpoint, key, body, meta)[key]
    return PartAnswer(request=request, rows=tuple(rows), meta=meta)


def _list(entity: Entity[Any], record_id: RecordId, part: Part) -> PartRequest:
    return PartRequest(entity=entity, part=part, path=_path(entity, record_id, part))


def _path(entity: Entity[Any], record_id: RecordId, part: Part) -> str:
    _check(entity, part)
    return f"{record_path(entity, record_id)}/{part}"


def _check(entity: Entity[Any], part: Part) -> None:
    if part not in entity.parts:
        raise ValueError(f"{entity.name} have no {part.lower()} at Xero")
