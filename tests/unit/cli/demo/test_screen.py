"""The live view as lines."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.demo.keys import Key, help_lines
from cli.demo.screen import Style, ratio, render, text_of, wrapped
from cli.demo.tally import Hop, Organisation, Picture

LINE = "12:04:30  INV-0042 · authorised → paid · amount due 1,150.00 → 0 · Ridgeway University"
PICTURE = Picture(
    running=754.0,
    rates={Hop.EDITS: 1.5, Hop.WEBHOOKS: 1.6, Hop.LOG: 1.6, Hop.CALLS: 1.1, Hop.CHANGES: 1.4},
    organisations=(
        Organisation(name="Harbour & Vale Trading", webhooks=142, changes=1311, minute_left=41, day_left=4812),
        Organisation(name="Kestrel Lane Studio", backlog=12, oldest=3.1),
        Organisation(name="Blue Gum Provisions", backlog=4, oldest=8.0, parked=5.0),
    ),
    p50=0.084,
    p99=0.312,
    events=1000,
    calls=7,
    changes=(LINE,) * 40,
    lines=40,
    notes=("kill -9 receiver (process 4711)",),
)


def texts(picture: Picture, width: int = 80, height: int = 24) -> list[str]:
    """The view without its looks."""
    return [text_of(line) for line in render(picture, width, height)]


def test_the_whole_view_in_80_by_24() -> None:
    """Everything that matters fits the smallest terminal in common use."""
    assert texts(PICTURE) == [
        " xero-stream demo                                                 running 12:34 ",
        "",
        " edits 1.5/s → webhooks 1.6/s → log 1.6/s → calls 1.1/s → changes 1.4/s",
        "",
        " organisation           webhooks changes calls left/min    day backlog   fresh",
        " Harbour & Vale Trading      142   1,311             41  4,812       0     now",
        " Kestrel Lane Studio           0       0              -      -      12   3.1 s",
        " Blue Gum Provisions           0       0              -      -       4 limited",
        "",
        " webhook → change   p50 84 ms   p99 312 ms               1,000 events → 7 calls ",
        "",
        *[" 12:04:30  INV-0042 · authorised → paid · amount due 1,150.00 → 0 · Ridgeway Un…"] * 11,
        " kill -9 receiver (process 4711)",
        " e 100 edits  k kill a worker  b stop Kafka  r limit  v verify  q quit  ? help ",
    ]


@pytest.mark.parametrize("width", [30, 80])
def test_help_takes_the_place_of_the_changes(width: int) -> None:
    """Every key with what it does, broken between words where the terminal is narrow."""
    told = " ".join(" ".join(texts(replace(PICTURE, help=help_lines()), width, 60)).split())

    for key in Key:
        assert f"{key.value} {key.about}" in told
    assert "INV-0042" not in told


@given(st.integers(1, 200), st.integers(1, 80), st.integers(0, 12), st.booleans(), st.booleans())
def test_it_never_overflows(width: int, height: int, organisations: int, verified: bool, helped: bool) -> None:
    """Whatever the size of the terminal and however much there is to show."""
    many = tuple(Organisation(name=f"Organisation 漢字 {n}" * 3) for n in range(organisations))
    verdict = ("verified", "3 kills · gaps 0 · " * 9) if verified else ()

    told = help_lines() if helped else ()
    lines = texts(replace(PICTURE, organisations=many, verdict=verdict, help=told), width, height)

    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)


def test_the_keys_stay_on_a_small_terminal() -> None:
    """Without them nobody would know how to get out."""
    for height in (2, 6, 10):
        assert "q quit" in texts(PICTURE, 80, height)[-1]
    assert "q quit" in texts(PICTURE, 60, 24)[-1]


def test_the_newest_changes_are_shown_last() -> None:
    """As in any log."""
    lines = texts(replace(PICTURE, changes=tuple(f"change {n}" for n in range(30))))
    assert lines[21] == " change 29"
    assert lines[11] == " change 19"


def test_the_end_of_a_timed_run_is_announced() -> None:
    """How long it still takes."""
    assert texts(replace(PICTURE, running=3725.0, remaining=12.4))[0].endswith("running 1:02:05 · ends in 0:12 ")


def test_a_stopped_kafka_is_called_stopped() -> None:
    """And stands out."""
    rates = {**PICTURE.rates, Hop.LOG: None}
    (stopped,) = [
        span for line in render(replace(PICTURE, rates=rates), 80, 24) for span in line if span.text == "stopped"
    ]
    assert stopped.style is Style.BAD


@pytest.mark.parametrize(
    ("one", "text", "style"),
    [
        (Organisation(name="a"), "now", Style.GOOD),
        (Organisation(name="a", backlog=1, oldest=0.4), "now", Style.GOOD),
        (Organisation(name="a", backlog=1, oldest=2.0), "2.0 s", Style.PLAIN),
        (Organisation(name="a", backlog=1, oldest=65.0), "65 s", Style.BAD),
        (Organisation(name="a", parked=3.0), "limited", Style.BAD),
    ],
)
def test_freshness_is_told_in_a_word(one: Organisation, text: str, style: Style) -> None:
    """How old the oldest thing is that consumers don't know yet."""
    line = render(replace(PICTURE, organisations=(one,)), 80, 24)[5]
    assert (line[-1].text.strip(), line[-1].style) == (text, style)


def test_a_verdict_stands_above_the_changes() -> None:
    """Broken between its parts where it is too wide; changes go on below."""
    verdict = (
        "verified at 12:00:00: all agrees",
        "3 kills · 412 webhooks acknowledged, 412 in the log · gaps 0 · duplicates 0",
    )
    lines = texts(replace(PICTURE, verdict=verdict), 60, 24)
    start = lines.index(" verified at 12:00:00: all agrees")
    assert lines[start + 1 : start + 4] == [
        " 3 kills · 412 webhooks acknowledged, 412 in the log",
        " gaps 0 · duplicates 0",
        "",
    ]
    assert "INV-0042" in lines[start + 4]
    shown = render(replace(PICTURE, verdict=verdict), 60, 24)[start : start + 3]
    assert [line[0].style for line in shown] == [Style.STRONG, Style.PLAIN, Style.PLAIN]


def test_events_and_calls_are_counted_in_words() -> None:
    """One event is one event."""
    assert ratio(1000, 7) == "1,000 events → 7 calls"
    assert ratio(1, 1) == "1 event → 1 call"


def test_lines_break_between_parts_only() -> None:
    """A part that is too wide keeps its line."""
    assert wrapped("a · b · c", 5) == ["a · b", "c"]
    assert wrapped("long part here · b", 6) == ["long part here", "b"]
