"""Schemas for Connect's JsonConverter: scalars with their types, names as Debezium's sinks expect them."""

import json
from typing import Any

import pytest

from xero_stream.contracts.schemas import CONNECT, RECORDS, documents


def _schema(name: str, *, text: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(documents(amounts_as_text=text)[f"{CONNECT}/{name}.json"])
    return schema


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["field"]: field for field in schema["fields"]}


def test_the_key_is_the_key_of_the_topics() -> None:
    """Two fields of the record, in their order, never null."""
    key = _schema("key")

    assert [(field["field"], field["optional"]) for field in key["fields"]] == [("tenant_id", False), ("id", False)]


def test_a_change_is_debeziums_envelope_of_plain_rows() -> None:
    """The sink knows it by its name; ``before`` and ``after`` are alike and hold scalars only."""
    envelope = _schema("invoices-changes")
    fields = _fields(envelope)

    assert envelope["name"] == "xero.changes.invoices.Envelope"
    assert fields["before"]["name"] == fields["after"]["name"] == "xero.changes.invoices.Value"
    assert fields["before"]["fields"] == fields["after"]["fields"]
    assert "struct" not in {field["type"] for field in fields["after"]["fields"]}


def test_a_latest_record_has_nested_scalars() -> None:
    """Amounts are Decimal of ten places, moments Debezium's, lists are left out."""
    record = _fields(_fields(_schema("invoices-records"))["record"])

    assert record["exchange_rate"] == {
        "field": "exchange_rate",
        "type": "bytes",
        "name": "org.apache.kafka.connect.data.Decimal",
        "version": 1,
        "parameters": {"scale": "10"},
        "optional": True,
    }
    assert record["updated_at"]["name"] == "io.debezium.time.ZonedTimestamp"
    assert set(_fields(record["contact"])) == {"id", "name"}
    assert not {"line_items", "payments"} & record.keys()


def test_amounts_as_text() -> None:
    """Made for ``XERO_STREAM_AMOUNTS=string``, no schema expects a number where a string comes."""
    record = _fields(_fields(_schema("invoices-records", text=True))["record"])

    assert record["total"] == {"field": "total", "type": "string", "optional": True}


@pytest.mark.parametrize("entity", RECORDS)
def test_every_entity_has_both(entity: str) -> None:
    """With at least the key in each."""
    record = _fields(_fields(_schema(f"{entity}-records"))["record"])
    after = _fields(_fields(_schema(f"{entity}-changes"))["after"])

    assert {"tenant_id", "id", "updated_at"} <= record.keys() & after.keys()
