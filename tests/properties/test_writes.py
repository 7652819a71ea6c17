"""Writing: any answer is a result or a typed error, and nothing is ever sent twice by mistake."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from xero_api.decode import decode, encode
from xero_api.errors import InvalidRowsError, UnfitFieldError, XeroError
from xero_api.registry import ENTITIES, INVOICES
from xero_api.writes import requests as writing
from xero_api.writes.again import KEY_SECONDS, Again, Fate, again, fate_of
from xero_api.writes.answers import RowStatus, decipher

METHODS = st.sampled_from(["GET", "HEAD", "DELETE", "PUT", "POST", "PATCH"])
STATUSES = st.none() | st.integers(100, 599)
AGES = st.none() | st.floats(allow_nan=True) | st.floats(0, 2 * KEY_SECONDS)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
MESSAGES = st.lists(st.fixed_dictionaries({"Message": TEXT}) | TEXT | st.none(), max_size=2)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | TEXT
    | st.integers(-(10**11), 10**11).map(lambda cents: cents / 100),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Contact", "LineItems", "x"]) | TEXT, inner, max_size=3)
        | st.fixed_dictionaries({"ValidationErrors": MESSAGES | inner, "Warnings": MESSAGES | inner})
    ),
    max_leaves=8,
)
ELEMENTS = st.dictionaries(
    st.sampled_from(["InvoiceID", "StatusAttributeString", "HasErrors", "ValidationErrors", "Warnings", "LineItems"]),
    st.sampled_from(["OK", "ERROR", "WARNING", True, "00000000-0000-0000-0000-000000000000"]) | MESSAGES | VALUES,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={"Invoices": st.lists(ELEMENTS, max_size=4) | VALUES, "Elements": st.lists(ELEMENTS, max_size=4) | VALUES},
)


@given(METHODS, STATUSES, st.sampled_from(Fate), AGES, st.booleans())
@settings(max_examples=examples(30))
def test_no_write_is_repeated_while_it_may_have_happened(
    method: str,
    status: int | None,
    fate: Fate,
    age: float | None,
    findable: bool,
) -> None:
    """PUT and POST with an unknown outcome: the young key, a look-up, or an operator."""
    found = again(method, status, fate, key_age=age, findable=findable)

    if fate is Fate.DONE:
        assert found is Again.NEVER
    if found is Again.AS_IS and method not in {"GET", "HEAD", "DELETE"}:
        assert fate is Fate.NOT_DONE
        assert status in {None, 401, 403, 429}
    if found is Again.SAME_KEY:
        assert fate is Fate.UNKNOWN
        assert age is not None
        assert 0 <= age <= KEY_SECONDS < 360
    if found is Again.AFTER_LOOK_UP:
        assert findable
        assert fate is Fate.UNKNOWN


@given(STATUSES, st.booleans(), st.booleans())
def test_only_a_refusal_or_nothing_sent_means_not_done(status: int | None, sent: bool, rows: bool) -> None:
    """Whatever the status: a 4xx that isn't a time-out, a 501, or a request that never left."""
    error: XeroError = XeroError("x", status=status)
    if rows:
        error = InvalidRowsError("x", elements=(), status=400, meta=error.meta, body=b"")
    error.sent = sent

    fate = fate_of(error)

    refused = error.status is not None and (400 <= error.status < 500 or error.status == 501)
    assert (fate is Fate.NOT_DONE) == (not sent or (refused and error.status != 408 and not rows))
    assert fate is not Fate.DONE


@given(st.integers(1, 3), st.sampled_from([200, 201, 204, 400, 401, 404, 429, 500]), DOCUMENTS | VALUES, st.booleans())
@settings(max_examples=examples(30))
def test_any_answer_is_understood_or_a_typed_error(count: int, status: int, document: Any, cut: bool) -> None:
    """As many rows as were sent, in order; a row that is called written has a real id."""
    request = writing.create(INVOICES, [{}] * count, key="k")
    body = encode(document)

    try:
        answer = decipher(request, status, {}, body[: len(body) // 2] if cut else body)
    except XeroError:
        return

    assert [row.index for row in answer.rows] == list(range(count))
    for row in answer.rows:
        assert row.written is (row.status is not RowStatus.ERROR)
        assert row.id is None or (row.written and set(row.id) != set("0-"))
        assert not (row.written and row.problems)


@given(
    st.sampled_from([one for one in ENTITIES if one.writes is not None and one.writes.create]),
    st.lists(st.dictionaries(TEXT, VALUES, max_size=3), min_size=1, max_size=3),
)
@settings(max_examples=examples(25))
def test_the_body_is_what_was_given_and_the_same_every_time(entity: Any, records: list[dict[str, Any]]) -> None:
    """Exact, deterministic, and built once."""
    records = records[: entity.writes.many]
    request = writing.create(entity, records, key="k")

    assert request == writing.create(entity, records, key="k")
    assert decode(request.body) == {entity.list_key: records}
    assert request.rows == len(records)


@given(st.text(max_size=140))
def test_a_key_is_sent_as_it_is_or_refused(key: str) -> None:
    """No header is ever broken by it."""
    try:
        request = writing.create(INVOICES, [{}], key=key)
    except XeroError:
        return

    assert request.headers["Idempotency-Key"] == key
    assert 0 < len(key) <= 128
    assert key.isascii()
    assert key.isprintable()
    assert key == key.strip()


KEPT = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.text()
    | st.binary()
)
FIELDS = [
    "Date",
    "DueDate",
    "UnitAmount",
    "Total",
    "CurrencyRate",
    "SentToContact",
    "Reference",
    "LineItems",
    "Schedule",
    "Unknown",
]
RECORDS = st.recursive(
    st.dictionaries(st.sampled_from(FIELDS), KEPT, max_size=4),
    lambda inner: st.dictionaries(
        st.sampled_from(FIELDS), KEPT | inner | st.lists(inner | KEPT, max_size=3), max_size=4
    ),
    max_leaves=6,
)


def _equal(given: Any, read: Any) -> bool:
    """Whether what Xero reads is what was given: the same kind, the same value."""
    if isinstance(given, dict):
        return (
            isinstance(read, dict) and given.keys() == read.keys() and all(_equal(v, read[k]) for k, v in given.items())
        )
    if isinstance(given, list):
        return isinstance(read, list) and len(given) == len(read) and all(map(_equal, given, read))
    if isinstance(given, date):
        return not isinstance(given, datetime) and read == given.isoformat()
    if isinstance(given, (bool, str)) or given is None:
        return type(read) is type(given) and bool(read == given)
    exact = Decimal(repr(given)) if isinstance(given, float) else Decimal(given)
    return not isinstance(read, bool) and exact == read


@given(RECORDS)
@example({"UnitAmount": -(2**63) - 1})
@example({"Unknown": 2**64})
@settings(max_examples=examples(80))
def test_a_record_is_written_as_it_was_given_or_refused(record: dict[str, Any]) -> None:
    """Whatever a caller gives: its body has the same values, or the field is named; nothing else is raised."""
    try:
        body = writing.create(INVOICES, [record], key="k").body
    except UnfitFieldError as error:
        refused = error.path
    else:
        (read,) = json.loads(body, parse_float=Decimal)["Invoices"]
        assert _equal(record, read)
        return
    assert refused.startswith("Invoices[0]")
