"""The live view as lines of a given size. Pure: a picture in, lines out; it knows no terminal."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from cli.demo.figures import duration
from cli.demo.keys import Key
from cli.demo.tally import Hop, Organisation, Picture

COLUMNS = (("webhooks", 9), ("changes", 8), ("calls left/min", 15), ("day", 7), ("backlog", 8), ("fresh", 8))
"""Headings and widths of the columns after the name."""
NAME_WIDTHS = (12, 30)


class Style(StrEnum):
    """How a part of a line looks."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Span, ...]
EMPTY: Line = ()


def text_of(line: Line) -> str:
    """A line without its looks."""
    return "".join(span.text for span in line)


def render(picture: Picture, width: int, height: int) -> list[Line]:
    """The whole view: never more lines than ``height``, never a line wider than ``width``.

    Args:
        width: columns of the terminal.
        height: rows of the terminal.
    """
    head: list[Line] = [
        _title(picture, width),
        EMPTY,
        _flow(picture),
        EMPTY,
        *_organisations(picture.organisations, width),
        EMPTY,
        _sums(picture, width),
        EMPTY,
    ]
    foot: list[Line] = [_note(picture), _keys(width)]
    if height < len(head) + len(foot) + 3:
        head = [line for line in head if line]
    head = head[: max(0, height - len(foot))]
    room = height - len(head) - len(foot)
    lines = [*head, *_body(picture, room, width), *foot]
    return [_cut(line, width) for line in lines[:height]]


def _title(picture: Picture, width: int) -> Line:
    left = " xero-stream demo"
    time = _clock(picture.running)
    right = (
        f"running {time} " if picture.remaining is None else f"running {time} · ends in {_clock(picture.remaining)} "
    )
    gap = max(1, width - cell_len(left) - cell_len(right))
    return (Span(left, Style.STRONG), Span(" " * gap), Span(right, Style.DIM))


def _clock(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def _flow(picture: Picture) -> Line:
    spans: list[Span] = [Span(" ")]
    for hop in Hop:
        if len(spans) > 1:
            spans.append(Span(" → ", Style.DIM))
        rate = picture.rates.get(hop, 0.0)
        spans.append(Span(f"{hop.value} ", Style.DIM))
        spans.append(Span("stopped", Style.BAD) if rate is None else Span(_rate(rate)))
    return tuple(spans)


def _rate(rate: float) -> str:
    return f"{rate:.1f}/s" if rate < 99.95 else f"{rate:,.0f}/s"


def _organisations(organisations: Sequence[Organisation], width: int) -> list[Line]:
    longest = max((cell_len(one.name) for one in organisations), default=0)
    room = width - 1 - sum(size for _, size in COLUMNS)
    name_width = min(max(longest, NAME_WIDTHS[0]), NAME_WIDTHS[1], max(room, NAME_WIDTHS[0]))
    heading = " " + set_cell_size("organisation", name_width) + "".join(f"{name:>{size}}" for name, size in COLUMNS)
    return [(Span(heading, Style.DIM),), *(_organisation(one, name_width) for one in organisations)]


def _organisation(one: Organisation, name_width: int) -> Line:
    name = one.name if cell_len(one.name) <= name_width else set_cell_size(one.name, name_width - 1) + "…"
    cells = (
        f"{one.webhooks:,}",
        f"{one.changes:,}",
        "-" if one.minute_left is None else f"{one.minute_left:,}",
        "-" if one.day_left is None else f"{one.day_left:,}",
        f"{one.backlog:,}",
    )
    texts = [f"{cell:>{size}}" for cell, (_, size) in zip(cells, COLUMNS, strict=False)]
    fresh, style = _fresh(one)
    return (
        Span(" " + set_cell_size(name, name_width)),
        Span("".join(texts)),
        Span(f"{fresh:>{COLUMNS[-1][1]}}", style),
    )


def _fresh(one: Organisation) -> tuple[str, Style]:
    if one.parked is not None:
        return "limited", Style.BAD
    if one.oldest is None or one.oldest < 1.0:
        return "now", Style.GOOD
    return duration(one.oldest), Style.PLAIN if one.oldest < 5 else Style.BAD


def _sums(picture: Picture, width: int) -> Line:
    left = f" webhook → change   p50 {duration(picture.p50)}   p99 {duration(picture.p99)}"
    right = f"{ratio(picture.events, picture.calls)} "
    gap = max(2, width - cell_len(left) - cell_len(right))
    return (Span(left), Span(" " * gap), Span(right))


def ratio(events: int, calls: int) -> str:
    """``1,000 events → 7 calls``."""
    return f"{events:,} event{'' if events == 1 else 's'} → {calls:,} call{'' if calls == 1 else 's'}"


def _body(picture: Picture, room: int, width: int) -> list[Line]:
    if room <= 0:
        return []
    if picture.help:
        told = [(Span(f" {part}"),) for line in picture.help for part in filled(line, width - 1)]
        return [*told[:room], *[EMPTY] * (room - len(told))]
    verdict: list[Line] = []
    for line in picture.verdict:
        style = Style.PLAIN if verdict else Style.STRONG
        verdict += [(Span(f" {part}", style),) for part in wrapped(line, width - 1)]
    if verdict:
        verdict = [*verdict[: max(1, room - 1)], EMPTY][:room]
    lines = room - len(verdict)
    changes = picture.changes[-lines:] if lines else ()
    shown: list[Line] = [(Span(f" {line}"),) for line in changes]
    return [*verdict, *shown, *[EMPTY] * (room - len(verdict) - len(shown))]


def wrapped(line: str, width: int) -> list[str]:
    """A line broken between its parts (`` · ``) where it is too wide.

    Args:
        line: parts joined by `` · ``.
        width: most columns of a line.
    """
    lines: list[str] = []
    for part in line.split(" · "):
        if lines and cell_len(lines[-1]) + 3 + cell_len(part) <= width:
            lines[-1] = f"{lines[-1]} · {part}"
        else:
            lines.append(part)
    return lines


def filled(line: str, width: int) -> list[str]:
    """A line broken between words where it is too wide; what follows is indented as its text.

    Args:
        line: a key, two spaces, text.
        width: most columns of a line.
    """
    return (
        textwrap.wrap(line, max(width, 8), subsequent_indent="   ", drop_whitespace=False)
        if cell_len(line) > width
        else [line]
    )


def _note(picture: Picture) -> Line:
    return (Span(f" {picture.notes[-1]}", Style.STRONG),) if picture.notes else EMPTY


def _keys(width: int) -> Line:
    labels = [(key.value, key.label) for key in Key]
    if sum(cell_len(key) + cell_len(label) + 3 for key, label in labels) > width:
        labels = [(key, label.split()[0]) for key, label in labels]
    spans: list[Span] = []
    for key, label in labels:
        spans += [Span(f" {key}", Style.STRONG), Span(f" {label} ", Style.DIM)]
    return tuple(spans)


def _cut(line: Line, width: int) -> Line:
    if cell_len(text_of(line)) <= width:
        return line
    room, kept = max(0, width - 1), []
    for span in line:
        size = cell_len(span.text)
        if size <= room:
            kept.append(span)
            room -= size
        else:
            kept.append(Span(set_cell_size(span.text, room).rstrip(), span.style))
            break
    return (*kept, Span("…")) if width else EMPTY
