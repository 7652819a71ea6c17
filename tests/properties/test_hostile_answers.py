"""Hostile records on the whole way: bytes → answer → read → difference → change. One costs itself at most, never a neighbour."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors.recorder.diff import changed_fields
from processors.recorder.envelope import Draft, Placement, encode_change
from processors.recorder.policy import FieldPolicy
from processors.recorder.read import Reading, read_answer
from tests.support.examples import examples
from xero_api.answers import decipher, decipher_in_steps
from xero_api.decode import decode
from xero_api.entity import Entity
from xero_api.registry import BRANDING_THEMES, CONTACTS, INVOICES
from xero_api.requests import get_all, get_page
from xero_stream.contracts.change_event import ChangeEvent, Op, Trigger
from xero_stream.contracts.names import RecordId, TenantId

TENANT = TenantId("23c89873-9b5c-4a5e-8b0f-0f9f5f9f5f9f")
BEFORE, HOSTILE, BEHIND = (RecordId(f"{n}0000000-0000-4000-8000-000000000000") for n in (1, 2, 3))
HEADERS = {"xero-correlation-id": "c", "content-type": "application/json"}

literals = st.sampled_from([
    *("1e999999999", "-1e-999999999", "1e99999999999999999999", "NaN", "-Infinity", "1" * 5_000, "-0", "1e308", "0e999999999"),
    *("9" * 400, "0." + "1" * 400, "1E+309", "18446744073709551616", "true", "null", '""', "[]", "{}", "[null]", "[[]]", "[1]"),
    *(r'"\ud83d"', r'"\u0000"', r'"\ud83d\ude00"', '"\x00"', '"1e999999999"', '"NaN"', '"1_0"', '"\\uff10"', '"' + "x" * 9_000 + '"'),
    *('"/Date(99999999999999999+9999)/"', '"/Date(-62135596800000+1300)/"', '"0001-01-01T00:00:00"', '"9999-12-31T23:59:59-14:00"'),
    *("[" * 250 + "]" * 250, '{"a":' * 700 + r'"\ud83d"' + "}" * 700, "[" * 1_500 + "]" * 1_500, '[{"a":' * 40_000 + "1" + "}]" * 40_000),
])  # fmt: skip
keys = st.sampled_from([
    *("InvoiceID", "ContactID", "BrandingThemeID", "Type", "Status", "ContactStatus", "Total", "SubTotal", "AmountPaid", "AmountCredited"),
    *("UpdatedDateUTC", "UpdatedDateUTCString", "Date", "DateString", "DueDate", "SentToContact", "LineItems", "Payments", "Contact"),
    *("CreditNotes", "Phones", "PaymentTerms", "MergedToContactID", "Name", "Unknown", r"Unknown\ud800", r"\u0000", "", "HasAttachments"),
])  # fmt: skip
nested = st.builds(
    lambda outer, key, literal: f'[{{"{key}":{literal}}}]' if outer else f'{{"{key}":{literal}}}',
    st.booleans(),
    st.sampled_from(
        ["Quantity", "LineItemID", "Tracking", "AppliedAmount", "Day", "PhoneNumber", "Amount", "Date", "ContactID"]
    ),
    literals,
)
members = st.lists(st.tuples(keys, literals | nested), max_size=6)
entities = pytest.mark.parametrize("entity", [INVOICES, CONTACTS, BRANDING_THEMES], ids=lambda entity: entity.name)


def _plain(entity: Entity[Any], record_id: str) -> str:
    return (
        f'{{"{entity.id_field}":"{record_id}","Name":"n","Total":12.5,"UpdatedDateUTC":"/Date(1541176290160+0000)/"}}'
    )


def _body(entity: Entity[Any], hostile: list[tuple[str, str]]) -> bytes:
    """A list of three; keys of the one in the middle may come twice."""
    own = ",".join([f'"{entity.id_field}":"{HOSTILE}"', *(f'"{key}":{literal}' for key, literal in hostile)])
    records = ",".join([_plain(entity, BEFORE), f"{{{own}}}", _plain(entity, BEHIND)])
    return f'{{"{entity.list_key}":[{records}]}}'.encode()


def _read(entity: Entity[Any], body: bytes, *, keep_raw: bool, in_steps: bool) -> Reading:
    request = get_all(entity) if entity is BRANDING_THEMES else get_page(entity, None)
    if in_steps:
        steps = decipher_in_steps(request, 200, HEADERS, b" " * 130_000 + body)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                answer = end.value
                break
    else:
        answer = decipher(request, 200, HEADERS, body)

    async def read() -> Reading:
        slices = [
            reading
            async for reading in read_answer(
                answer, tenant_id=TENANT, keep_raw=keep_raw, policy=FieldPolicy({}), size=100
            )
        ]
        (reading,) = slices
        return reading

    return asyncio.run(read())


def _change(entity: Entity[Any], before: bytes | None, after: bytes | None, raw: bytes | None) -> ChangeEvent:
    draft = Draft(
        op=Op.UPDATE if before and after else Op.CREATE,
        entity=entity.name,
        tenant_id=TENANT,
        record_id=HOSTILE,
        before=before,
        after=after,
        changed_fields=changed_fields(decode(before) if before else None, decode(after) if after else None),
        updated_at=None,
        trigger=Trigger.POLL,
        raw=raw,
    )
    placement = Placement(
        incarnation=UUID(int=1),
        prefix="xero",
        topic="t",
        partition=0,
        position=2,
        previous=1,
        recorded_at=datetime(2026, 11, 30, tzinfo=UTC),
        customer_ref=None,
    )
    value = encode_change(draft, placement).value
    json.loads(value)
    return ChangeEvent.model_validate(decode(value))


@entities
@settings(max_examples=examples(20))
@given(hostile=members, keep_raw=st.booleans(), in_steps=st.booleans())
@example(hostile=[("SubTotal", "1e999999999")], keep_raw=False, in_steps=False)
@example(hostile=[("Unknown", '{"a":' * 700 + r'"\ud83d"' + "}" * 700)], keep_raw=True, in_steps=True)
@example(hostile=[("Unknown", "[" * 1_500 + "]" * 1_500)], keep_raw=False, in_steps=False)
@example(hostile=[("Total", "1"), ("Total", "NaN"), ("AmountPaid", "1e308")], keep_raw=True, in_steps=True)
def test_a_hostile_record_costs_itself_at_most(
    entity: Entity[Any], hostile: list[tuple[str, str]], keep_raw: bool, in_steps: bool
) -> None:
    """Its neighbours are read; it is read itself, or kept with its bytes; what is read becomes a change that can be sent."""
    reading = _read(entity, _body(entity, hostile), keep_raw=keep_raw, in_steps=in_steps)

    read = {one.record_id: one for one in reading.reads}
    assert {BEFORE, BEHIND} <= read.keys()
    assert len(read) + len(reading.bad) == 3
    for kept in reading.bad:
        assert decode(kept.value)
        assert "\ud83d" not in kept.error
    found = read.get(HOSTILE)
    if found is not None and found.body is not None:
        for before, after in ((None, found.body), (read[BEFORE].body, found.body), (found.body, read[BEFORE].body)):
            _change(entity, before, after, found.raw)


@pytest.mark.parametrize("in_steps", [False, True])
def test_the_last_of_two_equal_keys_counts_on_every_path(in_steps: bool) -> None:
    """The fast and the exact decoder agree, in records and around them."""
    for total in ("2.5", "2.5000000000000001"):
        body = _body(INVOICES, [("Total", "1"), ("Total", total)])

        reading = _read(INVOICES, body, keep_raw=False, in_steps=in_steps)

        (hostile,) = [one for one in reading.reads if one.record_id == HOSTILE]
        assert hostile.body is not None
        assert Decimal(str(decode(hostile.body)["total"])) == Decimal(total)
