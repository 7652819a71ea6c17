"""Records in order, and what they were before."""

from dataclasses import dataclass

from simulator.books.collection import VERSIONS_KEPT, Collection


@dataclass(frozen=True)
class Note:
    """A record."""

    id: str
    updated_ms: int
    text: str = ""


def ids(records: list[Note]) -> list[str]:
    """Ids in order."""
    return [record.id for record in records]


def test_order_is_updated_date_then_id() -> None:
    """Ties are broken by id."""
    shelf = Collection([Note("b", 5), Note("a", 5), Note("c", 1)])

    assert ids(list(shelf.since())) == ["c", "a", "b"]


def test_a_touched_record_moves_to_the_end() -> None:
    """As in Xero: that is what makes naive paging skip rows."""
    shelf = Collection([Note("a", 1), Note("b", 2)])

    shelf.put(Note("a", 3), 3)

    assert ids(list(shelf.since())) == ["b", "a"]
    assert len(shelf) == 2


def test_since_is_inclusive_and_sliced_lazily() -> None:
    """The tail from a moment on, and a part of it."""
    shelf = Collection([Note(name, stamp) for stamp, name in enumerate("abcdef")])

    tail = shelf.since(2)

    assert len(tail) == 4
    assert ids(tail.part(1, 3)) == ["d", "e"]
    assert ids(tail.part(4, 9)) == []


def test_as_of_answers_what_was() -> None:
    """Before the change, before the creation, and for what never changed."""
    shelf = Collection([Note("a", 1, "old"), Note("b", 1, "same")])
    shelf.put(Note("a", 10, "new"), 10)
    shelf.put(Note("c", 20, "born"), 20)

    assert shelf.as_of("a", 9) == Note("a", 1, "old")
    assert shelf.as_of("a", 10) == Note("a", 10, "new")
    assert shelf.as_of("c", 19) is None
    assert shelf.as_of("b", 0) == Note("b", 1, "same")


def test_a_stale_list_is_the_list_of_then() -> None:
    """Order, contents and membership as they were."""
    shelf = Collection([Note("a", 1), Note("b", 2)])
    then = list(shelf.since())
    shelf.put(Note("a", 10), 10)
    shelf.put(Note("c", 11), 11)

    assert shelf.since_as_of(0, 9) == then
    assert ids(shelf.since_as_of(0, 10)) == ["b", "a"]
    assert ids(shelf.since_as_of(5, 11)) == ["a", "c"]


def test_earlier_contents_latest_first() -> None:
    """What a restore can go back to."""
    shelf = Collection([Note("a", 1, "one")])
    shelf.put(Note("a", 2, "two"), 2)
    shelf.put(Note("a", 3, "three"), 3)

    assert [note.text for note in shelf.earlier("a")] == ["two", "one"]
    assert shelf.earlier("b") == []


def test_only_the_last_versions_are_kept() -> None:
    """Memory stays bounded; the oldest kept one stands for all before."""
    shelf = Collection([Note("a", 0)])
    for stamp in range(1, 3 * VERSIONS_KEPT):
        shelf.put(Note("a", stamp), stamp)

    assert len(shelf.earlier("a")) == VERSIONS_KEPT - 1
    assert shelf.as_of("a", 1) == shelf.earlier("a")[-1]


def test_ids_keep_the_order_of_creation() -> None:
    """So that a seeded choice is the same in every run."""
    shelf = Collection([Note("z", 9)])
    shelf.put(Note("a", 1), 10)
    shelf.put(Note("z", 11), 11)

    assert list(shelf.ids) == ["z", "a"]
    assert shelf.newest_ms == 11
    assert Collection[Note]().newest_ms == 0
