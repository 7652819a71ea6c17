"""Kafka Connect schemas of keys, records and changes: what ``JsonConverter`` needs to type JSON that carries no schema.

``schema.content`` of Connect's JsonConverter takes them since Kafka 4.2 (KIP-1054). They hold what a table can: scalars, and for
``records`` the scalars of nested objects too, which Connect's ``Flatten`` makes columns of. In ``changes`` the record has its own scalars
only: a sink that reads Debezium's envelope takes ``before`` and ``after`` as they are. Lists and Xero's own JSON are left out, and
JsonConverter skips what a schema lacks. Struct names end as Debezium's do, because its sinks recognise an envelope by ``.Envelope``.
Pure.
"""

from typing import Any

from pydantic import BaseModel

from xero_stream.contracts.topics import Topics

Schema = dict[str, Any]

DECIMAL_SCALE = 10
"""Decimal places of amounts: exchange rates have up to ten, prices up to four."""

CONNECT_DECIMAL = "org.apache.kafka.connect.data.Decimal"
"""Connect's name of the type."""
_DECIMAL: Schema = {
    "type": "bytes",
    "name": CONNECT_DECIMAL,
    "version": 1,
    "parameters": {"scale": str(DECIMAL_SCALE)},
}
_SCALARS: dict[str, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "int64"},
    "boolean": {"type": "boolean"},
    "number": _DECIMAL,
}
_MOMENT: Schema = {"type": "string", "name": "io.debezium.time.ZonedTimestamp", "version": 1}


def connect_key(topics: Topics) -> Schema:
    """The key of every changes and records topic.

    Args:
        topics: whose prefix begins the names.
    """
    fields = [{"field": name, **_SCALARS["string"], "optional": False} for name in ("tenant_id", "id")]
    return {"type": "struct", "name": f"{topics.prefix}.Key", "optional": False, "fields": fields}


def connect_change(change: type[BaseModel], record: str, topic: str) -> Schema:
    """The value of ``changes.<entity>``.

    Args:
        change: the contract of a change of that entity.
        record: the name of the class of its records.
        topic: where it is; the names begin with it.
    """
    return _value_schema(change, f"{topic}.Envelope", record, nested=False)


def connect_latest(latest: type[BaseModel], record: str, topic: str) -> Schema:
    """The value of ``records.<entity>``.

    Args:
        latest: the contract of a latest record of that entity.
        record: the name of the class of its records.
        topic: where it is; the names begin with it.
    """
    return _value_schema(latest, f"{topic}.Latest", record, nested=True)


def _value_schema(model: type[BaseModel], name: str, record: str, *, nested: bool) -> Schema:
    schema = model.model_json_schema(mode="serialization")
    structs = _Structs(schema.get("$defs", {}), name, record, nested=nested)
    return {**structs.struct(schema, name), "optional": True}


class _Structs:
    """Translates the JSON Schema of one document."""

    def __init__(self, definitions: dict[str, Schema], name: str, record: str, *, nested: bool) -> None:
        self._definitions = definitions
        self._place = name.rpartition(".")[0]
        self._record = record
        self._nested = nested

    def struct(self, schema: Schema, name: str) -> Schema:
        fields = []
        for field, node in schema.get("properties", {}).items():
            found = self._of(node)
            if found is not None:
                fields.append({"field": field, **found, "optional": True})
        return {"type": "struct", "name": name, "fields": fields}

    def _of(self, node: Schema) -> Schema | None:
        """The Connect schema of a field, or None where a table has no place for it."""
        solid = [one for one in self._alternatives(node) if one.get("type") != "null"]
        if len({one.get("type") for one in solid}) != 1:
            return None
        (first, *_) = solid
        if first["type"] == "object":
            return self._object(first)
        return _MOMENT if first.get("format") == "date-time" else _SCALARS.get(first["type"])

    def _object(self, node: Schema) -> Schema | None:
        if "properties" not in node:
            return None
        is_record = node["title"] == self._record
        part = self.struct(node, f"{self._place}.{'Value' if is_record else node['title']}")
        if is_record and not self._nested:
            part["fields"] = [field for field in part["fields"] if field["type"] != "struct"]
        return part if part["fields"] else None

    def _alternatives(self, node: Schema) -> list[Schema]:
        if "$ref" in node:
            return self._alternatives(self._definitions[node["$ref"].rpartition("/")[2]])
        if "anyOf" in node:
            return [found for one in node["anyOf"] for found in self._alternatives(one)]
        return [node]
