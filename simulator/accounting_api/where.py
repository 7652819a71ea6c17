"""Xero's filter expressions, as far as clients use them: comparisons of fields joined by AND, OR and brackets.

Understood: ``Status=="PAID"``, ``InvoiceID==Guid("…")``, ``Contact.ContactID==Guid("…")``, ``Date>=DateTime(2026,1,31)``,
``AmountDue>0``, ``!=``, ``&&``, ``||``. Anything else is refused, as Xero refuses what it can't parse.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Value = str | int | float | bool | None
Test = Callable[[Any], bool]
Fields = Mapping[str, Callable[[Any], Value]]


class WhereError(Exception):
    """The expression can't be understood; the message is Xero's kind of message."""


@dataclass(frozen=True, slots=True)
class Where:
    """A parsed expression. ``ids`` is set if it is nothing but ids joined by OR: those can be looked up."""

    test: Test
    ids: tuple[str, ...] | None


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<and>&&|\bAND\b) | (?P<or>\|\||\bOR\b) | (?P<open>\() | (?P<close>\)) |
        (?P<compare>==|!=|>=|<=|>|<|=) |
        (?P<guid>Guid\(\s*"(?P<guid_text>[^"]*)"\s*\)) |
        (?P<date>DateTime\(\s*(?P<date_text>[\d\s,]+)\)) |
        (?P<text>"(?P<text_text>[^"]*)") |
        (?P<number>-?\d+(?:\.\d+)?) |
        (?P<word>[A-Za-z_][A-Za-z_.]*)
    )""",
    re.VERBOSE | re.IGNORECASE,
)


def parse(text: str, fields: Fields, id_field: str) -> Where:
    """Understand an expression.

    Args:
        text: the ``where`` parameter, decoded.
        fields: how to read each field that may be named, by lower-case name.
        id_field: the record's id field, lower case.

    Raises:
        WhereError: it can't be understood.
    """
    parser = _Parser(list(_tokens(text)), fields, id_field)
    test, ids = parser.either()
    if parser.position < len(parser.tokens):
        raise WhereError(f"Syntax error at '{parser.tokens[parser.position][1]}'")
    return Where(test=test, ids=ids)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise WhereError(f"Syntax error at position {position}")
        kind = next(name for name in _KINDS if match[name] is not None)
        yield kind, match[f"{kind}_text" if kind in ("guid", "date", "text") else kind]
        position = match.end()


_KINDS = ("and", "or", "open", "close", "compare", "guid", "date", "text", "number", "word")
_Parsed = tuple[Test, tuple[str, ...] | None]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], fields: Fields, id_field: str) -> None:
        self.tokens = tokens
        self.position = 0
        self._fields = fields
        self._id_field = id_field

    def either(self) -> _Parsed:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        tests = [test for test, _ in parts]
        known = [ids for _, ids in parts if ids is not None]
        ids = tuple(one for some in known for one in some) if len(known) == len(parts) else None
        return (lambda record: any(test(record) for test in tests)), ids

    def _both(self) -> _Parsed:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        tests = [test for test, _ in parts]
        return (lambda record: all(test(record) for test in tests)), None

    def _one(self) -> _Parsed:
        if self._take("open"):
            inner = self.either()
            if not self._take("close"):
                raise WhereError("')' or operator expected")
            return inner
        return self._comparison()

    def _comparison(self) -> _Parsed:
        name = self._need("word")
        read = self._fields.get(name.lower())
        if read is None:
            raise WhereError(f"No property or field '{name}' exists")
        operator = self._need("compare")
        value = self._value()
        ids = (
            (value,) if name.lower() == self._id_field and operator in ("==", "=") and isinstance(value, str) else None
        )
        return _test(read, operator, value), ids

    def _value(self) -> Value:
        if self.position >= len(self.tokens):
            raise WhereError("Expression expected")
        kind, text = self.tokens[self.position]
        self.position += 1
        match kind:
            case "guid":
                return text.lower()
            case "text":
                return text
            case "number":
                return float(text)
            case "date":
                return _moment(text)
            case "word" if text.lower() in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[text.lower()]
            case _:
                raise WhereError(f"Syntax error at '{text}'")

    def _take(self, kind: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position][0] == kind:
            self.position += 1
            return True
        return False

    def _need(self, kind: str) -> str:
        if self.position < len(self.tokens) and self.tokens[self.position][0] == kind:
            self.position += 1
            return self.tokens[self.position - 1][1]
        raise WhereError("Expression expected")


def _moment(text: str) -> int:
    """Milliseconds since 1970 of ``DateTime(2026,1,31)``."""
    try:
        parts = [int(part) for part in text.split(",")]
        moment = datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # three to six numbers; TypeError otherwise
    except (ValueError, TypeError) as error:
        raise WhereError("No applicable constructor exists in type 'DateTime'") from error
    return int(moment.timestamp()) * 1000


def _test(read: Callable[[Any], Value], operator: str, value: Value) -> Test:
    if operator in ("==", "="):
        return lambda record: _equal(read(record), value)
    if operator == "!=":
        return lambda record: not _equal(read(record), value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise WhereError(f"Operator '{operator}' incompatible with operand types")
    limit = value
    match operator:
        case ">":
            return lambda record: _number(read(record)) > limit
        case ">=":
            return lambda record: _number(read(record)) >= limit
        case "<":
            return lambda record: _number(read(record)) < limit
        case _:
            return lambda record: _number(read(record)) <= limit


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return left == right


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
