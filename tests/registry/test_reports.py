"""The table of reports against Xero's published OpenAPI."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from xero_api.entity import Scope
from xero_api.reports import REPORTS, Report

OPENAPI = Path(__file__).parents[2] / ".." / "shared" / "openapi" / "xero_accounting.yaml"

LEFT_OUT = {
    "/Reports": "names of reports that were published in Xero, for tax agents",
    "/Reports/{ReportID}": "one of those",
    "/Reports/TenNinetyNine": "a form of the United States, not one of the books",
}
"""Paths of the file that are no report of ours, with the reason."""


@pytest.fixture(scope="module")
def document() -> Any:
    """The file, if it lies beside the repository."""
    if not OPENAPI.is_file():
        pytest.skip("Xero's OpenAPI file is not at ../shared/openapi: nothing to compare the reports with")
    return yaml.load(OPENAPI.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_parameters_are_the_files(document: Any, report: Report) -> None:
    """Each that the file knows and no other; those that must be given are those it requires."""
    shared = document["components"]["parameters"]
    given = document["paths"][f"/Reports/{report.path}"]["get"].get("parameters", [])
    listed = [shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in given]

    assert report.needs == {one["name"] for one in listed if one.get("required")}
    assert report.needs | report.takes == {one["name"] for one in listed}
    assert report.scope in {scope for scope in Scope if scope.name.startswith("REPORTS_")}


def test_every_report_of_the_file_has_its_row(document: Any) -> None:
    """Or a reason not to."""
    paths = {path for path in document["paths"] if path.startswith("/Reports")}

    assert paths == {f"/Reports/{report.path}" for report in REPORTS.values()} | LEFT_OUT.keys()
