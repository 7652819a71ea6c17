"""The registry as a page for people, ``docs/entities.md``: its tables are made from the rows.

``python -m xero_api.reference docs/entities.md`` writes them between the markers.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xero_api.entity import Entity, Form, Full, Key, LeftOut, Offset, Pages, Stamp, UpdateAt, Whole, Writes
from xero_api.registry import ENTITIES, VIEWS
from xero_api.reports import REPORTS
from xero_api.requests import OFFSET_SIZE, PAGE_SIZE
from xero_stream.contracts.reference import between
from xero_stream.settings.xero import AppTier

BEGIN = "<!-- made by xero_api.reference: begin -->"
END = "<!-- made by xero_api.reference: end -->"

_WHOLE = {Full.EVERYWHERE: "every read", Full.LISTS: "lists", Full.SINGLY: "single reads"}
_FORMS = {Form.ONE: "single reads", Form.IDS: "batches by id", Form.PAGE: "pages", Form.WRITE: "answers to writes"}
_UNSIZED = 100
"""Records of a page where Xero lets nobody choose."""


def reference() -> str:
    """The tables, as Markdown."""
    return "\n".join((*_reading(), *_forms(), *_meaning(), *_writing(), *_views(), *_reports(), *_differences()))


def renewed(page: str) -> str:
    """The page with current tables.

    Args:
        page: the page, with both markers.

    Raises:
        ValueError: a marker is missing.
    """
    return between(page, BEGIN, END, reference())


def _reading() -> Iterator[str]:
    yield from _table(
        "How they are read",
        ("entity", "Xero's path", "id", "lists", "changed since", "many by id", "whole in", "always asks", "filters"),
        (
            (
                entity.name,
                f"`{entity.path}`",
                f"`{entity.id_field}`" + (" (a code)" if entity.key is Key.WORD else ""),
                _lists(entity.paging),
                "yes" if entity.modified_since else "",
                f"{entity.by_ids.limit} by `{entity.by_ids.parameter}`" if entity.by_ids else "",
                _WHOLE[entity.full],
                _words(f"{name}={value}" for name, value in entity.always.items()),
                _words(sorted(entity.filters)),
            )
            for entity in ENTITIES
        ),
    )


def _lists(paging: Pages | Offset | Whole) -> str:
    match paging:
        case Pages():
            size = PAGE_SIZE if paging.sized else _UNSIZED
            return f"pages of {size:,}" + (", never with `order`" if paging.drop_order else "")
        case Offset():
            return f"{OFFSET_SIZE} after a `{paging.number_field}`"
        case Whole():
            return "at once"


def _forms() -> Iterator[str]:
    where: Mapping[tuple[LeftOut, tuple[str, ...]], list[str]] = defaultdict(list)
    for entity in ENTITIES:
        forms: Mapping[LeftOut, list[str]] = defaultdict(list)
        for form, fields in entity.leaves_out.items():
            for field in fields:
                forms[field].append(_FORMS[form])
        for field, names in forms.items():
            where[field, tuple(names)].append(entity.name)
    yield from _table(
        "What a form leaves out",
        ("field", "ours", "in", "of", "kept for", "given without it"),
        (
            (
                f"`{field.xeros}`",
                f"`{field.ours}`",
                ", ".join(forms),
                ", ".join(names),
                _words(" and ".join(fields) for fields in field.same) if field.same else "the same stamp",
                _words(sorted(field.skews)),
            )
            for (field, forms), names in where.items()
        ),
    )


def _meaning() -> Iterator[str]:
    yield from _table(
        "What they mean",
        ("entity", "webhook", "version", "status", "deleted when", "can vanish", "scope", "from the tier", "billed"),
        (
            (
                entity.name,
                _words(filter(None, [entity.webhook])),
                f"`{entity.stamp.value}`" if entity.stamp is not Stamp.NONE else "the whole record",
                _words(filter(None, [entity.status_field])),
                _gone(entity),
                "yes" if entity.vanishes else "",
                f"`{entity.scope.reading}`",
                "" if entity.scope.tier is AppTier.STARTER else entity.scope.tier,
                "yes" if entity.billed else "",
            )
            for entity in ENTITIES
        ),
    )


def _gone(entity: Entity[Any]) -> str:
    ways = [f"`{status}`: {reason}" for status, reason in entity.gone.items()]
    if entity.merged_into:
        ways.append(f"it has `{entity.merged_into}`: merged")
    return "; ".join(ways)


def _writing() -> Iterator[str]:
    yield from _table(
        "How they are written, and what hangs below",
        ("entity", "create", "update", "rows a call", "delete", "found again by", "below it"),
        ((entity.name, *_written(entity.writes), _words(sorted(entity.parts))) for entity in ENTITIES),
    )


def _written(writes: Writes | None) -> tuple[str, str, str, str, str]:
    if writes is None or not (writes.create or writes.update):
        return ("", "", "", "", "")
    steps = (f"{'any' if status == '*' else status} → {to}" for status, to in writes.delete.items())
    return (
        writes.create or "",
        f"{writes.update}{' id' if writes.update_at is UpdateAt.RECORD else ''}" if writes.update else "",
        str(writes.many),
        "DELETE id" if writes.removed else ", ".join(steps),
        f"`{writes.natural_key}`" if writes.natural_key else "",
    )


def _views() -> Iterator[str]:
    rows = ((view.name, view.entity.name, _words(f"{k}: {word}" for k, word in view.only.items())) for view in VIEWS)
    yield from _table("Views: some records of a kind, under a name of their own", ("view", "of", "those with"), rows)


def _reports() -> Iterator[str]:
    yield from _table(
        "Reports",
        ("report", "Xero's path", "needs", "takes", "scope"),
        (
            (
                name,
                f"`Reports/{report.path}`",
                _words(sorted(report.needs)),
                _words(sorted(report.takes)),
                f"`{report.scope.reading}`",
            )
            for name, report in REPORTS.items()
        ),
    )


def _differences() -> Iterator[str]:
    where: Mapping[tuple[str, str], list[str]] = defaultdict(list)
    for entity in ENTITIES:
        for field, reason in entity.differs.items():
            where[field, reason].append(entity.name)
    yield from _table(
        "Where this is not what Xero's OpenAPI says",
        ("field of the row", "entities", "why"),
        ((f"`{field}`", ", ".join(names), reason) for (field, reason), names in sorted(where.items())),
    )


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"## {title}", "", f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |")
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def main(arguments: list[str]) -> int:
    """Renew the page named.

    Args:
        arguments: the page's path.
    """
    page = Path(arguments[0])
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
