"""Reports: requests, answers, and the way through the client; the view of bills beside them."""

from datetime import UTC, date, datetime
from typing import Any, cast

import httpx
import pytest

from tests.unit.xero_api.rig import TENANT, Xero
from xero_api.call import Outcome, Priority
from xero_api.calling.context import CallContext
from xero_api.decode import encode
from xero_api.errors import (
    BadRequestError,
    GarbledAnswerError,
    RateLimitedError,
    UnauthorisedError,
    UnmappableAnswerError,
)
from xero_api.registry import BILLS, INVOICES, VIEWS
from xero_api.reports import REPORTS, ReportName, decipher_report, get_report
from xero_api.requests import get_page
from xero_stream.contracts.names import DEFAULT_APP

REPORT = {"ReportName": "Trial Balance", "Rows": [{"RowType": "Header", "Cells": [{"Value": "Account"}]}]}
TRIAL_BALANCE = get_report(ReportName.TRIAL_BALANCE, {"date": "2026-03-31", "paymentsOnly": "false"})


def _body(*reports: Any) -> bytes:
    return encode({"Status": "OK", "Reports": list(reports)})


def test_a_report_as_it_is_asked_for() -> None:
    """Parameters in the order given, by Xero's names."""
    assert TRIAL_BALANCE.target == "/api.xro/2.0/Reports/TrialBalance?date=2026-03-31&paymentsOnly=false"
    assert TRIAL_BALANCE.endpoint == "Reports/TrialBalance"
    assert get_report(ReportName.BANK_SUMMARY).target == "/api.xro/2.0/Reports/BankSummary"


def test_parameters_are_checked_before_the_network() -> None:
    """What is missing and what is unknown is named, with the report."""
    with pytest.raises(ValueError, match="aged-receivables needs contactId"):
        get_report(ReportName.AGED_RECEIVABLES, {"date": "2026-03-31"})
    with pytest.raises(ValueError, match="executive-summary takes no month; it takes date"):
        get_report(ReportName.EXECUTIVE_SUMMARY, {"month": "3"})
    with pytest.raises(ValueError, match="no report 'cash-flow'; there are aged-payables, "):
        get_report(cast("Any", "cash-flow"))
    with pytest.raises(TypeError, match="trial-balance: date is a str as Xero writes it, not date"):
        get_report(ReportName.TRIAL_BALANCE, {"date": cast("Any", date(2026, 3, 31))})
    assert get_report(ReportName.AGED_PAYABLES, {"contactId": "a&b"}).target.endswith("?contactId=a%26b")


def test_every_name_has_its_report() -> None:
    """Names and rows are the same set."""
    assert set(REPORTS) == set(ReportName)


def test_an_answer_is_the_report_as_xero_sent_it() -> None:
    """Without the envelope."""
    assert decipher_report(TRIAL_BALANCE, 200, {}, _body(REPORT)).raw == REPORT


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>", GarbledAnswerError),
        (200, b"[]", UnmappableAnswerError),
        (200, b'{"Reports":{}}', UnmappableAnswerError),
        (200, _body(), UnmappableAnswerError),
        (200, _body(5), UnmappableAnswerError),
        (200, _body(REPORT, REPORT), UnmappableAnswerError),
        (400, b"", BadRequestError),
        (401, b"", UnauthorisedError),
        (429, b"", RateLimitedError),
    ],
)
def test_other_answers_are_typed_errors(status: int, body: bytes, error: type[Exception]) -> None:
    """By status first, then by shape."""
    with pytest.raises(error):
        decipher_report(TRIAL_BALANCE, status, {"xero-correlation-id": "c"}, body)


async def test_a_report_through_the_client() -> None:
    """To the tenant, told as a call of its own."""
    xero = Xero(lambda _: httpx.Response(200, stream=httpx.ByteStream(_body(REPORT))))

    report = await xero.client.report(CallContext(DEFAULT_APP, TENANT), TRIAL_BALANCE)

    assert report.raw == REPORT
    (request,), (call,) = xero.asked, xero.told
    assert str(request.url) == f"https://api.example{TRIAL_BALANCE.target}"
    assert request.headers["xero-tenant-id"] == TENANT
    assert (call.endpoint, call.priority, call.outcome) == ("Reports/TrialBalance", Priority.COMMAND, Outcome.OK)


def test_bills_are_the_invoices_of_suppliers() -> None:
    """A list is asked for them alone; a record read in another way tells whether it is one."""
    request = get_page(BILLS.entity, datetime(2026, 1, 1, tzinfo=UTC), filters=BILLS.filters)

    assert BILLS.entity is INVOICES
    assert "&where=Type%3D%3D%22ACCPAY%22&" in request.query
    assert BILLS.shows({"Type": "ACCPAY"})
    assert not BILLS.shows({"Type": "ACCREC"})
    assert not BILLS.shows({})
    for view in VIEWS:
        assert view.filters.keys() <= view.entity.filters
        assert view.only
