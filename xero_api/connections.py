"""``/connections``: which organisations a token reaches, and taking one away. Pure.

The timestamps have seven decimals and no zone (https://developer.xero.com/documentation/guides/oauth2/tenants).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from xero_api.answers import Answer, Unreadable, error_of
from xero_api.dates import parse_moment
from xero_api.decode import decode
from xero_api.errors import GarbledAnswerError, UnmappableAnswerError
from xero_api.meta import read_meta
from xero_api.verdicts import Good, Subject, mark_of, meaning
from xero_stream.contracts.ids import canonical_id
from xero_stream.contracts.names import TenantId

PATH = "/connections"
ORGANISATION = "ORGANISATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One organisation (or practice) connected to the app by a user.

    Attributes:
        id: id of the connection: what is deleted to disconnect. None where it is not known: a custom connection that may not
            list its connections.
        tenant_id: id of the organisation, in its one spelling.
        tenant_type: ``ORGANISATION``, or something we don't serve; empty if Xero doesn't say.
        tenant_name: its name; null for some types.
        auth_event_id: the consent it was made by: equals ``authentication_event_id`` in that consent's access token.
        created_at: when it was first connected; coming back later doesn't move it.
        updated_at: when it was last connected.
    """

    id: str | None
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
        headers: response headers, names in lower case.

    Raises:
        NotAConnectionError: 403: the id is a tenant's or a consent's (XeroAPI/xero-node#403).
        XeroError: anything else, as for other calls.
    """
    match meaning(status, mark_of(read_meta(headers), body), Subject.CONNECTION):
        case Good.TAKEN:
            return True
        case Good.ABSENT:
            return False
        case _:
            raise error_of("connections", status, headers, body, Subject.CONNECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The answer of ``GET /connections``.

    Attributes:
        connections: those that can be read. None at all: the token is good, but reaches nothing.
        unreadable: elements without a tenant id, which are no connections.
    """

    connections: tuple[Connection, ...]
    unreadable: tuple[Unreadable, ...] = ()


def parse_connections(body: bytes) -> Listed:
    """The connections in a 200 of ``GET /connections``; an element that is none is set apart, the others count.

    Args:
        body: the answer's body.

    Raises:
        GarbledAnswerError: it is not valid JSON.
        UnmappableAnswerError: it is no list.
    """
    try:
        document = decode(body)
    except ValueError as error:
        raise GarbledAnswerError(f"connections: no JSON ({len(body)} bytes)", status=200) from error
    if not isinstance(document, list):
        raise UnmappableAnswerError("connections: no list", status=200, body=body)
    connections, unreadable = [], []
    for index, item in enumerate(document):
        connection = _connection(item) if isinstance(item, dict) else None
        if connection is None:
            reason = "no tenant id" if isinstance(item, dict) else "no object"
            unreadable.append(Unreadable(index=index, reason=reason, value=item))
        else:
            connections.append(connection)
    return Listed(connections=tuple(connections), unreadable=tuple(unreadable))


def own_connection(answer: Answer) -> Connection:
    """The connection of a custom connection, from the one organisation that its token opens.

    The tenant id of an organisation is its ``OrganisationID`` (https://developer.xero.com/faq/custom-integration: such a token
    needs no ``xero-tenant-id``).

    Args:
        answer: to ``GET /Organisation``, asked without a tenant.

    Raises:
        UnmappableAnswerError: it doesn't hold exactly one organisation.
    """
    if len(answer.records) != 1:
        raise UnmappableAnswerError(f"Organisation: {len(answer.records)} organisations instead of one", status=200)
    (organisation,) = answer.records
    return Connection(
        id=None,
        tenant_id=TenantId(canonical_id(organisation["OrganisationID"])),
        tenant_type=ORGANISATION,
        tenant_name=_text(organisation.get("Name")),
        auth_event_id=None,
        created_at=None,
        updated_at=None,
    )


def _connection(item: dict[str, Any]) -> Connection | None:
    """None without a tenant id; of all else a connection may lack anything."""
    tenant_id = _text(item.get("tenantId"))
    if tenant_id is None:
        return None
    connection_id, auth_event_id = _text(item.get("id")), _text(item.get("authEventId"))
    return Connection(
        id=connection_id.lower() if connection_id else None,
        tenant_id=TenantId(canonical_id(tenant_id)),
        tenant_type=(_text(item.get("tenantType")) or "").upper(),
        tenant_name=_text(item.get("tenantName")),
        auth_event_id=auth_event_id.lower() if auth_event_id else None,
        created_at=_moment(item.get("createdDateUtc")),
        updated_at=_moment(item.get("updatedDateUtc")),
    )


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _moment(value: Any) -> datetime | None:
    return parse_moment(value) if isinstance(value, str) else None
