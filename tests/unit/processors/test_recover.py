"""What a store after a rollback takes over from the compacted topics."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.recorder.envelope import encode_change
from processors.relay.recover import UnreadableMessageError, _Compacted, published_record
from tests.unit.processors.test_envelope import AT, DRAFT, LARGE, PLACE, SHORT, body

IDENTITY = ("t", "r")
NAMES = st.sampled_from(["record", "position", "ts_ms", "version_ts_ms", "omitted", "status"])


def nested(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists and objects with names of ours."""
    return st.lists(values, max_size=3) | st.dictionaries(NAMES, values, max_size=6)


def dumped(value: Any) -> bytes:
    """As JSON of any kind."""
    return json.dumps(value).encode()


def message(after: bytes, **others: Any) -> bytes:
    """The value on the compacted topic."""
    value = encode_change(replace(DRAFT, after=after), PLACE, **others).record
    assert value is not None
    return value


@pytest.mark.parametrize(
    "after",
    [
        b'{"tenant_id":"t","id":"r","status":"paid","total":1.2345678901234568e+17}',
        b'{"tenant_id":"t","id":"r","status":"paid","total":12345678901234567.89,"rate":1E+25,"least":5e-324}',
        b'{"tenant_id":"t","id":"r","status":"paid","reference":"\\"record\\":{}}"}',
        b'{"tenant_id":"t","id":"r","status":"paid","raw":{"record":1,"omitted":["record.raw"]}}',
    ],
)
def test_a_record_is_taken_over_byte_for_byte(after: bytes) -> None:
    """The next read is compared with these bytes: another spelling of a number would be published as a change."""
    record = published_record(IDENTITY, message(after))

    assert record.body == after
    assert (record.position, record.status, record.version_at, record.recorded_at) == (7, "paid", AT, AT)


def test_a_shortened_record_is_taken_over_as_consumers_have_it() -> None:
    """Nobody has the rest; the next read finds it."""
    record = published_record(IDENTITY, message(body(LARGE), largest=5_000))

    assert orjson.loads(record.body) == SHORT


def test_a_record_without_stamp_and_status_is_taken_over() -> None:
    """Tax rates have neither; a NUL in a status fits no column of text."""
    value = orjson.dumps({"position": 7, "partition": 2, "ts_ms": 0, "version_ts_ms": None, "record": {"status": None}})
    record = published_record(IDENTITY, value)

    assert (record.version_at, record.status) == (None, None)
    assert record.recorded_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert published_record(IDENTITY, value.replace(b"null}}", b'"a\\u0000b"}}')).status == "a\ufffdb"


def test_the_last_message_of_a_key_counts() -> None:
    """In one batch, and over several; what ends with a tombstone is not there."""
    compacted = _Compacted()

    def rows(*messages: tuple[str, int | None]) -> list[tuple[str, int]]:
        found = compacted.rows(
            SimpleNamespace(  # what is looked at of a ConsumerRecord
                topic="records",
                offset=0,
                key=orjson.dumps({"tenant_id": "t", "id": name}),
                value=None
                if position is None
                else orjson.dumps(
                    {"position": position, "partition": 2, "ts_ms": 0, "version_ts_ms": None, "record": {"id": name}}
                ),
            )
            for name, position in messages
        )
        return [(row.record_id, row.position) for row in found]

    assert rows(("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", None)) == [("a", 3), ("c", 4)]
    assert rows(("b", 6), ("c", None)) == [("b", 6)]
    assert compacted.present == {("t", "a"), ("t", "b")}


@given(
    st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), nested).map(dumped)
)
def test_whatever_others_write_is_a_record_or_an_unreadable_message(value: bytes) -> None:
    """Nothing else is raised, or a recovery would fail at the same message indefinitely."""
    with contextlib.suppress(UnreadableMessageError):
        published_record(IDENTITY, value)


def test_a_record_that_others_wrote_in_our_form_is_taken_over_as_json() -> None:
    """Its fields may stand in another order."""
    value = b'{"record": {"status": "paid"}, "position": 7, "ts_ms": 0, "version_ts_ms": null}'

    assert published_record(IDENTITY, value).body == b'{"status":"paid"}'
