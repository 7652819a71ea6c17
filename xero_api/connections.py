"""``/connections``: which organisations a token reaches, and taking one away. Pure.

The timestamps have seven decimals and no zone (https://developer.xero.com/documentation/guides/oauth2/tenants).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from xero_api.answers import error_of
from xero_api.dates import parse_moment
from xero_api.decode import decode
from xero_api.errors import GarbledAnswerError, NotAConnectionError, UnmappableAnswerError
from xero_api.meta import read_meta
from xero_stream.contracts.names import TenantId

PATH = "/connections"
ORGANISATION = "ORGANISATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One organisation (or practice) connected to the app by a user.

    Attributes:
        id: id of the connection: what is deleted to disconnect.
        tenant_id: id of the organisation, in lower case.
        tenant_type: ``ORGANISATION``, or something we don't serve.
        tenant_name: its name; null for some types.
        auth_event_id: the consent it was made by: equals ``authentication_event_id`` in that consent's access token.
        created_at: when it was first connected; coming back later doesn't move it.
        updated_at: when it was last connected.
    """

    id: str
    tenant_id: TenantId
    tenant_type: str
    tenant_name: str | None
    auth_event_id: str | None
    created_at: datetime | None
    updated_at: datetime | None


def connections_target(auth_event_id: str | None = None) -> str:
    """Path and query of ``GET /connections``.

    Args:
        auth_event_id: only those connected by this consent.
    """
    return f"{PATH}?authEventId={quote(auth_event_id, safe='')}" if auth_event_id else PATH


def connection_target(connection_id: str) -> str:
    """Path of ``DELETE /connections/{id}``.

    Args:
        connection_id: the connection's own id.
    """
    return f"{PATH}/{quote(connection_id, safe='')}"


def parse_disconnection(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """What an answer to ``DELETE /connections/{id}`` means: True: it is gone now; False: it was gone before.

    Args:
        status: HTTP status.
        headers: response headers, names in lower case.
        body: the whole body.

    Raises:
        NotAConnectionError: 403: the id is a tenant's or a consent's (XeroAPI/xero-node#403).
        XeroError: anything else, as for other calls.
    """
    meta = read_meta(headers)
    if status == HTTPStatus.NO_CONTENT:
        return True
    if status == HTTPStatus.NOT_FOUND and meta.xeros:
        return False
    if status == HTTPStatus.FORBIDDEN:
        raise NotAConnectionError("connections: 403 to a disconnect", status=status, meta=meta, body=body)
    raise error_of("connections", status, headers, body)


def parse_connections(body: bytes) -> list[Connection]:
    """The connections in a 200 of ``GET /connections``. An empty list: the token is good, but reaches nothing.

    Args:
        body: the answer's body.

    Raises:
        GarbledAnswerError: it is no JSON.
        UnmappableAnswerError: it is no list of connections.
    """
    try:
        document = decode(body)
    except ValueError as error:
        raise GarbledAnswerError(f"connections: no JSON ({len(body)} bytes)", status=200) from error
    if not isinstance(document, list):
        raise UnmappableAnswerError("connections: no list", status=200, body=body)
    try:
        return [_connection(item) for item in document]
    except (KeyError, TypeError, AttributeError) as error:
        raise UnmappableAnswerError("connections: an element is no connection", status=200, body=body) from error


def _connection(item: dict[str, Any]) -> Connection:
    return Connection(
        id=item["id"].lower(),
        tenant_id=TenantId(item["tenantId"].lower()),
        tenant_type=item["tenantType"].upper(),
        tenant_name=item.get("tenantName"),
        auth_event_id=item["authEventId"].lower() if item.get("authEventId") else None,
        created_at=_moment(item.get("createdDateUtc")),
        updated_at=_moment(item.get("updatedDateUtc")),
    )


def _moment(value: Any) -> datetime | None:
    return parse_moment(value) if isinstance(value, str) else None
