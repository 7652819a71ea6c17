"""Where the relay goes on, and what shows that the store is older than Kafka."""

from typing import Any
from uuid import UUID

import pytest

from processors.relay.resume import Committed, ForeignStoreError, Resume, check_owner, committed_offset, resume

OURS, THEIRS = UUID(int=1), UUID(int=2)


def plan(committed: Committed | None, *, reached: int | None = None, **standing: Any) -> Resume:
    """The plan; by default Kafka has what its offset says, and the store has nothing at that position any more."""
    if reached is None:
        reached = committed.position if committed else 0
    return resume(reached=reached, committed=committed, **{"stamp": None, **standing})


def test_kafka_is_ahead_of_the_mark() -> None:
    """Killed between the Kafka commit and the mark: nothing is published twice."""
    found = plan(Committed(position=8, store_id=OURS, stamp=70), last_position=10, mark=5, stamp=70)
    assert found == Resume(after=8, rolled_back=False, stamp=70)


def test_kafka_forgot_the_group() -> None:
    """Offsets of an idle group expire: the mark and the last changes on Kafka stand in, whichever is further."""
    assert plan(None, last_position=10, mark=5).after == 5
    assert plan(None, reached=7, last_position=10, mark=5).after == 7


def test_a_new_deployment_starts_at_the_beginning() -> None:
    """Nothing anywhere."""
    assert plan(None, last_position=0, mark=0) == Resume(after=0)


def test_a_store_older_than_kafka_is_noticed() -> None:
    """A restored backup: positions would be given out twice. With Kafka's offset, and where that is forgotten."""
    found = plan(Committed(position=12, store_id=OURS, stamp=70), last_position=10, mark=5)
    assert found == Resume(after=12, rolled_back=True, stamp=70)
    assert plan(None, reached=12, last_position=10, mark=5).rolled_back
    assert plan(None, last_position=3, mark=5).rolled_back


def test_a_store_that_lost_its_tail_and_went_on_is_noticed() -> None:
    """It has given out the positions again: the change where Kafka stopped is another one."""
    committed = Committed(position=8, store_id=OURS, stamp=70)

    assert plan(committed, last_position=10, mark=5, stamp=71) == Resume(after=8, rolled_back=True, stamp=70)
    assert not plan(committed, last_position=10, mark=5, stamp=70).rolled_back


def test_what_is_not_known_proves_nothing() -> None:
    """A change that retention dropped, an offset without the moment, a mark ahead of the offset."""
    committed = Committed(position=8, store_id=OURS, stamp=70)

    assert not plan(committed, last_position=10, mark=5, stamp=None).rolled_back
    assert not plan(Committed(position=8, store_id=OURS), last_position=10, mark=5, stamp=71).rolled_back
    assert plan(committed, last_position=10, mark=9, stamp=71) == Resume(after=9, rolled_back=False, stamp=None)


def test_another_stores_topics_are_refused() -> None:
    """Also where the offset does not say whose it is."""
    for owner in (THEIRS, None):
        with pytest.raises(ForeignStoreError, match="another store"):
            check_owner(OURS, Committed(position=8, store_id=owner))
    check_owner(OURS, Committed(position=8, store_id=OURS))
    check_owner(OURS, None)


def test_the_offset_says_whose_it_is_and_which_change() -> None:
    """What is committed is read back; some tool's metadata is nobody's."""
    for stamp in (70, None):
        committed = Committed(position=4, store_id=OURS, stamp=stamp)
        assert committed_offset((4, committed.metadata)) == committed
    for metadata in ("by hand", "", f"{OURS} x"):
        assert committed_offset((4, metadata)) == Committed(position=4, store_id=None)
    assert committed_offset(None) is None
