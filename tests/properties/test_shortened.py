"""Changes of any size fit a Kafka message, say what they left out, and are still what the contract says."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.recorder.diff import changed_fields
from processors.recorder.envelope import Draft, Placement, encode_change
from processors.recorder.shorten import shorten
from tests.support.examples import examples
from tests.support.xero_records import STRATEGIES, TENANT, wire
from xero_api.decode import decode, encode
from xero_api.entity import Entity
from xero_api.registry import ENTITIES, INVOICES
from xero_stream.contracts.change_event import Op, Trigger
from xero_stream.contracts.schemas import RECORDS

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
PLACE = Placement(
    incarnation=UUID(int=1),
    prefix="xero",
    topic="xero.changes.invoices",
    partition=2,
    position=7,
    previous=5,
    recorded_at=AT,
    customer_ref=None,
)
DRAFT = Draft(
    op=Op.UPDATE,
    entity=INVOICES.name,
    tenant_id=TENANT,
    record_id="r",
    before=None,
    after=None,
    changed_fields=[],
    updated_at=AT,
    trigger=Trigger.WEBHOOK,
)
LARGEST = 300_000
sizes = st.sampled_from([0, 1, 499, 500, 501, 5_000, 140_000, 160_000, 300_000, 900_000])


def grown(entity: Entity[Any], record: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The record with fields of any size, as far as their types go; ids, dates and moments have a form of their own."""
    found = dict(record)
    fields = entity.model.model_json_schema(mode="serialization")["properties"]
    for name, value in record.items():
        if "pattern" in str(fields[name]) or not data.draw(st.booleans()):
            continue
        size = data.draw(sizes)
        if isinstance(value, str):
            found[name] = data.draw(st.sampled_from(["x", "ü", "\x00", '"'])) * size
        elif isinstance(value, list):
            found[name] = value * min(1 + size // 100, 5_000)
        elif isinstance(value, float):
            found[name] = Decimal("1" * max(1, min(size, 5_000)))
        elif isinstance(value, dict):
            inner = "More" if name == "raw" else next((key for key in value if key in {"name", "number"}), None)
            found[name] = {**value, inner: "x" * size} if inner else value
    return found


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
@settings(max_examples=examples(3))
@given(data=st.data())
def test_a_shortened_record_is_small_and_still_fits_its_contract(entity: Entity[Any], data: st.DataObject) -> None:
    """Whatever was large: the typed model reads it, short scalars are equal, what was left out is named."""
    record = grown(entity, entity.unified(TENANT, decode(wire(data.draw(STRATEGIES[entity.name])))), data)

    body, left_out = shorten(encode(record), entity.name)

    short = decode(body)
    assert len(body) < 100_000
    assert list(short) == list(record)
    assert {"tenant_id", "id"}.isdisjoint(left_out)
    RECORDS[entity.name].read(body)
    whole = decode(encode(record))
    assert {name: short[name] for name in short if name not in left_out} == {
        name: whole[name] for name in whole if name not in left_out
    }
    assert {name for name in whole if short[name] != whole[name]} == set(left_out)


@settings(max_examples=examples(12))
@given(data=st.data(), raw=sizes, ends=st.sampled_from(list(Op)))
def test_a_change_of_any_size_fits_and_is_never_empty(data: st.DataObject, raw: int, ends: Op) -> None:
    """The relay is never given what Kafka refuses; ``before`` and ``after`` are there or not as ``op`` says."""
    record = INVOICES.unified(TENANT, decode(wire(data.draw(STRATEGIES[INVOICES.name]))))
    before = None if ends in (Op.CREATE, Op.READ) else encode(grown(INVOICES, record, data))
    after = None if ends is Op.DELETE else encode(grown(INVOICES, record, data))
    paths = changed_fields(decode(before) if before else None, decode(after) if after else None)
    draft = replace(DRAFT, op=ends, before=before, after=after, raw=encode({"Raw": "r" * raw}), changed_fields=paths)

    encoded = encode_change(draft, PLACE, largest=LARGEST)

    event = decode(encoded.value)
    assert len(encoded.value) <= LARGEST
    assert len(encoded.record or b"") <= LARGEST
    assert ((event["before"] is None), (event["after"] is None)) == (before is None, after is None)
    for side, body in (("before", before), ("after", after)):
        left_out = {path.removeprefix(f"{side}.") for path in encoded.omitted if path.startswith(f"{side}.")}
        if body is not None:
            whole = decode(body)
            assert {k: v for k, v in event[side].items() if k not in left_out} == {
                k: v for k, v in whole.items() if k not in left_out
            }
    assert (encoded.record is None) == (after is None)
