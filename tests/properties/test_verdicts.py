"""The table of verdicts over every status, mark and subject: total, and never wider than what failed."""

import json
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_api.answers import SUBJECTS, Answer, decipher, error_of
from xero_api.errors import (
    AccessError,
    BadRequestError,
    ForbiddenError,
    HoldError,
    InterceptedError,
    MisconfiguredError,
    RejectedError,
    TransientError,
    UnauthorisedError,
    XeroError,
)
from xero_api.meta import NO_META, Meta, read_meta
from xero_api.registry import INVOICES
from xero_api.requests import Request, get_ids, get_one, get_page
from xero_api.verdicts import Act, Good, Mark, Subject, act, mark_of, meaning
from xero_stream.contracts.names import RecordId

STATUSES = range(100, 600)
READ = (Subject.RECORD, Subject.BATCH, Subject.LIST)
WIDE = {Act.WAIT, Act.SUSPEND, Act.STOP}
"""What holds a whole organisation or app."""
ID = RecordId("11111111-1111-4111-8111-111111111111")
REQUESTS: dict[Subject, Request] = {
    Subject.RECORD: get_one(INVOICES, ID),
    Subject.BATCH: get_ids(INVOICES, [ID]),
    Subject.LIST: get_page(INVOICES, None),
}

PROBLEM: dict[str, object] = {
    "Type": None,
    "Title": "Forbidden",
    "Status": 403,
    "Detail": "AuthenticationUnsuccessful",
    "Instance": str(uuid4()),
    "Extensions": {},
}
XEROS_BODIES = [
    json.dumps(PROBLEM).encode(),
    json.dumps(PROBLEM).lower().encode(),
    json.dumps(PROBLEM | {"Detail": "Something new"}).encode(),
    b'{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred","Elements":[]}',
    b'{"ErrorNumber":16,"Type":"QueryParseException","Message":"x"}',
    b"Supplied parameter 'Ids' cannot be parsed - must be of type UUID.",
    b"The Xero API is currently offline for maintenance",
]
STRANGERS_BODIES = [
    b"",
    b"<html><head><title>Access Denied</title></head></html>",
    b"<Error>too long</Error>",
    b"Forbidden",
    b"[]",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"title":"Forbidden","status":403,"detail":"Blocked by policy 7","instance":"/api.xro/2.0/Invoices"}',
    b'{"title":"Forbidden","detail":"The word AuthenticationUnsuccessful in a sentence"}',
    b'{"error":"access_denied","type":"Exception of ours"}',
    b'{"SubTotal":1e999999999}',
]
MARKING = st.sampled_from(
    [
        {"xero-correlation-id": "c0ffee"},
        {"x-minlimit-remaining": "59"},
        {"x-daylimit-remaining": "0"},
        {"x-rate-limit-problem": "minute"},
    ]
)
BODIES = (
    st.sampled_from(XEROS_BODIES + STRANGERS_BODIES) | st.binary(max_size=60) | st.text(max_size=60).map(str.encode)
)


@pytest.mark.parametrize(("mark", "subject"), list(product(Mark, Subject)))
def test_every_status_has_one_meaning_and_one_act(mark: Mark, subject: Subject) -> None:
    """Nothing falls through, and each error is one of the tree."""
    for status in STATUSES:
        found = meaning(status, mark, subject)
        if isinstance(found, Good):
            assert status in {200, 201, 204, 304, 404}
        else:
            assert issubclass(found, XeroError)
            assert isinstance(act(found, subject), Act)


@pytest.mark.parametrize(("mark", "subject"), list(product(Mark, READ)))
def test_no_organisation_is_held_for_what_one_entity_did(mark: Mark, subject: Subject) -> None:
    """Only Xero's own word about the organisation, a limit or its being offline, holds it; no answer suspends it."""
    for status in STATUSES:
        found = meaning(status, mark, subject)
        if isinstance(found, Good):
            continue
        what = act(found, subject)
        assert what not in {Act.SUSPEND, Act.STOP, Act.TELL}
        if what is Act.WAIT:
            assert mark is not Mark.NONE
            assert status in {429, 503}


@pytest.mark.parametrize("subject", list(Subject))
def test_what_bears_no_mark_is_tried_again(subject: Subject) -> None:
    """A firewall, a proxy, a portal: transient whatever the status, and nothing it says proves an absence."""
    for status in STATUSES:
        found = meaning(status, Mark.NONE, subject)
        if isinstance(found, Good):
            assert found is Good.TAKEN
            assert status in {200, 201}
        else:
            assert issubclass(found, TransientError)
            assert act(found, subject) is Act.RETRY


@given(status=st.integers(100, 599), body=BODIES, headers=MARKING, subject=st.sampled_from(READ))
def test_an_answer_with_a_header_of_xeros_is_judged_by_its_status(
    status: int, body: bytes, headers: dict[str, str], subject: Subject
) -> None:
    """401, 403 and refusals are about what was asked: entity, connection, record, batch, list."""
    assert mark_of(read_meta(headers), body) is Mark.HEADER
    found = meaning(status, Mark.HEADER, subject)
    if status == 401:
        assert found is UnauthorisedError
        assert act(found, subject) is Act.HOLD_ENTITY
    elif status == 403:
        assert found is ForbiddenError
        assert act(found, subject) is Act.ASK_CONNECTIONS
    elif status in {400, 414}:
        assert found is BadRequestError
        assert (
            act(found, subject)
            is {
                Subject.RECORD: Act.SET_ASIDE,
                Subject.BATCH: Act.SPLIT,
                Subject.LIST: Act.POSTPONE,
            }[subject]
        )
    elif status in {407, 511}:
        assert found is InterceptedError


@given(body=st.sampled_from(XEROS_BODIES))
def test_xeros_words_are_known_without_its_headers(body: bytes) -> None:
    """As the field reports have them."""
    assert mark_of(NO_META, body) is Mark.BODY
    assert meaning(404, Mark.BODY, Subject.RECORD) is not Good.ABSENT, "words can be copied: they prove no deletion"


@given(body=st.sampled_from(STRANGERS_BODIES) | st.binary(max_size=200))
def test_strangers_bodies_have_no_mark(body: bytes) -> None:
    """However deep, broken or alike."""
    assert mark_of(Meta(), body) is Mark.NONE


@given(
    status=st.integers(100, 599),
    body=BODIES,
    headers=MARKING | st.just({}),
    subject=st.sampled_from(READ),
)
def test_answers_are_what_the_table_says(status: int, body: bytes, headers: dict[str, str], subject: Subject) -> None:
    """``decipher`` and ``error_of`` decide nothing by themselves."""
    request, mark = REQUESTS[subject], mark_of(read_meta(headers), body)
    assert SUBJECTS[request.form] is subject
    found = meaning(status, mark, subject)

    outcome = outcome_of(request, status, headers, body)

    if isinstance(outcome, Answer):
        assert isinstance(found, Good)
        assert outcome.missing is (found is Good.ABSENT)
        return
    if found is Good.TAKEN:
        assert isinstance(outcome, TransientError | RejectedError)
    else:
        assert type(outcome) is found
        assert type(error_of(request.endpoint, status, headers, body, subject)) is found
    assert not isinstance(outcome, MisconfiguredError)
    assert act(outcome, subject) not in WIDE or isinstance(outcome, HoldError)
    assert isinstance(outcome, RejectedError) or not outcome.body
    assert isinstance(outcome, AccessError) is (status in {401, 403} and mark is not Mark.NONE)


def outcome_of(request: Request, status: int, headers: dict[str, str], body: bytes) -> Answer | XeroError:
    """The answer, or the error that was raised."""
    try:
        return decipher(request, status, headers, body)
    except XeroError as error:
        return error
