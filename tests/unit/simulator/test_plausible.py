"""Drawn books are such as an accountant would believe."""

import functools

import pytest

from simulator.books.account import Account
from simulator.books.amounts import DAY_MS, in_base
from simulator.books.chart import BANK, RECEIVABLE, SAVINGS
from simulator.books.invoice import InvoiceType
from simulator.books.organisation import Organisation
from simulator.books.words import DocumentStatus
from simulator.sample.organisations import FIRST_MS, LAST_MS
from tests.unit.simulator import builders

FIRST, LAST = FIRST_MS // DAY_MS, LAST_MS // DAY_MS

SIZES = [(seed, invoices) for seed in range(1, 7) for invoices in (100, 600)]


@functools.cache
def drawn(seed: int, invoices: int) -> Organisation:
    """Books of a seed; they are only read."""
    return builders.sample(seed, contacts=max(invoices // 10, 12), invoices=invoices, credit_notes=invoices // 20)


def sums(books: Organisation) -> dict[str, int]:
    """Profit and loss of the whole time, in cents: income, direct costs, other costs."""
    balances = books.ledger.balances(LAST)
    found = {"income": 0, "direct": 0, "other": 0}
    for account in books.of(Account):
        if account.group == "REVENUE":
            found["income"] -= balances.get(account.id, 0)
        elif account.group == "EXPENSE":
            found["direct" if account.type == "DIRECTCOSTS" else "other"] += balances.get(account.id, 0)
    return found


@pytest.mark.parametrize(("seed", "invoices"), SIZES)
def test_what_is_sold_is_income_and_what_is_bought_is_a_cost(seed: int, invoices: int) -> None:
    """Line by line, in invoices and credit notes."""
    books = drawn(seed, invoices)
    groups = {account.code: account.group for account in books.of(Account)}

    for document in (*books.invoices, *books.credit_notes):
        wanted = "REVENUE" if document.type.startswith("ACCREC") else "EXPENSE"
        assert {groups[line.account_code] for line in document.lines} == {wanted}


@pytest.mark.parametrize(("seed", "invoices"), SIZES)
def test_margins(seed: int, invoices: int) -> None:
    """A gross margin of 35 to 72 percent; a profit of 10 to 60, before wages, which are not in these books."""
    found = sums(drawn(seed, invoices))
    gross = found["income"] - found["direct"]
    net = gross - found["other"]

    assert 0.35 < gross / found["income"] < 0.72, found
    assert 0.1 < net / found["income"] < 0.6, found


@pytest.mark.parametrize(("seed", "invoices"), SIZES)
def test_aged_debt(seed: int, invoices: int) -> None:
    """Customers owe less than three months' sales, and little of it for long."""
    books = drawn(seed, invoices)
    income = sums(books)["income"]
    owed = books.ledger.balances(LAST).get(books.account_ids[RECEIVABLE], 0)
    old = sum(
        in_base(one.amount_due, one.currency_rate)
        for one in books.invoices
        if one.type is InvoiceType.ACCREC and one.status is DocumentStatus.AUTHORISED and one.due_date < LAST - 90
    )

    assert 0 < owed < income / 4
    assert old < income / 12


@pytest.mark.parametrize(("seed", "invoices"), SIZES)
def test_cash(seed: int, invoices: int) -> None:
    """Neither bank account is ever overdrawn, nor does it hold more than was ever earned and put in."""
    books = drawn(seed, invoices)
    for day in range(FIRST, LAST, 7):
        balances = books.ledger.balances(day)
        assert all(balances.get(books.account_ids[code], 0) >= 0 for code in (BANK, SAVINGS)), day
    end = books.ledger.balances(LAST)
    assert 0 < end[books.account_ids[BANK]] < sums(books)["income"]


def test_payments_come_after_their_invoices() -> None:
    """Days or weeks later, most of them."""
    books = drawn(1, 600)
    lags = [payment.date - invoice.date for invoice in books.invoices for payment in invoice.payments]

    assert min(lags) >= 0
    assert sorted(lags)[len(lags) // 2] > 7
