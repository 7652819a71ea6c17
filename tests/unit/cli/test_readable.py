"""The readable line of a change."""

from decimal import Decimal
from typing import Any

import pytest

from cli.readable import amount, readable

INVOICE: dict[str, Any] = {
    "id": "0f4c7e2a-0000-4000-8000-000000000001",
    "type": "receivable",
    "status": "authorised",
    "number": "INV-0042",
    "contact": {"id": "c1", "name": "Ridgeway University"},
    "currency": "NZD",
    "total": 1150.0,
    "amount_due": 1150.0,
    "amount_paid": 0,
    "payments": [],
    "updated_at": "2026-11-22T10:00:00.000Z",
}
CONTACT: dict[str, Any] = {"id": "c1", "name": "Ridgeway University", "status": "active", "email": "old@example.com"}


def change(
    op: str, before: Any, after: Any, fields: list[str], entity: str = "invoices", **more: Any
) -> dict[str, Any]:
    """A change event as it is decoded."""
    source = {"entity": entity, "record_id": "0f4c7e2a-0000-4000-8000-000000000001"}
    return {"op": op, "before": before, "after": after, "changed_fields": fields, "source": source, **more}


def test_a_status_of_two_words() -> None:
    """In words, before and after."""
    before = {**INVOICE, "status": "submitted"}
    after = {**INVOICE, "status": "partially_paid"}

    assert "submitted → partially paid" in readable(change("u", before, after, ["status"]))
    assert " · partially paid · " in readable(change("c", None, after, []))


def test_a_payment() -> None:
    """What follows from the payment (amount paid, payments, the day) is not said twice."""
    paid = {**INVOICE, "status": "paid", "amount_due": 0, "amount_paid": 1150.0, "payments": [{}]}
    fields = ["status", "paid_on_date", "amount_paid", "amount_due", "payments", "updated_at"]

    line = readable(change("u", INVOICE, paid, fields))

    assert line == "INV-0042 · authorised → paid · amount due 1,150.00 → 0 · Ridgeway University"


def test_a_new_total_hides_what_it_moves() -> None:
    """Lines, tax and the amount due move with the total."""
    dearer = {**INVOICE, "total": 2300.5, "amount_due": 2300.5}

    line = readable(change("u", INVOICE, dearer, ["line_items[0].quantity", "total_tax", "total", "amount_due"]))

    assert line == "INV-0042 · total 1,150.00 → 2,300.50 · Ridgeway University"


def test_creation_and_backfill() -> None:
    """New and loaded records show their state."""
    assert (
        readable(change("c", None, INVOICE, []))
        == "INV-0042 · created · authorised · 1,150.00 NZD · Ridgeway University"
    )
    assert (
        readable(change("r", None, INVOICE, [])) == "INV-0042 · read · authorised · 1,150.00 NZD · Ridgeway University"
    )


def test_deletes_name_their_reason() -> None:
    """A merge is told from a plain delete; the record before is what is named."""
    assert readable(change("d", INVOICE, None, [], deletion_reason="deleted")) == (
        "INV-0042 · deleted · Ridgeway University"
    )
    assert readable(change("d", CONTACT, None, [], "contacts", deletion_reason="merged")) == (
        "contact Ridgeway University · deleted (merged)"
    )


def test_a_contact() -> None:
    """A contact is its own name; a change of it shows both."""
    line = readable(change("u", CONTACT, {**CONTACT, "name": "Ridgeway", "email": None}, ["name", "email"], "contacts"))

    assert line == "contact Ridgeway · name Ridgeway University → Ridgeway · email old@example.com → none"


def test_bills_are_called_bills() -> None:
    """A bill's number is its supplier's and says nothing alone; without one the id stands in."""
    bill = {**INVOICE, "type": "payable", "number": None}

    assert readable(change("c", None, bill, [])).startswith("bill 0f4c7e2a · created")
    assert readable(change("c", None, {**bill, "number": "77"}, [])).startswith("bill 77 · created")


def test_many_changes_are_counted() -> None:
    """Three details at most, the rest as a number."""
    other = {**INVOICE, "reference": "x", "due_date": "2026-12-01", "issue_date": "2026-11-01", "status": "draft"}
    fields = ["reference", "due_date", "issue_date", "status", "line_items"]

    line = readable(change("u", INVOICE, other, fields))

    assert line == (
        "INV-0042 · authorised → draft · due date none → 2026-12-01 · issue date none → 2026-11-01 · +2 more "
        "· Ridgeway University"
    )


def test_other_fields_are_named() -> None:
    """A field without a short value is named only; a new name of the same contact is no news about the invoice."""
    renamed = {**INVOICE, "contact": {"id": "c1", "name": "Ridgeway"}}

    assert readable(change("u", INVOICE, INVOICE, ["line_items[1].description"])) == (
        "INV-0042 · line items changed · Ridgeway University"
    )
    assert readable(change("u", INVOICE, renamed, ["contact.name", "updated_at"])) == "INV-0042 · touched · Ridgeway"


def test_what_was_too_large_is_not_shown() -> None:
    """The line names the record and says that its lines changed."""
    short = {**INVOICE, "line_items": []}
    line = readable(change("u", short, short, ["line_items"], omitted=["before.line_items", "after.line_items"]))
    assert line == "INV-0042 · line items changed · Ridgeway University"


def test_control_characters_do_not_reach_the_terminal() -> None:
    """A contact's name is a stranger's text: no escape sequence, no line break, no endless name."""
    evil = {**INVOICE, "contact": {"name": "a\x1b[2Jb\nc\u202e" + "x" * 500}, "number": "1\x07"}

    line = readable(change("c", None, evil, []))

    assert line.isprintable()
    assert len(line) < 150


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.0, "0"),
        (1150, "1,150.00"),
        (-3.5, "-3.50"),
        (0.1234, "0.1234"),
        (Decimal("12345678901234567.89"), "12,345,678,901,234,567.89"),
        (Decimal("1E+3"), "1,000.00"),
        (Decimal("1E-2000000"), "1.000000E-2000000"),
        (Decimal("1E+5000"), "1.000000E+5000"),
        (Decimal("-0.00"), "0"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_amounts(value: Any, shown: str) -> None:
    """Every digit, two decimals at least, nothing as ``0``."""
    assert amount(value) == shown
