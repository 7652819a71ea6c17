"""Does a read settle what an event said?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from processors.recorder.judge import MOST_UNSEEN, Row, Verdict, judge_found, judge_missing, stale_wait

E = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def found(*, version: datetime | None, read_at: datetime = E, row: Row | None = None, changed: bool = False) -> Verdict:
    """The verdict on a read that has the record."""
    return judge_found(row or Row(event_at=E), version=version, read_at=read_at, changed=changed).verdict


def test_a_version_at_least_as_new_as_the_event_settles() -> None:
    """V >= E."""
    assert found(version=E) is Verdict.SETTLED
    assert found(version=E + SECOND) is Verdict.SETTLED


def test_a_version_almost_as_new_settles_for_the_time_being() -> None:
    """E - 2 s <= V < E: once more in fifteen seconds, or at once if the read was sent two seconds after the event."""
    judgement = judge_found(Row(event_at=E), version=E - SECOND, read_at=E, changed=False)
    assert judgement.verdict is Verdict.PROVISIONAL
    assert judgement.again_in == timedelta(seconds=15)

    assert found(version=E - SECOND, read_at=E + 3 * SECOND) is Verdict.SETTLED
    assert found(version=E - SECOND, read_at=E + 2 * SECOND) is Verdict.PROVISIONAL


def test_an_older_version_is_a_stale_read_however_late_it_was_sent() -> None:
    """Xero answered from before the event."""
    assert found(version=E - 3 * SECOND, read_at=E + 60 * SECOND) is Verdict.STALE


def test_stale_reads_are_repeated_ever_more_slowly() -> None:
    """1, 2, 5, 15 s and on, at most two minutes."""
    waits = []
    row = Row(event_at=E)
    for _ in range(9):
        judgement = judge_found(row, version=E - timedelta(hours=1), read_at=E, changed=False)
        assert judgement.again_in is not None
        waits.append(judgement.again_in.total_seconds())
        row = Row(event_at=E, attempts=judgement.attempts, equal_reads=judgement.equal_reads)

    assert waits == [1, 2, 5, 15, 30, 60, 120, 120, 120]
    assert stale_wait(0) == SECOND


def test_patience_ends_after_ten_minutes_and_three_equal_reads() -> None:
    """Xero sends events without moving UpdatedDateUTC: they must not be read indefinitely."""
    old, late = E - timedelta(hours=1), E + timedelta(minutes=11)
    assert found(version=old, read_at=late, row=Row(event_at=E, attempts=9, equal_reads=2)) is Verdict.WITHOUT_UPDATE
    assert found(version=old, read_at=late, row=Row(event_at=E, attempts=9, equal_reads=1)) is Verdict.STALE
    assert found(version=old, read_at=E, row=Row(event_at=E, attempts=9, equal_reads=9)) is Verdict.STALE


def test_a_read_that_differs_starts_the_count_of_equal_reads_anew() -> None:
    """Something did arrive: more may follow."""
    row = Row(event_at=E, attempts=9, equal_reads=7)
    judgement = judge_found(row, version=E - timedelta(hours=1), read_at=E + timedelta(hours=1), changed=True)
    assert (judgement.verdict, judgement.equal_reads) == (Verdict.STALE, 1)


def test_without_a_stamp_only_a_later_read_settles() -> None:
    """Some entities have no UpdatedDateUTC."""
    assert found(version=None, read_at=E + 3 * SECOND) is Verdict.SETTLED
    assert found(version=None, read_at=E + SECOND) is Verdict.PROVISIONAL


def missing(*, known: bool, gone: bool = False, late: bool = False) -> Verdict:
    """The verdict on a 404."""
    read_at = E + timedelta(minutes=10 if late else 9)
    return judge_missing(Row(event_at=E), known=known, gone=gone, read_at=read_at).verdict


def test_an_absence_soon_after_the_event_is_a_stale_read() -> None:
    """Ten minutes: longer than any replica of Xero's was ever seen behind."""
    assert missing(known=True) is Verdict.STALE
    assert missing(known=False) is Verdict.NOT_YET_SEEN


def test_an_absence_that_lasts_is_a_deletion_only_of_what_was_there() -> None:
    """What was never seen goes to an operator."""
    assert missing(known=True, late=True) is Verdict.MISSING
    assert missing(known=False, late=True) is Verdict.NEVER_SEEN


@pytest.mark.parametrize(("dated", "tries"), [(0, 4), (-30, 4), (-700, 1), (-595, 3), (86_400, MOST_UNSEEN)])
def test_a_record_never_seen_costs_few_calls(dated: int, tries: int) -> None:
    """The last one after ten minutes; however its event is dated. Each call is one of the organisation's day."""
    begun, now, made = E, timedelta(0), 1
    row = Row(event_at=begun + timedelta(seconds=dated))
    while (judgement := judge_missing(row, known=False, gone=False, read_at=begun + now)).again_in is not None:
        assert judgement.verdict is Verdict.NOT_YET_SEEN
        made += 1
        now += judgement.again_in
        row = replace(row, attempts=judgement.attempts, equal_reads=judgement.equal_reads)

    assert judgement.verdict is Verdict.NEVER_SEEN
    assert made == tries
    assert begun + now >= min(row.event_at, begun) + timedelta(minutes=10)


def test_an_absence_of_what_is_gone_settles() -> None:
    """There is nothing more to learn."""
    assert missing(known=True, gone=True) is Verdict.SETTLED
