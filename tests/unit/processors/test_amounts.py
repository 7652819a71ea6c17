"""Amounts as strings: every digit, and nothing but amounts."""

import json
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processors.recorder.amounts import Amounts, written
from processors.recorder.policy import NO_POLICY
from processors.recorder.read import read_record
from tests.support.xero_records import STRATEGIES, TENANT, wire
from xero_api.decode import decode, encode
from xero_api.entity import Form
from xero_api.registry import INVOICES
from xero_api.unify.fields import canonical
from xero_stream.contracts.records.invoice import Invoice
from xero_stream.contracts.schemas import documents


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1150.0, "1150"),
        (0.1, "0.1"),
        (0.0, "0"),
        (-3.5, "-3.5"),
        (1e16, "10000000000000000"),
        (1e-7, "0.0000001"),
        (Decimal("90071992547409931.0123"), "90071992547409931.0123"),
        (Decimal("1.10"), "1.1"),
    ],
)
def test_every_digit_and_no_exponent(amount: float | Decimal, text: str) -> None:
    """Equal amounts are equal strings."""
    assert written({"total": amount}, Amounts.STRING) == {"total": text}


def test_what_is_no_amount_stays() -> None:
    """Whole numbers, flags, words, nulls; Xero's own JSON is passed on as it came."""
    record: dict[str, Any] = {"day": 20, "sent": True, "name": "1.5", "none": None, "raw": {"Rate": 1.5}}

    assert written({**record, "lines": [{"total": 1.5}]}, Amounts.STRING) == {**record, "lines": [{"total": "1.5"}]}
    assert written(record, Amounts.NUMBER) is record


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_the_value_is_kept(amount: Decimal) -> None:
    """As a decimal, the string equals the amount."""
    text = written({"total": canonical(amount)}, Amounts.STRING)["total"]

    assert Decimal(text) == amount
    assert "e" not in text.lower()


@cache
def with_strings() -> Draft202012Validator:
    """The schema of invoices made for amounts as strings."""
    return Draft202012Validator(json.loads(documents(amounts_as_text=True)["invoice.1.json"]))


@given(raw=STRATEGIES[INVOICES.name])
def test_an_invoice_with_strings(raw: Any) -> None:
    """It follows the schema made for that setting, and the typed model reads equal amounts from both forms."""
    raw = decode(wire(raw))

    def body(amounts: Amounts) -> bytes:
        read, _ = read_record(
            INVOICES, raw, tenant_id=TENANT, form=Form.ONE, keep_raw=False, policy=NO_POLICY, amounts=amounts
        )
        return read.body or encode(written(INVOICES.unified(TENANT, raw), amounts))

    text, number = body(Amounts.STRING), body(Amounts.NUMBER)

    with_strings().validate(json.loads(text))
    assert Invoice.read(text) == Invoice.read(number)
