"""Xero's spellings of dates, numbers and money."""

from datetime import UTC, datetime

from orjson import Fragment

from simulator.books.amounts import DAY_MS, PERCENT, Cents, Day, TenThousandths


def ms_date(at_ms: int) -> str:
    """A moment: ``/Date(1541176290160+0000)/``, milliseconds, UTC."""
    return f"/Date({at_ms}+0000)/"


def day_date(day: Day) -> str:
    """A calendar date, written as midnight UTC."""
    return f"/Date({day * DAY_MS}+0000)/"


def day_string(day: Day) -> str:
    """A calendar date's ``…String`` twin."""
    return datetime.fromtimestamp(day * DAY_MS / 1000, UTC).strftime("%Y-%m-%dT00:00:00")


def second_string(at_ms: int) -> str:
    """``UpdatedDateUTCString``: ISO with ``Z``, milliseconds lost."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(cents: Cents) -> Fragment:
    """Two decimals, as a JSON number."""
    return Fragment(_decimals(cents, 100, 2))


def quantity(amount: TenThousandths) -> Fragment:
    """Four decimals, as a JSON number."""
    return Fragment(_decimals(amount, 10_000, 4))


def unit_amount(amount: TenThousandths) -> Fragment:
    """Four decimals where they matter, else two."""
    whole, rest = divmod(amount, 100)
    return quantity(amount) if rest else money(whole)


def currency_rate(rate: int) -> Fragment:
    """Ten decimals, as a JSON number."""
    return Fragment(_decimals(rate, 10**10, 10))


def percent(hundredths: int) -> Fragment:
    """A percentage with two decimals."""
    return money(hundredths)


def tax_percent(rate: int) -> Fragment:
    """A rate of tax: a percentage with four decimals."""
    return Fragment(_decimals(rate, PERCENT, 4))


def _decimals(value: int, one: int, digits: int) -> bytes:
    sign, (whole, rest) = ("-" if value < 0 else ""), divmod(abs(value), one)
    return f"{sign}{whole}.{rest:0{digits}d}".encode()
