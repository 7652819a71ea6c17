"""Which reports there are. Pure.

Cells are texts, as Xero's are. Balances are of the day asked for, in the organisation's own currency; comparison periods
(beyond those of a budget) and tracking aren't modelled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.accounting_api.reports.aged import PAYABLES, RECEIVABLES, aged, aged_titles
from simulator.accounting_api.reports.budget import budget_summary, budget_titles
from simulator.accounting_api.reports.cells import Row, long_date
from simulator.accounting_api.reports.executive import executive_summary, executive_titles
from simulator.accounting_api.reports.statements import (
    balance_sheet,
    balance_sheet_titles,
    bank_summary,
    bank_summary_titles,
    profit_and_loss,
    profit_and_loss_titles,
    trial_balance,
    trial_balance_titles,
)
from simulator.books.amounts import DAY_MS, Day
from simulator.books.organisation import Organisation

Write = Callable[[Organisation, Mapping[str, str], Day], list[Row]]
Titles = Callable[[Organisation, Mapping[str, str], Day], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report.

    Attributes:
        title: its name for people; without spaces, Xero's.
        write: its rows, by the query's parameters (names in lower case) and the day.
        titles: what stands above them. Source: published OpenAPI's and developer.xero.com's examples.
        scope: what opens it, where that isn't its name.
    """

    title: str
    write: Write
    titles: Titles
    scope: str = ""

    @property
    def name(self) -> str:
        """Xero's name, as in its address."""
        return self.title.replace(" ", "").replace("and", "And")

    @property
    def scopes(self) -> frozenset[str]:
        """Granular and old broad scopes that open it, without ``.read``."""
        return frozenset({"accounting.reports", f"accounting.reports.{self.scope or self.name.lower()}"})


REPORTS: Mapping[str, Report] = {
    report.name.lower(): report
    for report in (
        Report(title="Trial Balance", write=trial_balance, titles=trial_balance_titles),
        Report(title="Balance Sheet", write=balance_sheet, titles=balance_sheet_titles),
        Report(title="Profit and Loss", write=profit_and_loss, titles=profit_and_loss_titles),
        Report(title="Bank Summary", write=bank_summary, titles=bank_summary_titles),
        Report(title="Budget Summary", write=budget_summary, titles=budget_titles),
        Report(title="Executive Summary", write=executive_summary, titles=executive_titles),
        Report(
            title="Aged Receivables By Contact", write=aged(RECEIVABLES), titles=aged_titles(RECEIVABLES), scope="aged"
        ),
        Report(title="Aged Payables By Contact", write=aged(PAYABLES), titles=aged_titles(PAYABLES), scope="aged"),
    )
}
"""Path segment in lower case → report. Other reports are 501."""


def write_report(books: Organisation, report: Report, given: Mapping[str, str], now_ms: int) -> dict[str, Any]:
    """A report as Xero answers it.

    Args:
        given: query parameters, names in lower case.

    Raises:
        RefusedError: a parameter is missing, or can't be parsed.
    """
    today = now_ms // DAY_MS
    return {
        "ReportID": report.name,
        "ReportName": report.title,
        "ReportType": report.name,
        "ReportTitles": report.titles(books, given, today),
        "ReportDate": long_date(today),
        "UpdatedDateUTC": f"/Date({now_ms})/",
        "Fields": [],
        "Rows": report.write(books, given, today),
    }
