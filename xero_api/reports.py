"""Reports: what Xero works out of the books, as tables for people. One row per report; requests and answers. Pure.

They are no records: they have no id and no version, and travel as Xero sends them (rows of cells, amounts as text).
Checked against Xero's published OpenAPI by ``tests/registry``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from xero_api.answers import error_of
from xero_api.entity import Scope
from xero_api.envelope import open_envelope
from xero_api.errors import UnmappableAnswerError
from xero_api.meta import Meta, read_meta
from xero_api.requests import API_PATH, check_texts
from xero_api.verdicts import Subject


class ReportName(StrEnum):
    """Kebab-case: URL segment, metric label and CLI word."""

    AGED_PAYABLES = "aged-payables"
    AGED_RECEIVABLES = "aged-receivables"
    BALANCE_SHEET = "balance-sheet"
    BANK_SUMMARY = "bank-summary"
    BUDGET_SUMMARY = "budget-summary"
    EXECUTIVE_SUMMARY = "executive-summary"
    PROFIT_AND_LOSS = "profit-and-loss"
    TRIAL_BALANCE = "trial-balance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One kind of report.

    Attributes:
        name: our word.
        path: Xero's path segment below ``/api.xro/2.0/Reports/``.
        scope: OAuth scope needed.
        needs: parameters that must be given.
        takes: parameters that may be given.
    """

    name: ReportName
    path: str
    scope: Scope
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


_TRACKED = {"trackingCategoryID", "trackingCategoryID2", "trackingOptionID", "trackingOptionID2"}

REPORTS: Mapping[ReportName, Report] = {
    report.name: report
    for report in (
        Report(
            name=ReportName.AGED_PAYABLES,
            path="AgedPayablesByContact",
            scope=Scope.REPORTS_AGED,
            needs=frozenset({"contactId"}),
            takes=frozenset({"date", "fromDate", "toDate"}),
        ),
        Report(
            name=ReportName.AGED_RECEIVABLES,
            path="AgedReceivablesByContact",
            scope=Scope.REPORTS_AGED,
            needs=frozenset({"contactId"}),
            takes=frozenset({"date", "fromDate", "toDate"}),
        ),
        Report(
            name=ReportName.BALANCE_SHEET,
            path="BalanceSheet",
            scope=Scope.REPORTS_BALANCE_SHEET,
            takes=frozenset(
                {"date", "periods", "timeframe", "trackingOptionID1", "trackingOptionID2"}
                | {"standardLayout", "paymentsOnly"}
            ),
        ),
        Report(
            name=ReportName.BANK_SUMMARY,
            path="BankSummary",
            scope=Scope.REPORTS_BANK_SUMMARY,
            takes=frozenset({"fromDate", "toDate"}),
        ),
        Report(
            name=ReportName.BUDGET_SUMMARY,
            path="BudgetSummary",
            scope=Scope.REPORTS_BUDGET_SUMMARY,
            takes=frozenset({"date", "periods", "timeframe"}),
        ),
        Report(
            name=ReportName.EXECUTIVE_SUMMARY,
            path="ExecutiveSummary",
            scope=Scope.REPORTS_EXECUTIVE_SUMMARY,
            takes=frozenset({"date"}),
        ),
        Report(
            name=ReportName.PROFIT_AND_LOSS,
            path="ProfitAndLoss",
            scope=Scope.REPORTS_PROFIT_AND_LOSS,
            takes=frozenset(
                {"fromDate", "toDate", "periods", "timeframe", "standardLayout", "paymentsOnly"} | _TRACKED
            ),
        ),
        Report(
            name=ReportName.TRIAL_BALANCE,
            path="TrialBalance",
            scope=Scope.REPORTS_TRIAL_BALANCE,
            takes=frozenset({"date", "paymentsOnly"}),
        ),
    )
}
"""Every report, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """One report to ask for.

    Attributes:
        report: which.
        params: query parameters in order, not yet encoded.
    """

    report: Report
    params: tuple[tuple[str, str], ...]

    @property
    def endpoint(self) -> str:
        """A bounded label, e.g. ``Reports/TrialBalance``."""
        return f"Reports/{self.report.path}"

    @property
    def target(self) -> str:
        """Path and query."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.params)
        return f"{API_PATH}/{self.endpoint}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """A report.

    Attributes:
        request: what was asked.
        raw: the report as Xero sent it: ``ReportName``, ``ReportTitles``, ``Rows`` …
        meta: what the headers say.
    """

    request: ReportRequest
    raw: Mapping[str, Any]
    meta: Meta


def get_report(name: ReportName, parameters: Mapping[str, str] | None = None) -> ReportRequest:
    """A report.

    Args:
        parameters: Xero's, by its names; dates as ``YYYY-MM-DD``.

    Raises:
        TypeError: a parameter is no str.
        ValueError: there is no such report, or it takes no such parameter, or needs another.
    """
    if name not in REPORTS:
        raise ValueError(f"no report {name!r}; there are {', '.join(REPORTS)}")
    report, given = REPORTS[name], dict(parameters or {})
    missing = sorted(report.needs - given.keys())
    if missing:
        raise ValueError(f"{name} needs {', '.join(missing)}")
    unknown = sorted(given.keys() - report.needs - report.takes)
    if unknown:
        raise ValueError(
            f"{name} takes no {', '.join(unknown)}; it takes {', '.join(sorted(report.needs | report.takes))}"
        )
    check_texts(report.name, given)
    return ReportRequest(report=report, params=tuple(given.items()))


def decipher_report(request: ReportRequest, status: int, headers: Mapping[str, str], body: bytes) -> ReportAnswer:
    """Make sense of an answer.

    Args:
        headers: response headers, names in lower case.

    Raises:
        XeroError: one of ``xero_api.errors``, by status and body.
    """
    if status != HTTPStatus.OK:
        raise error_of(request.endpoint, status, headers, body, Subject.PART)
    meta = read_meta(headers)
    reports = open_envelope(request.endpoint, "Reports", body, meta)["Reports"]
    if len(reports) != 1:
        message = f"{request.endpoint}: {len(reports)} reports in the answer"
        raise UnmappableAnswerError(message, status=status, meta=meta, body=body)
    return ReportAnswer(request=request, raw=reports[0], meta=meta)
