"""The typed reader against a running simulator."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api
from xero_api.decode import decode
from xero_api.entity import Entity
from xero_api.paging import Done
from xero_api.reading import reader
from xero_api.registry import BILLS, INVOICES, by_name
from xero_stream.contracts.names import DEFAULT_APP, STREAMED, RecordId
from xero_stream.contracts.records.common import Record

OVERLAP = timedelta(minutes=1)
"""More than what a pass reads again, and much less than the age of the books."""

entities = pytest.mark.parametrize("entity", [by_name(name) for name in STREAMED], ids=lambda entity: entity.name)


async def _truth(api: Api, entity: Entity[Any]) -> dict[str, Record]:
    body = (await api.talk.http.get(f"/_sim/truth/{api.tenant}/{entity.path}")).content
    records = [entity.model.model_validate(entity.unified(api.tenant, raw)) for raw in decode(body)[entity.list_key]]
    return {record.id: record for record in records}


@entities
async def test_lists_batches_and_single_reads_are_the_truth(api: Api, entity: Entity[Any]) -> None:
    """Models equal, field by field, however they were read; then only what changed since."""
    await api.talk.edit(tenantId=api.tenant, count=60)
    books = reader(api.client, DEFAULT_APP, api.tenant)
    truth = await _truth(api, entity)

    pages = [page async for page in books.pages(entity)]
    many = await books.get_many(entity, map(RecordId, truth))
    first = next(iter(truth))

    assert {record.id: record for page in pages for record in page.records}.items() <= truth.items()
    assert {key: one.record for key, one in many.found.items()} == truth
    assert await books.get(entity, RecordId(first)) == truth[first]
    assert await books.get(entity, RecordId("00000000-0000-4000-8000-000000000000")) is None
    assert isinstance(pages[-1].then, Done)
    again = [page async for page in books.pages(entity, since=pages[-1].then.reached)]
    stamps = {key: datetime.fromisoformat(str(record.model_dump()["updated_at"])) for key, record in truth.items()}
    latest = max(stamps.values())
    assert all(stamps[record.id] >= latest - OVERLAP for page in again for record in page.records)


async def test_bills_are_asked_for_by_themselves(api: Api) -> None:
    """The view's filter and its judgement of a record agree."""
    books = reader(api.client, DEFAULT_APP, api.tenant)

    listed = [one async for page in books.pages(BILLS.entity, filters=BILLS.filters) for one in page.found]
    everything = [one async for page in books.pages(INVOICES) for one in page.found]

    assert {one.record.id for one in listed} == {one.record.id for one in everything if BILLS.shows(one.raw)}
    assert 0 < len(listed) < len(everything)


async def test_nothing_since_the_future(api: Api) -> None:
    """A pass over nothing reached the moment it began from."""
    start = datetime(2100, 1, 1, tzinfo=UTC)

    pages = [page async for page in reader(api.client, DEFAULT_APP, api.tenant).pages(INVOICES, since=start)]

    assert [page.records for page in pages] == [()]
