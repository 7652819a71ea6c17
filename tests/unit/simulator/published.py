"""Xero's published OpenAPI, where a copy lies beside the repository, and which of its fields clients may write."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PUBLISHED = Path(__file__).parents[4] / "shared" / "openapi"
MISSING = f"Xero's OpenAPI documents are not part of the project and there is no copy at {PUBLISHED}"

Schema = dict[str, Any]


@cache
def accounting() -> Schema:
    """The document of the Accounting API."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: Schema = yaml.load((PUBLISHED / "xero_accounting.yaml").read_text(encoding="utf-8"), Loader=loader)
    return document


def resolved(schema: Schema) -> Schema:
    """What a reference leads to."""
    while "$ref" in schema:
        schema = accounting()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def members(schema: Schema) -> dict[str, Schema]:
    """Name → schema."""
    schema = resolved(schema)
    found: dict[str, Schema] = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= members(part)
    return found


def records(list_key: str) -> Schema:
    """The schema of a list's records."""
    listed = members({"$ref": f"#/components/schemas/{list_key}"})[list_key]
    items: Schema = resolved(listed)["items"]
    return items


def is_date(schema: Schema) -> bool:
    """Whether it is a date or a moment, however it is spelled."""
    marked = schema.get("x-is-msdate") or schema.get("x-is-msdate-time")
    return bool(marked) or resolved(schema).get("format") in ("date", "date-time")


def writable(
    schema: Schema, pointers: frozenset[str], above: str = "", seen: tuple[str, ...] = ()
) -> Iterator[tuple[str, Schema]]:
    """Every field that is not read-only, with its path; ``[]`` stands behind the name of a list.

    Args:
        schema: of an object.
        pointers: names of objects that only point at another record: their fields are that record's.
        above: path of the object.
        seen: schemas that the object is in, so that none is gone into twice.
    """
    for name, member in members(schema).items():
        found = resolved(member)
        if member.get("readOnly") or found.get("readOnly"):
            continue
        inner = found.get("items", member)
        path = f"{above}{name}{'[]' if 'items' in found else ''}"
        reference = inner.get("$ref", "")
        if name in pointers:
            yield path, {"type": "pointer"}
        elif members(inner) and reference not in seen:
            yield from writable(inner, pointers, f"{path}.", (*seen, reference))
        else:
            yield path, {**resolved(inner), **{key: value for key, value in member.items() if key.startswith("x-")}}
