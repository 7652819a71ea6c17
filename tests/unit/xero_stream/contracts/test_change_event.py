"""Keys and headers of the records topic."""

import orjson

from xero_stream.contracts.change_event import latest_headers, record_key
from xero_stream.contracts.names import EntityName

CHANGE = {
    "ce_specversion": "1.0",
    "ce_id": "7fd02b4c-8c84-46d4-ae4e-2a8d8b9f8d58",
    "ce_type": "io.xerostream.credit-note.updated",
    "ce_source": "/xero-stream/xero/t",
    "ce_subject": "credit-notes/r",
    "ce_time": "2026-11-22T10:00:00.123Z",
    "ce_dataschema": "urn:xero-stream:schema:credit-note-change:1",
    "content-type": "application/json",
    "traceparent": "00-1-2-01",
}


def test_the_latest_record_is_an_event_of_its_own() -> None:
    """About the same record and time, with an id, a type and a schema of its own; always the same id."""
    latest = latest_headers(CHANGE, EntityName.CREDIT_NOTES, "urn:xero-stream:schema:credit-note-latest:1")

    own = {"ce_id", "ce_type", "ce_dataschema"}
    assert {name: text for name, text in latest.items() if name not in own} == {
        name: text for name, text in CHANGE.items() if name not in own
    }
    assert latest["ce_type"] == "io.xerostream.credit-note.latest"
    assert latest["ce_dataschema"] == "urn:xero-stream:schema:credit-note-latest:1"
    assert latest["ce_id"] != CHANGE["ce_id"]
    assert latest == latest_headers(CHANGE, EntityName.CREDIT_NOTES, latest["ce_dataschema"])


def test_a_tombstone_has_no_header_of_the_data() -> None:
    """There is none: SDKs that see a content type try to parse it."""
    tombstone = latest_headers(CHANGE, EntityName.CREDIT_NOTES, None)

    assert CHANGE.keys() - tombstone.keys() == {"content-type", "ce_dataschema"}


def test_the_key_is_two_fields_of_the_record() -> None:
    """Compact, always in this order: equal keys are equal bytes, which compaction needs."""
    assert record_key("t", "r") == b'{"tenant_id":"t","id":"r"}'
    assert orjson.loads(record_key("t", "ü")) == {"tenant_id": "t", "id": "ü"}
