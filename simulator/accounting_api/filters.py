"""Query parameters of single endpoints that choose records: text of the parameter → test of a record. Pure."""

from collections.abc import Callable
from typing import Any

from simulator.errors import RefusedError, unparsable
from simulator.spelling import day_of, guid_of

Test = Callable[[Any], bool]
Filter = Callable[[str], Test]


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
        spelled: the parameter as Xero's refusal spells it.
    """

    def choose(text: str) -> Test:
        wanted = guid_of(text)
        if wanted is None:
            raise RefusedError(unparsable(spelled))
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
    day = day_of(text)
    if day is None:
        raise RefusedError(unparsable(spelled))
    return day
