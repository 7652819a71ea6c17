"""Arbitrary bodies: the parser is total, and nothing of a body is lost on its way to Kafka."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from processors.intake.fold import Arrived, fold
from processors.intake.place import Place, home_of
from processors.intake.subject import Subjects
from receiver.parse import Unreadable, looks_like_intent, parse
from receiver.records import Receipt, Shaper
from tests.support.webhooks import shaped
from xero_api.registry import INVOICES
from xero_stream.contracts.ids import canonical_guid, canonical_id
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.contracts.topics import Topics
from xero_stream.contracts.webhook_event import WebhookEvent
from xero_stream.kafka.partition_queue import Record

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
events = st.fixed_dictionaries(
    {},
    optional={"tenantId": texts | st.uuids().map(str) | values, "eventCategory": texts | values, "eventType": values},
).flatmap(lambda known: st.dictionaries(texts, values, max_size=4).map(lambda extra: {**extra, **known}))
documents = st.fixed_dictionaries(
    {"events": st.lists(events | values, max_size=6)},
    optional={"firstEventSequence": values, "lastEventSequence": values, "entropy": values},
)


def shape(body: bytes) -> list[Record]:
    """The records of a body."""
    receipt = Receipt(AppName("default"), body, "s", 0, "00-" + "1" * 32 + "-" + "1" * 16 + "-01")
    return shaped(Shaper(topics=Topics(), partitions=6), receipt)[0]


@given(st.binary(max_size=1_000) | values.map(orjson.dumps))
def test_total(body: bytes) -> None:
    """No body makes the parser raise; one that yields no events is kept whole, unless it has none to yield."""
    delivery = parse(body)
    looks_like_intent(body)

    records = shape(body)

    if delivery.unreadable is not None:
        assert records[-1].value == body
    read = [event for event in delivery.events if isinstance(event, dict)]
    assert len(records) == len(read) + (delivery.unreadable is not None)


@given(documents)
def test_every_event_arrives(document: dict[str, object]) -> None:
    """Every event that is an object arrives unchanged, in order; any other keeps the whole body."""
    sent = document["events"]
    assert isinstance(sent, list)
    body = orjson.dumps(document)

    records = [record for record in shape(body) if record.topic == "xero.webhook-events"]

    read = [WebhookEvent.model_validate_json(record.value) for record in records]
    assert [event.event for event in read] == [event for event in sent if isinstance(event, dict)]
    assert [sent[event.index] for event in read] == [event.event for event in read]
    assert (parse(body).unreadable is Unreadable.EVENT_NOT_AN_OBJECT) == any(not isinstance(e, dict) for e in sent)


@given(documents)
def test_partitions(document: dict[str, object]) -> None:
    """A keyed record lies in its key's partition, as Kafka's own partitioner would have it."""
    for record in shape(orjson.dumps(document)):
        if record.key is not None:
            assert record.partition == partition_of(TenantId(record.key.decode()), 6)
            assert record.key == record.key.decode().lower().encode()


def spellings(guid: UUID) -> st.SearchStrategy[str]:
    """Ways to write an id: braces, parentheses, a URN, without hyphens, upper case, blanks around it."""
    text = str(guid)
    return st.sampled_from([text, guid.hex, f"{{{text}}}", f"({guid.hex})", f"urn:uuid:{text}", f" {text} "]).flatmap(
        lambda written: st.sampled_from([written, written.upper(), written.title()])
    )


organisations = st.uuids().flatmap(
    lambda guid: st.tuples(st.just(guid), st.lists(spellings(guid), min_size=1, max_size=5))
)


@given(organisations, st.integers(1, 60))
def test_receiver_and_intake_agree_on_an_organisation_however_it_is_spelled(
    organisation: tuple[UUID, list[str]], partitions: int
) -> None:
    """One key, one partition, one mark: what the receiver appends, intake finds in its place."""
    guid, written = organisation
    body = orjson.dumps(
        {
            "events": [
                {
                    "tenantId": text,
                    "resourceId": text,
                    "eventCategory": "INVOICE",
                    "eventDateUtc": "2026-11-29T00:00:00",
                }
                for text in written
            ]
        }
    )
    receipt = Receipt(AppName("default"), body, "s", 0, "00-" + "1" * 32 + "-" + "1" * 16 + "-01")

    records, _ = shaped(Shaper(topics=Topics(), partitions=partitions), receipt)
    place = Place(
        partition=records[0].partition, partitions=partitions, owners={TenantId(str(guid)): AppName("default")}
    )
    folded = fold(
        [
            Arrived(offset=number, key=record.key, value=record.value, appended_at=datetime(2026, 11, 29, tzinfo=UTC))
            for number, record in enumerate(records)
        ],
        Subjects.of([INVOICES]),
        place,
    )

    assert {(record.key, record.partition) for record in records} == {
        (str(guid).encode(), partition_of(TenantId(str(guid)), partitions))
    }
    assert not folded.refused
    assert [(mark.tenant_id, mark.record_id, mark.events) for mark in folded.marks] == [
        (str(guid), str(guid), len(written))
    ]
    assert {INVOICES.id_of({"InvoiceID": text.strip()}) for text in written} == {str(guid)}
    assert {home_of(record.value, partitions) for record in records} == {(records[0].key, records[0].partition)}


@given(texts | st.uuids().flatmap(spellings))
def test_an_id_has_one_spelling(text: str) -> None:
    """Spelled once more it stays as it is; what is not a GUID is no organisation, and never raises."""
    found = canonical_guid(text)

    assert found is None or (canonical_guid(found) == found and UUID(found).hex in text.lower().replace("-", ""))
    assert canonical_id(canonical_id(text)) == canonical_id(text)
    assert found is None or canonical_id(text.strip()) == found
