"""Records that travel as Xero sends them → the envelope all records have. Pure."""

from collections.abc import Callable
from typing import Any

from xero_api.errors import InvalidRecordError
from xero_api.unify.fields import Raw, record_id, text, updated_at, word

_DEEPEST = 200
"""Levels of a record that travels as it is; Xero's have five."""


def enveloped(
    id_key: str, *, name: str | None = None, status: str | None = None, stamped: bool = False
) -> Callable[[Raw], dict[str, Any]]:
    """A mapping that keeps the record as it is.

    Args:
        id_key: Xero's field with the id.
        name: Xero's field with what to call it.
        status: Xero's field with the status.
        stamped: whether there is an ``UpdatedDateUTC``.
    """

    def unify(raw: Raw) -> dict[str, Any]:
        return {
            "id": record_id(raw, id_key),
            "updated_at": updated_at(raw) if stamped else None,
            "name": text(raw, name) if name else None,
            "status": word(raw, status, {}) if status else None,
            "raw": _in_order(raw),
        }

    return unify


def _in_order(value: Any, depth: int = 1) -> Any:
    """The same with keys sorted, so that equal records are equal bytes; -0.0 as 0.0."""
    if depth > _DEEPEST:
        raise InvalidRecordError("the record", f"nested deeper than {_DEEPEST} levels")
    if isinstance(value, list):
        return [_in_order(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _in_order(value[key], depth + 1) for key in sorted(value)}
    return value + 0.0 if isinstance(value, float) else value
