"""Cells, rows and dates of reports, as Xero writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simulator import spelling
from simulator.books.account import Account
from simulator.books.amounts import DAY_MS, Cents, Day
from simulator.errors import RefusedError, unparsable

Row = dict[str, Any]


def day_of(given: Mapping[str, str], name: str, usual: Day) -> Day:
    """The day of a parameter; ``usual`` where it isn't given.

    Raises:
        RefusedError: it can't be parsed.
    """
    text = given.get(name)
    if not text:
        return usual
    day = spelling.day_of(text)
    if day is None:
        raise RefusedError(unparsable(name))
    return day


def month_start(day: Day) -> Day:
    """The first of its month."""
    return day - datetime.fromtimestamp(day * DAY_MS / 1000, UTC).day + 1


def month_end(day: Day) -> Day:
    """The last of its month."""
    return month_start(month_start(day) + 31) - 1


def year_before(day: Day) -> Day:
    """The same date a year earlier; the end of February for its 29th."""
    found = datetime.fromtimestamp(day * DAY_MS / 1000, UTC)
    last = found.month == 2 and found.day == 29
    earlier = found.replace(year=found.year - 1, day=28 if last else found.day)
    return int(earlier.timestamp()) * 1000 // DAY_MS


def short_date(day: Day, year: str = "%Y") -> str:
    """``14 Nov 2019``; ``14 Nov 19`` with a ``year`` of ``%y``."""
    return f"{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%d %b {year}}".lstrip("0")


def long_date(day: Day) -> str:
    """``14 November 2019``."""
    return f"{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%d %B %Y}".lstrip("0")


def amount(cents: Cents) -> str:
    """Two decimals."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def sides(net: Cents) -> tuple[str, str]:
    """A balance as debit and credit."""
    return (amount(net), "") if net >= 0 else ("", amount(-net))


def header(*texts: str) -> Row:
    """The names of the columns."""
    return {"RowType": "Header", "Cells": [{"Value": text} for text in texts]}


def section(title: str, rows: list[Row]) -> Row:
    """Rows under a title."""
    return {"RowType": "Section", "Title": title, "Rows": rows}


def account_row(account: Account, *texts: str, mark: str = "account") -> Row:
    """A row of an account, each cell with its id."""
    attributes = [{"Value": account.id, "Id": mark}]
    cells = [{"Value": text, "Attributes": attributes} for text in (f"{account.name} ({account.code})", *texts)]
    return {"RowType": "Row", "Cells": cells}


def plain(kind: str, *texts: str) -> Row:
    """A row of texts."""
    return {"RowType": kind, "Cells": [{"Value": text} for text in texts]}


def summary(*texts: str) -> Row:
    """A row of sums."""
    return plain("SummaryRow", *texts)
