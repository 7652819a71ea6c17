"""Reports agree with the books they are written from, and with each other."""

import random
from typing import Any

import pytest

from simulator.accounting_api.reports.table import REPORTS, write_report
from simulator.books.amounts import RATE_ONE
from simulator.books.budget import Budget
from simulator.books.chart import PAYABLE, RECEIVABLE
from simulator.books.organisation import Organisation
from simulator.books.words import Endpoint
from simulator.edits.editor import edit
from simulator.edits.kinds import EditKind, Wish
from simulator.errors import RefusedError
from tests.unit.simulator import builders
from tests.unit.simulator.builders import CUSTOMER, DAY, NOW, credit_note, guid, invoice, payment

FOREVER = "2030-01-31"


def report(books: Organisation, name: str, **given: str) -> dict[str, Any]:
    """A report."""
    return write_report(books, REPORTS[name], given, NOW)


def cells(document: dict[str, Any]) -> dict[str, list[str]]:
    """First cell → the others, of every row with a name."""
    rows = [row for section in document["Rows"] for row in section.get("Rows", [section])]
    return {row["Cells"][0]["Value"]: [cell["Value"] for cell in row["Cells"][1:]] for row in rows}


def cents(text: str) -> int:
    """An amount of a report."""
    return round(float(text) * 100)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_aged_reports_add_up_to_the_control_accounts(seed: int) -> None:
    """The closing balances of all contacts are what the ledger has, refunds and all; rounding of currencies apart."""
    books, source = builders.sample(seed), random.Random(seed)
    for step in range(6):
        edit(source, books, Wish(endpoint=Endpoint.PAYMENTS, kind=EditKind.CREATE), NOW + step)
    foreign = sum(one.currency_rate != RATE_ONE for one in (*books.invoices, *books.credit_notes))

    for name, code, sign in (
        ("agedreceivablesbycontact", RECEIVABLE, 1),
        ("agedpayablesbycontact", PAYABLE, -1),
    ):
        closing = [
            cells(report(books, name, contactid=contact.id, date=FOREVER))["Closing Balance"][-1]
            for contact in books.contacts
        ]
        ledger = sign * books.ledger.balances(10**6).get(books.account_ids[code], 0)
        assert abs(sum(map(cents, closing)) - ledger) <= 2 * foreign
        assert ledger != 0


def test_an_aged_report_shows_what_is_open_and_how_late() -> None:
    """What was before the first day is in the opening balance; credit counts against it; what is paid is left out."""
    books = builders.organisation(
        invoice(1, date=DAY - 90, due_date=DAY - 60),
        invoice(2, payments=(payment(1500),)),
        invoice(3, payments=(payment(11_500, 701),)),
        credit_note(100, date=DAY - 5),
    )

    document = report(books, "agedreceivablesbycontact", contactid=CUSTOMER, fromdate="2026-10-01")
    rows = [row for section in document["Rows"][2:] for row in section["Rows"]]
    texts = [[cell["Value"] for cell in row["Cells"]] for row in rows]

    assert document["ReportTitles"][1:3] == ["Ridgeway University", "From 1 October 2026 to 18 November 2026"]
    assert [cell["Value"] for cell in document["Rows"][1]["Rows"][0]["Cells"]][1::6] == ["Opening Balance", "115.00"]
    assert texts[0][1:] == ["INV-0002", "2026-11-08T00:00:00", "10 days overdue", "115.00", "15.00", "0.00", "100.00"]
    assert texts[1][1:] == ["CN-0100", "", "", "-115.00", "0.00", "0.00", "-115.00"]
    assert texts[2] == ["Total", "", "", "", "0.00", "15.00", "0.00", "-15.00"]
    assert texts[3][-1] == "100.00"
    assert rows[0]["Cells"][0]["Attributes"] == [{"Value": guid(2), "Id": "invoiceID"}]


@pytest.mark.parametrize(
    ("name", "given", "titles", "columns"),
    [
        ("trialbalance", {}, ["Trial Balance", "As at 18 November 2026"], "YTD Credit"),
        ("balancesheet", {}, ["Balance Sheet", "As at 30 November 2026"], "30 Nov 2025"),
        ("balancesheet", {"date": "2028-2-29"}, ["Balance Sheet", "As at 29 February 2028"], "28 Feb 2027"),
        ("profitandloss", {}, ["Profit & Loss", "1 November 2026 to 30 November 2026"], "30 Nov 26"),
        (
            "profitandloss",
            {"fromdate": "2026-02-01", "todate": "2026-03-05"},
            ["Profit & Loss", "1 February 2026 to 5 March 2026"],
            "5 Mar 26",
        ),
        ("banksummary", {}, ["Bank Summary", "From 1 November 2026 to 30 November 2026"], "Closing Balance"),
        (
            "banksummary",
            {"todate": "2026-12-31"},
            ["Bank Summary", "From 1 December 2026 to 31 December 2026"],
            "Closing Balance",
        ),
        ("executivesummary", {}, ["Executive Summary", "For the month of November 2026"], "Variance"),
        ("budgetsummary", {}, ["Overall Budget", "Budget Summary", "November 2026 to October 2027"], "Oct-27"),
        (
            "agedpayablesbycontact",
            {"contactid": CUSTOMER},
            ["Invoices", "From 18 November 2026 to 18 November 2026", "Showing payments to 18 November 2026"],
            "Due",
        ),
    ],
)
def test_titles_and_columns_are_those_of_xeros_examples(
    name: str, given: dict[str, str], titles: list[str], columns: str
) -> None:
    """With the organisation's or the contact's name between them; where no day is given, it is the one that Xero takes."""
    books = builders.organisation()
    document = report(books, name, **given)
    subject = "Ridgeway University" if name.startswith("aged") else books.company().name

    assert [title for title in document["ReportTitles"] if title != subject] == titles
    assert subject in document["ReportTitles"]
    assert document["Rows"][0]["Cells"][-1]["Value"] == columns


def test_a_balance_sheet_has_the_year_before_beside_it() -> None:
    """What was there then, in the second column."""
    books = builders.organisation(invoice(1, date=DAY - 400), invoice(2))
    found = cells(report(books, "balancesheet"))

    assert found["Net Assets"] == ["200.00", "100.00"]
    assert found["Total Equity"] == found["Net Assets"]


@pytest.mark.parametrize(("given", "status"), [({}, 400), ({"contactid": "x"}, 400), ({"contactid": guid(9)}, 404)])
def test_an_aged_report_is_of_a_contact(given: dict[str, str], status: int) -> None:
    """One that there is."""
    with pytest.raises(RefusedError) as refused:
        report(builders.organisation(), "agedpayablesbycontact", **given)

    assert refused.value.reply.status == status


def test_the_executive_summary_agrees_with_the_other_reports() -> None:
    """Profit and loss of the month, balance sheet of its last day, bank summary."""
    books = builders.sample(1, invoices=120)
    span = {"fromdate": "2026-03-01", "todate": "2026-03-31"}

    found = cells(report(books, "executivesummary", date="2026-03-14"))
    profit = cells(report(books, "profitandloss", **span))
    sheet = cells(report(books, "balancesheet", date="2026-03-31"))
    bank = cells(report(books, "banksummary", **span))["Total"]

    assert found["Profit (loss)"][0] == profit["Net Profit"][0] != "0.00"
    assert found["Direct costs"][0] == profit["Total Cost of Sales"][0]
    assert found["Net assets"][0] == sheet["Net Assets"][0] != "0.00"
    assert [found[name][0] for name in ("Cash received", "Cash spent", "Closing bank balance")] == bank[1:]
    assert cents(found["Debtors"][0]) == books.ledger.balances(20_543).get(books.account_ids[RECEIVABLE], 0)
    issued = [one for one in books.invoices if one.type == "ACCREC" and 20_513 <= one.date <= 20_543]
    assert int(found["Number of invoices issued"][0]) <= len(issued)


def test_the_executive_summary_compares_two_months() -> None:
    """Titles, columns, and how much more it is; nothing to compare with is nothing."""
    document = report(builders.organisation(invoice(1), invoice(2, date=DAY)), "executivesummary")
    found = cells(document)

    assert document["ReportTitles"][-1] == "For the month of November 2026"
    assert [cell["Value"] for cell in document["Rows"][0]["Cells"]] == ["", "Nov 2026", "Oct 2026", "Variance"]
    assert (found["Debtors"], found["Average debtors days"][0]) == (["230.00", "115.00", "100.0%"], "69.00")
    assert (found["Gross profit margin"], found["Number of invoices issued"]) == (
        ["100.0%", "100.0%", "0.0%"],
        ["1", "1", "0.0%"],
    )
    assert found["Term assets to liabilities"] == ["", "", "0.0%"]


def test_a_budget_is_summed_by_period() -> None:
    """Columns named for their last month; net profit is income less expenses."""
    books = builders.sample(1)
    (budget,) = books.of(Budget)
    year = {line.account_code: sum(amount for _, amount in line.months) for line in budget.lines}

    document = report(books, "budgetsummary", date="2026-01-10", periods="4", timeframe="3")
    found = cells(document)

    assert document["ReportTitles"][-1] == "January 2026 to December 2026"
    assert [cell["Value"] for cell in document["Rows"][0]["Cells"]] == [
        "Account",
        "Mar-26",
        "Jun-26",
        "Sep-26",
        "Dec-26",
    ]
    assert sum(map(cents, found["Total Income"])) == year["200"]
    assert sum(map(cents, found["Total Expenses"])) == year["400"] + year["429"]
    assert sum(map(cents, found["Net Profit"])) == year["200"] - year["400"] - year["429"]
    with pytest.raises(RefusedError):
        report(books, "budgetsummary", periods="13")
