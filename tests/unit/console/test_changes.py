"""The pure parts of the feed: cursors, filters, the ring."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.changes.cursor import BadCursorError, Cursor, read
from console.changes.ring import OVERHEAD, Entry, GapError, Ring
from console.changes.wish import Wish, narrowed
from xero_stream.contracts.names import EntityName


def entry(position: int, size: int = 10) -> Entry:
    """A change."""
    return Entry(position, "t", "invoices", "u", b"x" * size)


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_a_cursor_is_read_as_it_was_written(positions: list[int]) -> None:
    """Whatever the positions."""
    cursor = Cursor(dict(enumerate(positions)))

    assert read(str(cursor), len(positions)) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "0", "0:1", "0:1,1:2,2:3,3:4", "0:1,1:2,1:2", "0:1,1:2,2:-3", "0:1,1:2,2:3,", "0:1;1:2;2:3", "0:1,1:2,2:x",
     "0:1,1:2,2:9223372036854775808", "0:1,1:2,2:\uff13", " 0:1,1:2,2:3", "0:1,1:2,2:3" * 3000],
)  # fmt: skip
def test_other_texts_are_no_cursor(text: str) -> None:
    """Too few partitions, too many, twice the same, beyond 64 bits, digits of other scripts."""
    with pytest.raises(BadCursorError):
        read(text, 3)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    """It is a cursor, or a BadCursorError."""
    with contextlib.suppress(BadCursorError):
        read(text, 1)


@pytest.mark.parametrize(
    ("sets", "left"),
    [
        ((None, None), None),
        (({"a", "b"}, None), {"a", "b"}),
        ((None, {"a"}, {"a", "b"}), {"a"}),
        (({"a"}, {"b"}), set()),
    ],
)
def test_restrictions_narrow_each_other(sets: tuple[set[str] | None, ...], left: set[str] | None) -> None:
    """Nothing in common is nothing, not everything."""
    assert narrowed(*sets) == left


def test_a_wish_takes_what_fits_all_of_it() -> None:
    """Organisation, kind of record and operation; what is not named does not matter; an empty set takes nothing."""
    wish = Wish(tenants={"t"}, entities={EntityName.INVOICES}, ops={"u"})

    assert wish.takes("t", "invoices", "u")
    assert not wish.takes("s", "invoices", "u")
    assert not wish.takes("t", "contacts", "u")
    assert not wish.takes("t", "invoices", "d")
    assert Wish().takes("s", "contacts", "d")
    assert not Wish(tenants=frozenset()).takes("t", "invoices", "u")


def test_the_ring_holds_the_newest_changes_within_its_bytes() -> None:
    """The oldest of all partitions go first; what is left is whole."""
    ring = Ring(most_bytes=5 * (10 + OVERHEAD))
    ring.begin(0, 0)
    ring.begin(1, 100)
    for position in range(1, 4):
        ring.add(0, entry(position))
        ring.add(1, entry(100 + position))

    assert ring.held_bytes == 5 * (10 + OVERHEAD)
    assert not ring.holds(0, 0)
    assert ring.holds(0, 1)
    assert ring.holds(1, 100)
    assert not ring.holds(1, 103)
    assert not ring.holds(2, 0)
    assert [one.position for one in ring.after(0, 1, 10)] == [2, 3]
    assert [one.position for one in ring.after(1, 100, 2)] == [101, 102]


def test_the_ring_takes_no_gap_and_no_repetition() -> None:
    """Positions of a partition follow each other; a partition can be restarted anywhere."""
    ring = Ring(most_bytes=10**6)
    ring.begin(0, 5)
    for position in (5, 7):
        with pytest.raises(GapError):
            ring.add(0, entry(position))
    ring.add(0, entry(6))
    ring.begin(0, 90)

    assert ring.held_bytes == 0
    assert not ring.holds(0, 5)
    assert ring.end(0) == 90
    ring.add(0, entry(91))
    assert [one.position for one in ring.after(0, 90, 10)] == [91]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3000)), max_size=60), st.integers(1, 5000))
def test_what_the_ring_gives_is_what_was_added(added: list[tuple[int, int]], most: int) -> None:
    """For every position that is held: exactly the changes behind it, in order, and never more bytes than allowed."""
    ring = Ring(most_bytes=most)
    ends = dict.fromkeys(range(3), 0)
    for partition in ends:
        ring.begin(partition, 0)
    for partition, size in added:
        ends[partition] += 1
        ring.add(partition, entry(ends[partition], size))
        assert ring.held_bytes <= most

    for partition, end in ends.items():
        for after in range(end):
            if ring.holds(partition, after):
                assert [one.position for one in ring.after(partition, after, 1000)] == list(range(after + 1, end + 1))
