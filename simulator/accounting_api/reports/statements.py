"""Trial balance, balance sheet, profit and loss, bank summary: straight from the journals."""

from collections.abc import Callable, Iterable, Mapping

from simulator.accounting_api.reports.cells import (
    Row,
    account_row,
    amount,
    day_of,
    header,
    long_date,
    month_end,
    month_start,
    plain,
    section,
    short_date,
    sides,
    summary,
    year_before,
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


def trial_balance_titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
    """The organisation, and as of when."""
    return ["Trial Balance", books.company().name, f"As at {long_date(day_of(given, 'date', today))}"]


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


def balance_sheet_titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
    """The organisation, and as of when: the end of this month where nothing is said."""
    return ["Balance Sheet", books.company().name, f"As at {long_date(day_of(given, 'date', month_end(today)))}"]


def balance_sheet(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """Assets less liabilities, and the equity that is the same; what was earned is equity. Beside it a year before."""
    day = day_of(given, "date", month_end(today))
    days = (day, year_before(day))
    columns = [books.ledger.balances(one) for one in days]
    accounts = [one for one in books.of(Account) if any(balances.get(one.id) for balances in columns)]

    def sums(group: str, sign: int) -> list[Cents]:
        return [sign * sum(balances.get(one.id, 0) for one in accounts if one.group == group) for balances in columns]

    earned = [-sum(pair) for pair in zip(sums("REVENUE", 1), sums("EXPENSE", 1), strict=True)]
    rows = [header("", *map(short_date, days))]
    totals: dict[str, list[Cents]] = {}
    for title, group, sign in (("Assets", "ASSET", 1), ("Liabilities", "LIABILITY", -1), ("Equity", "EQUITY", -1)):
        totals[title] = sums(group, sign)
        lines = [
            account_row(account, *(amount(sign * balances.get(account.id, 0)) for balances in columns))
            for account in accounts
            if account.group == group
        ]
        if group == "EQUITY":
            totals[title] = [sum(pair) for pair in zip(totals[title], earned, strict=True)]
            lines.append(plain("Row", "Current Year Earnings", *map(amount, earned)))
        rows.append(section(title, [*lines, summary(f"Total {title}", *map(amount, totals[title]))]))
        if group == "LIABILITY":
            net = [mine - owed for mine, owed in zip(totals["Assets"], totals["Liabilities"], strict=True)]
            rows.append(section("", [plain("Row", "Net Assets", *map(amount, net))]))
    return rows


def _period(given: Mapping[str, str], today: Day) -> tuple[Day, Day]:
    """From which day to which: all of this month where nothing is said."""
    until = day_of(given, "todate", month_end(today))
    return day_of(given, "fromdate", month_start(until)), until


def profit_and_loss_titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
    """The organisation, and from when to when."""
    since, until = _period(given, today)
    return ["Profit & Loss", books.company().name, f"{long_date(since)} to {long_date(until)}"]


def profit_and_loss(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """Income, cost of sales and expenses from one day to another."""
    since, until = _period(given, today)
    balances = books.ledger.balances(until, since=since)
    rows = [header("", short_date(until, "%y"))]
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


def bank_summary_titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
    """The organisation, and from when to when."""
    since, until = _period(given, today)
    return ["Bank Summary", books.company().name, f"From {long_date(since)} to {long_date(until)}"]


def bank_summary(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """What came into and went out of each bank account."""
    since, until = _period(given, today)
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
