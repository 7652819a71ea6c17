"""The documentation agrees with the code."""

from pathlib import Path

from simulator.pages import render

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_the_generated_tables_are_current() -> None:
    """If not: ``python -m simulator.pages docs/simulator.md``."""
    text = PAGE.read_text(encoding="utf-8")

    assert render(text) == text


def test_every_table_is_there() -> None:
    """Routes, edits, faults and settings, each with rows."""
    stripped = "".join(
        f"<!-- generated: {name} -->\n<!-- end -->\n" for name in ("routes", "edits", "faults", "settings")
    )

    text = render(stripped)

    for word in ("`POST /_sim/edits`", "`touch_without_stamp`", "`rate_limit`", "`--webhook-retry-seconds`"):
        assert word in text
        assert word in PAGE.read_text(encoding="utf-8")


def test_every_route_is_explained() -> None:
    """No row without words."""
    rows = render("<!-- generated: routes -->\n<!-- end -->").splitlines()[3:-1]

    assert len(rows) >= 28
    assert all(row.rstrip(" |").count("|") == 2 for row in rows)
