"""The registry as a page: what people read is what the rows say."""

from pathlib import Path

import pytest

from xero_api.reference import main, reference, renewed
from xero_api.registry import BILLS, ENTITIES
from xero_api.reports import REPORTS

PAGE = Path(__file__).parents[2] / "docs" / "entities.md"


def _rows(title: str) -> dict[str, list[str]]:
    """A table's cells by the first of each row."""
    _, _, rest = reference().partition(f"## {title}")
    _, *rows = (line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| "))
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {name: found for name, *found in cells if name != "---"}


def test_the_page_is_current() -> None:
    """``python -m xero_api.reference docs/entities.md`` renews it."""
    text = PAGE.read_text(encoding="utf-8")

    assert renewed(text) == text


@pytest.mark.parametrize("title", ["How they are read", "What they mean", "How they are written"])
def test_every_row_is_in_every_table(title: str) -> None:
    """In the registry's order, each with as many cells as the head."""
    rows = _rows(title)

    assert list(rows) == [entity.name for entity in ENTITIES]
    assert len({len(cells) for cells in rows.values()}) == 1


def test_what_a_row_says_is_told() -> None:
    """The odd ones of each table."""
    read, mean, written = _rows("How they are read"), _rows("What they mean"), _rows("How they are written")

    assert read["journals"][2] == "100 after a `JournalNumber`"
    assert read["manual-journals"][2:5] == ["pages of 1,000, never with `order`", "yes", "20 by `where`"]
    assert read["tax-rates"][1:3] == ["`TaxType` (a code)", "at once"]
    assert mean["journals"][5:] == ["`accounting.journals.read`", "advanced", "yes"]
    assert mean["organisations"][7] == ""
    assert mean["contacts"][3] == "`GDPRREQUEST`: erased; it has `MergedToContactID`: merged"
    assert written["accounts"][:4] == ["PUT", "POST id", "1", "DELETE id"]
    assert written["quotes"][3] == "any → DELETED"
    assert written["prepayments"] == ["", "", "", "", "", "`Allocations`, `History`"]


def test_views_reports_and_differences_are_all_there() -> None:
    """A difference once, with every kind it is about."""
    assert list(_rows("Views")) == [BILLS.name]
    assert list(_rows("Reports")) == list(REPORTS)
    told = reference().partition("## Where this is not")[2].splitlines()
    for entity in ENTITIES:
        for field, reason in entity.differs.items():
            [line] = [one for one in told if one.startswith(f"| `{field}` |") and one.endswith(f"| {reason} |")]
            assert entity.name in line.split("|")[2].replace(" ", "").split(",")


def test_writing_keeps_the_rest_of_the_page(tmp_path: Path) -> None:
    """Only what is between the markers is replaced; a page without them is refused rather than overwritten."""
    page = tmp_path / "entities.md"
    page.write_text(
        PAGE.read_text(encoding="utf-8").replace("pages of", "heaps of").replace("# Xero's kinds", "# Mine")
    )

    assert main([str(page)]) == 0

    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8").replace("# Xero's kinds", "# Mine")
    with pytest.raises(ValueError, match="markers"):
        renewed("nothing here")
