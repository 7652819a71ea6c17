"""Which records a request gets, and the bytes of the answer. Pure: books in, bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.errors import not_found, too_many_records
from simulator.accounting_api.fields import FIELDS, sort_key
from simulator.accounting_api.query import Query
from simulator.accounting_api.view import Form
from simulator.books.contact import Contact
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Organisation
from simulator.books.words import ContactStatus, Endpoint
from simulator.reply import Reply

MOST_UNPAGED = 100_000
"""Records in one answer beyond which Xero refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a request is answered. ``as_of_ms`` is earlier for a stale read."""

    now_ms: int
    answer_id: str
    as_of_ms: int | None = None


def read_one(
    organisation: Organisation, encoder: Encoder, endpoint: Endpoint, record_id: str, moment: Moment, *, four: bool
) -> bytes | Reply:
    """The answer to GET by id, whatever the record's status; ``four`` is ``unitdp=4``."""
    shelf = organisation.shelf(endpoint)
    record_id = record_id.lower()
    record: AnyRecord | None
    record = shelf.get(record_id) if moment.as_of_ms is None else shelf.as_of(record_id, moment.as_of_ms)
    if record is None:
        return not_found()
    body = encoder.encode(record, Form.SINGLE, four_decimals=four, now_ms=moment.now_ms)
    return _envelope(endpoint, moment, [body], None)


def read_list(
    organisation: Organisation, encoder: Encoder, endpoint: Endpoint, query: Query, moment: Moment
) -> bytes | Reply:
    """The answer to a list request."""
    records, count = _chosen(organisation, endpoint, query, moment)
    if query.page is None and count > MOST_UNPAGED:
        return too_many_records(count)
    bodies = [
        encoder.encode(record, query.form, four_decimals=query.four_decimals, now_ms=moment.now_ms)
        for record in records
    ]
    return _envelope(endpoint, moment, bodies, _pagination(query, count))


def _chosen(
    organisation: Organisation, endpoint: Endpoint, query: Query, moment: Moment
) -> tuple[Sequence[AnyRecord], int]:
    shelf = organisation.shelf(endpoint)
    start, stop = _bounds(query)
    if moment.as_of_ms is None and _plain(endpoint, query):
        tail = shelf.since(query.modified_since_ms)
        return tail.part(start, len(tail) if stop is None else stop), len(tail)
    records: list[AnyRecord]
    wanted = query.ids if query.ids is not None else (query.where.ids if query.where else None)
    if wanted is not None:
        records = _by_id(organisation, endpoint, wanted, query, moment)
    elif moment.as_of_ms is not None:
        records = [*shelf.since_as_of(query.modified_since_ms, moment.as_of_ms)]
    else:
        records = [*shelf.since(query.modified_since_ms)]
    records = [record for record in records if _passes(endpoint, record, query)]
    if query.order_field is not None:
        read = FIELDS[endpoint][query.order_field]
        records.sort(key=lambda record: sort_key(read(record)), reverse=query.descending)
    return records[start:stop], len(records)


def _plain(endpoint: Endpoint, query: Query) -> bool:
    """Nothing is filtered or ordered, so a page is a slice."""
    hides_archived = endpoint is Endpoint.CONTACTS and not query.include_archived
    filtered = query.where or query.statuses or query.contact_ids or query.numbers or query.ids is not None
    return not filtered and not hides_archived and query.order_field is None


def _bounds(query: Query) -> tuple[int, int | None]:
    if query.page is None:
        return 0, None
    start = (query.page - 1) * query.page_size
    return start, start + query.page_size


def _by_id(
    organisation: Organisation, endpoint: Endpoint, wanted: Sequence[str], query: Query, moment: Moment
) -> list[AnyRecord]:
    shelf = organisation.shelf(endpoint)
    found: list[AnyRecord] = []
    for record_id in dict.fromkeys(wanted):
        record = shelf.get(record_id) if moment.as_of_ms is None else shelf.as_of(record_id, moment.as_of_ms)
        if record is not None and record.updated_ms >= query.modified_since_ms:
            found.append(record)
    found.sort(key=lambda record: (record.updated_ms, record.id))
    return found


def _passes(endpoint: Endpoint, record: Any, query: Query) -> bool:
    if endpoint is Endpoint.CONTACTS:
        assert isinstance(record, Contact)
        if record.status is not ContactStatus.ACTIVE and not query.include_archived:
            return False
    return (
        (query.where is None or query.where.test(record))
        and (not query.statuses or record.status in query.statuses)
        and (not query.contact_ids or record.contact_id in query.contact_ids)
        and (not query.numbers or record.number in query.numbers)
    )


def _pagination(query: Query, count: int) -> bytes | None:
    if query.page is None:
        return None
    pages = -(-count // query.page_size)
    return (
        f'"pagination":{{"page":{query.page},"pageSize":{query.page_size},"pageCount":{pages},"itemCount":{count}}}'
    ).encode()


def _envelope(endpoint: Endpoint, moment: Moment, bodies: list[bytes], pagination: bytes | None) -> bytes:
    head = (
        f'{{"Id":"{moment.answer_id}","Status":"OK","ProviderName":"Xero Stream Simulator",'
        f'"DateTimeUTC":"/Date({moment.now_ms})/",'
    ).encode()
    page = pagination + b"," if pagination else b""
    return head + page + f'"{endpoint}":['.encode() + b",".join(bodies) + b"]}"
