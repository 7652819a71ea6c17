"""Keyset paging against a list that changes while it is read: nothing is missed, every pass ends."""

import dataclasses
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
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
    tells: str = ""
    """How its answers say what time it is: ``document``, ``date``, or not at all."""
    stamps: dict[str, float] = field(default_factory=dict)
    now: float = 0
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
        document: dict[str, Any] = {
            "Contacts": [{"ContactID": name, "UpdatedDateUTC": f"/Date({_ms(stamp)}+0000)/"} for stamp, name in shown]
        }
        headers = {}
        if self.tells == "document":
            document["DateTimeUTC"] = f"/Date({_ms(self.now)})/"
        if self.tells == "date":
            headers["date"] = format_datetime(EPOCH + timedelta(seconds=self.now // 1000), usegmt=True)
        answer = decipher(request, 200, headers, encode(document))
        if not self.with_pagination:
            return answer
        pages = -(-len(rows) // size)
        return dataclasses.replace(
            answer, pagination=Pagination(page=page, page_size=size, page_count=pages, item_count=len(rows))
        )

    def _changed(self, stamp: float, since: datetime | None) -> bool:
        if since is None:
            return True
        moment = EPOCH + timedelta(milliseconds=int(stamp))
        return moment >= since if self.inclusive else moment > since


def _ms(stamp: float) -> int:
    return int(EPOCH.timestamp()) * 1000 + int(stamp)


edits = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0, 5, 3000])), max_size=3)


@settings(max_examples=examples(60))
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


@dataclass
class Editor:
    """Somebody who changes and makes records faster than they are read."""

    books: Books
    per_call: int
    call_ms: int
    new: int
    """Of ten edits, how many make a record."""
    turns: int = 0

    def works(self) -> None:
        """What happens in the time of one call."""
        for _ in range(self.per_call):
            self.books.now += self.call_ms / self.per_call
            self.turns += 1
            known = len(self.books.stamps)
            number = known if self.turns % 10 < self.new else self.turns * 7 % max(1, known)
            self.books.touch(f"c{number}")


@settings(max_examples=examples(15))
@given(
    initial=st.lists(st.sampled_from([0, 0, 1, 400, 999, 1000, 1001, 5000]), max_size=30),
    page_size=st.integers(3, 6),
    faster=st.integers(1, 3),
    call_ms=st.sampled_from([500, 1000, 5000]),
    new=st.sampled_from([0, 3, 10]),
    tells=st.sampled_from(["document", "date"]),
    inclusive=st.booleans(),
    with_pagination=st.booleans(),
    restarts=st.booleans(),
    timed=st.booleans(),
)
def test_every_pass_ends_while_records_change_faster_than_they_are_read(
    initial: list[int],
    page_size: int,
    faster: int,
    call_ms: int,
    new: int,
    tells: str,
    inclusive: bool,
    with_pagination: bool,
    restarts: bool,
    timed: bool,
) -> None:
    """A pass costs calls by what was there when it began, not by what is changed meanwhile; passes together miss nothing.

    Where the list takes no If-Modified-Since, each pass reads it from its beginning.
    """
    entity = replace(CONTACTS, modified_since=timed)
    books = Books(inclusive=inclusive, with_pagination=with_pagination, tells=tells)
    for number, wait in enumerate(initial):
        books.now += wait
        books.touch(f"c{number}")
    editor = Editor(books, per_call=page_size + faster, call_ms=call_ms, new=new)
    seen: dict[str, float] = {}

    def read(since: datetime | None, *, edited: bool) -> Done:
        place = first(since if timed else None)
        # What may change while the pass reaches its bound: for the clocks' distance and a tie's two seconds.
        most = 20 + 8 * (len(books.stamps) + editor.per_call * (6_000 // call_ms + 2))
        for calls in count(1):
            answer = books.answer(place.request(entity, page_size))
            for raw in answer.records:
                stamp = float(raw["UpdatedDateUTC"][6:].split("+")[0]) - _ms(0)
                seen[raw["ContactID"]] = max(stamp, seen.get(raw["ContactID"], 0))
            following = after(place, answer)
            if isinstance(following, Done):
                return following
            place = Keyset.from_json(following.to_json()) if restarts else following
            if edited:
                editor.works()
            assert calls < most, "the pass does not end"
        raise AssertionError

    since = None
    for _ in range(2):
        done = read(since, edited=True)
        assert done.reached is None or since is None or done.reached >= since
        if timed and done.reached is not None:
            reached = (done.reached - EPOCH) / timedelta(milliseconds=1)
            wrong = {
                name for name, stamp in books.stamps.items() if stamp < reached - 1 and seen.get(name, -1) < int(stamp)
            }
            assert wrong == set(), "before what the pass reached"
        since = done.reached
    for _ in range(len(books.stamps) + 1):
        done = read(since, edited=False)
        since = done.reached
        if not done.more:
            break
    assert not done.more
    assert {name: int(stamp) for name, stamp in books.stamps.items()} == seen


def test_a_wrong_bound_only_makes_more_passes() -> None:
    """A clock a year behind: each pass ends early, and the next goes on; nothing is lost."""
    books = Books(inclusive=True, with_pagination=False, stamps={f"c{number}": number * 1500 for number in range(40)})
    seen: set[str] = set()
    done = Done(reached=None, more=True)
    passes = 0

    while done.more:
        place: Keyset | Done = first(done.reached)
        while isinstance(place, Keyset):
            answer = books.answer(place.request(CONTACTS, 4))
            seen |= {raw["ContactID"] for raw in answer.records}
            place = after(place, dataclasses.replace(answer, server_time=EPOCH - timedelta(days=365)))
        done = place
        passes += 1

    assert seen == books.stamps.keys()
    assert 1 < passes < 40
