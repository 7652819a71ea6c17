"""The reference of the records in the documentation."""

import re
from pathlib import Path

import pytest

from tests.support.xero_records import TENANT, example
from xero_api.decode import decode
from xero_api.registry import INVOICES
from xero_stream.contracts.records.invoice import Invoice
from xero_stream.contracts.reference import main, reference, renewed

PAGE = Path(__file__).parents[4] / "docs" / "records.md"


def test_the_page_is_current() -> None:
    """Its tables are those of the models: run the module to renew them."""
    text = PAGE.read_text(encoding="utf-8")

    assert renewed(text) == text


def test_every_field_has_a_row_and_links_lead_somewhere() -> None:
    """Each field of each model, and a heading for each part that is linked."""
    text = reference()

    for name in Invoice.model_fields:
        assert f"| `{name}` |" in text
    headings = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\(#(\w+)\)", text)) <= headings


def test_writing_keeps_the_rest_of_the_page(tmp_path: Path) -> None:
    """Only what is between the markers is replaced."""
    page = tmp_path / "records.md"
    page.write_text(PAGE.read_text().replace("list of", "lots of").replace("# Unified records", "# Mine"))

    assert main([str(page)]) == 0

    assert page.read_text() == PAGE.read_text().replace("# Unified records", "# Mine")


def test_a_page_without_markers_is_refused() -> None:
    """Rather than overwritten."""
    with pytest.raises(ValueError, match="markers"):
        renewed("nothing here")


def test_the_example_on_the_page_works() -> None:
    """A change's ``after``, already parsed, is read as shown."""
    invoice = Invoice.read(INVOICES.unified(TENANT, decode(example("invoices", "one"))["Invoices"][0]))

    assert invoice.contact is not None
    assert invoice.contact.name == "Ridgeway University"
