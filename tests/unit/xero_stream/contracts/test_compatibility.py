"""What counts as breaking readers within a version."""

from typing import Any

import pytest

from xero_stream.contracts.compatibility import breaks

TEXT = {"type": "string"}
MAYBE = {"anyOf": [TEXT, {"type": "null"}]}


def _object(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (_object(a=TEXT), _object(), "a: removed"),
        (_object(a=TEXT), _object(["a"], a=TEXT), "a: required now"),
        (_object(["a"], a=TEXT), _object(a=TEXT), "a: may be absent now"),
        (_object(a=MAYBE), _object(a=TEXT), "a: its type was null, string, is string"),
        (_object(a={"type": ["string", "null"]}), _object(a=TEXT), "a: its type was null, string, is string"),
        (_object(a=MAYBE), _object(a={"type": ["string", "null"], "pattern": "^x$"}), "a: its form changed"),
        (_object(a=TEXT), _object(a=MAYBE), "a: its type was string, is null, string"),
        (_object(a={"type": "number"}), _object(a=TEXT), "a: its type was number, is string"),
        (
            _object(a={"type": "string", "enum": ["x", "y"]}),
            _object(a={"type": "string", "enum": ["x"]}),
            "no longer y",
        ),
        (_object(a={"type": "string", "enum": ["x"]}), _object(a={"type": "string", "const": "y"}), "no longer x"),
        (
            _object(a={"anyOf": [{"type": "string", "enum": ["x"]}, TEXT]}),
            _object(a={"type": "string", "enum": ["x"]}),
            "other words are no longer allowed",
        ),
        (_object(a=TEXT), _object(a={"type": "string", "pattern": "^x$"}), "a: its form changed"),
        (
            _object(a={"type": "array", "items": _object(b=TEXT)}),
            _object(a={"type": "array", "items": _object()}),
            "a[].b: removed",
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": _object(a=TEXT)}},
            {"$ref": "#/$defs/B", "$defs": {"B": _object()}},
            "a: removed",
        ),
    ],
)
def test_breaking_changes_are_told(old: dict[str, Any], new: dict[str, Any], told: str) -> None:
    """Each kind of breaking change gives a sentence that names the field."""
    problems = breaks(old, new)

    assert len(problems) == 1
    assert told in problems[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_object(a=TEXT), _object(a=TEXT, b=TEXT)),
        (_object(a={"type": "string", "enum": ["x"]}), _object(a={"type": "string", "enum": ["x", "y"]})),
        (_object(a={**TEXT, "description": "one"}), _object(a={**TEXT, "description": "two"})),
    ],
)
def test_harmless_changes_are_not(old: dict[str, Any], new: dict[str, Any]) -> None:
    """New optional fields, new words and better descriptions are no break."""
    assert breaks(old, new) == []
