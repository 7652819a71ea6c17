"""Trial balance, balance sheet, profit and loss, bank summary: straight from the journals."""

from collections.abc import Callable, Iterable, Mapping

from simulator.accounting_api.reports.cells import (
    Row,
    account_row,
    amount,
    day_of,
    header,
    long_date,
    month_start,
    plain,
    section,
    sides,
    summary,
)
from simulator.books.account import Account
from simulator.books.amounts import Cents, Day
from simulator.books.organisation import Organisation

_SECTIONS = (
    ("Revenue", "REVENUE"),
    ("Expenses", "EXPENSE"),
    ("Assets", "ASSET"),
    ("Liabilities", "LIABILITY"),
    ("Equity", "EQUITY"),
)


def trial_balance(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """Every account with a balance, debit or credit; the totals of both are equal."""
    day = day_of(given, "date", today)
    year = books.ledger.balances(day)
    month = books.ledger.balances(day, since=month_start(day))
    rows = [header("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")]
    for title, group in _SECTIONS:
        found = [account for account in in_group(books, group) if year.get(account.id)]
        cells = ((account, *sides(month.get(account.id, 0)), *sides(year[account.id])) for account in found)
        rows.append(section(title, [account_row(account, *texts) for account, *texts in cells]))
    debit = sum(amount for amount in year.values() if amount > 0)
    moved = sum(amount for amount in month.values() if amount > 0)
    rows.append(section("", [summary("Total", *(amount(sum_) for sum_ in (moved, moved, debit, debit)))]))
    return rows


def balance_sheet(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """Assets less liabilities, and the equity that is the same; what was earned is equity."""
    day = day_of(given, "date", today)
    balances = books.ledger.balances(day)
    earned = -sum(balances.get(one.id, 0) for group in ("REVENUE", "EXPENSE") for one in in_group(books, group))
    rows = [header("", long_date(day))]
    totals: dict[str, Cents] = {}
    for title, group, sign in (("Assets", "ASSET", 1), ("Liabilities", "LIABILITY", -1), ("Equity", "EQUITY", -1)):
        accounts = [account for account in in_group(books, group) if balances.get(account.id)]
        totals[title] = sign * sum(balances[account.id] for account in accounts)
        lines = [account_row(account, amount(sign * balances[account.id])) for account in accounts]
        if group == "EQUITY":
            totals[title] += earned
            lines.append(plain("Row", "Current Year Earnings", amount(earned)))
        rows.append(section(title, [*lines, summary(f"Total {title}", amount(totals[title]))]))
        if group == "LIABILITY":
            net = totals["Assets"] - totals["Liabilities"]
            rows.append(section("", [plain("Row", "Net Assets", amount(net))]))
    return rows


def profit_and_loss(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """Income, cost of sales and expenses from one day to another; this month where nothing is said."""
    until = day_of(given, "todate", today)
    balances = books.ledger.balances(until, since=day_of(given, "fromdate", month_start(until)))
    rows = [header("", long_date(until))]
    sums: dict[str, Cents] = {}
    parts: tuple[tuple[str, Callable[[Account], bool], int], ...] = (
        ("Income", lambda one: one.group == "REVENUE", -1),
        ("Less Cost of Sales", lambda one: one.type == "DIRECTCOSTS", 1),
        ("Less Operating Expenses", lambda one: one.group == "EXPENSE" and one.type != "DIRECTCOSTS", 1),
    )
    for title, belongs, sign in parts:
        accounts = [account for account in books.of(Account) if belongs(account) and balances.get(account.id)]
        sums[title] = sign * sum(balances[account.id] for account in accounts)
        lines = [account_row(account, amount(sign * balances[account.id])) for account in accounts]
        total = f"Total {title.removeprefix('Less ')}"
        rows.append(section(title, [*lines, summary(total, amount(sums[title]))]))
        if title == "Less Cost of Sales":
            gross = sums["Income"] - sums[title]
            rows.append(section("", [plain("Row", "Gross Profit", amount(gross))]))
    profit = sums["Income"] - sums["Less Cost of Sales"] - sums["Less Operating Expenses"]
    rows.append(section("", [plain("Row", "Net Profit", amount(profit))]))
    return rows


def bank_summary(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """What came into and went out of each bank account; this month where nothing is said."""
    until = day_of(given, "todate", today)
    since = day_of(given, "fromdate", month_start(until))
    opening = books.ledger.balances(since - 1)
    rows = [header("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance")]
    lines, totals = [], [0, 0, 0, 0]
    for account in (one for one in books.of(Account) if one.type == "BANK"):
        received, spent = moved(books, account.id, since, until)
        before = opening.get(account.id, 0)
        sums = (before, received, spent, before + received - spent)
        totals = [total + one for total, one in zip(totals, sums, strict=True)]
        lines.append(account_row(account, *(amount(one) for one in sums), mark="accountID"))
    rows.append(section("", [*lines, summary("Total", *(amount(one) for one in totals))]))
    return rows


def in_group(books: Organisation, group: str) -> Iterable[Account]:
    """The accounts of a class."""
    return [account for account in books.of(Account) if account.group == group]


def moved(books: Organisation, account_id: str, since: Day, until: Day) -> tuple[Cents, Cents]:
    """What came into an account and what went out of it."""
    nets = [
        line.net
        for journal in books.ledger.after(0)
        if since <= journal.date <= until
        for line in journal.lines
        if line.account_id == account_id
    ]
    return sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0)
