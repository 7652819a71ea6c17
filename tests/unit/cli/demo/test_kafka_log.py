"""Reading what retention has left."""

from cli.demo.kafka_log import complete_from
from tests.support.histories import PARTITION, good_log
from verify.history import History
from verify.promises import chained, gapless

INVOICES, CONTACTS = ("xero.changes.invoices", PARTITION), ("xero.changes.contacts", PARTITION)


def test_a_log_from_its_beginning_needs_no_allowance() -> None:
    """Nothing was dropped: every position is expected."""
    assert complete_from(good_log().changes, {INVOICES: 0, CONTACTS: 0}) == {}


def test_what_retention_dropped_is_allowed_for() -> None:
    """Topics lose their old segments one by one: the partition is complete from where all of them are."""
    history: History = good_log().history()
    kept = [c for c in history.changes if not (c.spot.topic == INVOICES[0] and c.position < 4)]
    kept = [c for c in kept if not (c.spot.topic == CONTACTS[0] and c.position < 6)]

    start = complete_from(kept, {INVOICES: 8, CONTACTS: 12})

    assert start == {PARTITION: 6}
    assert gapless(kept, start) == []
    assert chained(kept, start) == []


def test_a_topic_that_lost_everything_counts_to_the_end() -> None:
    """Any of the missing positions may have been its own."""
    kept = [c for c in good_log().changes if c.spot.topic == INVOICES[0]]
    start = complete_from(kept, {INVOICES: 0, CONTACTS: 99})
    assert start == {PARTITION: 9}
    assert gapless(kept, start) == []
