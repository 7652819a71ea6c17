"""Executive summary: a month beside the one before it. The formulas are those that fit Xero's published example."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from simulator.accounting_api.reports.budget import month_of
from simulator.accounting_api.reports.cells import Row, amount, day_of, header, month_start, plain, section
from simulator.accounting_api.reports.statements import moved
from simulator.books.account import Account
from simulator.books.amounts import Cents, Day
from simulator.books.chart import PAYABLE, RECEIVABLE
from simulator.books.invoice import InvoiceType
from simulator.books.organisation import Organisation
from simulator.books.words import DocumentStatus

_ISSUED = (DocumentStatus.AUTHORISED, DocumentStatus.PAID)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Month:
    """Sums of a month, in cents; balances are those at its end."""

    days: int
    received: Cents
    spent: Cents
    bank: Cents
    income: Cents
    direct: Cents
    other: Cents
    expenses: Cents
    debtors: Cents
    creditors: Cents
    assets: Cents
    liabilities: Cents
    current: tuple[Cents, Cents]
    term: tuple[Cents, Cents]
    issued: int
    issued_value: Cents

    @property
    def gross(self) -> Cents:
        """Gross profit."""
        return self.income - self.direct

    @property
    def profit(self) -> Cents:
        """What is left."""
        return self.gross + self.other - self.expenses

    @property
    def net(self) -> Cents:
        """Net assets."""
        return self.assets - self.liabilities


def executive_titles(books: Organisation, given: Mapping[str, str], today: Day) -> list[str]:
    """The organisation, and which month."""
    return [
        "Executive Summary",
        books.company().name,
        f"For the month of {month_of(day_of(given, 'date', today)).text('%B %Y')}",
    ]


def executive_summary(books: Organisation, given: Mapping[str, str], today: Day) -> list[Row]:
    """Cash, profitability, balance sheet, income, performance, position."""
    first = month_start(day_of(given, "date", today))
    following = month_start(first + 31)
    before = month_start(first - 1)
    this, last = _month(books, first, following - 1), _month(books, before, first - 1)

    def row(name: str, of: Callable[[_Month], Fraction | Cents | None], show: Callable[[Fraction], str]) -> Row:
        here, there = of(this), of(last)
        texts = ("" if one is None else show(Fraction(one)) for one in (here, there))
        return plain("Row", name, *texts, _variance(here, there))

    return [
        header("", month_of(first).text("%b %Y"), month_of(before).text("%b %Y"), "Variance"),
        section("Cash", [
            row("Cash received", lambda one: one.received, _money),
            row("Cash spent", lambda one: one.spent, _money),
            row("Cash surplus (deficit)", lambda one: one.received - one.spent, _money),
            row("Closing bank balance", lambda one: one.bank, _money),
        ]),
        section("Profitability", [
            row("Income", lambda one: one.income, _money),
            row("Direct costs", lambda one: one.direct, _money),
            row("Gross profit (loss)", lambda one: one.gross, _money),
            row("Other Income", lambda one: one.other, _money),
            row("Expenses", lambda one: one.expenses, _money),
            row("Profit (loss)", lambda one: one.profit, _money),
        ]),
        section("Balance Sheet", [
            row("Debtors", lambda one: one.debtors, _money),
            row("Creditors", lambda one: one.creditors, _money),
            row("Net assets", lambda one: one.net, _money),
        ]),
        section("Income", [
            row("Number of invoices issued", lambda one: one.issued, str),
            row("Average value of invoices", lambda one: _part(one.issued_value, one.issued) or 0, _money),
        ]),
        section("Performance", [
            row("Gross profit margin", lambda one: _part(one.gross, one.income), _percent),
            row("Net profit margin", lambda one: _part(one.profit, one.income), _percent),
            row("Return on investment (p.a.)", lambda one: _part(one.profit * 12, one.net), _percent),
        ]),
        section("Position", [
            row("Average debtors days", lambda one: _part(one.debtors * one.days, one.income) or 0, _number),
            row("Average creditors days",
                lambda one: _part(one.creditors * one.days, one.expenses + one.direct) or 0, _number),
            row("Short term cash forecast", lambda one: one.debtors - one.creditors, _money),
            row("Current assets to liabilities", lambda one: _part(*one.current), _number),
            row("Term assets to liabilities", lambda one: _part(*one.term), _number),
        ]),
    ]  # fmt: skip


def _month(books: Organisation, first: Day, last: Day) -> _Month:
    accounts = list(books.of(Account))
    ends, within = books.ledger.balances(last), books.ledger.balances(last, since=first)

    def total(sums: dict[str, Cents], sign: int, *kinds: str) -> Cents:
        return sign * sum(sums.get(one.id, 0) for one in accounts if one.type in kinds or one.group in kinds)

    cash = [moved(books, one.id, first, last) for one in accounts if one.type == "BANK"]
    other, direct = total(within, -1, "OTHERINCOME"), total(within, 1, "DIRECTCOSTS")
    issued = [
        one
        for one in books.invoices
        if one.type is InvoiceType.ACCREC and one.status in _ISSUED and first <= one.date <= last
    ]
    return _Month(
        days=last - first + 1,
        received=sum(received for received, _ in cash),
        spent=sum(spent for _, spent in cash),
        bank=total(ends, 1, "BANK"),
        income=total(within, -1, "REVENUE") - other,
        direct=direct,
        other=other,
        expenses=total(within, 1, "EXPENSE") - direct,
        debtors=ends.get(books.account_ids[RECEIVABLE], 0),
        creditors=-ends.get(books.account_ids[PAYABLE], 0),
        assets=total(ends, 1, "ASSET"),
        liabilities=total(ends, -1, "LIABILITY"),
        current=(total(ends, 1, "BANK", "CURRENT", "INVENTORY", "PREPAYMENT"), total(ends, -1, "CURRLIAB")),
        term=(total(ends, 1, "FIXED", "NONCURRENT"), total(ends, -1, "TERMLIAB")),
        issued=len(issued),
        issued_value=sum(one.sub_total for one in issued),
    )


def _part(whole: Cents, of: Cents) -> Fraction | None:
    """A quotient; None where there is nothing to divide by."""
    return Fraction(whole, of) if of else None


def _variance(here: Fraction | Cents | None, there: Fraction | Cents | None) -> str:
    """How much more than the month before; nothing where that had nothing."""
    if here is None or not there:
        return "0.0%"
    return _percent((Fraction(here) - there) / abs(Fraction(there)))


def _money(cents: Fraction) -> str:
    return amount(round(cents))


def _number(value: Fraction) -> str:
    return f"{float(value):.2f}"


def _percent(part: Fraction) -> str:
    return f"{float(part * 100):.1f}%"
