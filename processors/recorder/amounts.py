"""Amounts as JSON strings, for consumers whose parser rounds numbers. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

_AS_XERO_SENT_IT = "raw"
"""The field of a unified record that holds Xero's own JSON."""


class Amounts(StrEnum):
    """How amounts are written."""

    NUMBER = "number"
    STRING = "string"


def written(unified: Mapping[str, Any], amounts: Amounts) -> Mapping[str, Any]:
    """The record with its amounts as the setting wants them.

    Args:
        unified: the record; its amounts are floats, or ``Decimal`` beyond 15 digits, and nothing else is.
        amounts: how to write them.
    """
    if amounts is Amounts.NUMBER:
        return unified
    return {name: value if name == _AS_XERO_SENT_IT else _with_text(value) for name, value in unified.items()}


def _with_text(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return _text(value)
    if isinstance(value, Mapping):
        return {name: _with_text(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_text(inner) for inner in value]
    return value


def _text(amount: float | Decimal) -> str:
    """Every digit, no exponent, no zeros at the end: equal amounts are equal strings."""
    text = format(Decimal(repr(amount)) if isinstance(amount, float) else amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
