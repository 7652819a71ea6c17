"""The JSON object of a good answer, and the list in it. Pure."""

from http import HTTPStatus
from typing import Any

from xero_api.answers import other_shape
from xero_api.decode import decode
from xero_api.errors import GarbledAnswerError
from xero_api.meta import Meta


def open_envelope(endpoint: str, list_key: str, body: bytes, meta: Meta, status: int = HTTPStatus.OK) -> dict[str, Any]:
    """The whole object; a list of objects stands under that key.

    Args:
        endpoint: what was asked, for the error.
        list_key: the list's.
        meta: what the headers say, for the error.
        status: HTTP status, a good one.

    Raises:
        GarbledAnswerError: it is not valid JSON.
        UnmappableAnswerError: it is not an object, or has no such list.
        InterceptedError: the same, without a mark of Xero's.
    """
    try:
        document = decode(body)
    except ValueError as error:
        message = f"{endpoint}: the answer is not valid JSON ({len(body)} bytes)"
        raise GarbledAnswerError(message, status=status, meta=meta) from error
    rows = document.get(list_key) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise other_shape(f"{endpoint}: no list {list_key} of objects in the answer", status, meta, body)
    found: dict[str, Any] = document
    return found
