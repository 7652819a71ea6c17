"""Budget summary: what the overall budget has, by account and period."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from simulator.accounting_api.reports.cells import Row, account_row, amount, day_of, header, section, summary
from simulator.books.account import Account
from simulator.books.amounts import Cents, Day
from simulator.books.budget import Budget
from simulator.books.organisation import Organisation
from simulator.errors import RefusedError, unparsable

_EPOCH = date(1970, 1, 1).toordinal()
_TIMEFRAMES = (1, 3, 12)


class Month(NamedTuple):
    """A month, that others can be counted from."""

    year: int
    month: int

    def plus(self, months: int) -> "Month":
        """So many months later."""
        years, month = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, month + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def text(self, pattern: str) -> str:
        """As a date's format has it."""
        return date(self.year, self.month, 1).strftime(pattern)


def month_of(day: Day) -> Month:
    """The month a day is in."""
    found = date.fromordinal(_EPOCH + day)
    return Month(found.year, found.month)


def _periods(given: Mapping[str, str], today: Day) -> list[list[Month]]:
    """The months of each column: twelve of one month, unless ``periods`` and ``timeframe`` say otherwise."""
    first = month_of(day_of(given, "date", today))
    count, length = _whole(given, "periods", 12, range(1, 13)), _whole(given, "timeframe", 1, _TIMEFRAMES)
    return [[first.plus(start + place) for place in range(length)] for start in range(0, count * length, length)]


def _whole(given: Mapping[str, str], name: str, usual: int, allowed: Iterable[int]) -> int:
    text = given.get(name) or str(usual)
    if not text.isdecimal() or int(text) not in allowed:
        raise RefusedError(unparsable(name))
    return int(text)


def budget_titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
    """Which budget, the organisation, and from which month to which."""
    periods = _periods(given, today)
    return [
        "Overall Budget",
        "Budget Summary",
        books.company().name,
        f"{periods[0][0].text('%B %Y')} to {periods[-1][-1].text('%B %Y')}",
    ]


def budget_summary(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """The overall budget; a column is named for its last month."""
    periods = _periods(given, today)
    lines: dict[str, list[Cents]] = {}
    for budget in books.of(Budget):
        if budget.type == "OVERALL":
            for line in budget.lines:
                by_month = dict(line.months)
                lines[line.account_id] = [sum(by_month.get(str(month), 0) for month in months) for months in periods]
    found = [account for account in books.of(Account) if account.id in lines]
    nothing = [0] * len(periods)

    def of(accounts: list[Account]) -> list[Cents]:
        return [sum(column) for column in zip(nothing, *(lines[one.id] for one in accounts), strict=True)]

    def rows(accounts: list[Account]) -> list[Row]:
        return [account_row(one, *map(amount, lines[one.id])) for one in accounts]

    income = [one for one in found if one.group == "REVENUE"]
    direct = [one for one in found if one.type == "DIRECTCOSTS"]
    spent = [one for one in found if one.group == "EXPENSE" and one.type != "DIRECTCOSTS"]
    gross = [mine - cost for mine, cost in zip(of(income), of(direct), strict=True)]
    net = [mine - cost for mine, cost in zip(gross, of(spent), strict=True)]
    return [
        header("Account", *(months[-1].text("%b-%y") for months in periods)),
        section("Income", [*rows(income), summary("Total Income", *map(amount, of(income)))]),
        section("Less Cost of Sales", [*rows(direct), summary("Total Cost of Sales", *map(amount, of(direct)))]),
        section("", [summary("Gross Profit", *map(amount, gross))]),
        section("Less Operating Expenses", rows(spent)),
        section("", [summary("Total Expenses", *map(amount, of(spent)))]),
        section("", [summary("Net Profit", *map(amount, net))]),
    ]
