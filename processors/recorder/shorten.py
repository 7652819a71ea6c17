"""A record too large for a Kafka message, without what makes it large. Pure.

What stays is what a table has columns for: the short scalars of the record and of the objects in it. Lists are emptied. What is
left out takes the emptiest value that the contract allows, so that readers of the contract still read it, and its field is
named.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from xero_api.decode import decode, encode
from xero_api.registry import by_name
from xero_stream.contracts.names import EntityName

LONGEST = 500
"""Characters of a text, or digits of a number, that stay. Xero's names, numbers and addresses are shorter."""

_EMPTIEST: Mapping[str, Any] = {"null": None, "array": [], "object": {}, "number": 0, "integer": 0}
"""In the order of preference. For text there is none: where it can't be null, its beginning stays."""

Schema = Mapping[str, Any]


def shorten(body: bytes, entity: EntityName) -> tuple[bytes, list[str]]:
    """The record's short scalars; other fields are null, or empty where null is not allowed.

    Args:
        body: JSON of the unified record.

    Returns:
        The JSON, and the names of the record's fields of which something was left out.
    """
    record: Mapping[str, Any] = decode(body)
    schema = _schema(entity)
    short = _shortened(record, schema, schema.get("$defs", {}))
    return encode(short), [name for name, value in record.items() if short[name] != value]


@cache
def _schema(entity: EntityName) -> Schema:
    schema: Schema = by_name(entity).model.model_json_schema(mode="serialization")
    return schema


def _shortened(value: Any, schema: Schema, parts: Mapping[str, Schema]) -> Any:
    branches = list(_branches(schema, parts))
    if isinstance(value, dict):
        fields = next((branch["properties"] for branch in branches if "properties" in branch), None)
        if fields is not None:
            return {name: _shortened(item, fields.get(name, {}), parts) for name, item in value.items()}
    elif value is None or isinstance(value, bool):
        return value
    elif not isinstance(value, list):
        text = value if isinstance(value, str) else str(value)
        if len(text) <= LONGEST:
            return value
    kinds = [branch.get("type") for branch in branches]
    cut = value[:LONGEST] if isinstance(value, str) else None
    return value if not value else next((_EMPTIEST[kind] for kind in _EMPTIEST if kind in kinds), cut)


def _branches(schema: Schema, parts: Mapping[str, Schema]) -> Iterator[Schema]:
    """The alternatives, without references."""
    if "$ref" in schema:
        yield from _branches(parts[schema["$ref"].rsplit("/", 1)[-1]], parts)
    elif "anyOf" in schema:
        for branch in schema["anyOf"]:
            yield from _branches(branch, parts)
    else:
        yield schema
