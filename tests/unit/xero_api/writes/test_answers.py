"""What became of each row, and when nobody knows."""

from typing import Any

import pytest

from xero_api.decode import encode
from xero_api.entity import NO_ID
from xero_api.errors import (
    BadRequestError,
    ForbiddenError,
    GarbledAnswerError,
    InvalidRowsError,
    KeyReusedError,
    OddStatusError,
    OfflineError,
    Problem,
    RateLimitedError,
    RowsMismatchError,
    ServerError,
    UnauthorisedError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.registry import CONTACTS, CREDIT_NOTES, INVOICES
from xero_api.writes import parts
from xero_api.writes import requests as writing
from xero_api.writes.answers import RowStatus, WriteAnswer, decipher, problems_of
from xero_api.writes.requests import WriteRequest
from xero_stream.contracts.names import RecordId

ID = RecordId("ed255415-e141-4150-aab7-89c3bbbb851c")
OTHER = RecordId("430fa14a-f945-44d3-9f97-5df5e28441b8")
HEADERS = {"xero-correlation-id": "c0ffee"}
TWO = writing.create(INVOICES, [{}, {}], key="k")
ONE = writing.update(INVOICES, ID, {}, key="k")


def _read(request: WriteRequest, document: Any, status: int = 200) -> WriteAnswer:
    return decipher(request, status, HEADERS, document if isinstance(document, bytes) else encode(document))


def _refusal(*elements: Any) -> dict[str, Any]:
    return {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": list(elements),
    }


def _wrong(*messages: str) -> list[dict[str, str]]:
    return [{"Message": message} for message in messages]


def test_each_row_says_for_itself_what_became_of_it() -> None:
    """A 200 with a good and a bad row: the bad one's id is none."""
    answer = _read(
        TWO,
        {
            "DateTimeUTC": "/Date(1552327126164)/",
            "Invoices": [
                {"InvoiceID": ID.upper(), "StatusAttributeString": "OK", "LineItems": [{"ValidationErrors": []}]},
                {
                    "InvoiceID": OTHER,
                    "StatusAttributeString": "ERROR",
                    "HasErrors": True,
                    "ValidationErrors": _wrong("Invoice # must be unique."),
                },
            ],
        },
    )

    good, bad = answer.rows
    assert (good.status, good.id, good.written) == (RowStatus.OK, ID, True)
    assert (bad.status, bad.id, bad.written) == (RowStatus.ERROR, None, False)
    assert bad.problems == (Problem(path="", message="Invoice # must be unique."),)
    assert (answer.meta.correlation_id, answer.server_time is not None) == ("c0ffee", True)


def test_a_warning_was_written() -> None:
    """The remarks stand apart from the problems."""
    row = {"InvoiceID": ID, "StatusAttributeString": "WARNING", "Warnings": _wrong("Only a remark.")}

    (found,) = _read(ONE, {"Invoices": [row]}).rows

    assert (found.status, found.written, found.problems) == (RowStatus.WARNING, True, ())
    assert found.warnings == (Problem(path="", message="Only a remark."),)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, RowStatus.OK),
        ({"HasErrors": False, "HasValidationErrors": False, "ValidationErrors": []}, RowStatus.OK),
        ({"HasErrors": True}, RowStatus.ERROR),
        ({"HasValidationErrors": True}, RowStatus.ERROR),
        ({"Contact": {"ValidationErrors": [{"Message": "x"}]}}, RowStatus.ERROR),
        ({"StatusAttributeString": "OK", "ValidationErrors": [{"Message": "x"}]}, RowStatus.ERROR),
        ({"Warnings": [{"Message": "x"}]}, RowStatus.WARNING),
        ({"StatusAttributeString": "WARN"}, RowStatus.WARNING),
        ({"StatusAttributeString": []}, RowStatus.OK),
    ],
)
def test_without_the_word_the_flags_and_lists_tell(fields: dict[str, Any], status: RowStatus) -> None:
    """Addresses of one record leave StatusAttributeString out."""
    assert _read(ONE, {"Invoices": [{"InvoiceID": ID, **fields}]}).rows[0].status is status


def test_an_ok_without_an_id_was_not_written() -> None:
    """Endpoints that forget to say ERROR give the row an id of zeros."""
    request = writing.create(CONTACTS, [{"Name": "A"}], key="k")

    (row,) = _read(request, {"Contacts": [{"ContactID": NO_ID, "StatusAttributeString": "OK"}]}).rows

    assert (row.status, row.id, row.problems[0].path) == (RowStatus.ERROR, None, "ContactID")


def test_messages_carry_their_place() -> None:
    """On lines, the contact, deep inside; what Xero repeats further out is told once."""
    element = {
        "ValidationErrors": _wrong("Account code 'x' is not valid.", "Of the row."),
        "Contact": {"ValidationErrors": _wrong("Of the contact."), "ContactPersons": [{"ValidationErrors": [{}]}]},
        "LineItems": [
            {"ValidationErrors": []},
            {"ValidationErrors": _wrong("Account code 'x' is not valid."), "Tracking": [{"ValidationErrors": ["raw"]}]},
        ],
    }

    assert set(problems_of(element)) == {
        Problem(path="", message="Of the row."),
        Problem(path="Contact", message="Of the contact."),
        Problem(path="LineItems[1]", message="Account code 'x' is not valid."),
        Problem(path="LineItems[1].Tracking[0]", message="raw"),
        Problem(path="Contact.ContactPersons[0]", message="Xero gives no message"),
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_other_rows_than_were_sent_are_an_error(count: int) -> None:
    """Nothing is guessed about which is which."""
    with pytest.raises(RowsMismatchError) as caught:
        _read(TWO, {"Invoices": [{"InvoiceID": ID}] * count})

    assert f"2 rows sent, {count}" in str(caught.value)
    assert (caught.value.status, caught.value.meta.correlation_id) == (200, "c0ffee")
    assert caught.value.body


@pytest.mark.parametrize("record_id", [OTHER, NO_ID[:-1] + "1", None, 7, ""])
def test_a_row_under_another_id_is_an_error(record_id: Any) -> None:
    """The row sent with an id must come back with it."""
    with pytest.raises(RowsMismatchError) as caught:
        _read(ONE, {"Invoices": [{"InvoiceID": record_id}]})

    assert (caught.value.status, bool(caught.value.body)) == (200, True)


@pytest.mark.parametrize("document", [{"Contacts": []}, [], {"Invoices": {}}, {"Invoices": [1, 2]}, None])
def test_another_shape_is_an_error(document: Any) -> None:
    """Its bytes are kept."""
    with pytest.raises(UnmappableAnswerError) as caught:
        _read(TWO, document)

    assert caught.value.body == encode(document)


@pytest.mark.parametrize("body", [b"", b'{"Invoices":[', b"<html>"])
def test_half_an_answer_is_garbled(body: bytes) -> None:
    """It may all have been written."""
    with pytest.raises(GarbledAnswerError):
        _read(TWO, body)


def test_one_refused_row_is_a_row() -> None:
    """The address of one record can't answer row by row: its 400 says the same."""
    (row,) = _read(ONE, _refusal({"InvoiceID": ID, "ValidationErrors": _wrong("No.")}), 400).rows

    assert (row.status, row.id, row.problems) == (RowStatus.ERROR, ID, (Problem(path="", message="No."),))


@pytest.mark.parametrize("count", [1, 2])
def test_refused_rows_among_many_are_an_error(count: int) -> None:
    """The valid ones may have been written; whoever asked must know."""
    elements = [{"ValidationErrors": _wrong(f"No {place}.")} for place in range(count)]

    with pytest.raises(InvalidRowsError) as caught:
        _read(TWO, _refusal(*elements), 400)

    assert caught.value.elements == tuple((Problem(path="", message=f"No {place}."),) for place in range(count))
    assert (caught.value.status, bool(caught.value.body)) == (400, True)
    assert "No 0" not in str(caught.value)


def test_a_key_that_was_used_before_is_known() -> None:
    """By Xero's words."""
    with pytest.raises(KeyReusedError):
        _read(TWO, {"Message": "Idempotency Key: k is used with a different request."}, 400)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b"<html>", BadRequestError),
        (400, encode({"ErrorNumber": 14, "Type": "PostDataInvalidException"}), BadRequestError),
        (400, encode({"Elements": ["x"]}), BadRequestError),
        (400, encode([]), BadRequestError),
        (401, b"", UnauthorisedError),
        (403, b"", ForbiddenError),
        (404, b"<html>", BadRequestError),
        (302, b"", OddStatusError),
        (429, b"", RateLimitedError),
        (500, b"<html>", ServerError),
        (503, b"offline", OfflineError),
        (202, b"{}", OddStatusError),
    ],
)
def test_other_answers_are_the_errors_of_reads(status: int, body: bytes, error: type[XeroError]) -> None:
    """By status, before the body."""
    with pytest.raises(error) as caught:
        _read(TWO, body, status)

    assert type(caught.value) is error


def test_answers_that_say_nothing() -> None:
    """An email and a removal: done is done, whatever the body."""
    for request, status in (
        (parts.email(INVOICES, ID, key="k"), 204),
        (parts.remove_allocation(CREDIT_NOTES, ID, OTHER), 200),
    ):
        assert _read(request, b"", status).rows == ()


def test_attachments_and_notes_are_rows() -> None:
    """The file has its own id, the note none."""
    file = parts.attach(INVOICES, ID, file_name="a.pdf", content=b"x", content_type="application/pdf", key="k")
    note = parts.add_note(INVOICES, ID, "x", key="k")

    assert _read(file, {"Attachments": [{"AttachmentID": OTHER}]}).rows[0].id == OTHER
    assert _read(note, {"HistoryRecords": [{"Details": "x"}]}).rows[0].id is None
    with pytest.raises(RowsMismatchError):
        _read(file, {"Attachments": []})
