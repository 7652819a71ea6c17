"""What a client sent, read field by field; what is wrong is collected with its place, in Xero's words where they are known.

Known from field reports: the texts without a mark. Guessed: those marked (unconfirmed).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from simulator.accounting_api.xml_bodies import XmlError, read_xml
from simulator.books.amounts import DAY_MS, Day
from simulator.spelling import day_of, guid_of

NO_ID = "00000000-0000-0000-0000-000000000000"

_MS_DATE = re.compile(r"/Date\((-?\d{1,14})(?:[+-]\d{4})?\)/")
_MOST_DIGITS = 15

Place = tuple[str | int, ...]
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class PostDataError(Exception):
    """The body isn't what the endpoint takes at all."""


@dataclass(slots=True)
class Problems:
    """What is wrong with one element, and what is remarked."""

    errors: list[tuple[Place, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, message: str, place: Place = ()) -> None:
        """One more error."""
        if (place, message) not in self.errors:
            self.errors.append((place, message))

    def __bool__(self) -> bool:
        return bool(self.errors)


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of the body: each field is read once, and complained about where it stands."""

    values: dict[str, Any]
    problems: Problems
    place: Place = ()

    def has(self, name: str) -> bool:
        """Whether it was sent, and isn't null."""
        return self.values.get(name) is not None

    def wrong(self, message: str) -> None:
        """Complain about this object."""
        self.problems.add(message, self.place)

    def text(self, name: str, before: T) -> str | T:
        """A text; ``before`` if it wasn't sent."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value.strip()
        if value is not None:
            self.wrong(f"{name} must be a string.")  # (unconfirmed)
        return before

    def guid(self, name: str) -> str | None:
        """An id in lower case; None if it wasn't sent, or is the one of zeros."""
        value = self.text(name, "")
        found = guid_of(value)
        if value and found is None:
            self.wrong(f"{name} must be a GUID.")  # (unconfirmed)
        return found if found != NO_ID else None

    def flag(self, name: str, before: bool) -> bool:
        """A true or false."""
        value = self.values.get(name)
        if value in ("true", "false"):
            return bool(value == "true")
        return value if isinstance(value, bool) else before

    def one_of(self, name: str, words: type[E], before: E) -> E:
        """A word of a closed set, in whatever letter case."""
        text = self.text(name, before.value)
        known = {word.value.upper(): word for word in words}
        if text.upper() not in known:
            self.wrong(f"{name} '{text}' is not valid.")  # (unconfirmed)
        return known.get(text.upper(), before)

    def carried(
        self,
        before: dict[str, str],
        *texts: str,
        days: Iterable[str] = (),
        flags: Iterable[str] = (),
        numbers: Iterable[str] = (),
        whole: Iterable[str] = (),
    ) -> dict[str, str]:
        """Fields that the books have no use for, as JSON by name: they are given back as they were written.

        Args:
            before: those of before.
            texts: names of texts.
            days: names of dates.
            flags: names of what is true or false.
            numbers: names of numbers, as they are given back with four decimals at most.
            whole: names of objects and lists.
        """
        found = {name: json.dumps(self.values[name]) for name in texts if isinstance(self.values.get(name), str)}
        found |= {name: f'"/Date({day * DAY_MS}+0000)/"' for name in days if (day := self.day(name, None)) is not None}
        found |= {name: json.dumps(self.flag(name, before=False)) for name in flags if self.has(name)}
        for name in numbers:
            units = self.units(name, 4, None)
            found |= {} if units is None else {name: f"{Decimal(units).scaleb(-4):f}"}
        found |= {
            name: json.dumps(self.values[name], default=float)
            for name in whole
            if isinstance(self.values.get(name), dict | list)
        }
        return before | found

    def units(self, name: str, digits: int, before: T) -> int | T:
        """A number as whole units of its last decimal, rounded half up."""
        value = self.values.get(name)
        if value is None or value == "":
            return before
        try:
            number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number.adjusted() > _MOST_DIGITS:
            self.wrong(f"{name} must be a number.")  # (unconfirmed)
            return before
        return int(number.scaleb(digits).quantize(Decimal(1), ROUND_HALF_UP))

    def day(self, name: str, before: T) -> Day | T:
        """A calendar date, with a time or not, or ``/Date(ms)/``."""
        value = self.text(name, "")
        if not value:
            return before
        wrapped = _MS_DATE.fullmatch(value)
        if wrapped:
            return int(wrapped[1]) // DAY_MS
        day = day_of(value)
        if day is None:
            self.wrong(f"{name} is not a valid date.")  # (unconfirmed)
            return before
        return day

    def inner(self, name: str) -> "Fields | None":
        """An object inside this one."""
        value = self.values.get(name)
        return Fields(value, self.problems, (*self.place, name)) if isinstance(value, dict) else None

    def each(self, name: str) -> Iterator["Fields"]:
        """The objects of a list inside this one."""
        value = self.values.get(name)
        for index, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, dict):
                yield Fields(item, self.problems, (*self.place, name, index))


def read_elements(body: bytes, list_key: str, *, xml: bool = False) -> list[dict[str, Any]]:
    """The elements of a body: ``{"Invoices": [...]}``, a list, or one bare object; the same in XML.

    Args:
        body: the bytes; what begins with ``<`` is XML.
        list_key: what the list is called.
        xml: whether they are said to be XML.

    Raises:
        PostDataError: it is something else.
    """
    document: Any
    if xml or body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        try:
            document = read_xml(body, list_key)
        except XmlError:
            raise PostDataError("XML for post data was invalid") from None  # (unconfirmed)
        return _elements(document, "XML", list_key)
    try:
        document = json.loads(body.decode(), parse_float=Decimal, parse_int=_int)
    except (ValueError, RecursionError):
        raise PostDataError("JSON for post data was invalid") from None
    return _elements(document, "JSON", list_key)


def _elements(document: Any, form: str, list_key: str) -> list[dict[str, Any]]:
    if isinstance(document, dict) and list_key in document:
        document = document[list_key]
    elements = document if isinstance(document, list) else [document]
    if not elements or not all(isinstance(element, dict) and element for element in elements):
        raise PostDataError(f"{form} for post data was invalid: no {list_key} in it")
    return elements


def _int(literal: str) -> int | Decimal:
    return int(literal) if len(literal) < 20 else Decimal(literal)


def refused_element(
    element: dict[str, Any], id_field: str, problems: Problems, *, flag: str, record_id: str | None
) -> dict[str, Any]:
    """The element as it was sent, with what is wrong where it is wrong, and once more at its top.

    Args:
        element: as sent.
        id_field: its id's field; an element without an id gets the one of zeros.
        flag: ``HasErrors``, or as contacts have it ``HasValidationErrors``; empty: none.
        record_id: the record it was meant for, if there is one.
    """
    echo: dict[str, Any] = json.loads(json.dumps(element, default=float))
    for place, message in problems.errors:
        inside: Any = echo
        for step in place:
            inside = inside[step]
        for holder in (inside, echo) if place else (echo,):
            listed = holder.setdefault("ValidationErrors", [])
            if {"Message": message} not in listed:
                listed.append({"Message": message})
    head: dict[str, Any] = {id_field: record_id or echo.get(id_field) or NO_ID}
    return echo | head | ({flag: True} if flag else {}) | {"StatusAttributeString": "ERROR"}
