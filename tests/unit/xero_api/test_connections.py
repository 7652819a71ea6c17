"""The list of connected organisations."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_api.answers import decipher
from xero_api.connections import (
    Connection,
    Listed,
    connection_target,
    connections_target,
    own_connection,
    parse_connections,
    parse_disconnection,
)
from xero_api.decode import decode, encode
from xero_api.errors import (
    GarbledAnswerError,
    InterceptedError,
    NotAConnectionError,
    OddStatusError,
    ServerError,
    UnauthorisedError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.registry import ORGANISATIONS
from xero_api.requests import get_all
from xero_stream.contracts.names import TenantId

BODY = b"""[{"id":"7CB59F93-2964-421d-bb5e-a0f7a4572a44","authEventId":"d99ecdfe-391d-43d2-b834-17636ba90e8d",
"tenantId":"FE79F7DD-b6d4-4a92-ba7b-538af6289c58","tenantType":"organisation","tenantName":"Demo Company (NZ)",
"createdDateUtc":"2019-12-07T18:46:19.5165400","updatedDateUtc":"2019-12-07T18:46:19.5187840","new":1},
{"id":"a","tenantId":"b","tenantType":"PRACTICE"}]"""


def test_connections_are_read() -> None:
    """Ids in lower case, seven decimals understood, unknown fields ignored, missing ones null."""
    one, practice = parse_connections(BODY).connections

    assert one.id == "7cb59f93-2964-421d-bb5e-a0f7a4572a44"
    assert one.tenant_id == "fe79f7dd-b6d4-4a92-ba7b-538af6289c58"
    assert one.tenant_type == "ORGANISATION"
    assert one.auth_event_id == "d99ecdfe-391d-43d2-b834-17636ba90e8d"
    assert one.created_at == datetime(2019, 12, 7, 18, 46, 19, 516_000, tzinfo=UTC)
    assert practice.tenant_name is None
    assert practice.auth_event_id is None
    assert practice.updated_at is None


def test_none_connected() -> None:
    """An empty list is an answer."""
    assert parse_connections(b"[]") == Listed(connections=())


def test_odd_elements_do_not_spoil_the_others() -> None:
    """What has no tenant id is no connection; all else may be missing or null."""
    odd: list[Any] = [
        None,
        5,
        [],
        {},
        {"id": "a"},
        {"id": "a", "tenantId": None},
        {"id": "a", "tenantId": " "},
        {"tenantId": 7},
    ]
    bare = {"tenantId": "T", "tenantType": None, "id": None, "tenantName": 3, "authEventId": 1, "createdDateUtc": 0}
    body = encode([*odd, *decode(BODY), bare])

    listed = parse_connections(body)

    assert [(one.index, one.value) for one in listed.unreadable] == list(enumerate(odd))
    assert [one.tenant_id for one in listed.connections[1:]] == ["b", "t"]
    assert listed.connections[2] == Connection(
        id=None,
        tenant_id=TenantId("t"),
        tenant_type="",
        tenant_name=None,
        auth_event_id=None,
        created_at=None,
        updated_at=None,
    )


values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6) | st.just([]) | st.just({})
)
fields = ("id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc", "updatedDateUtc")


@given(st.lists(values | st.fixed_dictionaries({}, optional=dict.fromkeys(fields, values)), max_size=6))
def test_every_element_is_a_connection_or_set_apart(elements: list[Any]) -> None:
    """No element of any shape makes the list unreadable, and none gets lost."""
    listed = parse_connections(encode(elements))

    assert len(listed.connections) + len(listed.unreadable) == len(elements)
    assert all(one.tenant_id.strip() and one.tenant_id == one.tenant_id.lower() for one in listed.connections)


@pytest.mark.parametrize("body", [b"{}", b'"a"', b"null", b"3"])
def test_another_shape_is_put_aside(body: bytes) -> None:
    """With its bytes."""
    with pytest.raises(UnmappableAnswerError) as caught:
        parse_connections(body)

    assert caught.value.body == body


@pytest.mark.parametrize("count", [0, 2])
def test_a_custom_connection_has_one_organisation(count: int) -> None:
    """Another number says nothing about which one it is."""
    rows = [{"OrganisationID": "AB"}, {"OrganisationID": "CD"}]
    answer = decipher(get_all(ORGANISATIONS), 200, {}, encode({"Organisations": rows[:count]}))

    with pytest.raises(UnmappableAnswerError, match=f"{count} organisations"):
        own_connection(answer)


def test_half_an_answer_is_tried_again() -> None:
    """What is not valid JSON may be whole the next time."""
    with pytest.raises(GarbledAnswerError):
        parse_connections(b'[{"id":')


def test_a_consent_can_be_asked_for() -> None:
    """The filter is encoded."""
    assert connections_target() == "/connections"
    assert connections_target("a&b") == "/connections?authEventId=a%26b"


XEROS = {"xero-correlation-id": "c0ffee"}


def test_a_connection_is_deleted_or_was() -> None:
    """204, or Xero's own 404."""
    assert connection_target("a/b") == "/connections/a%2Fb"
    assert parse_disconnection(204, XEROS, b"")
    assert not parse_disconnection(404, XEROS, b"")


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (403, XEROS, NotAConnectionError),
        (204, {}, InterceptedError),
        (403, {}, InterceptedError),
        (404, {}, InterceptedError),
        (401, XEROS, UnauthorisedError),
        (500, {}, ServerError),
        (200, XEROS, OddStatusError),
    ],
)
def test_other_answers_to_a_disconnect(status: int, headers: dict[str, str], error: type[XeroError]) -> None:
    """A 403 is about the id, a 404 of somebody else's proves nothing."""
    with pytest.raises(error):
        parse_disconnection(status, headers, b"")
