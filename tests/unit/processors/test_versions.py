"""Which of two reads is the newer."""

from datetime import UTC, datetime, timedelta

from processors.recorder.versions import Order, Version, compare

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)


def version(updated: int | None, read: int) -> Version:
    """V and S as seconds."""
    return Version(updated_at=None if updated is None else T + updated * S, read_at=T + read * S)


def test_the_stamp_decides_first() -> None:
    """A lower V is discarded, a higher one applied, whenever they were read."""
    assert compare(version(5, 5), version(4, 9)) is Order.OLDER
    assert compare(version(5, 5), version(6, 1)) is Order.NEWER


def test_equal_stamps_are_decided_by_the_time_of_reading() -> None:
    """Xero changes contents without moving the stamp."""
    assert compare(version(5, 5), version(5, 6)) is Order.NEWER
    assert compare(version(5, 5), version(5, 5)) is Order.UNCERTAIN
    assert compare(version(5, 5), version(5, 4)) is Order.UNCERTAIN


def test_without_stamps_the_time_of_reading_is_all_there_is() -> None:
    """Currencies, tax rates."""
    assert compare(version(None, 5), version(None, 6)) is Order.NEWER
    assert compare(version(None, 5), version(None, 4)) is Order.UNCERTAIN


def test_only_a_later_read_revives_a_tombstone() -> None:
    """A late answer from before the deletion must not."""
    assert compare(version(5, 5), version(9, 4), tombstone=True) is Order.UNCERTAIN
    assert compare(version(5, 5), version(9, 6), tombstone=True) is Order.NEWER
    assert compare(version(5, 5), version(4, 6), tombstone=True) is Order.OLDER


def test_nothing_stored_means_newer() -> None:
    """The first read always counts."""
    assert compare(None, version(0, 0)) is Order.NEWER
