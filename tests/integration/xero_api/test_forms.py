"""Every kind of record, read from a running simulator in every form it has: one record, the same bytes."""

from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api
from xero_api.decode import encode
from xero_api.entity import Entity, Full, Pages
from xero_api.registry import ENTITIES
from xero_api.requests import Request, get_all, get_ids, get_one, get_page
from xero_stream.contracts.names import RecordId

SOME = 20
whole = pytest.mark.parametrize(
    "entity", [entity for entity in ENTITIES if entity.full is Full.EVERYWHERE], ids=lambda entity: entity.name
)


@whole
async def test_lists_batches_and_single_reads_give_the_same_records(api: Api, entity: Entity[Any]) -> None:
    """Also for the kinds that aren't streamed; and each is what its contract says."""

    async def read(request: Request) -> dict[RecordId, bytes]:
        records = (await api.send(request)).records
        return {RecordId(str(entity.id_of(raw))): encode(entity.unified(api.tenant, raw)) for raw in records}

    listed = await read(get_page(entity, None) if isinstance(entity.paging, Pages) else get_all(entity))
    ids = list(listed)[:SOME]
    batch = await read(get_ids(entity, ids)) if entity.by_ids else {}
    single = {found: body for record_id in ids for found, body in (await read(get_one(entity, record_id))).items()}

    assert ids
    assert single == {record_id: listed[record_id] for record_id in ids}
    assert batch == (single if entity.by_ids else {})
    for body in single.values():
        entity.model.read(body)
