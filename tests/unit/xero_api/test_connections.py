"""The list of connected organisations."""

from datetime import UTC, datetime

import pytest

from xero_api.connections import connection_target, connections_target, parse_connections, parse_disconnection
from xero_api.errors import (
    GarbledAnswerError,
    MisdirectedError,
    NotAConnectionError,
    ServerError,
    UnauthorisedError,
    UnmappableAnswerError,
    XeroError,
)

BODY = b"""[{"id":"7CB59F93-2964-421d-bb5e-a0f7a4572a44","authEventId":"d99ecdfe-391d-43d2-b834-17636ba90e8d",
"tenantId":"FE79F7DD-b6d4-4a92-ba7b-538af6289c58","tenantType":"organisation","tenantName":"Demo Company (NZ)",
"createdDateUtc":"2019-12-07T18:46:19.5165400","updatedDateUtc":"2019-12-07T18:46:19.5187840","new":1},
{"id":"a","tenantId":"b","tenantType":"PRACTICE"}]"""


def test_connections_are_read() -> None:
    """Ids in lower case, seven decimals understood, unknown fields ignored, missing ones null."""
    one, practice = parse_connections(BODY)

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
    assert parse_connections(b"[]") == []


@pytest.mark.parametrize("body", [b"{}", b"[5]", b'[{"id":"a"}]', b'[{"id":5,"tenantId":"b","tenantType":"c"}]'])
def test_another_shape_is_put_aside(body: bytes) -> None:
    """With its bytes."""
    with pytest.raises(UnmappableAnswerError) as caught:
        parse_connections(body)

    assert caught.value.body == body


def test_half_an_answer_is_tried_again() -> None:
    """What is no JSON may be whole the next time."""
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
    assert parse_disconnection(204, {}, b"")
    assert not parse_disconnection(404, XEROS, b"")


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (403, XEROS, NotAConnectionError),
        (404, {}, MisdirectedError),
        (401, XEROS, UnauthorisedError),
        (500, {}, ServerError),
        (200, XEROS, MisdirectedError),
    ],
)
def test_other_answers_to_a_disconnect(status: int, headers: dict[str, str], error: type[XeroError]) -> None:
    """A 403 is about the id, a 404 of somebody else's proves nothing."""
    with pytest.raises(error):
        parse_disconnection(status, headers, b"")
