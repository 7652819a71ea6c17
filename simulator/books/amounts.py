"""Money and quantities as whole numbers, so that totals agree to the cent."""

Cents = int
"""Hundredths of the document's currency."""

TenThousandths = int
"""Quantities and unit amounts: four decimals."""

ONE = 10_000
"""One, as :data:`TenThousandths`."""

RATE_ONE = 10**10
"""One, as a currency rate of ten decimals."""

PERCENT = 10_000
"""One percent, as a rate of tax: four decimals."""

Day = int
"""Days since 1970-01-01: a calendar date without a time zone."""

DAY_MS = 86_400_000
"""Milliseconds of a day."""


def half_up(numerator: int, denominator: int) -> int:
    """The quotient, rounded half away from zero."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return sign * ((abs(numerator) * 2 + abs(denominator)) // (abs(denominator) * 2))


def in_base(amount: Cents, rate: int) -> Cents:
    """An amount in the organisation's own currency.

    Args:
        amount: in the document's.
        rate: what one of the own currency is worth in the document's, as Xero writes ``CurrencyRate``.
    """
    return amount if rate == RATE_ONE else half_up(amount * RATE_ONE, rate)


def line_total(quantity: TenThousandths, unit_amount: TenThousandths, discount_rate: int) -> Cents:
    """A line's amount.

    Args:
        unit_amount: price of one.
        discount_rate: hundredths of a percent taken off.
    """
    return half_up(quantity * unit_amount * (10_000 - discount_rate), ONE * ONE * 10_000 // 100)


def tax_on(amount: Cents, rate: int, *, inclusive: bool) -> Cents:
    """Tax on, or contained in, an amount.

    Args:
        amount: the line's amount.
        rate: ten-thousandths of a percent.
        inclusive: the amount contains the tax.
    """
    return half_up(amount * rate, 100 * PERCENT + (rate if inclusive else 0))
