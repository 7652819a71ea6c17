"""Fields of a request, read one by one."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.accounting_api.validation import (
    NO_ID,
    Fields,
    PostDataError,
    Problems,
    read_elements,
    refused_element,
)

ID = "20000000-0000-4000-8000-000000000001"


def _fields(**values: Any) -> Fields:
    return Fields(values, Problems())


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"Invoices":[{"a":1},{"b":2}]}', 2),
        (b'{"Invoices":{"a":1}}', 1),
        (b'[{"a":1}]', 1),
        (b'{"Type":"ACCREC"}', 1),
    ],
)
def test_one_element_or_many(body: bytes, count: int) -> None:
    """A list under its key, a bare list, or one bare object."""
    assert len(read_elements(body, "Invoices")) == count


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b"1", b'{"Invoices":[]}', b'{"Invoices":[1]}', b"[" * 5000, b"\xff"]
)
def test_what_is_no_element_is_refused(body: bytes) -> None:
    """Nothing to write, or no JSON."""
    with pytest.raises(PostDataError):
        read_elements(body, "Invoices")


@pytest.mark.parametrize(
    ("value", "digits", "units"),
    [
        (1.005, 2, 101),
        (Decimal("1.23456"), 4, 12346),
        (Decimal("-0.005"), 2, -1),
        ("12.50", 2, 1250),
        (7, 0, 7),
        (0, 2, 0),
    ],
)
def test_numbers_round_half_up(value: Any, digits: int, units: int) -> None:
    """As whole units of the last decimal; text with a number is one."""
    assert _fields(x=value).units("x", digits, None) == units


@pytest.mark.parametrize("value", ["x", True, [], {}, "NaN", "1e400", Decimal("Infinity")])
def test_what_is_no_number_is_complained_about(value: Any) -> None:
    """And the old value stays."""
    fields = _fields(x=value)

    assert fields.units("x", 2, 5) == 5
    assert fields.problems.errors == [((), "x must be a number.")]


@pytest.mark.parametrize(
    "value", ["2026-11-22", "2026-11-22T00:00:00", "/Date(1795305600000+0000)/", "/Date(1795305600000)/"]
)
def test_dates_in_every_spelling(value: str) -> None:
    """A day, whatever is behind it."""
    assert _fields(x=value).day("x", None) == 20_779


def test_bad_dates_and_ids_are_complained_about() -> None:
    """Each at its own place."""
    fields = _fields(Date="tomorrow", LineItems=[{"LineItemID": "1"}], Contact={"ContactID": 3})
    fields.day("Date", 0)
    for line in fields.each("LineItems"):
        line.guid("LineItemID")
    inner = fields.inner("Contact")
    assert inner is not None
    inner.guid("ContactID")

    assert [place for place, _ in fields.problems.errors] == [(), ("LineItems", 0), ("Contact",)]


def test_the_id_of_zeros_is_none() -> None:
    """SDKs send it for new records."""
    assert _fields(InvoiceID=NO_ID).guid("InvoiceID") is None
    assert _fields(InvoiceID=ID.upper()).guid("InvoiceID") == ID


def test_a_refused_element_says_where() -> None:
    """At the line, and once more at the top; the element as it was sent stands around it."""
    problems = Problems()
    problems.add("No.", ("LineItems", 1))
    problems.add("No.", ("LineItems", 1))
    element = {"Type": "ACCREC", "Total": Decimal("1.5"), "LineItems": [{}, {}]}

    echo = refused_element(element, "InvoiceID", problems, flag="HasErrors", record_id=None)

    said = [{"Message": "No."}]
    assert echo["ValidationErrors"] == echo["LineItems"][1]["ValidationErrors"] == said
    assert (echo["InvoiceID"], echo["StatusAttributeString"], echo["HasErrors"]) == (NO_ID, "ERROR", True)
    assert (echo["Type"], echo["Total"]) == ("ACCREC", 1.5)
    assert "ValidationErrors" not in element


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(ANYTHING)
def test_any_value_is_read_or_complained_about(value: Any) -> None:
    """Never an exception."""
    fields = _fields(x=value)

    fields.text("x", None)
    fields.guid("x")
    fields.units("x", 4, 0)
    fields.day("x", 0)
    assert isinstance(fields.flag("x", before=False), bool)
    assert all(isinstance(one.values, dict) for one in fields.each("x"))
