"""Where the relay goes on."""

from uuid import UUID

import pytest

from processors.relay.relay import committed_offset
from processors.relay.resume import Committed, ForeignStoreError, resume

OURS, THEIRS = UUID(int=1), UUID(int=2)


def test_kafka_is_ahead_of_the_mark() -> None:
    """Killed between the Kafka commit and the mark: nothing is published twice."""
    plan = resume(store_id=OURS, last_position=10, mark=5, committed=Committed(position=8, store_id=OURS))
    assert (plan.after, plan.went_back_to) == (8, None)


def test_kafka_forgot_the_group() -> None:
    """Offsets of an idle group expire: the mark stands in."""
    assert resume(store_id=OURS, last_position=10, mark=5, committed=None).after == 5


def test_a_new_deployment_starts_at_the_beginning() -> None:
    """Nothing anywhere."""
    assert resume(store_id=OURS, last_position=0, mark=0, committed=None).after == 0


def test_a_store_older_than_kafka_is_noticed() -> None:
    """A restored backup: positions would be given out twice."""
    plan = resume(store_id=OURS, last_position=10, mark=5, committed=Committed(position=12, store_id=OURS))
    assert plan.went_back_to == plan.after == 12
    assert resume(store_id=OURS, last_position=3, mark=5, committed=None).went_back_to == 5


def test_another_stores_topics_are_refused() -> None:
    """Also where the offset does not say whose it is."""
    for owner in (THEIRS, None):
        with pytest.raises(ForeignStoreError, match="another store"):
            resume(store_id=OURS, last_position=10, mark=5, committed=Committed(position=8, store_id=owner))


def test_metadata_that_is_no_store_id_is_nobodys() -> None:
    """Some tool wrote the offset."""
    assert committed_offset((4, "by hand")) == Committed(position=4, store_id=None)
    assert committed_offset((4, str(OURS))) == Committed(position=4, store_id=OURS)
    assert committed_offset(None) is None
