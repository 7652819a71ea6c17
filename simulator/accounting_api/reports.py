"""Reports that follow from the journals: trial balance, balance sheet, profit and loss, bank summary. Pure.

Cells are texts, as Xero's are. Balances are of the day asked for, in the organisation's own currency; comparison periods
and tracking aren't modelled.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from simulator.accounting_api.errors import RefusedError, unparsable
from simulator.books.account import Account
from simulator.books.amounts import DAY_MS, Cents, Day
from simulator.books.organisation import Organisation

Report = Callable[[Organisation, Mapping[str, str], Day], list[dict[str, Any]]]

_SECTIONS = (
    ("Revenue", "REVENUE"),
    ("Expenses", "EXPENSE"),
    ("Assets", "ASSET"),
    ("Liabilities", "LIABILITY"),
    ("Equity", "EQUITY"),
)


def trial_balance(books: Organisation, given: Mapping[str, str], today: Day) -> list[dict[str, Any]]:
    """Every account with a balance, debit or credit; the totals of both are equal."""
    day = _day(given, "date", today)
    year = books.ledger.balances(day)
    month = books.ledger.balances(day, since=_month_start(day))
    rows = [_header("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")]
    for title, group in _SECTIONS:
        found = [account for account in _of(books, group) if year.get(account.id)]
        cells = ((account, *_sides(month.get(account.id, 0)), *_sides(year[account.id])) for account in found)
        rows.append(_section(title, [_row(account, *texts) for account, *texts in cells]))
    debit = sum(amount for amount in year.values() if amount > 0)
    moved = sum(amount for amount in month.values() if amount > 0)
    rows.append(_section("", [_summary("Total", *(_text(sum_) for sum_ in (moved, moved, debit, debit)))]))
    return rows


def balance_sheet(books: Organisation, given: Mapping[str, str], today: Day) -> list[dict[str, Any]]:
    """Assets less liabilities, and the equity that is the same; what was earned is equity."""
    day = _day(given, "date", today)
    balances = books.ledger.balances(day)
    earned = -sum(balances.get(one.id, 0) for group in ("REVENUE", "EXPENSE") for one in _of(books, group))
    rows = [_header("", _long(day))]
    totals: dict[str, Cents] = {}
    for title, group, sign in (("Assets", "ASSET", 1), ("Liabilities", "LIABILITY", -1), ("Equity", "EQUITY", -1)):
        accounts = [account for account in _of(books, group) if balances.get(account.id)]
        totals[title] = sign * sum(balances[account.id] for account in accounts)
        lines = [_row(account, _text(sign * balances[account.id])) for account in accounts]
        if group == "EQUITY":
            totals[title] += earned
            lines.append(_plain("Row", "Current Year Earnings", _text(earned)))
        rows.append(_section(title, [*lines, _summary(f"Total {title}", _text(totals[title]))]))
        if group == "LIABILITY":
            net = totals["Assets"] - totals["Liabilities"]
            rows.append(_section("", [_plain("Row", "Net Assets", _text(net))]))
    return rows


def profit_and_loss(books: Organisation, given: Mapping[str, str], today: Day) -> list[dict[str, Any]]:
    """Income, cost of sales and expenses from one day to another; this month where nothing is said."""
    until = _day(given, "todate", today)
    balances = books.ledger.balances(until, since=_day(given, "fromdate", _month_start(until)))
    rows = [_header("", _long(until))]
    sums: dict[str, Cents] = {}
    parts: tuple[tuple[str, Callable[[Account], bool], int], ...] = (
        ("Income", lambda one: one.group == "REVENUE", -1),
        ("Less Cost of Sales", lambda one: one.type == "DIRECTCOSTS", 1),
        ("Less Operating Expenses", lambda one: one.group == "EXPENSE" and one.type != "DIRECTCOSTS", 1),
    )
    for title, belongs, sign in parts:
        accounts = [account for account in books.of(Account) if belongs(account) and balances.get(account.id)]
        sums[title] = sign * sum(balances[account.id] for account in accounts)
        lines = [_row(account, _text(sign * balances[account.id])) for account in accounts]
        total = f"Total {title.removeprefix('Less ')}"
        rows.append(_section(title, [*lines, _summary(total, _text(sums[title]))]))
        if title == "Less Cost of Sales":
            gross = sums["Income"] - sums[title]
            rows.append(_section("", [_plain("Row", "Gross Profit", _text(gross))]))
    profit = sums["Income"] - sums["Less Cost of Sales"] - sums["Less Operating Expenses"]
    rows.append(_section("", [_plain("Row", "Net Profit", _text(profit))]))
    return rows


def bank_summary(books: Organisation, given: Mapping[str, str], today: Day) -> list[dict[str, Any]]:
    """What came into and went out of each bank account; this month where nothing is said."""
    until = _day(given, "todate", today)
    since = _day(given, "fromdate", _month_start(until))
    opening = books.ledger.balances(since - 1)
    rows = [_header("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance")]
    lines, totals = [], [0, 0, 0, 0]
    for account in (one for one in books.of(Account) if one.type == "BANK"):
        received, spent = _moved(books, account.id, since, until)
        before = opening.get(account.id, 0)
        sums = (before, received, spent, before + received - spent)
        totals = [total + one for total, one in zip(totals, sums, strict=True)]
        lines.append(_row(account, *(_text(one) for one in sums), mark="accountID"))
    rows.append(_section("", [*lines, _summary("Total", *(_text(one) for one in totals))]))
    return rows


REPORTS: dict[str, tuple[str, str, Report]] = {
    "trialbalance": ("TrialBalance", "Trial Balance", trial_balance),
    "balancesheet": ("BalanceSheet", "Balance Sheet", balance_sheet),
    "profitandloss": ("ProfitAndLoss", "Profit and Loss", profit_and_loss),
    "banksummary": ("BankSummary", "Bank Summary", bank_summary),
}
"""Path segment in lower case → Xero's name, its title, and who writes it. Other reports are 501."""


def report(books: Organisation, name: str, given: Mapping[str, str], now_ms: int) -> dict[str, Any]:
    """A report as Xero answers it.

    Args:
        books: whose.
        name: a key of :data:`REPORTS`.
        given: query parameters, names in lower case.
        now_ms: the time.

    Raises:
        RefusedError: a date can't be parsed.
    """
    report_id, title, write = REPORTS[name]
    today = now_ms // DAY_MS
    return {
        "ReportID": report_id,
        "ReportName": title,
        "ReportType": report_id,
        "ReportTitles": [title, books.company().name, f"As at {_long(today)}"],
        "ReportDate": _long(today),
        "UpdatedDateUTC": f"/Date({now_ms})/",
        "Fields": [],
        "Rows": write(books, given, today),
    }


def _of(books: Organisation, group: str) -> Iterable[Account]:
    return [account for account in books.of(Account) if account.group == group]


def _moved(books: Organisation, account_id: str, since: Day, until: Day) -> tuple[Cents, Cents]:
    nets = [
        line.net
        for journal in books.ledger.after(0)
        if since <= journal.date <= until
        for line in journal.lines
        if line.account_id == account_id
    ]
    return sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0)


def _day(given: Mapping[str, str], name: str, usual: Day) -> Day:
    text = given.get(name)
    if not text:
        return usual
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000 // DAY_MS
    except ValueError:
        raise RefusedError(unparsable(name)) from None


def _month_start(day: Day) -> Day:
    return day - datetime.fromtimestamp(day * DAY_MS / 1000, UTC).day + 1


def _long(day: Day) -> str:
    return f"{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%d %B %Y}".lstrip("0")


def _text(cents: Cents) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _sides(net: Cents) -> tuple[str, str]:
    """A balance as debit and credit."""
    return (_text(net), "") if net >= 0 else ("", _text(-net))


def _header(*texts: str) -> dict[str, Any]:
    return {"RowType": "Header", "Cells": [{"Value": text} for text in texts]}


def _section(title: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"RowType": "Section", "Title": title, "Rows": rows}


def _row(account: Account, *texts: str, mark: str = "account") -> dict[str, Any]:
    attributes = [{"Value": account.id, "Id": mark}]
    cells = [{"Value": text, "Attributes": attributes} for text in (f"{account.name} ({account.code})", *texts)]
    return {"RowType": "Row", "Cells": cells}


def _plain(kind: str, *texts: str) -> dict[str, Any]:
    return {"RowType": kind, "Cells": [{"Value": text} for text in texts]}


def _summary(*texts: str) -> dict[str, Any]:
    return _plain("SummaryRow", *texts)
