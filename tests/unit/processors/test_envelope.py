"""The final bytes of a change."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
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
    incarnation=STORE,
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


LINES = [{"description": "l" * 40} for _ in range(60)]
LARGE = {"tenant_id": "t", "id": "r", "status": "paid", "total": 1.5, "reference": "x" * 9_000, "line_items": LINES}
SHORT = {**LARGE, "reference": None, "line_items": []}


def body(record: dict[str, Any]) -> bytes:
    """JSON."""
    return orjson.dumps(record)


def test_what_is_too_large_drops_raw_then_shortens_before_then_after() -> None:
    """Neither is ever null for it; the fields that were left out are named, and the key's fields stay."""
    before = {**LARGE, "status": "authorised"}
    draft = replace(DRAFT, raw=b'"' + b"r" * 20_000 + b'"', before=body(before), after=body(LARGE))

    def fitted(largest: int) -> tuple[Any, Any, list[str]]:
        encoded = encode_change(draft, PLACE, largest=largest)
        assert len(encoded.value) <= largest
        document = orjson.loads(encoded.value)
        assert (document["omitted"] or []) == encoded.omitted
        return document["before"], document["after"], encoded.omitted

    shorter = {**SHORT, "status": "authorised"}
    left_out = ["reference", "line_items"]
    assert fitted(60_000) == (before, LARGE, [])
    assert fitted(30_000) == (before, LARGE, ["raw"])
    assert fitted(15_000) == (shorter, LARGE, ["raw", *(f"before.{name}" for name in left_out)])
    assert fitted(5_000) == (
        shorter,
        SHORT,
        ["raw", *(f"before.{name}" for name in left_out), *(f"after.{name}" for name in left_out)],
    )


def test_paths_that_are_too_large_are_cut_to_the_field() -> None:
    """Below ``raw`` they are made of names that Xero chose, of any length."""
    paths = [f"raw.{name * 400}" for name in "abcdefgh"] + ["status"]

    encoded = encode_change(replace(DRAFT, changed_fields=paths), PLACE, largest=2_000)

    assert orjson.loads(encoded.value)["changed_fields"] == ["raw", "status"]


def test_the_compacted_topic_gets_the_record_or_a_tombstone() -> None:
    """With its position; a record that is too large is shortened, and not the old content."""
    record = orjson.loads(encode_change(DRAFT, PLACE).record or b"null")
    assert (record["position"], record["record"]["status"]) == (7, "paid")
    gone = replace(DRAFT, op=Op.DELETE, after=None, deletion_reason=DeletionReason.MERGED)
    assert encode_change(gone, PLACE).record is None
    large = orjson.loads(encode_change(replace(DRAFT, after=body(LARGE)), PLACE, largest=5_000).record or b"")
    assert (large["record"], large["omitted"]) == (SHORT, ["record.reference", "record.line_items"])
