"""Query parameters of single endpoints that choose records: text of the parameter → test of a record. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulator.accounting_api.errors import RefusedError, unparsable
from simulator.books.amounts import DAY_MS

Test = Callable[[Any], bool]
Filter = Callable[[str], Test]

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Whether a text is a GUID, with hyphens or without."""
    return _UUID.fullmatch(text) is not None


def equals(field: str) -> Filter:
    """The field is that text, whatever its case."""
    return lambda text: lambda record: str(getattr(record, field) or "").lower() == text.strip().lower()


def one_of(field: str) -> Filter:
    """The field is one of the texts between commas."""

    def choose(text: str) -> Test:
        wanted = {part.strip().lower() for part in text.split(",")}
        return lambda record: str(getattr(record, field) or "").lower() in wanted

    return choose


def id_is(field: str, spelled: str) -> Filter:
    """The field is that GUID.

    Args:
        field: of the record.
        spelled: the parameter as Xero's refusal spells it.
    """

    def choose(text: str) -> Test:
        if not is_uuid(text.strip()):
            raise RefusedError(unparsable(spelled))
        wanted = text.strip().lower()
        return lambda record: getattr(record, field) == wanted

    return choose


def from_day(field: str, spelled: str) -> Filter:
    """The date is that day or later; a record without one doesn't pass."""

    def choose(text: str) -> Test:
        day = _day(text, spelled)
        return lambda record: (getattr(record, field) is not None) and getattr(record, field) >= day

    return choose


def to_day(field: str, spelled: str) -> Filter:
    """The date is that day or earlier; a record without one doesn't pass."""

    def choose(text: str) -> Test:
        day = _day(text, spelled)
        return lambda record: (getattr(record, field) is not None) and getattr(record, field) <= day

    return choose


def contains(*fields: str) -> Filter:
    """One of the fields contains the text, whatever its case."""

    def choose(text: str) -> Test:
        wanted = text.strip().lower()
        return lambda record: any(wanted in str(getattr(record, field) or "").lower() for field in fields)

    return choose


def _day(text: str, spelled: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RefusedError(unparsable(spelled)) from None
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1000 // DAY_MS
