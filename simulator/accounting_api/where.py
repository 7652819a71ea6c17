"""Xero's filter expressions, as far as clients use them: comparisons of fields joined by AND, OR, NOT and brackets.

Understood: ``Status=="PAID"``, ``InvoiceID==Guid("…")``, ``Contact.ContactID==Guid("…")``, ``Date>=DateTime(2026,1,31)``,
``Date<DateTime.Parse("2026-01-31")``, ``AmountDue>0``, ``!=``, ``&&``, ``||``, ``!``, ``Reference==null``,
``Name.Contains("x")``, ``StartsWith``, ``EndsWith``, before them ``ToLower()`` or ``ToUpper()``, a field that is true or
false by itself. Anything else is refused, as Xero refuses what it can't parse, and so are comparisons across types.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.accounting_api.kinds import Kind, kind_of
from simulator.spelling import guid_of, moment_of

Value = str | int | float | bool | None
Test = Callable[[Any], bool]
Fields = Mapping[str, Callable[[Any], Value]]


class WhereError(Exception):
    """The expression can't be understood; the message is Xero's kind of message."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A field that is read from the record as it is shown: slower, but there is nothing it can't reach."""

    path: tuple[str, ...]

    def __call__(self, row: Any) -> Value:
        """Read it; ``row.shown`` is the record's JSON."""
        value: Any = row.shown
        for name in self.path:
            if not isinstance(value, dict):
                return None
            value = next((one for key, one in value.items() if key.lower() == name), None)
        if isinstance(value, str) and (match := _MS_DATE.fullmatch(value)):
            return int(match[1])
        return value if isinstance(value, str | int | float | bool) else None


_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


@dataclass(frozen=True, slots=True)
class Where:
    """A parsed expression.

    Attributes:
        test: whether a record passes.
        ids: set if it is nothing but ids joined by OR: those can be looked up.
        needs_shown: it names fields that are read from the record as it is shown.
    """

    test: Test
    ids: tuple[str, ...] | None
    needs_shown: bool = False


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<and>&&|\bAND\b) | (?P<or>\|\||\bOR\b) | (?P<open>\() | (?P<close>\)) |
        (?P<compare>==|!=|>=|<=|>|<|=) | (?P<not>!|\bNOT\b) |
        (?P<guid>Guid\(\s*"(?P<guid_text>[^"]*)"\s*\)) |
        (?P<date>DateTime\(\s*(?P<date_text>[\d\s,]+)\)) |
        (?P<parse>DateTime\.Parse\(\s*"(?P<parse_text>[^"]*)"\s*\)) |
        (?P<text>"(?P<text_text>[^"]*)") |
        (?P<number>-?\d+(?:\.\d+)?)[MmDd]? |
        (?P<word>\.?[A-Za-z_][A-Za-z_0-9.]*)
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
    return Where(test=test, ids=ids, needs_shown=parser.needs_shown)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise WhereError(f"Syntax error at position {position}")
        kind = next(name for name in _KINDS if match[name] is not None)
        yield kind, match[f"{kind}_text" if kind in ("guid", "date", "parse", "text") else kind]
        position = match.end()


_KINDS = ("and", "or", "open", "close", "compare", "not", "guid", "date", "parse", "text", "number", "word")
_Parsed = tuple[Test, tuple[str, ...] | None]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], fields: Fields, id_field: str) -> None:
        self.tokens = tokens
        self.position = 0
        self._fields = fields
        self._id_field = id_field
        self.needs_shown = False

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
        if self._take("not"):
            refused, _ = self._one()
            return (lambda record: not refused(record)), None
        if self._take("open"):
            inner = self.either()
            if not self._take("close"):
                raise WhereError("')' or operator expected")
            return inner
        return self._comparison()

    def _comparison(self) -> _Parsed:
        word = self._need("word")
        name, method = _method(word) if self._peek("open") else (word, "")
        read = self._fields.get(name.lower())
        if read is None:
            raise WhereError(f"No property or field '{name}' exists")
        self.needs_shown = self.needs_shown or isinstance(read, Shown)
        kind = kind_of(name.lower())
        while method:
            self._need("open")
            if method in _CASES:
                read = _cased(read, _CASES[method])
                self._need("close")
                word = self._need("word") if self._peek("word") else ""
                method = word.removeprefix(".").lower()
                continue
            part = self._need("text")
            self._need("close")
            if kind is not Kind.TEXT:
                raise WhereError(f"No applicable method '{method.title()}' exists in type '{kind}'")
            return _searched(read, method, part), None
        if self._ends():
            if kind is not Kind.FLAG:
                raise WhereError("Expression of type 'Boolean' expected")
            return (lambda record: read(record) is True), None
        operator = self._need("compare")
        token, _ = self.tokens[self.position] if self.position < len(self.tokens) else ("", "")
        value = self._value()
        _check_kinds(operator, kind, token, value)
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
                return _guid(text)
            case "text":
                return text
            case "number":
                return float(text)
            case "date":
                return _moment(text)
            case "parse":
                return _parsed_moment(text)
            case "word" if text.lower() in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[text.lower()]
            case _:
                raise WhereError(f"Syntax error at '{text}'")

    def _peek(self, kind: str) -> bool:
        return self.position < len(self.tokens) and self.tokens[self.position][0] == kind

    def _ends(self) -> bool:
        return self.position >= len(self.tokens) or self.tokens[self.position][0] in ("and", "or", "close")

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


_LITERALS = {
    "date": (Kind.DATE, "DateTime"),
    "guid": (Kind.ID, "Guid"),
    "number": (Kind.NUMBER, "Int32"),
    "parse": (Kind.DATE, "DateTime"),
    "text": (Kind.TEXT, "String"),
    "word": (Kind.FLAG, "Boolean"),
}
"""Token → the fields it may be compared with, and what refusals call it."""


def _check_kinds(operator: str, kind: Kind, token: str, value: Value) -> None:
    """Refuse a comparison of one type with another; null is of all of them.

    Raises:
        WhereError: they can't be compared.
    """
    if value is None:
        return
    wanted, name = _LITERALS[token]
    if wanted is not kind:
        raise WhereError(f"Operator '{operator}' incompatible with operand types '{kind}' and '{name}'")


_CASES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}
_SEARCHES: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def _method(word: str) -> tuple[str, str]:
    """``Contact.Name.Contains`` → the field and the method, lower case."""
    name, _, method = word.rpartition(".")
    if method.lower() not in (*_CASES, *_SEARCHES):
        raise WhereError(f"No applicable method '{method}' exists in type 'String'")
    return name, method.lower()


def _cased(read: Callable[[Any], Value], change: Callable[[str], str]) -> Callable[[Any], Value]:
    return lambda record: change(value) if isinstance(value := read(record), str) else value


def _searched(read: Callable[[Any], Value], method: str, part: str) -> Test:
    if method not in _SEARCHES:
        raise WhereError(f"No applicable method '{method}' exists in type 'String'")
    search = _SEARCHES[method]
    return lambda record: isinstance(value := read(record), str) and search(value, part)


def _guid(text: str) -> str:
    found = guid_of(text)
    if found is None:
        raise WhereError("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).")
    return found


def _parsed_moment(text: str) -> int:
    """Milliseconds since 1970 of ``DateTime.Parse("2026-01-31")``."""
    moment = moment_of(text)
    if moment is None:
        raise WhereError("String was not recognized as a valid DateTime.")
    return moment


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
