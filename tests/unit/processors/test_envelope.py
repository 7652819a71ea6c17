"""The final bytes of a change."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

import orjson

from processors.recorder.envelope import Draft, Fetch, Placement, Webhook, change_type, encode_change
from xero_stream.contracts.change_event import ChangeEvent, DeletionReason, Op, Trigger, ce_id
from xero_stream.contracts.names import EntityName

STORE = UUID("00000000-0000-0000-0000-000000000001")
AT = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
DRAFT = Draft(
    op=Op.UPDATE,
    entity=EntityName.CREDIT_NOTES,
    tenant_id="t",
    record_id="r",
    before=b'{"status":"authorised","total":1.5}',
    after=b'{"status":"paid","total":12345678901234567.89}',
    changed_fields=["status", "total"],
    updated_at=AT,
    trigger=Trigger.WEBHOOK,
    status="paid",
    status_before="authorised",
    webhook=Webhook(deliveries=["d"], event_at=AT, received_at=AT),
    fetch=Fetch(correlation_id="c", fetched_at=AT),
    traceparent="00-1-2-01",
)
PLACE = Placement(
    store_id=STORE,
    prefix="xero",
    topic="xero.changes.credit-notes",
    partition=2,
    position=7,
    previous=5,
    recorded_at=AT,
    customer_ref="cust",
)


def test_the_value_is_a_change_event() -> None:
    """The bytes parse as the contract, extra fields forbidden; amounts keep every digit."""
    encoded = encode_change(DRAFT, PLACE)

    event = ChangeEvent.model_validate_json(encoded.value)

    assert event.source.position == 7
    assert event.source.previous == 5
    assert event.source.ts_ms == 1795341600123
    assert event.source.webhook is not None
    assert event.source.webhook.event_date == "2026-11-22T10:00:00.123Z"
    assert b"12345678901234567.89" in encoded.value


def test_key_and_headers() -> None:
    """Debezium's kind of key; CloudEvents in binary mode."""
    encoded = encode_change(DRAFT, PLACE)

    assert orjson.loads(encoded.key) == {"tenant_id": "t", "id": "r"}
    headers = orjson.loads(encoded.headers)
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == ce_id(STORE, 2, 7)
    assert headers["ce_type"] == "io.xerostream.credit-note.updated"
    assert headers["ce_dataschema"] == "urn:xero-stream:schema:credit-note-change:1"
    assert headers["content-type"] == "application/json"
    assert "ce_partitionkey" not in headers
    assert headers["traceparent"] == "00-1-2-01"
    assert headers["customer_ref"] == "cust"


def test_the_same_position_has_the_same_id_for_ever() -> None:
    """A republished change is recognised."""
    assert ce_id(STORE, 2, 7) == str(uuid5(STORE, "2/7"))
    assert ce_id(STORE, 2, 7) != ce_id(STORE, 2, 8)
    assert ce_id(STORE, 2, 71) != ce_id(STORE, 27, 1)


def test_types_follow_what_happened() -> None:
    """A void or an archive is an update with a name of its own; it is named once."""
    kind = "io.xerostream.credit-note."
    assert change_type(replace(DRAFT, op=Op.CREATE)) == kind + "created"
    assert change_type(replace(DRAFT, op=Op.READ)) == kind + "read"
    assert change_type(replace(DRAFT, op=Op.DELETE, after=None)) == kind + "deleted"
    assert change_type(replace(DRAFT, status="voided")) == kind + "voided"
    assert change_type(replace(DRAFT, status="archived")) == kind + "archived"
    assert change_type(replace(DRAFT, status="voided", status_before="voided")) == kind + "updated"


def test_what_is_too_large_drops_raw_then_before_then_refers() -> None:
    """It never stalls the relay."""
    draft = replace(
        DRAFT, raw=b'"' + b"r" * 5000 + b'"', before=b'"' + b"b" * 3000 + b'"', after=b'"' + b"a" * 2500 + b'"'
    )

    def omitted(largest: int) -> list[str] | None:
        encoded = encode_change(draft, PLACE, largest=largest)
        assert len(encoded.value) <= largest
        document = orjson.loads(encoded.value)
        assert (document["omitted"] or []) == encoded.omitted
        assert document["source"]["record_id"] == "r"
        return encoded.omitted

    assert omitted(20_000) == []
    assert omitted(8_000) == ["raw"]
    assert omitted(5_000) == ["raw", "before"]
    assert omitted(2_000) == ["raw", "before", "after"]


def test_the_compacted_topic_gets_the_record_or_a_tombstone() -> None:
    """With its position; a record that is too large leaves a marker, not the old content."""
    record = orjson.loads(encode_change(DRAFT, PLACE).record or b"null")
    assert (record["position"], record["record"]["status"]) == (7, "paid")
    gone = replace(DRAFT, op=Op.DELETE, after=None, deletion_reason=DeletionReason.MERGED)
    assert encode_change(gone, PLACE).record is None
    large = replace(DRAFT, after=b'"' + b"a" * 5000 + b'"')
    assert orjson.loads(encode_change(large, PLACE, largest=2000).record or b"")["omitted"] == ["record"]
