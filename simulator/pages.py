"""The generated parts of ``docs/simulator.md``: coverage, routes, faults, edits, settings. ``python -m simulator.pages FILE`` writes them."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.gaps import GAPS
from simulator.accounting_api.query import OF_INVOICES
from simulator.accounting_api.reports.table import REPORTS
from simulator.accounting_api.writers.table import WRITES, Verb
from simulator.app import create_app
from simulator.books.words import Endpoint
from simulator.edits.kinds import WEIGHTS
from simulator.edits.others import OTHERS
from simulator.faults.plan import APPLIES, Fault
from simulator.webhooks.events import CATEGORY
from xero_stream.settings.simulator import SimulatorSettings

_MARK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def routes() -> list[str]:
    """Every route, with the first line of its handler's docstring."""
    app = create_app(SimulatorSettings(tenants=0))
    rows = [
        (route.resource.canonical.removesuffix("{slash}"), route.method, _first_line(route.handler.__doc__))
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    ]
    return _table(("route", "what"), ((f"`{method} {path}`", text) for path, method, text in sorted(rows)))


def faults() -> list[str]:
    """Every kind of fault, what it can spoil, and what it does."""
    kinds = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Fault)[0])}
    rows = []
    for kind, operations in APPLIES.items():
        fields = [f"`{field.alias or name}`" for name, field in kinds[kind].model_fields.items() if name != "kind"]
        rows.append((f"`{kind}`", ", ".join(sorted(operations)), ", ".join(fields), _first_line(kinds[kind].__doc__)))
    return _table(("kind", "operations", "fields", "what"), rows)


def edits() -> list[str]:
    """Every kind of edit and how often it is drawn."""
    rows = (
        (f"`{kind}`", f"`{endpoint}`", f"{weight:g}" if weight else "-") for (endpoint, kind), weight in WEIGHTS.items()
    )
    return _table(("kind", "endpoint", "weight"), rows)


def others() -> list[str]:
    """What can be done to the other kinds of record."""
    kinds: dict[str, list[str]] = {}
    for endpoint, kind in OTHERS:
        kinds.setdefault(f"`{endpoint}`", []).append(f"`{kind}`")
    return _table(("endpoint", "kinds"), ((endpoint, ", ".join(some)) for endpoint, some in kinds.items()))


def coverage() -> list[str]:
    """Every endpoint: how its lists are read, what is announced, what is edited and written."""
    rows = []
    for endpoint, facts in sorted(FACTS.items()):
        takes = [
            *(["`IDs`"] if facts.by_ids else []),
            *(["`where`"] if facts.where else []),
            *(["`order`"] if facts.order else []),
            *(["`summaryOnly`"] if facts.summary_only else []),
            *([f"`{facts.unhide}`"] if facts.unhide else []),
            *(f"`{name}`" for name in (*(OF_INVOICES if endpoint is Endpoint.INVOICES else ()), *facts.filters)),
        ]
        edited = any(at is endpoint for at, _ in (*WEIGHTS, *OTHERS))
        rows.append(
            (
                f"`{endpoint}`",
                facts.paging.value,
                "yes" if facts.modified_since else "ignored",
                ", ".join(takes) or "-",
                CATEGORY.get(endpoint, "-"),
                "yes" if edited else "-",
                ", ".join(verb for verb in Verb if endpoint in WRITES and verb in WRITES[endpoint].verbs) or "501",
            )
        )
    head = ("endpoint", "list", "If-Modified-Since", "takes", "webhook", "edits", "writes")
    return _table(head, rows)


def reports() -> list[str]:
    """Reports that are modelled."""
    return [", ".join(f"`{report.name}`" for report in REPORTS.values()) + "; every other one answers 501."]


def gaps() -> list[str]:
    """Every field that a client may write and that comes back otherwise."""
    rows = (
        (
            ", ".join(f"`{path}`" for path in gap.paths),
            ", ".join(f"`{one}`" for one in sorted(gap.of)) or "all",
            gap.why,
        )
        for gap in GAPS
    )
    return _table(("fields", "of", "why"), rows)


def settings() -> list[str]:
    """Every setting."""
    rows = []
    for name, field in SimulatorSettings.model_fields.items():
        default = "" if field.default is None or "secret" in name or "key" in name else f"`{field.default}`"
        option = f"`--{name.replace('_', '-')}`"
        rows.append((option, f"`{field.alias}`", default, _markdown(field.description or "")))
    return _table(("option", "variable", "default", "what"), rows)


def render(text: str) -> str:
    """The page with its generated parts as they are now."""
    parts = {
        "routes": routes,
        "faults": faults,
        "edits": edits,
        "others": others,
        "coverage": coverage,
        "reports": reports,
        "gaps": gaps,
        "settings": settings,
    }

    def part(match: re.Match[str]) -> str:
        return match[1] + "\n".join(parts[match[2]]()) + "\n" + match[3]

    return _MARK.sub(part, text)


def _first_line(text: str | None) -> str:
    return _markdown((text or "").strip().partition("\n")[0])


def _markdown(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"| {' | '.join('---' for _ in head)} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the generated parts into the page named."""
    (name,) = arguments
    page = Path(name)
    page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
