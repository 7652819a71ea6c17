"""The comparer notices."""

import json
from decimal import Decimal
from typing import Any

import pytest
from xero_python.api_client import ModelFinder
from xero_python.api_client.deserializer import deserialize

from tests.integration.sdk.compare import Compare
from tests.integration.sdk.rig import models

INVOICE: dict[str, Any] = {
    "Type": "ACCREC",
    "InvoiceID": "243216c5-369e-4056-ac67-05388f86dc81",
    "Contact": {"ContactID": "025867f1-d741-4d6b-b1af-9ac774b59ba7", "Name": "City Agency"},
    "Date": "/Date(1539993600000+0000)/",
    "UpdatedDateUTC": "/Date(1541176290160+0000)/",
    "Status": "PAID",
    "LineItems": [{"Description": "a", "UnitAmount": Decimal("1.3375")}, {"Description": "b"}],
    "Total": Decimal("1150.00"),
    "SentToContact": True,
    "HasErrors": False,
    "IsDiscounted": False,
}


def as_sdk(raw: dict[str, Any]) -> Any:
    """The SDK's model of it."""
    text = json.dumps(raw, default=float)
    return deserialize("Invoice", json.loads(text, parse_float=Decimal), ModelFinder(models))


def found(model: Any, raw: dict[str, Any], **how: Any) -> list[str]:
    """The places that differ."""
    return [one.partition(":")[0] for one in Compare(**how).differences(model, raw)]


def test_the_same_is_the_same() -> None:
    """Numbers as floats too; what the SDK makes up is nothing."""
    assert found(as_sdk(INVOICE), INVOICE) == []
    assert found(as_sdk(INVOICE), INVOICE | {"Total": 1150.0, "DateString": "2018-10-20T00:00:00"}) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"Total": Decimal("1150.01")}, ".Total"),
        ({"Total": "1150.00"}, ".Total"),
        ({"Total": None}, ".Total"),
        ({"SentToContact": False}, ".SentToContact"),
        ({"SentToContact": 1}, ".SentToContact"),
        ({"Status": "VOIDED"}, ".Status"),
        ({"Type": "ACCPAY"}, ".Type"),
        ({"Date": "/Date(1540080000000+0000)/"}, ".Date"),
        ({"Date": "no date"}, ".Date"),
        ({"UpdatedDateUTC": "/Date(1541176290161+0000)/"}, ".UpdatedDateUTC"),
        ({"Reference": "new"}, ".Reference"),
        ({"Novelty": 1}, ".Novelty"),
        ({"LineItems": [INVOICE["LineItems"][0]]}, ".LineItems"),
        ({"LineItems": [INVOICE["LineItems"][0], {"Description": "c"}]}, ".LineItems[].Description"),
        ({"Contact": {**INVOICE["Contact"], "Name": "Other"}}, ".Contact.Name"),
        ({"Contact": {**INVOICE["Contact"], "FirstName": "A"}}, ".Contact.FirstName"),
        ({"Contact": "City Agency"}, ".Contact"),
    ],
    ids=str,
)
def test_every_kind_of_difference_is_seen(change: dict[str, Any], place: str) -> None:
    """A value, a digit, a millisecond, a field too many, a line too few, at any depth."""
    assert found(as_sdk(INVOICE), INVOICE | change) == [place]


@pytest.mark.parametrize("name", ["Total", "Date", "LineItems", "Contact", "SentToContact"])
def test_a_field_that_truth_has_not_is_seen(name: str) -> None:
    """The SDK says more than there is."""
    assert found(as_sdk(INVOICE), {key: value for key, value in INVOICE.items() if key != name}) == [f".{name}"]


def test_summaries_may_lack_fields_but_not_err() -> None:
    """Only within the record: its own fields must all be there."""
    full = INVOICE | {"Contact": {**INVOICE["Contact"], "FirstName": "A"}, "Reference": "new"}
    wrong = full | {"Contact": {**full["Contact"], "Name": "Other"}}

    assert found(as_sdk(INVOICE), full, summaries=True) == [".Reference"]
    assert found(as_sdk(INVOICE), wrong, summaries=True) == [".Contact.Name", ".Reference"]


def test_prices_in_cents_are_rounded_once() -> None:
    """Only where they were asked for so."""
    in_cents = INVOICE | {"LineItems": [{"Description": "a", "UnitAmount": Decimal("1.34")}, {"Description": "b"}]}

    assert found(as_sdk(in_cents), INVOICE, cents=True) == []
    assert found(as_sdk(in_cents), INVOICE) == [".LineItems[].UnitAmount"]
