"""What the demo counts, and the picture of it."""

from cli.demo.tally import LINES_KEPT, NOTE_SECONDS, Hop, Tally

NAMES = {"t1": "Harbour & Vale Trading", "t2": "Blue Gum Provisions"}


def test_events_and_changes_are_counted_by_organisation() -> None:
    """Each organisation has its own counts; the flow has them all."""
    tally = Tally(NAMES, 0.0)
    tally.event("t1")
    tally.event("t2")
    tally.change("t2", "INV-1 · paid", 0.1, 100.0)

    picture = tally.picture(1.0)

    assert [(one.webhooks, one.changes) for one in picture.organisations] == [(1, 0), (1, 1)]
    assert (picture.events, picture.changes, picture.lines) == (2, ("INV-1 · paid",), 1)


def test_strangers_count_for_the_flow_only() -> None:
    """An event of an organisation nobody connected is on the log all the same."""
    tally = Tally(NAMES, 0.0)
    tally.event("t9")
    tally.change("t9", None, None, 100.0)
    tally.standing("t9", backlog=1, oldest=None, parked=None, minute_left=1, day_left=1)

    picture = tally.picture(1.0)

    assert picture.events == 1
    assert [(one.webhooks, one.changes) for one in picture.organisations] == [(0, 0), (0, 0)]


def test_rates_follow_the_totals() -> None:
    """Counted here or told from elsewhere."""
    tally = Tally(NAMES, 0.0)
    tally.tick(0.0)
    for _ in range(6):
        tally.event("t1")
    tally.total(Hop.CALLS, 4)
    tally.tick(2.0)

    rates = tally.picture(2.0).rates

    assert (rates[Hop.LOG], rates[Hop.CALLS], rates[Hop.EDITS]) == (3.0, 2.0, 0.0)


def test_a_stopped_kafka_has_no_rate() -> None:
    """None, not zero: it is down, not idle."""
    tally = Tally(NAMES, 0.0)
    tally.log_down(True)
    assert tally.picture(1.0).rates[Hop.LOG] is None
    tally.log_down(False)
    assert tally.picture(1.0).rates[Hop.LOG] == 0.0


def test_the_first_load_is_no_news() -> None:
    """Loaded records count, but have no line and no time since a webhook."""
    tally = Tally(NAMES, 0.0)
    tally.change("t1", None, None, 100.0)

    picture = tally.picture(1.0)

    assert picture.organisations[0].changes == 1
    assert (picture.changes, picture.lines, picture.p50) == ((), 0, None)


def test_percentiles_come_from_changes_with_a_webhook() -> None:
    """Seconds from the receipt of the webhook."""
    tally = Tally(NAMES, 0.0)
    for number in range(1, 101):
        tally.change("t1", None, number / 1000, 100.0)
    picture = tally.picture(1.0)
    assert (picture.p50, picture.p99) == (50 / 1000, 99 / 1000)


def test_what_waited_for_the_demo_is_no_latency() -> None:
    """A webhook received in the last run, or before the live view, says nothing about how long a change takes."""
    tally = Tally(NAMES, 100.0)
    tally.change("t1", None, 58.0, 102.0)
    assert tally.picture(103.0).p99 is None

    tally.change("t1", None, 0.5, 102.0)
    assert tally.picture(103.0).p99 == 0.5


def test_lines_are_kept_within_bounds() -> None:
    """A long demo does not grow; how many lines there were is still known."""
    tally = Tally(NAMES, 0.0)
    for number in range(LINES_KEPT + 5):
        tally.change("t1", f"line {number}", None, 100.0)
    picture = tally.picture(1.0)
    assert (len(picture.changes), picture.changes[-1], picture.lines) == (LINES_KEPT, "line 204", LINES_KEPT + 5)


def test_standing_keeps_what_was_known_of_the_quota() -> None:
    """Where Xero was not asked yet this minute, the last figures stay."""
    tally = Tally(NAMES, 0.0)
    tally.standing("t1", backlog=3, oldest=2.5, parked=None, minute_left=40, day_left=4900)
    tally.standing("t1", backlog=0, oldest=None, parked=9.0, minute_left=None, day_left=None)

    one = tally.picture(1.0).organisations[0]

    assert (one.backlog, one.oldest, one.parked, one.minute_left, one.day_left) == (0, None, 9.0, 40, 4900)


def test_notes_fade() -> None:
    """A note is shown for some seconds."""
    tally = Tally(NAMES, 0.0)
    tally.note("Kafka is back", 10.0)
    assert tally.picture(10.0 + NOTE_SECONDS - 0.1).notes == ("Kafka is back",)
    assert tally.picture(10.0 + NOTE_SECONDS).notes == ()


def test_time_runs_from_the_start_of_the_live_view() -> None:
    """Not from zero of some clock; what remains never goes below nothing."""
    tally = Tally(NAMES, 100.0)
    assert (tally.picture(130.0).running, tally.picture(130.0).remaining) == (30.0, None)
    tally.ends_at = 125.0
    assert tally.picture(130.0).remaining == 0.0
