"""Requests as values."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest

from xero_api.entity import Entity, Form, Pages, Whole
from xero_api.registry import (
    BUDGETS,
    CONTACT_GROUPS,
    CONTACTS,
    CREDIT_NOTES,
    CURRENCIES,
    ENTITIES,
    INVOICES,
    ITEMS,
    JOURNALS,
    LINKED_TRANSACTIONS,
    MANUAL_JOURNALS,
    PURCHASE_ORDERS,
    QUOTES,
    TAX_RATES,
    TRACKING_CATEGORIES,
    by_name,
)
from xero_api.requests import get_after, get_all, get_ids, get_one, get_page
from xero_stream.contracts.names import EntityName, RecordId

BATCHED = [entity for entity in ENTITIES if entity.by_ids is not None]
batched = pytest.mark.parametrize("entity", BATCHED, ids=lambda entity: entity.name)


def _ids(count: int) -> list[RecordId]:
    return [RecordId(str(UUID(int=number))) for number in range(count)]


def test_one_record() -> None:
    """The id is in the path; four decimals are asked for where Xero has the parameter."""
    record_id = _ids(1)[0]

    assert get_one(INVOICES, record_id).target == f"/api.xro/2.0/Invoices/{record_id}?unitdp=4"
    assert get_one(CONTACTS, record_id).target == f"/api.xro/2.0/Contacts/{record_id}"
    assert get_one(INVOICES, record_id).asked == frozenset({record_id})


def test_many_by_ids_with_literal_commas() -> None:
    """IDs= with commas as they are, always a page (else lines are missing), archived ones too."""
    request = get_ids(INVOICES, _ids(2))

    assert request.target == (
        "/api.xro/2.0/Invoices?IDs=00000000-0000-0000-0000-000000000000,00000000-0000-0000-0000-000000000001"
        "&page=1&pageSize=100&includeArchived=true&unitdp=4"
    )
    assert request.endpoint == "Invoices/ids"


def test_many_by_where() -> None:
    """Credit notes have no IDs=; an OR of comparisons does it."""
    request = get_ids(CREDIT_NOTES, _ids(2))

    query = parse_qs(request.query)
    first, second = (f'CreditNoteID==Guid("00000000-0000-0000-0000-00000000000{number}")' for number in (0, 1))
    assert query["where"] == [f"{first} OR {second}"]
    assert query["page"] == ["1"]


@batched
def test_the_largest_batch_fits_the_query(entity: Entity[Any]) -> None:
    """The limit of each row stays under Xero's 2,048 characters, whose excess looks like "all deleted"."""
    assert entity.by_ids is not None
    request = get_ids(entity, _ids(entity.by_ids.limit))

    assert len(request.query) <= 2_000


@batched
def test_httpx_sends_the_query_as_it_was_written(entity: Entity[Any]) -> None:
    """No second encoding on the way out."""
    request = get_ids(entity, _ids(3))

    assert httpx.URL("https://api.xero.com").copy_with(raw_path=request.target.encode()).raw_path == (
        request.target.encode()
    )


def test_a_page_since() -> None:
    """If-Modified-Since in whole seconds, oldest change first, a thousand a page."""
    request = get_page(CONTACTS, datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC), page=2)

    assert request.headers == {"If-Modified-Since": "2026-01-02T03:04:05"}
    assert request.target == (
        "/api.xro/2.0/Contacts?page=2&pageSize=1000&order=UpdatedDateUTC%20ASC&includeArchived=true"
    )
    assert request.asked is None
    assert request.form is Form.PAGE


def test_a_page_of_everything_has_no_condition() -> None:
    """Without a moment there is no header at all: a malformed one would be ignored silently."""
    assert get_page(INVOICES, None).headers == {}


def test_order_and_size_only_where_they_are_safe() -> None:
    """Where order switches paging off, or pages have no size, neither is sent."""
    entity = replace(INVOICES, paging=Pages(sized=False, drop_order=True), modified_since=False)

    request = get_page(entity, datetime(2026, 1, 1, tzinfo=UTC))

    assert request.target == "/api.xro/2.0/Invoices?page=1&includeArchived=true&unitdp=4"
    assert request.headers == {}
    assert request.page_size == 100


@pytest.mark.parametrize("bad", ["", "x", "A0000000-0000-0000-0000-000000000000", '0"; DROP', "../Contacts", "0" * 36])
def test_an_id_is_a_guid_or_refused(bad: str) -> None:
    """Nothing but a lower-case GUID gets into a path or a where."""
    for entity in BATCHED:
        with pytest.raises(ValueError, match="GUID"):
            get_one(entity, RecordId(bad))
        with pytest.raises(ValueError, match="GUID"):
            get_ids(entity, [RecordId(bad)])


def test_too_many_none_or_impossible() -> None:
    """A verb the entity lacks is refused before the network, naming both."""
    with pytest.raises(ValueError, match="invoices takes 1 to 50 ids a call, not 51"):
        get_ids(INVOICES, _ids(51))
    with pytest.raises(ValueError, match="not 0"):
        get_ids(INVOICES, [])
    with pytest.raises(ValueError, match="invoices can't be read by ids"):
        get_ids(replace(INVOICES, by_ids=None), _ids(1))
    with pytest.raises(ValueError, match="invoices has no pages"):
        get_page(replace(INVOICES, paging=Whole()), None)
    for page, size in ((0, 10), (1, 0), (1, 1001)):
        with pytest.raises(ValueError, match="page_size 1 to 1,000"):
            get_page(INVOICES, None, page, size)


def test_a_query_over_the_limit_is_refused() -> None:
    """Whatever a future row says: a query Xero would answer with 404 is never sent."""
    assert INVOICES.by_ids is not None
    greedy = replace(INVOICES, by_ids=replace(INVOICES.by_ids, limit=60))

    with pytest.raises(ValueError, match="2000"):
        get_ids(greedy, _ids(60))


def test_an_id_that_is_a_word_stands_in_capitals_in_the_path() -> None:
    """Our ids are in lower case, Xero's codes are not; nothing but a code gets into a path."""
    assert get_one(TAX_RATES, RecordId("output2")).target == "/api.xro/2.0/TaxRates/OUTPUT2"
    for bad in ("", "OUTPUT2", "../x", "a b", "a" * 51, "a?b"):
        with pytest.raises(ValueError, match="an id of tax-rates is no lower-case code"):
            get_one(TAX_RATES, RecordId(bad))


def test_what_has_no_single_read_is_refused() -> None:
    """Journals read singly lack their source, currencies have no address of their own."""
    for entity in (JOURNALS, CURRENCIES, TRACKING_CATEGORIES):
        with pytest.raises(ValueError, match=f"{entity.name} can't be read one by one, only listed"):
            get_one(entity, _ids(1)[0])


def test_filters_of_a_single_read() -> None:
    """The months of a budget; no where, and nothing on records that lists carry whole."""
    months = {"DateFrom": "2026-01-01", "DateTo": "2026-12-31"}

    assert get_one(BUDGETS, _ids(1)[0], months).query == "DateFrom=2026-01-01&DateTo=2026-12-31"
    with pytest.raises(ValueError, match="budgets has no filter Year; it has DateFrom, DateTo"):
        get_one(BUDGETS, _ids(1)[0], {"Year": "2026"})
    with pytest.raises(ValueError, match="contact-groups takes no filter"):
        get_one(CONTACT_GROUPS, _ids(1)[0], {"where": "x"})
    with pytest.raises(ValueError, match="invoices takes no filter where one record is read: Statuses"):
        get_one(INVOICES, _ids(1)[0], {"Statuses": "PAID"})


@pytest.mark.parametrize(
    ("entity", "query"),
    [
        (PURCHASE_ORDERS, "page=1&pageSize=1000&order=UpdatedDateUTC%20ASC"),
        (MANUAL_JOURNALS, "page=1&pageSize=1000"),
        (QUOTES, "page=1&order=UpdatedDateUTC%20ASC"),
        (LINKED_TRANSACTIONS, "page=1"),
    ],
)
def test_pages_are_asked_for_as_each_endpoint_takes_them(entity: Entity[Any], query: str) -> None:
    """With a size or without, in order or, where that switches paging off, without."""
    assert get_page(entity, None).query == query


def test_whole_lists_and_offsets() -> None:
    """What an entity always takes goes along; what it is not read by is refused, naming both."""
    assert get_all(ITEMS, datetime(2026, 1, 1, tzinfo=UTC)).target == "/api.xro/2.0/Items?unitdp=4"
    assert get_all(TRACKING_CATEGORIES).query == "includeArchived=true"
    assert get_after(JOURNALS, 17).query == "offset=17"
    with pytest.raises(ValueError, match="invoices can't be read in one answer"):
        get_all(INVOICES)
    with pytest.raises(ValueError, match="items has no offset"):
        get_after(ITEMS, 0)
    with pytest.raises(ValueError, match="no such offset: -1"):
        get_after(JOURNALS, -1)


def test_no_where_on_purchase_orders() -> None:
    """Xero ignores it there and answers with all of them."""
    with pytest.raises(ValueError, match="purchase-orders has no filter where; it has DateFrom, DateTo, Status"):
        get_page(PURCHASE_ORDERS, None, filters={"where": "x"})
    with pytest.raises(ValueError, match="payment-services has no filter where; it has none"):
        get_all(by_name(EntityName.PAYMENT_SERVICES), filters={"where": "x"})


def test_what_is_no_text_is_refused_with_what_to_give() -> None:
    """A UUID for an id, a number or a date for a filter: else an error of some depth, or a wrong address."""
    with pytest.raises(TypeError, match=r"an id of invoices is a str, not UUID"):
        get_one(INVOICES, cast("Any", UUID(int=1)))
    with pytest.raises(TypeError, match="invoices: where is a str as Xero writes it, not int"):
        get_page(INVOICES, None, filters={"where": cast("Any", 1)})
