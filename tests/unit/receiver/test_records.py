"""What goes to Kafka: values that read as the contract, keys and partitions of the tenant, nothing lost."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from receiver import records as records_module
from receiver.parse import Unreadable, parse
from receiver.records import Receipt, Shaper
from tests.support.webhooks import examples, shaped
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.contracts.topics import Topics
from xero_stream.contracts.webhook_event import WebhookEvent
from xero_stream.kafka.partition_queue import Record

RECEIVED_MS = 1_700_000_000_045
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def _shape(body: bytes, *, keep: bool = False, partitions: int = 6, app: str = "default") -> list[Record]:
    shaper = Shaper(topics=Topics(prefix="p"), partitions=partitions, keep_deliveries=keep)
    receipt = Receipt(AppName(app), body, "signature", RECEIVED_MS, TRACE)
    return shaped(shaper, receipt)[0]


@pytest.mark.parametrize("name", examples())
def test_values_are_the_contract(name: str) -> None:
    """Each value is a WebhookEvent to the letter: pydantic accepts it and gives back what was sent."""
    document = examples()[name]
    body = orjson.dumps(document)

    made = [WebhookEvent.model_validate_json(record.value) for record in _shape(body, app="Nz")]

    assert [event.event for event in made] == document["events"]
    assert [event.index for event in made] == list(range(len(made)))
    first = document["firstEventSequence"]
    for event in made:
        assert event.version == 1
        assert event.app == "Nz"
        assert event.received_at == datetime(2023, 11, 14, 22, 13, 20, 45_000, UTC)
        assert event.delivery_id == parse(body).id
        assert event.first_event_sequence == (first if isinstance(first, int) else None)


def test_value_has_exactly_the_contracts_fields() -> None:
    """A field added to the contract, or taken from it, is missed here."""
    record = _shape(b'{"events":[{}]}')[0]

    assert list(orjson.loads(record.value)) == list(WebhookEvent.model_fields)


def test_key_and_partition() -> None:
    """Key and partition are the organisation's, however its id is spelled, so that all its events stay in order."""
    upper = "C2CC9B6E-9458-4C7D-93CC-F02B81B0594F"
    records = _shape(orjson.dumps({"events": [{"tenantId": upper}, {"tenantId": "{" + upper.lower() + "}"}]}))

    expected = partition_of(TenantId(upper.lower()), 6)
    assert [(record.key, record.partition) for record in records] == [(upper.lower().encode(), expected)] * 2


def test_without_a_tenant() -> None:
    """Events without a tenant have no key and stay together: partition by delivery."""
    body = orjson.dumps({"events": [{"n": 1}, {"n": 2}, {"tenantId": 3}]})

    records = _shape(body)

    assert [record.key for record in records] == [None] * 3
    assert {record.partition for record in records} == {partition_of(TenantId(parse(body).id), 6)}


@pytest.mark.parametrize(
    ("event", "tenant"),
    [
        ({"tenantId": "C2CC9B6E-9458-4C7D-93CC-F02B81B0594F"}, "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"),
        ({"tenantId": "{c2cc9b6e94584c7d93ccf02b81b0594f}"}, "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f"),
        ({"tenantId": "not-a-uuid"}, None),
        ({"tenantId": ""}, None),
        ({"tenantId": None}, None),
        ({"tenantId": 17}, None),
        ({}, None),
    ],
)
def test_tenant(event: dict[str, Any], tenant: str | None) -> None:
    """The organisation in one spelling; an event that names none is carried without a key."""
    (record,) = _shape(orjson.dumps({"events": [event]}))
    assert record.key == (tenant and tenant.encode())


def test_headers() -> None:
    """Headers are CloudEvents' required attributes and the trace, the same id for the same bytes."""
    body = b'{"events":[{},{}]}'

    headers = [dict(record.headers) for record in _shape(body)]

    assert headers[1] == {
        "ce_specversion": b"1.0",
        "ce_id": f"{parse(body).id}-1".encode(),
        "ce_source": b"/xero-stream/apps/default",
        "ce_type": b"io.xerostream.webhook-event",
        "content-type": b"application/json",
        "traceparent": TRACE.encode(),
    }
    assert headers[0]["ce_id"] != headers[1]["ce_id"]


@pytest.mark.parametrize("body", [b"nonsense", b'{"no":"events"}', b"\xff\xfe"])
def test_dead_letter(body: bytes) -> None:
    """What can't be read becomes one dead letter with the very bytes, and the same id each time."""
    records = _shape(body)

    assert len(records) == 1
    letter, headers = records[0], dict(records[0].headers)
    assert letter.topic == "p.dead-letters"
    assert letter.value == body
    assert letter.key is None
    assert headers["xs_stage"] == b"receive"
    assert headers["xs_reason"].decode() == parse(body).unreadable
    assert headers["xs_id"] == dict(_shape(body)[0].headers)["xs_id"]
    assert headers["traceparent"] == TRACE.encode()


def test_good_events_beside_a_bad_one() -> None:
    """Of a delivery with a bad event the good ones are appended, and the whole is a dead letter too."""
    records = _shape(b'{"events":[{"a":1},[],{"b":2}]}')

    assert [record.topic for record in records] == ["p.webhook-events", "p.webhook-events", "p.dead-letters"]
    assert [orjson.loads(record.value)["index"] for record in records[:2]] == [0, 2]


def test_an_event_that_grows_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event whose record would not fit a Kafka message is a dead letter; its neighbours are appended."""
    monkeypatch.setattr(records_module, "LARGEST_VALUE", 1_000)
    body = orjson.dumps({"events": [{"n": 1}, {"n": "x" * 2_000}, {"n": 3}]})

    records = _shape(body)

    assert [record.topic for record in records] == ["p.webhook-events", "p.webhook-events", "p.dead-letters"]
    assert dict(records[-1].headers)["xs_reason"].decode() == Unreadable.TOO_LARGE
    assert records[-1].value == body


@pytest.mark.parametrize("depth", [254, 255, 1_000])
def test_an_event_that_is_nested_too_deep(depth: int) -> None:
    """What can be read and not written again is a dead letter; its neighbours are appended, and the reason is told."""
    body = b'{"events":[{"n":1},' + b'{"a":' * depth + b"1" + b"}" * depth + b"]}"
    receipt = Receipt(AppName("default"), body, "", RECEIVED_MS, TRACE)

    records, unreadable = shaped(Shaper(topics=Topics(prefix="p"), partitions=6), receipt)

    fits = depth < 255
    assert unreadable is (None if fits else Unreadable.TOO_DEEP)
    assert [record.topic for record in records] == [
        "p.webhook-events",
        "p.webhook-events" if fits else "p.dead-letters",
    ]
    assert fits or records[-1].value == body


def test_kept_delivery() -> None:
    """Where the setting asks for it, the exact bytes and signature of the delivery are a record too."""
    body = b'{"events": [ {} ]}'

    kept = _shape(body, keep=True)[-1]

    assert kept.topic == "p.webhook-deliveries"
    assert kept.key == parse(body).id.encode()
    assert kept.value == body
    assert dict(kept.headers)["x-xero-signature"] == b"signature"


def test_intent_to_receive_needs_no_record() -> None:
    """An intent to receive has nothing to append."""
    assert _shape(b'{"events":[]}') == []
