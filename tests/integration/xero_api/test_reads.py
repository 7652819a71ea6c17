"""Reading through the client: every form gives the same record, a pass misses nothing, the schema holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api, Begin
from xero_api.decode import decode, encode
from xero_api.entity import Entity
from xero_api.paging import Done, Keyset, after, first
from xero_api.registry import CONTACTS, INVOICES, by_name
from xero_api.requests import get_ids, get_one, get_page
from xero_stream.contracts.names import DEFAULT_APP, STREAMED, RecordId

entities = pytest.mark.parametrize("entity", list(map(by_name, STREAMED)), ids=lambda entity: entity.name)


async def _truth(api: Api, entity: Entity[Any]) -> dict[RecordId, bytes]:
    body = (await api.talk.http.get(f"/_sim/truth/{api.tenant}/{entity.path}")).content
    return _unified(entity, decode(body)[entity.list_key])


ANYBODY = "23c89873-d0b9-4025-ad97-bf55185a162d"
"""Whose records they are said to be: Xero's JSON does not say."""


def _unified(entity: Entity[Any], raws: Any) -> dict[RecordId, bytes]:
    return {RecordId(str(entity.id_of(raw))): encode(entity.unified(ANYBODY, raw)) for raw in raws}


@entities
async def test_single_read_batch_and_page_give_the_same_records(api: Api, entity: Entity[Any]) -> None:
    """For every record of an organisation after a hundred edits of all kinds, byte for byte."""
    await api.talk.edit(tenantId=api.tenant, count=100)
    truth = await _truth(api, entity)
    assert entity.by_ids is not None
    ids, limit = list(truth), entity.by_ids.limit
    batches = [ids[start : start + limit] for start in range(0, len(ids), limit)]

    page = _unified(entity, (await api.send(get_page(entity, None))).records)
    by_ids: dict[RecordId, bytes] = {}
    for batch in batches:
        answer = await api.send(get_ids(entity, batch))
        assert answer.strangers == frozenset()
        by_ids |= _unified(entity, answer.records)
    single: dict[RecordId, bytes] = {}
    for record_id in list(truth)[:20]:
        single |= _unified(entity, (await api.send(get_one(entity, record_id))).records)

    assert {record_id: truth[record_id] for record_id in page} == page
    assert by_ids == truth
    assert single == {record_id: truth[record_id] for record_id in single}
    for body in truth.values():
        entity.model.read(body)


async def test_the_largest_batches_pass(begin: Begin) -> None:
    """Fifty ids, twenty comparisons: under the length at which Xero says 404."""
    api = await begin(contacts=60, invoices=60, credit_notes=60)
    for entity in map(by_name, STREAMED):
        assert entity.by_ids is not None
        await api.talk.edit(tenantId=api.tenant, endpoint=entity.path, kind="create", count=entity.by_ids.limit)
        ids = list(await _truth(api, entity))[: entity.by_ids.limit]

        answer = await api.send(get_ids(entity, ids))

        assert len(answer.records) == entity.by_ids.limit
        assert answer.absent == frozenset()


async def test_a_record_that_is_not_there(api: Api) -> None:
    """A single read proves it; a batch only doesn't bring it."""
    nobody = RecordId("00000000-0000-4000-8000-000000000000")

    one = await api.send(get_one(CONTACTS, nobody))
    many = await api.send(get_ids(CONTACTS, [nobody]))

    assert one.missing
    assert not many.missing
    assert many.absent == {nobody}


async def _pass(
    api: Api, entity: Entity[Any], since: datetime | None, seen: dict[RecordId, bytes], edits: int
) -> datetime | None:
    place: Keyset | Done = first(since)
    while isinstance(place, Keyset):
        answer = await api.send(place.request(entity, page_size=7))
        seen |= _unified(entity, answer.records)
        place = after(place, answer)
        if edits:
            await api.talk.edit(tenantId=api.tenant, endpoint=entity.path, count=edits)
    return place.reached


@entities
async def test_a_pass_while_records_change_misses_nothing(begin: Begin, entity: Entity[Any]) -> None:
    """A full pass under edits and one more from where it got to: every record as it is."""
    api = await begin(clock_rate=20.0)  # twenty minutes of quota in one
    seen: dict[RecordId, bytes] = {}

    reached = await _pass(api, entity, None, seen, edits=2)
    await _pass(api, entity, reached, seen, edits=0)

    truth = await _truth(api, entity)
    assert {key for key in truth if seen.get(key) != truth[key]} == set()


async def test_the_bound_on_xeros_clock_is_just_before_the_sending(api: Api) -> None:
    """Not after the simulator's own time at sending, and little before it; strictly growing."""
    bounds = []
    for _ in range(5):
        clock = await api.talk.control("GET", "/clock")
        answer = await api.send(get_page(CONTACTS, None, page_size=1))
        assert answer.timing is not None
        bounds.append(answer.timing.server_sent_at)
        now = datetime.fromtimestamp(clock["nowMs"] / 1000, UTC)
        assert now - timedelta(seconds=1.5) <= bounds[-1] <= now + timedelta(seconds=0.5)

    assert bounds == sorted(set(bounds))


async def test_connections_of_the_grant(api: Api) -> None:
    """Every organisation of the grant, without a tenant's budget."""
    token = await api.tokens.token(DEFAULT_APP, api.tenant)

    found = await api.client.connections(DEFAULT_APP, token)

    assert {connection.tenant_id for connection in found} == set(api.talk.tenants)
    assert api.records[-1].tenant_id is None


async def test_every_call_is_told_with_what_is_left(api: Api) -> None:
    """The record carries the limits, which fall by one a call."""
    for _ in range(3):
        await api.send(get_page(INVOICES, None, page_size=1))

    left = [record.limits.minute for record in api.records]
    assert left == [59, 58, 57]
    assert all(record.correlation_id for record in api.records)
