"""What should be published: the truth of the simulated Xero, mapped as a consumer would see it. Pure."""

from collections.abc import Mapping
from typing import Any

from verify.history import RecordRef
from xero_api.decode import decode, encode
from xero_api.entity import Entity
from xero_stream.contracts.ids import canonical_id

Truth = dict[RecordRef, Mapping[str, Any] | None]


def unified(entity: Entity[Any], tenant_id: str, body: bytes) -> Truth:
    """The unified records of one organisation and entity.

    Args:
        body: JSON with every record as a single GET would return it, whatever its status, under the entity's list key.

    Returns:
        The record as it comes out of Kafka by reference; None for one that counts as deleted.

    Raises:
        InvalidRecordError: a record of the truth can't be mapped.
        ValueError: the body is not valid JSON.
    """
    found: Truth = {}
    for raw in decode(body)[entity.list_key]:
        record_id = entity.id_of(raw)
        assert record_id is not None
        ref = RecordRef(canonical_id(tenant_id), entity.name.value, record_id)
        gone = entity.gone_as(raw) is not None
        # Through JSON and back, as the published record went: the same number has the same form then.
        found[ref] = None if gone else decode(encode(entity.unified(tenant_id, raw)))
    return found
