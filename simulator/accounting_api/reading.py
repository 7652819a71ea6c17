"""Which records a request gets, and the bytes of the answer. Pure: books in, bytes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from simulator.accounting_api.encoding import Encoder
from simulator.accounting_api.facts import FACTS, Paging
from simulator.accounting_api.fields import fields_of, sort_key
from simulator.accounting_api.filters import Test
from simulator.accounting_api.query import Query
from simulator.accounting_api.view import Form
from simulator.books.kinds import AnyRecord
from simulator.books.ledger import CASH
from simulator.books.organisation import Organisation
from simulator.books.words import Endpoint
from simulator.errors import not_found, too_many_records
from simulator.reply import Reply
from simulator.spelling import guid_of

JOURNALS_AT_ONCE = 100

MOST_UNPAGED = 100_000
"""Records in one answer beyond which Xero refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a request is answered. ``as_of_ms`` is earlier for a stale read."""

    now_ms: int
    answer_id: str
    as_of_ms: int | None = None


@dataclass(slots=True)
class _Row:
    """A record that is tested by how it is shown, too."""

    record: Any
    show: Callable[[Any], bytes]
    _shown: Any = None

    @property
    def shown(self) -> Any:
        """Its JSON."""
        if self._shown is None:
            self._shown = orjson.loads(self.show(self.record))
        return self._shown

    def __getattr__(self, name: str) -> Any:
        return getattr(self.record, name)


def read_one(
    organisation: Organisation, encoder: Encoder, endpoint: Endpoint, record_id: str, moment: Moment, *, four: bool
) -> bytes | Reply:
    """The answer to GET by id (or by number, where Xero takes that), whatever the record's status.

    ``four`` is ``unitdp=4``.
    """
    record = find(organisation, endpoint, record_id, moment)
    if record is None:
        return not_found()
    body = encoder.encode(record, Form.SINGLE, four_decimals=four, now_ms=moment.now_ms)
    return envelope(FACTS[endpoint].list_key, moment, [body], None)


def find(organisation: Organisation, endpoint: Endpoint, record_id: str, moment: Moment) -> AnyRecord | None:
    """The record of that id, or of that number where Xero takes it, as it is or was; None: there is none."""
    shelf, facts = organisation.shelf(endpoint), FACTS[endpoint]
    folded = facts.fold(record_id)
    record: AnyRecord | None
    record = shelf.get(folded) if moment.as_of_ms is None else shelf.as_of(folded, moment.as_of_ms)
    if record is not None or facts.also_by is None or guid_of(record_id):
        return record
    if endpoint is Endpoint.JOURNALS:
        return organisation.ledger.by_number(int(record_id)) if record_id.isdecimal() else None
    wanted, field = record_id.lower(), facts.also_by
    return next((one for one in shelf if str(getattr(one, field) or "").lower() == wanted), None)


def read_list(
    organisation: Organisation, encoder: Encoder, endpoint: Endpoint, query: Query, moment: Moment
) -> bytes | Reply:
    """The answer to a list request."""

    def show(record: AnyRecord, form: Form = Form.PAGE) -> bytes:
        return encoder.encode(record, form, four_decimals=query.four_decimals, now_ms=moment.now_ms)

    if FACTS[endpoint].paging is Paging.OFFSET:
        records, count = _journals(organisation, query, moment), 0
    else:
        records, count = _chosen(organisation, endpoint, query, moment, show)
    if query.page is None and count > MOST_UNPAGED:
        return too_many_records(count)
    return envelope(
        FACTS[endpoint].list_key, moment, [show(record, query.form) for record in records], _pagination(query, count)
    )


def _journals(organisation: Organisation, query: Query, moment: Moment) -> Sequence[AnyRecord]:
    """The hundred next numbers, of those that pass."""
    found = (
        journal
        for journal in organisation.ledger.after(query.offset)
        if journal.updated_ms >= query.modified_since_ms
        and (moment.as_of_ms is None or journal.updated_ms <= moment.as_of_ms)
        and (not query.payments_only or journal.source_type in CASH)
    )
    return list(islice(found, JOURNALS_AT_ONCE))


def _chosen(
    organisation: Organisation, endpoint: Endpoint, query: Query, moment: Moment, show: Callable[[Any], bytes]
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
    where = query.where.test if query.where is not None else None
    if where is not None and query.where is not None and query.where.needs_shown:
        plain_where = where

        def where(record: Any) -> bool:
            return plain_where(_Row(record, show))

    records = [record for record in records if _passes(endpoint, record, query, where)]
    if query.order_field is not None:
        read = fields_of(endpoint)[query.order_field]
        rows = [(sort_key(read(_Row(record, show))), record) for record in records]
        rows.sort(key=lambda row: row[0], reverse=query.descending)
        records = [record for _, record in rows]
    return records[start:stop], len(records)


def _plain(endpoint: Endpoint, query: Query) -> bool:
    """Nothing is filtered or ordered, so a page is a slice."""
    hides = FACTS[endpoint].hides is not None and not query.include_archived
    filtered = (
        query.where or query.statuses or query.contact_ids or query.numbers or query.ids is not None or query.tests
    )
    return not filtered and not hides and query.order_field is None


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
    for record_id in dict.fromkeys(FACTS[endpoint].fold(one) for one in wanted):
        record = shelf.get(record_id) if moment.as_of_ms is None else shelf.as_of(record_id, moment.as_of_ms)
        if record is not None and record.updated_ms >= query.modified_since_ms:
            found.append(record)
    found.sort(key=lambda record: (record.updated_ms, record.id))
    return found


def _passes(endpoint: Endpoint, record: Any, query: Query, where: Test | None) -> bool:
    hides = FACTS[endpoint].hides
    if hides is not None and not query.include_archived and hides(record):
        return False
    return (
        (where is None or where(record))
        and (not query.statuses or record.status in query.statuses)
        and (not query.contact_ids or record.contact_id in query.contact_ids)
        and (not query.numbers or record.number in query.numbers)
        and all(test(record) for test in query.tests)
    )


def _pagination(query: Query, count: int) -> bytes | None:
    if query.page is None or not query.counted:
        return None
    pages = -(-count // query.page_size)
    return (
        f'"pagination":{{"page":{query.page},"pageSize":{query.page_size},"pageCount":{pages},"itemCount":{count}}}'
    ).encode()


def envelope(list_key: str, moment: Moment, bodies: list[bytes], pagination: bytes | None) -> bytes:
    """What is around every list of records; one record is a list too."""
    head = (
        f'{{"Id":"{moment.answer_id}","Status":"OK","ProviderName":"Xero Stream Simulator",'
        f'"DateTimeUTC":"/Date({moment.now_ms})/",'
    ).encode()
    page = pagination + b"," if pagination else b""
    return head + page + f'"{list_key}":['.encode() + b",".join(bodies) + b"]}"
