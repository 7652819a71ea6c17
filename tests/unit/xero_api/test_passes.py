"""Passes over lists of every kind: where they begin, go on and end, and what they notice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xero_api.answers import Answer, decipher
from xero_api.decode import encode
from xero_api.entity import Entity, Offset, Pages
from xero_api.errors import PagingError
from xero_api.paging import Done, Keyset
from xero_api.passes import Everything, Onwards, Place, begin, go_on, place_from_json, smaller
from xero_api.registry import ACCOUNTS, ENTITIES, INVOICES, JOURNALS, LINKED_TRANSACTIONS, QUOTES, TAX_RATES

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
entities = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


def _stamp(moment: datetime) -> str:
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


def _answer(entity: Entity[Any], place: Place, records: list[Any], **document: Any) -> Answer:
    return decipher(place.request(entity), 200, {}, encode({entity.list_key: records, **document}))


def _journals(numbers: range, at: datetime = NOON) -> list[dict[str, Any]]:
    return [
        {"JournalID": f"j{number}", "JournalNumber": number, "CreatedDateUTC": _stamp(at + timedelta(seconds=number))}
        for number in numbers
    ]


@entities
def test_every_list_can_be_begun_and_ends_when_it_is_empty(entity: Entity[Any]) -> None:
    """Whatever the kind of paging: one call that finds nothing is a whole pass."""
    place = begin(entity)

    assert go_on(place, _answer(entity, place, [])) == Done(reached=None)


@entities
def test_since_is_sent_or_refused(entity: Entity[Any]) -> None:
    """Where Xero ignores If-Modified-Since nobody is left to believe that only changes come."""
    if entity.modified_since:
        assert begin(entity, NOON).request(entity).headers == {"If-Modified-Since": "2026-01-01T11:59:59"}
    else:
        with pytest.raises(ValueError, match=f"{entity.name} can't be read since a moment"):
            begin(entity, NOON)


def test_journals_go_on_from_the_highest_number() -> None:
    """Not from the number plus a hundred: numbers have gaps."""
    place = begin(JOURNALS)
    assert dict(place.request(JOURNALS).params) == {"offset": "0"}

    following = go_on(place, _answer(JOURNALS, place, _journals(range(3, 500, 5))))

    assert following == Onwards(since=None, number=498, reached=NOON + timedelta(seconds=498))
    assert dict(following.request(JOURNALS).params) == {"offset": "498"}


def test_journals_end_with_fewer_than_a_hundred() -> None:
    """A short answer is the last one; it says how far the pass got."""
    place = Onwards(since=NOON, number=500)

    assert go_on(place, _answer(JOURNALS, place, _journals(range(501, 600)))) == Done(
        reached=NOON + timedelta(seconds=599)
    )
    assert go_on(place, _answer(JOURNALS, place, [])) == Done(reached=NOON)


def test_journals_posted_faster_than_they_are_read_end_at_the_first_answers_clock() -> None:
    """A pass without a bound would never end; the next one begins where this one stopped."""
    begun = NOON + timedelta(seconds=100)
    place = begin(JOURNALS)
    following = go_on(place, _answer(JOURNALS, place, _journals(range(1, 101)), DateTimeUTC=_stamp(begun)))
    assert isinstance(following, Onwards)
    assert following.until is not None

    end = go_on(following, _answer(JOURNALS, following, _journals(range(101, 201)), DateTimeUTC=_stamp(begun)))

    assert end == Done(reached=NOON + timedelta(seconds=200), more=True)


def test_an_ignored_offset_is_noticed() -> None:
    """The same journals again and again would be a pass without end."""
    place = Onwards(since=None, number=100)

    with pytest.raises(PagingError, match="offset was ignored: a JournalNumber"):
        go_on(place, _answer(JOURNALS, place, _journals(range(100, 200))))


def test_journals_without_numbers_do_not_end_a_pass_quietly() -> None:
    """Where nothing says how to go on, what follows would be lost."""
    place = begin(JOURNALS)

    with pytest.raises(PagingError, match="no JournalNumber in the answer"):
        go_on(place, _answer(JOURNALS, place, [{"JournalID": "a"}, {}]))


def test_a_whole_list_is_one_call() -> None:
    """And the latest change in it is what the pass reached."""
    place = begin(ACCOUNTS, NOON)
    later = NOON + timedelta(hours=1)

    done = go_on(place, _answer(ACCOUNTS, place, [{"AccountID": "a", "UpdatedDateUTC": _stamp(later)}]))

    assert done == Done(reached=later)
    assert go_on(begin(TAX_RATES), _answer(TAX_RATES, begin(TAX_RATES), [{"TaxType": "NONE"}])) == Done(reached=None)


def test_a_whole_list_that_is_paged_some_day_is_noticed() -> None:
    """Its first page would otherwise pass for all there is, and the rest for deleted."""
    place = begin(ACCOUNTS)
    pagination = {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 101}

    with pytest.raises(PagingError, match="in pages now"):
        go_on(place, _answer(ACCOUNTS, place, [{"AccountID": "a"}], pagination=pagination))


def test_pages_without_a_size_end_with_fewer_than_a_hundred() -> None:
    """Quotes give no pagination object."""
    full = [{"QuoteID": f"q{n}", "UpdatedDateUTC": _stamp(NOON)} for n in range(100)]
    place = begin(QUOTES)

    following = go_on(place, _answer(QUOTES, place, full))

    assert isinstance(following, Keyset)
    assert isinstance(go_on(place, _answer(QUOTES, place, full[1:])), Done)


def test_pages_without_a_filter_by_time_are_read_up_and_down() -> None:
    """Linked transactions take no If-Modified-Since: numbered pages, then once more down to the first."""
    full = [{"LinkedTransactionID": f"l{n}", "UpdatedDateUTC": _stamp(NOON + timedelta(hours=n))} for n in range(150)]
    place: Place | Done = begin(LINKED_TRANSACTIONS)
    pages = []

    while not isinstance(place, Done):
        request = place.request(LINKED_TRANSACTIONS)
        assert request.headers == {}
        assert "order" not in dict(request.params)
        page = int(dict(request.params)["page"])
        pages.append(page)
        place = go_on(place, _answer(LINKED_TRANSACTIONS, place, full[(page - 1) * 100 : page * 100]))

    assert pages == [1, 2, 1]


def test_filters_are_sent_with_every_call_and_unknown_ones_refused() -> None:
    """By Xero's names, before the network, naming both."""
    for place, entity, filters in (
        (begin(INVOICES), INVOICES, {"Statuses": "DRAFT,PAID"}),
        (begin(JOURNALS), JOURNALS, {"paymentsOnly": "true"}),
        (begin(ACCOUNTS), ACCOUNTS, {"where": 'Type=="BANK"'}),
    ):
        assert filters.items() <= dict(place.request(entity, filters=filters).params).items()
        with pytest.raises(ValueError, match=f"{entity.name} has no filter Colour; it has .*{next(iter(filters))}"):
            place.request(entity, filters={"Colour": "red"})


def test_a_page_that_takes_too_long_is_halved() -> None:
    """The tie begins again at page 1, for page numbers mean nothing with another size; there is a smallest page."""
    tie = Keyset(since=NOON, page=4, downwards=True, then=NOON, reached=NOON, mark="m")

    assert smaller(INVOICES, tie, 1000) == (Keyset(since=NOON, reached=NOON), 500)
    assert smaller(INVOICES, tie, 49) is None
    assert smaller(QUOTES, tie, 100) is None
    assert smaller(JOURNALS, Onwards(since=None), 1000) is None
    assert smaller(ACCOUNTS, Everything(since=None), 1000) is None


def test_kinds_of_paging_say_what_they_lack() -> None:
    """A way of reading that the entity lacks is refused before the network."""
    for entity in ENTITIES:
        sized = isinstance(entity.paging, Pages)
        other: Place = Everything(since=None) if sized or isinstance(entity.paging, Offset) else Keyset(since=None)
        with pytest.raises(ValueError, match=rf"{entity.name} (has no pages|can't be read in one answer)"):
            other.request(entity)


@pytest.mark.parametrize(
    "place",
    [
        Keyset(since=NOON, page=3, downwards=True, then=NOON, reached=NOON, mark="a b", until=NOON, more=True),
        Onwards(since=None),
        Onwards(since=NOON, number=7, reached=NOON, until=NOON + timedelta(hours=1)),
        Everything(since=None),
        Everything(since=NOON),
    ],
)
def test_a_place_of_every_kind_outlives_the_process(place: Place) -> None:
    """A pass goes on in the next process where it was, whatever way its list is cut."""
    assert place_from_json(place.to_json()) == place
