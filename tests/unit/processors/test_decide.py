"""What one read of one record leads to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from processors.recorder.decide import Decision, Read, Stored, Write, decide
from processors.recorder.judge import Row, Verdict
from processors.recorder.versions import Version
from xero_api.entity import Form
from xero_stream.contracts.change_event import DeletionReason, Op, Trigger

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
S = timedelta(seconds=1)
A, B = b'{"status":"draft"}', b'{"status":"paid"}'


def stored(body: bytes | None = A, *, updated: int = 0, read: int = 0, gone: str | None = None) -> Stored:
    """What the store has."""
    return Stored(
        version=Version(updated_at=T + updated * S, read_at=T + read * S),
        gone=gone,
        status="draft",
        body=body,
        raw=None,
    )


def seen(
    read: Read,
    *,
    have: Stored | None = None,
    row: Row | None = None,
    at: int = 10,
    trigger: Trigger = Trigger.POLL,
    created: bool = False,
    unclear: bool = False,
) -> Decision:
    """Decide on a read."""
    return decide(read, stored=have, row=row, read_at=T + at * S, trigger=trigger, created=created, unclear=unclear)


def record(body: bytes | None = B, *, updated: int = 5, gone: DeletionReason | None = None) -> Read:
    """A read."""
    return Read(record_id="r", body=body, updated_at=T + updated * S, gone=gone)


@pytest.mark.parametrize("have", [None, stored(None, gone="missing")], ids=["never seen", "was gone"])
@pytest.mark.parametrize(
    ("trigger", "created", "unclear", "op"),
    [
        (Trigger.WEBHOOK, False, False, Op.CREATE),
        (Trigger.POLL, False, False, Op.CREATE),
        # The first load is not done, or the record was in quarantine: it may be years old.
        (Trigger.WEBHOOK, False, True, Op.READ),
        (Trigger.POLL, False, True, Op.READ),
        # A pass that reads what is there.
        (Trigger.BACKFILL, False, False, Op.READ),
        (Trigger.RECONCILE, False, False, Op.READ),
        # An event said so.
        (Trigger.WEBHOOK, True, True, Op.CREATE),
        (Trigger.BACKFILL, True, True, Op.CREATE),
        (Trigger.RECONCILE, True, False, Op.CREATE),
    ],
)
def test_first_sight_is_birth_only_where_that_is_known(
    have: Stored | None, trigger: Trigger, created: bool, unclear: bool, op: Op
) -> None:
    """Else ``r``: a reaction to ``.created`` must not fire for what was there already."""
    assert seen(record(), have=have, trigger=trigger, created=created, unclear=unclear).op is op


def test_an_event_that_says_created_makes_no_creation_of_a_known_record() -> None:
    """The load was quicker than the event."""
    assert seen(record(B), have=stored(A), trigger=Trigger.WEBHOOK, created=True).op is Op.UPDATE


def test_an_equal_read_publishes_nothing_but_moves_the_version() -> None:
    """Publish if and only if the unified record differs."""
    decision = seen(record(A), have=stored(A))
    assert (decision.write, decision.op) == (Write.TOUCH, None)


def test_a_difference_is_an_update() -> None:
    """Also where only the content differs."""
    assert seen(record(B), have=stored(A)).op is Op.UPDATE
    assert seen(record(B, updated=0), have=stored(A)).op is Op.UPDATE


def test_an_older_read_changes_nothing() -> None:
    """A reordered or stale answer."""
    decision = seen(record(B, updated=1), have=stored(A, updated=2))
    assert (decision.write, decision.op) == (Write.NONE, None)


def test_two_contents_that_can_not_be_ordered_are_read_again() -> None:
    """Same stamp, not read later: publishing either might go back in time."""
    decision = seen(record(B, updated=0), have=stored(A, read=10), row=Row(event_at=T), at=10)
    assert decision.doubt
    assert decision.op is None
    assert decision.row is not None
    assert decision.row.again_in is not None


def test_two_equal_contents_need_no_order() -> None:
    """Whichever is newer, it is the same."""
    decision = seen(record(A, updated=0), have=stored(A, read=10), row=Row(event_at=T), at=10)
    assert not decision.doubt
    assert decision.row is not None
    assert decision.row.verdict is Verdict.SETTLED


def test_a_b_a_without_a_moved_stamp_is_three_changes() -> None:
    """Each later read with another content is published."""
    have, ops = None, []
    for at, body in ((1, A), (2, B), (3, A)):
        decision = seen(record(body, updated=0), have=have, at=at)
        ops.append(decision.op)
        have = replace(stored(body), version=Version(updated_at=T, read_at=T + at * S))
    assert ops == [Op.CREATE, Op.UPDATE, Op.UPDATE]


def test_gone_is_a_delete_with_its_reason_once() -> None:
    """Deleted, merged, erased; a second read of the tombstone says nothing."""
    for reason in (DeletionReason.DELETED, DeletionReason.MERGED, DeletionReason.ERASED):
        decision = seen(record(None, gone=reason), have=stored(A))
        assert (decision.op, decision.reason) == (Op.DELETE, reason)
    again = seen(record(None, gone=DeletionReason.DELETED), have=stored(None, gone="deleted"))
    assert (again.write, again.op) == (Write.TOUCH, None)


def test_what_was_gone_before_the_first_load_is_kept_quietly() -> None:
    """A tombstone without a change; any other read tells, for the store may have gone back and forgotten the record."""
    read = record(None, gone=DeletionReason.DELETED)
    assert seen(read, trigger=Trigger.BACKFILL) == Decision(write=Write.REPLACE, updated_at=read.updated_at)
    for trigger in set(Trigger) - {Trigger.BACKFILL}:
        decision = seen(read, trigger=trigger)
        assert (decision.write, decision.op, decision.reason) == (Write.REPLACE, Op.DELETE, DeletionReason.DELETED)


def test_a_later_read_revives() -> None:
    """As a create: consumers had a delete before."""
    assert seen(record(B), have=stored(None, gone="deleted", read=3), at=10).op is Op.CREATE
    assert seen(record(B), have=stored(None, gone="deleted", read=30), at=10).doubt


def test_a_missing_record_is_deleted_only_when_proven() -> None:
    """A single GET, ten minutes after the event, of a record that was there."""
    gone = Read(record_id="r", missing=True)
    late = seen(gone, have=stored(A), row=Row(event_at=T), at=600)
    assert (late.op, late.reason) == (Op.DELETE, DeletionReason.MISSING)
    early = seen(gone, have=stored(A), row=Row(event_at=T), at=599)
    assert early.op is None
    unknown = seen(gone, row=Row(event_at=T), at=600)
    assert unknown.op is None
    assert unknown.row is not None
    assert unknown.row.verdict is Verdict.NEVER_SEEN


def test_a_stored_version_newer_than_the_event_settles_it_even_if_the_read_is_older() -> None:
    """Another call was faster."""
    decision = seen(record(B, updated=1), have=stored(A, updated=9), row=Row(event_at=T + 5 * S))
    assert decision.row is not None
    assert decision.row.verdict is Verdict.SETTLED


def test_a_stale_read_that_differs_is_published_and_read_again() -> None:
    """It is newer than what we had, though older than the event."""
    decision = seen(record(B, updated=1), have=stored(A, updated=0), row=Row(event_at=T + 8 * S))
    assert decision.op is Op.UPDATE
    assert decision.row is not None
    assert decision.row.verdict is Verdict.STALE


def test_raw_differences_count_only_between_reads_of_the_same_form() -> None:
    """A single GET carries more than a list: comparing the two would publish at every turn."""
    have = replace(stored(A), raw=b"1", form=Form.PAGE)
    same_form = replace(record(A), raw=b"2", form=Form.IDS)
    other_form = replace(record(A), raw=b"2", form=Form.ONE)
    assert seen(same_form, have=have).op is Op.UPDATE
    assert seen(other_form, have=have).op is None
