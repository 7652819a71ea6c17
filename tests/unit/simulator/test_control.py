"""Raw records: members of JSON as they were sent."""

import random
from typing import Any

import pytest

from simulator.accounting_api.encoding import REMOVED
from simulator.books.words import Endpoint, RuleError
from simulator.control.raw_json import RawJsonError, members
from simulator.control.records import RawChange, overridden, read_raw_change, stamps
from tests.unit.simulator.builders import CUSTOMER, NOW, contact, guid, invoice, organisation


def test_members_keep_their_text() -> None:
    """Digits, escapes, spaces inside."""
    text = ' { "a" : 12345678901234567.890 , "b":"\\u0000\\ud800", "c": [ 1, {"d": null} ] , "e":{} } '

    assert members(text) == {
        "a": "12345678901234567.890",
        "b": '"\\u0000\\ud800"',
        "c": '[ 1, {"d": null} ]',
        "e": "{}",
    }


def test_no_members_and_doubled_ones() -> None:
    """The last one counts, as in any JSON reader."""
    assert members("{}") == {}
    assert members('{"a":1,"a":2}') == {"a": "2"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a"}', '{"a":}', '{"a":1', '{"a":1,}', "{a:1}", '{"a":1} x', '{"a":NaN}', "null", '{"a" 1}'],
)
def test_anything_else_is_refused(text: str) -> None:
    """Not silently."""
    with pytest.raises(RawJsonError):
        members(text)


def test_a_raw_change_is_read() -> None:
    """Fields by text, removals, switches."""
    raw = read_raw_change('{"fields":{"Total":1e400},"remove":["Date"],"webhook":false,"stamp":false,"reset":true}')

    assert raw == RawChange(fields={"Total": "1e400", "Date": REMOVED}, webhook=False, stamp=False, reset=True)
    assert read_raw_change("{}") == RawChange(fields={})


@pytest.mark.parametrize("text", ['{"feilds":{}}', '{"webhook":"no"}', '{"fields":[]}', "[]"])
def test_mistakes_in_a_raw_change_are_explained(text: str) -> None:
    """Unknown words list the known ones."""
    with pytest.raises(RawJsonError):
        read_raw_change(text)


def put(record_id: str, endpoint: Endpoint = Endpoint.INVOICES, **given: Any) -> Any:
    """A record with raw fields, in books with one invoice."""
    books = organisation(invoice(overrides={"Reference": '"first"'}))
    raw = RawChange(**({"fields": {}} | given))
    return overridden(random.Random(1), books, endpoint, record_id, raw, NOW)


def test_raw_fields_add_up_until_reset() -> None:
    """Each request adds to those before."""
    assert put(guid(1), fields={"Total": "1"}).overrides == {"Reference": '"first"', "Total": "1"}
    assert put(guid(1), fields={"Total": "1"}, reset=True).overrides == {"Total": "1"}


@pytest.mark.parametrize("endpoint", [Endpoint.INVOICES, Endpoint.CONTACTS, Endpoint.CREDIT_NOTES])
def test_a_record_that_does_not_exist_is_drawn(endpoint: Endpoint) -> None:
    """With that id, and else as any other."""
    record = put(guid(44), endpoint, fields={"X": "1"})

    assert record.id == guid(44)
    assert record.overrides == {"X": "1"}


def test_ids_must_be_guids() -> None:
    """Else webhooks about it would be nonsense by accident."""
    with pytest.raises(RuleError, match="GUID"):
        put("not-a-guid")


def test_a_new_document_needs_a_customer() -> None:
    """Books without one refuse."""
    books = organisation(contacts=(contact(CUSTOMER, is_customer=False),))

    with pytest.raises(RuleError, match="no active customer"):
        overridden(random.Random(1), books, Endpoint.INVOICES, guid(1), RawChange(fields={}), NOW)


def test_a_raw_stamp_stands_and_sorts() -> None:
    """UpdatedDateUTC among the fields is the record's place in lists, too."""
    raw = RawChange(fields={"UpdatedDateUTC": '"/Date(1234+0000)/"'})

    assert put(guid(1), fields=raw.fields).updated_ms == 1234
    assert not stamps(raw)
    assert stamps(RawChange(fields={}))
    assert not stamps(RawChange(fields={}, stamp=False))
