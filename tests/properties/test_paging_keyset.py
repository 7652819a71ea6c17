"""Keyset paging against a list that changes while it is read: nothing is missed, every pass ends."""

import dataclasses
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from xero_api.answers import Answer, Pagination, decipher
from xero_api.decode import encode
from xero_api.paging import Done, Keyset, after, first
from xero_api.registry import CONTACTS
from xero_api.requests import Request

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Books:
    """The model: contacts with a change stamp, listed as Xero lists them."""

    inclusive: bool
    with_pagination: bool
    stamps: dict[str, int] = field(default_factory=dict)
    now: int = 0
    """Milliseconds since EPOCH."""

    def touch(self, name: str) -> None:
        """The contact changes now."""
        self.stamps[name] = self.now

    def answer(self, request: Request) -> Answer:
        """What Xero would answer."""
        header = request.headers.get("If-Modified-Since")
        since = datetime.fromisoformat(header).replace(tzinfo=UTC) if header else None
        params = dict(request.params)
        page, size = int(params["page"]), int(params["pageSize"])
        rows = sorted((stamp, name) for name, stamp in self.stamps.items() if self._changed(stamp, since))
        shown = rows[(page - 1) * size : page * size]
        document = {
            "Contacts": [{"ContactID": name, "UpdatedDateUTC": f"/Date({_ms(stamp)}+0000)/"} for stamp, name in shown]
        }
        answer = decipher(request, 200, {}, encode(document))
        if not self.with_pagination:
            return answer
        pages = -(-len(rows) // size)
        return dataclasses.replace(
            answer, pagination=Pagination(page=page, page_size=size, page_count=pages, item_count=len(rows))
        )

    def _changed(self, stamp: int, since: datetime | None) -> bool:
        if since is None:
            return True
        moment = EPOCH + timedelta(milliseconds=stamp)
        return moment >= since if self.inclusive else moment > since


def _ms(stamp: int) -> int:
    return int(EPOCH.timestamp()) * 1000 + stamp


edits = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0, 5, 3000])), max_size=3)


@settings(max_examples=200)
@given(
    initial=st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from([0, 0, 1, 400, 999, 1000, 1001, 5000])), max_size=40
    ),
    between=st.lists(edits, max_size=30),
    page_size=st.integers(1, 7),
    inclusive=st.booleans(),
    start=st.none() | st.integers(0, 10_000),
    restarts=st.booleans(),
    with_pagination=st.booleans(),
    timed=st.booleans(),
)
def test_nothing_is_missed_while_records_change(
    initial: list[tuple[int, int]],
    between: list[list[tuple[int, int]]],
    page_size: int,
    inclusive: bool,
    start: int | None,
    restarts: bool,
    with_pagination: bool,
    timed: bool,
) -> None:
    """Every record changed since the start is seen at the version it had or a later one, or is left to the next pass.

    So with If-Modified-Since, and, all read upwards and downwards, without.
    """
    entity = replace(CONTACTS, modified_since=timed)
    start = start if timed else None
    books = Books(inclusive=inclusive, with_pagination=with_pagination)
    for number, wait in initial:
        books.now += wait
        books.touch(f"c{number}")
    since = None if start is None else EPOCH + timedelta(milliseconds=start)
    due = {name: stamp for name, stamp in books.stamps.items() if start is None or stamp >= start}
    seen: dict[str, int] = {}
    place: Keyset | Done = first(since)
    steps = 0

    while isinstance(place, Keyset):
        answer = books.answer(place.request(entity, page_size))
        for raw in answer.records:
            stamp = int(raw["UpdatedDateUTC"][6:].split("+")[0]) - _ms(0)
            seen[raw["ContactID"]] = max(stamp, seen.get(raw["ContactID"], 0))
        place = after(place, answer)
        if restarts and isinstance(place, Keyset):
            place = Keyset.from_json(place.to_json())
        for number, wait in between[steps] if steps < len(between) else []:
            books.now += wait
            if f"c{number}" in books.stamps:
                books.touch(f"c{number}")
        steps += 1
        assert steps < 1_000, "the pass does not end"

    missed = {name for name, stamp in due.items() if seen.get(name, -1) < stamp}
    reached = max(seen.values(), default=-1)
    assert {name for name in missed if books.stamps[name] < reached} == set()
    if seen:
        assert place.reached == EPOCH + timedelta(milliseconds=max(seen.values()))


def test_a_record_that_slips_into_a_page_already_read_is_met_on_the_way_down() -> None:
    """Six records of one moment, two a page; one is touched between two pages and all behind it move up."""
    books = Books(inclusive=True, with_pagination=True, stamps={f"c{number}": 0 for number in range(6)})
    seen: set[str] = set()
    place: Keyset | Done = first(None)
    pages = []

    while isinstance(place, Keyset):
        if place.page == 3:
            books.now = 10_000
            books.touch("c0")  # c4 moves from page 3 to page 2
        pages.append(place.page)
        answer = books.answer(place.request(CONTACTS, 2))
        seen |= {raw["ContactID"] for raw in answer.records}
        place = after(place, answer)

    assert seen == {f"c{number}" for number in range(6)}
    assert pages == [1, 1, 2, 3, 2, 1]


@given(
    stamps=st.lists(st.integers(0, 100_000), min_size=1, max_size=60, unique=True),
    page_size=st.integers(2, 10),
)
def test_a_pass_over_spread_changes_needs_few_calls(stamps: list[int], page_size: int) -> None:
    """Where no page is full of one moment, the calls are about the records over the page size."""
    books = Books(inclusive=True, with_pagination=True)
    books.stamps = {f"c{number}": stamp * 5_000 for number, stamp in enumerate(sorted(stamps))}
    place: Keyset | Done = first(None)
    calls = 0

    while isinstance(place, Keyset):
        place = after(place, books.answer(place.request(CONTACTS, page_size)))
        calls += 1

    assert calls <= len(stamps) / (page_size - 1) + 1
