"""A read in a form that leaves fields out, beside what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processors.recorder.decide import Read, Stored, Write, decide
from processors.recorder.forms import Fit, fit
from processors.recorder.versions import Version
from xero_api.decode import decode, encode
from xero_api.entity import Form
from xero_api.registry import INVOICES
from xero_stream.contracts.change_event import Op, Trigger

T = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
LINE = {
    "LineItemID": "l1",
    "Description": "d",
    "Tracking": [{"TrackingCategoryID": "c1", "Name": "Region", "TrackingOptionID": "o1", "Option": "North"}],
}
RAW: dict[str, Any] = {
    "InvoiceID": "a0",
    "Type": "ACCREC",
    "Status": "AUTHORISED",
    "SubTotal": 10.0,
    "TotalTax": 1.5,
    "Total": 11.53,
    "AmountDue": 11.53,
    "RoundingAmount": 0.03,
    "EnteredTotal": 11.53,
    "LineItems": [LINE],
}
LISTED: dict[str, Any] = {key: value for key, value in RAW.items() if key not in {"RoundingAmount", "EnteredTotal"}} | {
    "Total": 11.5,
    "AmountDue": 11.5,
}


def read(raw: dict[str, Any], form: Form, *, updated: int = 0) -> Read:
    """What a form gives."""
    unified = INVOICES.unified("t", raw)
    return Read(
        record_id="a0",
        body=encode(unified),
        status=unified["status"],
        updated_at=T + timedelta(seconds=updated),
        form=form,
        absent=INVOICES.absent(raw, form),
    )


def stored(raw: dict[str, Any], form: Form = Form.ONE, *, shown: bytes | None = None) -> Stored:
    """What the store has from a form."""
    one = read(raw, form)
    return Stored(
        version=Version(updated_at=one.updated_at, read_at=T),
        gone=None,
        status=one.status,
        body=one.body,
        raw=None,
        form=form,
        shown=shown,
    )


def seen(raw: dict[str, Any], form: Form, have: Stored, *, updated: int = 0) -> Fit:
    """Beside what is stored."""
    return fit(read(raw, form, updated=updated), have, INVOICES.leaves_out)


def body(found: Fit) -> dict[str, Any]:
    """The completed record."""
    assert found.read.body is not None
    document: dict[str, Any] = decode(found.read.body)
    return document


@pytest.mark.parametrize("form", [Form.IDS, Form.PAGE])
def test_a_list_of_one_stamp_adds_nothing_to_a_rounded_invoice(form: Form) -> None:
    """What lists leave out keeps its value, and so do the totals it is part of; how they are shown is remembered."""
    have = stored(RAW)

    found = seen(LISTED, form, have)

    assert found.read.body == have.body
    assert (found.untold, found.beyond) == (False, ())
    assert found.shown is not None
    assert decode(found.shown)["total"] == 11.5


def test_totals_that_change_within_a_form_are_no_matter_of_form() -> None:
    """With the stamp unmoved too: the list can't say what the total is, so the invoice is read alone, once."""
    shown = seen(LISTED, Form.IDS, stored(RAW)).shown
    changed = LISTED | {"Total": 12.5}

    found = seen(changed, Form.PAGE, stored(RAW, shown=shown))

    assert found.untold
    assert found.shown != shown
    assert not seen(changed, Form.PAGE, stored(RAW, shown=found.shown)).untold


def test_a_newer_stamp_of_a_rounded_invoice_is_read_alone() -> None:
    """The rounding may have changed, or gone, and a list shows neither."""
    have = stored(RAW)

    found = seen(LISTED, Form.IDS, have, updated=5)
    decision = decide(
        found.read, stored=have, row=None, read_at=T + timedelta(seconds=9), trigger=Trigger.POLL, untold=found.untold
    )

    assert (decision.alone, decision.write, decision.op) == (True, Write.NONE, None)


def test_a_single_read_clears_what_it_does_not_have() -> None:
    """It leaves nothing out: missing is null."""
    found = seen(LISTED, Form.ONE, stored(RAW), updated=5)

    assert (body(found)["rounding_amount"], body(found)["entered_total"], body(found)["total"]) == (None, None, 11.5)
    assert not found.untold


def test_an_invoice_without_rounding_is_compared_as_ever() -> None:
    """Totals of a list count where nothing is known to be left out."""
    found = seen(LISTED | {"Total": 12.5}, Form.IDS, stored(LISTED), updated=5)

    assert body(found)["total"] == 12.5
    assert (found.untold, found.shown) == (False, None)


def test_what_a_list_does_carry_counts() -> None:
    """Null is a value, and another Xero may send the rounding in lists."""
    found = seen(RAW | {"RoundingAmount": None, "EnteredTotal": None, "Total": 11.5}, Form.IDS, stored(RAW), updated=5)

    assert (body(found)["rounding_amount"], body(found)["total"], found.untold) == (None, 11.5, False)


def test_other_changes_beside_the_totals_are_published() -> None:
    """Of one stamp: only what the rounding is part of keeps its value."""
    found = seen(LISTED | {"SentToContact": True, "Reference": None}, Form.PAGE, stored(RAW))

    assert body(found)["sent_to_contact"] is True
    assert body(found)["total"] == 11.53
    assert found.beyond == ("sent_to_contact",)


def _tracked(**other: Any) -> dict[str, Any]:
    """An invoice of a list that leaves option ids out."""
    option = {"TrackingCategoryID": "c1", "Name": "Region", "Option": "North", **other}
    return {**LISTED, "LineItems": [{**LINE, "Tracking": [{k: v for k, v in option.items() if v is not None}]}]}


@pytest.mark.parametrize(
    ("raw", "option_id"),
    [
        (_tracked(), "o1"),
        (_tracked(Option="South"), None),
        (_tracked(Option=None), None),
        (_tracked(TrackingCategoryID="c2"), None),
        (_tracked(TrackingOptionID="o2"), "o2"),
        (
            {**LISTED, "LineItems": [{**LINE, "LineItemID": "l2", "Tracking": _tracked()["LineItems"][0]["Tracking"]}]},
            None,
        ),
    ],
)
def test_an_option_keeps_its_id_while_it_is_the_same_option_of_the_same_line(
    raw: dict[str, Any], option_id: str | None
) -> None:
    """Same line, category and name."""
    have = stored({**LISTED, "LineItems": [LINE]})

    found = seen(raw, Form.IDS, have, updated=5)

    assert body(found)["line_items"][0]["tracking"][0]["option_id"] == option_id


def test_of_two_options_that_look_alike_neither_keeps_an_id() -> None:
    """Nobody can tell which of them is which."""
    (option,) = _tracked()["LineItems"][0]["Tracking"]
    twins = [{**option, "TrackingOptionID": name} for name in ("o1", "o2")]
    have = stored({**LISTED, "LineItems": [{**LINE, "Tracking": twins}]})

    found = seen({**LISTED, "LineItems": [{**LINE, "Tracking": [option, option]}]}, Form.IDS, have, updated=5)

    assert [option["option_id"] for option in body(found)["line_items"][0]["tracking"]] == [None, None]


def test_options_that_are_gone_stay_gone() -> None:
    """A line without tracking has none, whatever was known."""
    found = seen({**LISTED, "LineItems": [{**LINE, "Tracking": []}]}, Form.IDS, stored(LISTED), updated=5)

    assert body(found)["line_items"][0]["tracking"] == []


def test_a_difference_beyond_what_is_known_is_told() -> None:
    """One stamp, two forms, another field: published, and named without places in lists."""
    raw = {**LISTED, "DueDate": "2026-12-24", "LineItems": [{**LINE, "Description": "other"}]}

    found = seen(raw, Form.IDS, stored(LISTED))

    assert found.beyond == ("due_date", "line_items.description")
    assert seen(raw, Form.ONE, stored(LISTED)).beyond == ()
    assert seen(raw, Form.IDS, stored(LISTED), updated=5).beyond == ()


def test_a_first_single_read_after_a_list_is_expected_to_differ() -> None:
    """The list left out what it brings."""
    found = seen(RAW, Form.ONE, stored(LISTED, Form.PAGE))

    assert (found.beyond, body(found)["total"], body(found)["rounding_amount"]) == ((), 11.53, 0.03)


def test_a_status_by_comparison_follows_the_total() -> None:
    """11.50 paid of 11.53 is partly paid, also where a list says 11.50 of 11.50."""
    paid = {"AmountPaid": 11.5, "AmountDue": 0.03}
    have = stored(RAW | paid)

    found = seen(LISTED | paid | {"AmountDue": 0.0}, Form.IDS, have)

    assert have.status == "partially_paid"
    assert found.read.status == "partially_paid"
    assert found.read.body == have.body


def test_what_is_gone_is_gone_in_any_form() -> None:
    """A delete needs no body."""
    have = stored(RAW)
    gone = Read(record_id="a0", form=Form.IDS, updated_at=T + timedelta(seconds=5))

    assert fit(gone, have, INVOICES.leaves_out) == Fit(read=gone)
    assert fit(read(RAW, Form.ONE), None, INVOICES.leaves_out).read.body == have.body
    assert decide(read(RAW, Form.ONE), stored=None, row=None, read_at=T, trigger=Trigger.POLL).op is Op.CREATE
