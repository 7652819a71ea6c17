"""Xero's spellings."""

import orjson
import pytest

from simulator.accounting_api.wire import (
    currency_rate,
    day_date,
    day_string,
    money,
    ms_date,
    percent,
    quantity,
    second_string,
    unit_amount,
)


def test_dates_are_spelled_as_xero_spells_them() -> None:
    """The examples of the published OpenAPI."""
    assert ms_date(1541176290160) == "/Date(1541176290160+0000)/"
    assert day_date(17824) == "/Date(1539993600000+0000)/"
    assert day_string(17824) == "2018-10-20T00:00:00"


def test_the_string_twin_of_a_stamp_loses_its_milliseconds() -> None:
    """Truncated, not rounded."""
    assert second_string(1541176290999) == "2018-11-02T16:31:30Z"


@pytest.mark.parametrize(
    ("cents", "text"), [(115_000, b"1150.00"), (0, b"0.00"), (-5, b"-0.05"), (7, b"0.07"), (-12_345, b"-123.45")]
)
def test_money_has_two_decimals(cents: int, text: bytes) -> None:
    """Also below a unit and below zero."""
    assert orjson.dumps(money(cents)) == text


def test_other_numbers_have_their_own_decimals() -> None:
    """Quantities four, rates ten, prices two or four, percentages two."""
    assert orjson.dumps(quantity(12_500)) == b"1.2500"
    assert orjson.dumps(currency_rate(6_123_450_000)) == b"0.6123450000"
    assert (orjson.dumps(unit_amount(1_250_000)), orjson.dumps(unit_amount(13_375))) == (b"125.00", b"1.3375")
    assert orjson.dumps(percent(1_250)) == b"12.50"
