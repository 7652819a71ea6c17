"""The verdict, in numbers and words."""

from dataclasses import replace

import pytest

from cli.demo.verdict import Broken, judge, plural
from tests.support.histories import altered, good_log, ref
from verify.history import EventRef, History


@pytest.fixture
def history() -> History:
    """A good one."""
    return good_log().history()


def test_a_good_history_agrees(history: History) -> None:
    """The honest line, and nothing to complain about."""
    verdict = judge(history, Broken(kills=3))

    assert verdict.agrees
    assert verdict.troubles() == []
    assert verdict.line() == (
        "3 kills · 3 webhooks acknowledged, 3 in the log · gaps 0 · duplicates 0 · 3 of 3 records equal"
    )


def test_what_else_was_broken_is_told(history: History) -> None:
    """Stops of Kafka, and workers that ended by themselves."""
    assert (
        judge(history, Broken(kills=1, outages=2, crashes=1)).line().startswith("1 kill · 2 Kafka stops · 1 crash · ")
    )


def test_an_acknowledged_webhook_that_is_lost(history: History) -> None:
    """It is counted and named."""
    verdict = judge(replace(history, logged=[EventRef("aa", 0), EventRef("bb", 0)]), Broken())

    assert not verdict.agrees
    assert "3 webhooks acknowledged, 2 in the log" in verdict.line()
    assert "event 1 of delivery aa" in verdict.troubles()[0]


def test_a_lost_change(history: History) -> None:
    """Gaps are counted, the record that went stale is no longer equal."""
    verdict = judge(replace(history, changes=[*history.changes[:4], *history.changes[5:]]), Broken())

    assert not verdict.agrees
    assert verdict.gaps >= 1
    assert "2 of 3 records equal" in verdict.line()


def test_a_duplicate(history: History) -> None:
    """Counted once, though both its id and its position give it away."""
    first = history.changes[0]
    verdict = judge(
        replace(history, changes=[*history.changes, replace(first, spot=first.spot._replace(offset=99))]), Broken()
    )
    assert not verdict.agrees
    assert verdict.duplicates == 1


def test_a_different_record(history: History) -> None:
    """Not equal, and the field is named."""
    truth = {**history.truth, ref("i1"): {"id": "i1", "status": "voided", "total": 10.0}}
    verdict = judge(replace(history, truth=truth), Broken())

    assert "2 of 3 records equal" in verdict.line()
    assert "status: expected 'voided', found 'paid'" in verdict.troubles()[0]


def test_any_finding_is_a_disagreement(history: History) -> None:
    """Also one that the line has no number for."""
    broken = [*history.changes[:-1], altered(history.changes[-1], op="u")]
    verdict = judge(replace(history, changes=broken), Broken())
    assert (verdict.gaps, verdict.duplicates, verdict.equal) == (0, 0, 3)
    assert not verdict.agrees


def test_what_was_not_done_in_time_is_a_disagreement(history: History) -> None:
    """Equal by luck is not equal."""
    verdict = judge(history, Broken(), left=["3 records to read"])
    assert not verdict.agrees
    assert verdict.troubles() == ["not done in time: 3 records to read"]


def test_nothing_tested_is_no_success(history: History) -> None:
    """Without a single webhook there is nothing to be proud of."""
    verdict = judge(replace(history, acknowledged=[]), Broken())
    assert not verdict.agrees
    assert "nothing was tested" in verdict.troubles()[0]


def test_only_the_first_findings_are_named(history: History) -> None:
    """A disaster does not fill the screen."""
    truth = {ref(f"x{n}"): {"id": f"x{n}"} for n in range(50)}
    verdict = judge(replace(history, truth=truth), Broken())
    assert len(verdict.troubles()) == 6
    assert verdict.troubles()[-1].startswith("and ")


def test_plurals() -> None:
    """Thousands have separators."""
    assert [plural(n, "kill") for n in (0, 1, 1204)] == ["0 kills", "1 kill", "1,204 kills"]
    assert plural(2, "crash", "crashes") == "2 crashes"
