"""A change event as one line for people. Pure; knows no terminal: no colours, no width, nothing that could steer one.

``INV-0042 · authorised → paid · amount due 1,150.00 → 0 · Ridgeway University``
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xero_stream.contracts.names import EntityName

SEPARATOR = " · "
ARROW = " → "
NONE = "none"

_MOST_DETAILS = 3
_LONGEST = 48
_MOST_DIGITS = 24

_SHOWN = (
    "status",
    "name",
    "number",
    "total",
    "amount_due",
    "remaining_credit",
    "due_date",
    "issue_date",
    "expected_payment_date",
    "planned_payment_date",
    "reference",
    "email",
    "currency",
    "first_name",
    "last_name",
    "account_number",
    "tax_number",
    "website",
    "sent_to_contact",
    "merged_into",
)
"""Fields whose values are shown, the most telling first; of all others only the name."""

_FOLLOWS: dict[str, frozenset[str]] = {
    "total": frozenset({"sub_total", "total_tax", "total_discount", "line_items", "amount_due", "remaining_credit"}),
    "amount_due": frozenset(
        {
            "amount_paid",
            "amount_credited",
            "payments",
            "credit_notes",
            "prepayments",
            "overpayments",
            "paid_on_date",
        }
    ),
    "remaining_credit": frozenset({"allocations", "payments", "paid_on_date"}),
    "status": frozenset({"paid_on_date"}),
}
"""What moves whenever a field moves, and so says nothing more."""

_NEVER = frozenset({"id", "updated_at"})
_SINGULAR = {name.value: name.singular.replace("-", " ") for name in EntityName}
_VERBS = {"c": "created", "u": "updated", "d": "deleted", "r": "read"}


def readable(change: Mapping[str, Any]) -> str:
    """One line about a change: what it is, what happened to it, whom it concerns.

    Args:
        change: a decoded ``ChangeEvent``; numbers may be int, float or Decimal. Whatever is missing is left out of the line.

    Returns:
        Parts joined by `` · ``, without control characters.
    """
    before, after = _mapping(change.get("before")), _mapping(change.get("after"))
    record = after or before
    partner = _text(_mapping(record.get("contact")).get("name"), "")
    parts = [_subject(change, record), *_happened(change, before, after), partner]
    return SEPARATOR.join(part for part in parts if part)


def amount(value: Any) -> str:
    """An amount with thousands separators and at least two decimals; ``0`` for nothing.

    Args:
        value: int, float or Decimal.
    """
    number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    if not number.is_finite():
        return str(number)
    if number == 0:
        return "0"
    places = max(2, -int(number.as_tuple().exponent))
    if number.adjusted() > _MOST_DIGITS or places > _MOST_DIGITS:
        return f"{number:.6E}"
    return f"{number:,.{places}f}"


def printable(value: object) -> str:
    """Text of strangers, fit for a terminal: whatever could steer one becomes a space."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def _subject(change: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    source = _mapping(change.get("source"))
    word = _SINGULAR.get(str(source.get("entity")), str(source.get("entity") or "record"))
    if word == "contact":
        return f"contact {_text(record.get('name'), _short_id(source))}"
    if word == "invoice" and record.get("type") == "payable":
        word = "bill"
    number = _text(record.get("number"), "")
    if number and word != "bill":
        return number  # unique among sales invoices and credit notes; a bill's is its supplier's
    return f"{word} {number or _short_id(source)}"


def _happened(change: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    op = str(change.get("op"))
    match op:
        case "d":
            reason = _text(change.get("deletion_reason"), "")
            return [_VERBS[op] if reason in {"", "deleted"} else f"deleted ({reason})"]
        case "u" if before and after:
            return _differences(before, after, [str(path) for path in change.get("changed_fields") or ()])
        case _:
            return [_VERBS.get(op, "changed"), *_state(after)]


def _state(record: Mapping[str, Any]) -> list[str]:
    total = record.get("total")
    money = f"{amount(total)} {_text(record.get('currency'), '')}".strip() if _is_number(total) else ""
    return [_status(record.get("status"), ""), money]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], paths: list[str]) -> list[str]:
    names = list(dict.fromkeys(path.split(".")[0].split("[")[0] for path in paths))
    if "contact" in names and _mapping(before.get("contact")).get("id") == _mapping(after.get("contact")).get("id"):
        names.remove("contact")  # only its name moved, and the line ends with that
    told = [name for name in names if name not in _NEVER]
    for name in _SHOWN:
        if name in told:
            told = [other for other in told if other not in _FOLLOWS.get(name, ())]
    shown = [name for name in _SHOWN if name in told]
    named = [name for name in told if name not in _SHOWN and name != "…"]
    details = [_shift(name, before.get(name), after.get(name)) for name in shown]
    details += [f"{_word(name)} changed" for name in named]
    if not details:
        return ["touched"]
    rest = len(details) - _MOST_DETAILS
    return details if rest <= 0 else [*details[:_MOST_DETAILS], f"+{rest} more"]


def _shift(name: str, old: Any, new: Any) -> str:
    if name == "status":
        return f"{_status(old, NONE)}{ARROW}{_status(new, NONE)}"
    return f"{_word(name)} {_value(old)}{ARROW}{_value(new)}"


def _status(value: Any, otherwise: str) -> str:
    """A status in words: ``partially paid``."""
    return _text(value, otherwise).replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return amount(value) if _is_number(value) else _text(value, NONE)


def _word(name: str) -> str:
    return _text(name.replace("_", " "), "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _text(value: Any, otherwise: str) -> str:
    """Text of strangers as part of a line: printable, without runs of spaces, of bounded length."""
    if value is None or value == "":
        return otherwise
    text = " ".join(printable(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _short_id(source: Mapping[str, Any]) -> str:
    return _text(str(source.get("record_id") or "")[:8], "without id")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
