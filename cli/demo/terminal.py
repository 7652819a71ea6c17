"""Where the demo is shown: a terminal's screen redrawn line by line, or plain lines where there is none."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol, TextIO

from cli.demo.ending import latency
from cli.demo.keys import Key, key_of
from cli.demo.screen import Line, Style, ratio, render
from cli.demo.tally import Picture

PLAIN_SECONDS = 5.0
"""Seconds between two summaries in plain lines."""
PLAIN_CHANGES = 8
"""Most changes told at once in plain lines."""

_COLOURS = {
    Style.PLAIN: "",
    Style.DIM: "\x1b[2m",
    Style.STRONG: "\x1b[1m",
    Style.GOOD: "\x1b[32m",
    Style.BAD: "\x1b[33m",
}
_RESET = "\x1b[0m"


class Display(Protocol):
    """Shows pictures."""

    def show(self, picture: Picture) -> None:
        """Show what there is now; called up to four times a second."""

    def say(self, text: str) -> None:
        """Tell something that must not be missed."""


def wants_screen(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the live screen can be shown: on a terminal that is none too dumb, unless NO_COLOR asks for plain lines.

    Args:
        out: where it would be shown.
    """
    return out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def paint(line: Line) -> str:
    """A line with its looks as escape sequences."""
    return "".join(f"{_COLOURS[span.style]}{span.text}{_RESET}" if _COLOURS[span.style] else span.text for span in line)


class Screen:
    """The alternate screen of a terminal. Only lines that changed are written, so nothing flickers."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._drawn: list[str] = []
        self._size = (0, 0)

    def __enter__(self) -> "Screen":
        self._out.write("\x1b[?1049h\x1b[?25l\x1b[2J")
        self._out.flush()
        return self

    def __exit__(self, *_: object) -> None:
        self._out.write("\x1b[?25h\x1b[?1049l")
        self._out.flush()

    def redraw(self) -> None:
        """Draw everything again the next time."""
        self._size = (0, 0)

    def show(self, picture: Picture) -> None:
        """Draw what changed."""
        size = _size(self._out)
        written = []
        if size != self._size:
            self._size, self._drawn = size, []
            written.append("\x1b[2J")
        lines = [paint(line) for line in render(picture, *size)]
        for number, line in enumerate(lines):
            if number >= len(self._drawn) or self._drawn[number] != line:
                written.append(f"\x1b[{number + 1};1H{line}\x1b[K")
        self._drawn = lines
        if written:
            self._out.write("".join(written))
            self._out.flush()

    def say(self, text: str) -> None:
        """Nothing: notes stand in the picture."""
        del text


def _size(out: TextIO) -> tuple[int, int]:
    with contextlib.suppress(OSError, ValueError):
        size = os.get_terminal_size(out.fileno())
        if size.columns and size.lines:
            return size.columns, size.lines
    fallback = shutil.get_terminal_size()
    return fallback.columns, fallback.lines


class PlainLines:
    """Lines for pipes, logs and those who asked for no colours."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lines = 0
        self._summary_at = 0.0

    def show(self, picture: Picture) -> None:
        """New changes, and now and then a summary."""
        new = picture.lines - self._lines
        self._lines = picture.lines
        if new > PLAIN_CHANGES:
            self._write(f"{new - PLAIN_CHANGES:,} more changes, then:")
        for line in picture.changes[-min(new, PLAIN_CHANGES) :] if new else ():
            self._write(line)
        if picture.running - self._summary_at >= PLAIN_SECONDS:
            self._summary_at = picture.running
            self._write(summary(picture))

    def say(self, text: str) -> None:
        """A line."""
        self._write(f"{datetime.now(UTC).astimezone():%H:%M:%S}  {text}")

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def summary(picture: Picture) -> str:
    """A picture as one line."""
    rates = (f"{hop.value} {'stopped' if rate is None else f'{rate:.1f}/s'}" for hop, rate in picture.rates.items())
    backlog = sum(one.backlog for one in picture.organisations)
    return f"-- {' → '.join(rates)} · backlog {backlog:,} · {latency(picture)} · {ratio(picture.events, picture.calls)}"


def keys_in(pressed: bytes) -> list[Key | None]:
    """The keys of what a terminal sent; None for one that means nothing.

    Args:
        pressed: arrows and the like come as several bytes that begin with an escape: one key.
    """
    if pressed.startswith(b"\x1b"):
        return [None]
    return [key_of(character) for character in pressed.decode("utf-8", "replace")]


@contextlib.contextmanager
def keys_read(
    on_key: Callable[[Key | None], None], add_reader: Callable[..., None], remove_reader: Callable[..., object]
) -> Iterator[None]:
    """Hand on keys while the block runs, if standard input is a terminal.

    Args:
        on_key: called with each key; None for one that means nothing.
        add_reader: the event loop's.
        remove_reader: the event loop's.
    """
    if sys.platform == "win32" or not sys.stdin or not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 - not on Windows
    import tty  # noqa: PLC0415 - not on Windows

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def readable() -> None:
        try:
            pressed = os.read(descriptor, 64)
        except OSError:
            pressed = b""
        if not pressed:
            remove_reader(descriptor)
        for key in keys_in(pressed):
            on_key(key)

    tty.setcbreak(descriptor)
    add_reader(descriptor, readable)
    try:
        yield
    finally:
        remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
