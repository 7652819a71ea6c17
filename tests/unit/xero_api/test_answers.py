"""Answers, good and bad."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.xero_records import example
from xero_api.answers import Pagination, decipher, limit_kind, problem_word
from xero_api.decode import encode
from xero_api.errors import (
    BadRequestError,
    ForbiddenError,
    GarbledAnswerError,
    Intent,
    InterceptedError,
    LimitKind,
    OddStatusError,
    OfflineError,
    RateLimitedError,
    ServerError,
    UnauthorisedError,
    UnmappableAnswerError,
    XeroError,
    intent,
)
from xero_api.meta import Limits, Meta
from xero_api.registry import INVOICES
from xero_api.requests import get_ids, get_one, get_page
from xero_stream.contracts.names import RecordId

A, B, C = (RecordId(str(UUID(int=number))) for number in (1, 2, 3))
HEADERS = {
    "xero-correlation-id": "c0ffee",
    "x-daylimit-remaining": "4813",
    "x-minlimit-remaining": "59",
    "x-appminlimit-remaining": "9999",
    "date": "Sun, 22 Nov 2026 10:00:00 GMT",
}


def _body(*records: object, **more: object) -> bytes:
    return encode(
        {"Id": "1", "Status": "OK", "DateTimeUTC": "/Date(1763800000123)/", "Invoices": list(records), **more}
    )


def test_a_good_answer() -> None:
    """Records, pagination, limits, correlation id and both of Xero's clocks."""
    answer = decipher(get_page(INVOICES, None), 200, HEADERS, example("invoices", "page"))

    assert len(answer.records) == 2
    assert answer.pagination == Pagination(page=1, page_size=1000, page_count=1, item_count=2)
    assert answer.meta.limits == Limits(day=4813, minute=59, app_minute=9999)
    assert answer.meta.correlation_id == "c0ffee"
    assert answer.meta.server_date == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert answer.server_time == datetime(2025, 11, 22, 8, 26, 40, 123_000, tzinfo=UTC)
    assert not answer.missing


def test_only_what_was_asked_for_is_believed() -> None:
    """Records nobody asked for are dropped and told; ids that didn't come are told, and prove nothing."""
    answer = decipher(get_ids(INVOICES, [A, B]), 200, {}, _body({"InvoiceID": A.upper()}, {"InvoiceID": C}))

    assert [raw["InvoiceID"] for raw in answer.records] == [A]
    assert answer.strangers == {C}
    assert answer.absent == {B}
    assert not answer.missing


def test_elements_that_are_no_records_are_told_one_by_one() -> None:
    """One bad element costs only itself."""
    answer = decipher(get_page(INVOICES, None), 200, {}, _body({"InvoiceID": A}, 5, {"Total": 1}, {"InvoiceID": ""}))

    assert [raw["InvoiceID"] for raw in answer.records] == [A]
    assert [(item.index, item.reason) for item in answer.unreadable] == [(1, "no object"), (2, "no id"), (3, "no id")]


def test_a_404_of_xeros_to_a_single_read_proves_the_record_missing() -> None:
    """It must bear Xero's marks: a proxy's 404 must never look like a deletion."""
    answer = decipher(get_one(INVOICES, A), 404, {"xero-correlation-id": "c"}, b"The resource can't be found")

    assert answer.missing
    assert answer.absent == {A}
    with pytest.raises(InterceptedError):
        decipher(get_one(INVOICES, A), 404, {}, b"<html>nginx</html>")


def test_a_200_without_the_record_to_a_single_read_proves_nothing() -> None:
    """Only a 404 does. An empty list is read again later, anything else is kept with its bytes."""
    with pytest.raises(GarbledAnswerError, match="empty list"):
        decipher(get_one(INVOICES, A), 200, HEADERS, _body())
    for stranger in ({"InvoiceID": B}, {"InvoiceID": 5}, None, "x"):
        body = encode({"Invoices": [stranger]})
        with pytest.raises(UnmappableAnswerError, match="does not hold the record") as caught:
            decipher(get_one(INVOICES, A), 200, HEADERS, body)
        assert caught.value.body == body


def test_a_404_to_a_batch_is_our_fault() -> None:
    """Xero says 404 to a query that is too long."""
    with pytest.raises(BadRequestError):
        decipher(get_ids(INVOICES, [A]), 404, HEADERS, b"")


def test_nothing_changed_is_an_empty_page() -> None:
    """304 and 204 to a page are answers without records."""
    for status in (204, 304):
        assert decipher(get_page(INVOICES, datetime(2026, 1, 1, tzinfo=UTC)), status, HEADERS, b"").records == ()


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "what_to_do"),
    [
        (200, {}, b"", GarbledAnswerError, Intent.RETRY),
        (200, {}, b'{"Invoices":[{"Inv', GarbledAnswerError, Intent.RETRY),
        (200, {}, b"<html>", GarbledAnswerError, Intent.RETRY),
        (200, HEADERS, b"[]", UnmappableAnswerError, Intent.QUARANTINE),
        (200, HEADERS, b'{"Status":"OK"}', UnmappableAnswerError, Intent.QUARANTINE),
        (200, HEADERS, b'{"Invoices":{}}', UnmappableAnswerError, Intent.QUARANTINE),
        (200, {}, b'{"login":"https://portal.example"}', InterceptedError, Intent.RETRY),
        (204, {}, b"", InterceptedError, Intent.RETRY),
        (301, HEADERS, b"", OddStatusError, Intent.RETRY),
        (301, {}, b"", InterceptedError, Intent.RETRY),
        (304, {}, b"", InterceptedError, Intent.RETRY),
        (400, {}, b'{"ErrorNumber":10,"Type":"ValidationException"}', BadRequestError, Intent.QUARANTINE),
        (400, {}, b"<html>Bad Request</html>", InterceptedError, Intent.RETRY),
        (401, {}, b"<html>Sign in</html>", InterceptedError, Intent.RETRY),
        (403, {}, b"<html>Access Denied</html>", InterceptedError, Intent.RETRY),
        (403, {}, b'{"title":"Forbidden","status":403,"detail":"Blocked by policy 7"}', InterceptedError, Intent.RETRY),
        (407, HEADERS, b"", InterceptedError, Intent.RETRY),
        (400, {}, b"Supplied parameter 'Ids' cannot be parsed.", BadRequestError, Intent.QUARANTINE),
        (
            401,
            {},
            b'{"Title":"Unauthorized","Detail":"AuthorizationUnsuccessful"}',
            UnauthorisedError,
            Intent.REAUTHORISE,
        ),
        (
            403,
            {},
            b'{"title":"Forbidden","detail":"AuthenticationUnsuccessful"}',
            ForbiddenError,
            Intent.REAUTHORISE,
        ),
        (404, {}, b"", InterceptedError, Intent.RETRY),
        (408, HEADERS, b"", ServerError, Intent.RETRY),
        (412, HEADERS, b"", BadRequestError, Intent.QUARANTINE),
        (414, HEADERS, b"<xml/>", BadRequestError, Intent.QUARANTINE),
        (429, {"x-rate-limit-problem": "minute"}, b"", RateLimitedError, Intent.PARK),
        (429, {}, b"", InterceptedError, Intent.RETRY),
        (500, {}, b"<html>", ServerError, Intent.RETRY),
        (501, HEADERS, b"", BadRequestError, Intent.QUARANTINE),
        (503, {}, b"<html>", ServerError, Intent.RETRY),
        (502, {}, b"", ServerError, Intent.RETRY),
        (503, {}, b"The Xero API is currently offline for maintenance", OfflineError, Intent.PARK),
        (504, {}, b"", ServerError, Intent.RETRY),
        (599, {}, b"", ServerError, Intent.RETRY),
    ],
)
def test_bad_answers(
    status: int, headers: dict[str, str], body: bytes, error: type[XeroError], what_to_do: Intent
) -> None:
    """Each status and body has its error and its intent, whatever the body is made of."""
    with pytest.raises(error) as caught:
        decipher(get_page(INVOICES, None), status, headers, body)

    assert type(caught.value) is error
    assert intent(caught.value) is what_to_do
    assert caught.value.status == status
    assert caught.value.hint


def test_an_error_carries_what_the_headers_say() -> None:
    """Limits, correlation id and the wait; the body only for quarantine, never in the message."""
    headers = {**HEADERS, "retry-after": "66975", "x-rate-limit-problem": "Daily"}

    with pytest.raises(RateLimitedError) as limited:
        decipher(get_page(INVOICES, None), 429, headers, b"secret")
    with pytest.raises(BadRequestError) as rejected:
        decipher(get_page(INVOICES, None), 400, HEADERS, b'{"Message":"secret"}')

    assert limited.value.limit is LimitKind.DAY
    assert limited.value.meta.retry_after == 66_975
    assert limited.value.meta.limits.day == 4813
    assert rejected.value.body == b'{"Message":"secret"}'
    assert "secret" not in str(limited.value) + str(rejected.value)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("minute", LimitKind.MINUTE),
        ("Minute", LimitKind.MINUTE),
        ("day", LimitKind.DAY),
        ("Daily", LimitKind.DAY),
        ("appminute", LimitKind.APP),
        ("concurrent", LimitKind.CONCURRENT),
        (" MIN ", LimitKind.MINUTE),
    ],
)
def test_limits_are_known_by_prefix(problem: str, kind: LimitKind) -> None:
    """Their spelling isn't stable. A known word is believed, whatever the other headers say."""
    assert limit_kind(problem) is kind
    assert limit_kind(problem, Meta(limits=Limits(day=0, minute=0, app_minute=0), retry_after=80_000)) is kind


@pytest.mark.parametrize(
    ("limits", "retry_after", "kind"),
    [
        (Limits(), None, LimitKind.CONCURRENT),
        (Limits(), 30, LimitKind.MINUTE),
        (Limits(), 60, LimitKind.MINUTE),
        (Limits(), 61, LimitKind.DAY),
        (Limits(), 80_000, LimitKind.DAY),
        (Limits(day=0), None, LimitKind.DAY),
        (Limits(day=0, minute=0), 5, LimitKind.DAY),
        (Limits(day=4_000), 80_000, LimitKind.DAY),
        (Limits(day=4_000, minute=0), None, LimitKind.MINUTE),
        (Limits(minute=0, app_minute=0), 5, LimitKind.APP),
        (Limits(day=4_000, minute=30, app_minute=9_000), None, LimitKind.CONCURRENT),
        (Limits(day=4_000, minute=30, app_minute=9_000), 7, LimitKind.MINUTE),
    ],
)
@pytest.mark.parametrize("problem", [None, "", "quota", "X"])
def test_a_limit_without_a_known_word(
    problem: str | None, limits: Limits, retry_after: float | None, kind: LimitKind
) -> None:
    """What is used up decides, then how long the wait is: only a day's is longer than a minute."""
    assert limit_kind(problem, Meta(limits=limits, retry_after=retry_after)) is kind


@given(
    problem=st.none() | st.text(max_size=8) | st.sampled_from(["minute", "Daily", "appminute"]),
    retry_after=st.none() | st.text(max_size=8) | st.integers(-5, 10**9).map(str),
    left=st.lists(st.none() | st.text(max_size=5) | st.integers(0, 9_999).map(str), min_size=3, max_size=3),
)
def test_every_429_waits_for_a_limit_that_lasts_long_enough(
    problem: str | None, retry_after: str | None, left: list[str | None]
) -> None:
    """Whatever its headers: it is a limit, and without a known word a wait of over a minute is the day's."""
    names = ("x-daylimit-remaining", "x-minlimit-remaining", "x-appminlimit-remaining")
    sent = {"x-rate-limit-problem": problem, "retry-after": retry_after, **dict(zip(names, left, strict=True))}
    headers = {**HEADERS, **{name: value for name, value in sent.items() if value is not None}}

    with pytest.raises(RateLimitedError) as caught:
        decipher(get_page(INVOICES, None), 429, headers, b"")

    word = (problem or "").strip().lower()
    known = any(word.startswith(prefix) for prefix in ("min", "da", "app", "con"))
    assert known or (caught.value.meta.retry_after or 0) <= 60 or caught.value.limit is LimitKind.DAY


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"Detail":"AuthorizationUnsuccessful","Title":"Unauthorized"}', "AuthorizationUnsuccessful"),
        (b'{"detail":"AuthenticationUnsuccessful"}', "AuthenticationUnsuccessful"),
        (b'{"Type":null,"Title":"Forbidden"}', "Forbidden"),
        (b'{"Detail":"Invoice INV-1 of Mr. X is locked"}', None),
        (b"[]", None),
        (b"\xff", None),
    ],
)
def test_only_names_of_problems_are_quoted(body: bytes, word: str | None) -> None:
    """A word or two, in any case of keys; a sentence might hold somebody's data."""
    assert problem_word(body) == word


@pytest.mark.parametrize(
    "value", [None, [], {}, {"page": 1, "pageSize": 2, "pageCount": "3", "itemCount": 4}, {"page": -1, "pageSize": 1}]
)
def test_odd_pagination_is_none(value: object) -> None:
    """A pagination object of another shape is as good as none."""
    assert decipher(get_page(INVOICES, None), 200, {}, _body(pagination=value)).pagination is None
