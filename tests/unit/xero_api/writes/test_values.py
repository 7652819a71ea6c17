"""Values in writes: what would become another value at Xero is refused, with its path."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from xero_api.errors import UnfitFieldError
from xero_api.registry import INVOICES
from xero_api.writes import requests as writing
from xero_stream.contracts.records.invoice import InvoiceStatus

AUCKLAND = timezone(timedelta(hours=12))


class _Word(Enum):
    EXCLUSIVE = "Exclusive"


class _Cents(int):
    pass


ITSELF: dict[str, Any] = {}
ITSELF["Contact"] = ITSELF


@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({"Date": datetime(2026, 7, 1, tzinfo=AUCKLAND)}, "Date", "a datetime with a time zone"),
        ({"Date": datetime(2026, 7, 1, tzinfo=UTC)}, "Date", "a datetime with a time zone"),
        ({"Date": datetime(2026, 7, 1, 10, 30)}, "Date", "a datetime with a time"),  # noqa: DTZ001
        ({"Date": "2026-07-01T00:00:00+12:00"}, "Date", "no calendar date"),
        ({"Date": "2026-07-01T00:00:00Z"}, "Date", "no calendar date"),
        ({"Date": "01/07/2026"}, "Date", "no calendar date"),
        ({"Date": "2026-02-30"}, "Date", "no calendar date"),
        ({"Date": "/Date(1541176290160+0000)/"}, "Date", "no calendar date"),
        ({"Date": "/Date(1539993600000+1300)/"}, "Date", "no calendar date"),
        ({"DueDate": 20}, "DueDate", "an int"),
        ({"Date": True}, "Date", "a bool"),
        ({"Reference": date(2026, 7, 1)}, "Reference", "no calendar date"),
        ({"Reference": datetime(2026, 7, 1)}, "Reference", "no calendar date"),  # noqa: DTZ001
        ({"LineItems": [{"UnitAmount": float("nan")}]}, "LineItems[0].UnitAmount", "no finite number"),
        ({"LineItems": [{}, {"UnitAmount": float("-inf")}]}, "LineItems[1].UnitAmount", "no finite number"),
        ({"Total": Decimal("sNaN")}, "Total", "no finite number"),
        ({"Total": Decimal("Infinity")}, "Total", "no finite number"),
        ({"Total": Decimal("1e999999")}, "Total", "beyond 28 digits"),
        ({"Unknown": 10**40}, "Unknown", "beyond 28 digits"),
        ({"LineItems": [{"UnitAmount": 0.1 + 0.2}]}, "LineItems[0].UnitAmount", "a float of 17 digits"),
        ({"Unknown": 1 / 3}, "Unknown", "a float of 16 digits"),
        ({"LineItems": [{"UnitAmount": Decimal("1.23456")}]}, "LineItems[0].UnitAmount", "5 decimals: Xero keeps 4"),
        ({"LineItems": [{"Quantity": 1.00005}]}, "LineItems[0].Quantity", "5 decimals: Xero keeps 4"),
        ({"LineItems": [{"LineAmount": "10.005"}]}, "LineItems[0].LineAmount", "3 decimals: Xero keeps 2"),
        ({"RoundingAmount": Decimal("0.001")}, "RoundingAmount", "3 decimals: Xero keeps 2"),
        ({"CurrencyRate": Decimal("0.12345678901")}, "CurrencyRate", "11 decimals: Xero keeps 10"),
        ({"Schedule": {"Period": 1.5}}, "Schedule.Period", "1 decimals: Xero keeps 0"),
        ({"LineItems": [{"Quantity": "1,000"}]}, "LineItems[0].Quantity", "no plain number"),
        ({"LineItems": [{"Quantity": "NaN"}]}, "LineItems[0].Quantity", "no plain number"),
        ({"LineItems": [{"Quantity": True}]}, "LineItems[0].Quantity", "a bool"),
        ({"SentToContact": 1}, "SentToContact", "an int: give True or False"),
        ({"SentToContact": "true"}, "SentToContact", "a str: give True or False"),
        ({"Status": InvoiceStatus.VOIDED}, "Status", "a member of InvoiceStatus"),
        ({"LineAmountTypes": _Word.EXCLUSIVE}, "LineAmountTypes", "a member of _Word"),
        ({"Url": b"x"}, "Url", "a bytes, which is not valid JSON"),
        ({"Url": {1}}, "Url", "a set, which is not valid JSON"),
        ({"Url": object()}, "Url", "an object, which is not valid JSON"),
        ({"Reference": "cut \ud83d"}, "Reference", "half of a surrogate pair"),
        ({"Contact": {5: "x"}}, "Contact", "a name that is an int"),
        (ITSELF, "Contact", "within itself"),
    ],
)
def test_what_would_become_another_value_is_refused(fields: dict[str, Any], path: str, problem: str) -> None:
    """The field's path and what is wrong, before anything is sent, never the value."""
    with pytest.raises(UnfitFieldError) as caught:
        writing.create(INVOICES, [{"Type": "ACCREC"}, fields], key="k")

    assert caught.value.path.startswith(f"Invoices[1].{path}")
    assert problem in caught.value.problem
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"Date": date(2026, 7, 1)}, b'{"Date":"2026-07-01"}'),
        ({"Date": "2026-07-01", "DueDate": "2026-07-20T00:00:00"}, b'{"Date":"2026-07-01","DueDate":"2026-07-20T00:00:00"}'),
        ({"Date": "/Date(1539993600000+0000)/"}, b'{"Date":"/Date(1539993600000+0000)/"}'),
        ({"DueDate": None}, b'{"DueDate":null}'),
        ({"Schedule": {"DueDate": 20, "Period": 1}}, b'{"Schedule":{"DueDate":20,"Period":1}}'),
        ({"UpdatedDateUTC": "/Date(1541176290160+0000)/"}, b'{"UpdatedDateUTC":"/Date(1541176290160+0000)/"}'),
        ({"Total": Decimal("10.5000"), "SubTotal": 10.5}, b'{"Total":10.5000,"SubTotal":10.5}'),
        ({"LineItems": ({"UnitAmount": 1.2345, "Quantity": "2.5"},)}, b'{"LineItems":[{"UnitAmount":1.2345,"Quantity":"2.5"}]}'),
        ({"LineItems": [{"UnitAmount": Decimal("12345678901234567.8900")}]}, b'{"LineItems":[{"UnitAmount":12345678901234567.8900}]}'),
        ({"Total": _Cents(5), "Unknown": 1e-7}, b'{"Total":5,"Unknown":1e-7}'),
        ({"SentToContact": True, "Unknown": False}, b'{"SentToContact":true,"Unknown":false}'),
        ({"Status": InvoiceStatus.VOIDED.value.upper()}, b'{"Status":"VOIDED"}'),
        ({"AccountCode": 200}, b'{"AccountCode":200}'),
    ],
)  # fmt: skip
def test_what_stays_what_it_is_is_written(fields: dict[str, Any], written: bytes) -> None:
    """Dates as calendar dates, numbers of the same value, all else as given."""
    assert writing.create(INVOICES, [fields], key="k").body == b'{"Invoices":[' + written + b"]}"
