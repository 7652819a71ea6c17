"""The screen and the plain lines."""

import io
from dataclasses import replace

import pytest

from cli.demo.keys import Key, key_of
from cli.demo.screen import Span, Style
from cli.demo.tally import Hop, Picture
from cli.demo.terminal import PLAIN_CHANGES, PLAIN_SECONDS, PlainLines, Screen, keys_in, paint, summary, wants_screen

PICTURE = Picture(running=1.0, rates=dict.fromkeys(Hop, 1.0), changes=("one",), lines=1)


class Terminal(io.StringIO):
    """Standard output of somebody who sits there."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("out", "environ", "screen"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_a_screen_only_where_it_is_wanted(out: io.StringIO, environ: dict[str, str], screen: bool) -> None:
    """Pipes, NO_COLOR and dumb terminals get plain lines."""
    assert wants_screen(out, environ) is screen


def test_the_terminal_is_left_as_it_was() -> None:
    """Alternate screen and hidden cursor end, also after an error."""
    out = Terminal()

    def fail() -> None:
        with Screen(out) as screen:
            screen.show(PICTURE)
            raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        fail()
    assert out.getvalue().startswith("\x1b[?1049h\x1b[?25l")
    assert out.getvalue().endswith("\x1b[?25h\x1b[?1049l")


def test_only_what_changed_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """An equal picture writes nothing; another second rewrites the title's line alone."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    out = Terminal()
    screen = Screen(out)
    screen.show(PICTURE)
    out.seek(0)
    out.truncate()

    screen.show(PICTURE)
    assert out.getvalue() == ""
    screen.show(replace(PICTURE, running=2.0))
    assert out.getvalue().count("\x1b[K") == 1
    assert out.getvalue().startswith("\x1b[1;1H")


def test_another_size_draws_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an old size left would stay otherwise."""
    out = Terminal()
    screen = Screen(out)
    for columns in ("80", "100"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("LINES", "24")
        out.seek(0)
        out.truncate()
        screen.show(PICTURE)
        assert out.getvalue().startswith("\x1b[2J")
        assert out.getvalue().count("\x1b[K") == 24
    screen.redraw()
    out.seek(0)
    out.truncate()
    screen.show(PICTURE)
    assert out.getvalue().count("\x1b[K") == 24


def test_looks_end_where_they_began() -> None:
    """A dim word does not make the rest of the line dim."""
    assert paint((Span("a", Style.DIM), Span("b"))) == "\x1b[2ma\x1b[0mb"


def test_plain_lines_tell_each_change_once() -> None:
    """Whatever was shown before is not shown again."""
    out = io.StringIO()
    plain = PlainLines(out)
    plain.show(PICTURE)
    plain.show(PICTURE)
    plain.show(replace(PICTURE, changes=("one", "two"), lines=2))
    assert out.getvalue() == "one\ntwo\n"


def test_a_flood_is_cut_short_and_counted() -> None:
    """A burst of changes does not bury the rest."""
    out = io.StringIO()
    lines = tuple(f"change {n}" for n in range(50))
    PlainLines(out).show(replace(PICTURE, changes=lines, lines=50))
    assert out.getvalue().splitlines() == [f"{50 - PLAIN_CHANGES} more changes, then:", *lines[-PLAIN_CHANGES:]]


def test_plain_lines_sum_up_now_and_then() -> None:
    """Every few seconds the flow as one line, without an escape sequence."""
    out = io.StringIO()
    plain = PlainLines(out)
    plain.show(replace(PICTURE, running=PLAIN_SECONDS, lines=0, changes=()))
    plain.show(replace(PICTURE, running=PLAIN_SECONDS + 1, lines=0, changes=()))
    assert out.getvalue() == summary(PICTURE) + "\n"
    assert "\x1b" not in out.getvalue()


def test_what_is_said_has_its_time() -> None:
    """Kills and outages can be found in a log."""
    out = io.StringIO()
    PlainLines(out).say("kill -9 receiver")
    assert out.getvalue()[8:] == "  kill -9 receiver\n"


def test_a_summary_names_what_is_down() -> None:
    """A stopped log is not one of 0 per second."""
    assert "log stopped" in summary(replace(PICTURE, rates={**PICTURE.rates, Hop.LOG: None}))


def test_keys_are_known_in_either_case() -> None:
    """And everything else means nothing."""
    assert key_of("K") is Key.KILL
    assert key_of("k") is Key.KILL
    assert key_of("x") is None
    assert key_of("") is None
    assert key_of("?") is Key.HELP


def test_what_a_terminal_sends() -> None:
    """Several keys at once; an arrow is one key that means nothing, whatever letters its bytes have; so is half a character."""
    assert keys_in(b"eK") == [Key.EDIT, Key.KILL]
    assert keys_in(b"\x1b[B") == [None]
    assert keys_in("é".encode()) == [None]
    assert keys_in(b"\xff") == [None]
