"""What an answer of any status means, by who gave it and what was asked. Pure and total.

Two tables. The first tells what an answer is (:func:`meaning`):

| status | Xero's mark in a header | in the body only | none |
| --- | --- | --- | --- |
| 200 (not to a disconnect), 201 to a write | TAKEN | TAKEN | TAKEN: the body decides |
| 204 to a write or a disconnect | TAKEN | OddStatusError | InterceptedError |
| 204, 304 to a list | EMPTY | OddStatusError | InterceptedError |
| 404 to one record, a file, a connection | ABSENT | BadRequestError | InterceptedError |
| other 404 (a query too long), 400, other 4xx, 501 | BadRequestError | the same | InterceptedError; 501 ServerError |
| 401 | UnauthorisedError | the same | InterceptedError |
| 403 | ForbiddenError; to a disconnect NotAConnectionError | the same | InterceptedError |
| 407, 511 | InterceptedError | the same | the same |
| 408 | ServerError | the same | InterceptedError |
| 429 | RateLimitedError | the same | InterceptedError |
| 503 | OfflineError | the same | ServerError |
| other 5xx | ServerError | the same | the same |
| all else (1xx, 3xx, other 2xx) | OddStatusError | the same | InterceptedError |

The second tells what to do about an error (:func:`act`), by what was asked. Nothing an entity's call brings holds the whole
organisation, but what Xero itself says of the organisation (429, 503) or of its connection.

Sources of the marks: Xero's API answers bear ``xero-correlation-id``, which its support asks for (XeroAPI/xero-python#116),
and say what is left of the limits; its 401 and 403 have a problem object (Xero-NetStandard#298, xero-node#432; lower case in
NangoHQ/nango#203), other refusals ``ErrorNumber`` and ``Type`` (published OpenAPI, ``Error``). Texts: a parameter that can't
be parsed is a 400 in text/html (xero-node#502), maintenance a 503 in text
(https://developer.xero.com/documentation/api/accounting/responsecodes). Not told apart from a stranger's page: the 404 of
IIS to a query too long (Xero-Net#280), the 414 in XML and the 400 of the edge to an address too long (xero-ruby#178). No
request of ours is that long (``xero_api.requests``), and as transient errors they make a batch smaller all the same.
"""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from xero_api.decode import decode
from xero_api.errors import (
    AccessError,
    BadRequestError,
    ForbiddenError,
    HoldError,
    InterceptedError,
    MisconfiguredError,
    NotAConnectionError,
    OddStatusError,
    OfflineError,
    RateLimitedError,
    RejectedError,
    ServerError,
    TransientError,
    UnauthorisedError,
    XeroError,
)
from xero_api.meta import Meta


class Mark(StrEnum):
    """How an answer shows that Xero's API gave it."""

    HEADER = "header"  # a header that only Xero's API sends
    BODY = "body"  # words or a shape of Xero's, without such a header
    NONE = "none"  # it doesn't: a firewall, a proxy, a portal, or Xero's edge


class Subject(StrEnum):
    """What was asked."""

    RECORD = "record"  # one record
    BATCH = "batch"  # several records by their ids
    LIST = "list"  # a page of a list
    WRITE = "write"
    PART = "part"  # a list below a record, a report
    FILE = "file"  # an attachment, a PDF
    CONNECTIONS = "connections"  # all connections of a token
    CONNECTION = "connection"  # one of them is taken away


class Good(StrEnum):
    """An answer that is no error."""

    TAKEN = "taken"  # the body has what was asked for
    EMPTY = "empty"  # nothing changed
    ABSENT = "absent"  # what was asked for is not there: the only proof of it


class Act(StrEnum):
    """What to do about an error, and what it is held against."""

    RETRY = "retry"  # ask the same again, later
    WAIT = "wait"  # the organisation waits until its limit or outage has passed
    HOLD_ENTITY = "hold_entity"  # this kind of record of the organisation waits
    ASK_CONNECTIONS = "ask_connections"  # still connected: hold the entity; gone: suspend the organisation
    SUSPEND = "suspend"  # the organisation waits for an operator
    SET_ASIDE = "set_aside"  # this record goes into quarantine
    SPLIT = "split"  # ask for each of these records alone
    POSTPONE = "postpone"  # this list waits; records are read by id meanwhile
    TELL = "tell"  # whoever asked is told; nothing is asked again
    STOP = "stop"  # the app waits for a changed setting


Meaning = Good | type[XeroError]


def mark_of(meta: Meta, body: bytes) -> Mark:
    """How an answer shows that Xero gave it.

    Args:
        meta: what its headers say.
        body: its body, of any kind.
    """
    if meta.xeros:
        return Mark.HEADER
    return Mark.BODY if _TEXTS.match(body) or _is_xeros(error_fields(body)) else Mark.NONE


def error_fields(body: bytes) -> dict[str, Any]:
    """The fields of an error's body, names in lower case; none where it is not a JSON object that can be read.

    Args:
        body: of any kind; a stranger's may be anything.
    """
    if not body[:200].lstrip().startswith(b"{"):
        return {}
    try:
        document = decode(body[:_LONGEST_LOOKED_AT])
    except Exception:  # noqa: BLE001 - whatever it is that can't be read, it is no word of Xero's
        return {}
    return {key.lower(): value for key, value in document.items()} if isinstance(document, dict) else {}


def meaning(status: int, mark: Mark, subject: Subject) -> Meaning:
    """What an answer means.

    Args:
        mark: how it shows that Xero gave it.

    Returns:
        What good answer it is, or the class of the error.
    """
    good = _GOOD.get((status, subject))
    if good is None and status == HTTPStatus.OK and subject is not Subject.CONNECTION:
        good = Good.TAKEN
    if good is not None and (mark is Mark.HEADER or status in _BODY_PROVES):
        return good
    if status in _NEVER_XEROS:
        return InterceptedError
    return _strangers(status) if mark is Mark.NONE else _xeros(status, subject)


def act(error: XeroError | type[XeroError], subject: Subject) -> Act:
    """What to do about an error.

    Args:
        error: it, or its class.
    """
    kind = error if isinstance(error, type) else type(error)
    for branch, what in _ACTS.items():
        if issubclass(kind, branch):
            return what if isinstance(what, Act) else what[subject]
    return Act.RETRY


def error_class(status: int, mark: Mark, subject: Subject = Subject.LIST) -> type[XeroError]:
    """The error of an answer that must be one.

    Args:
        mark: how it shows that Xero gave it.
    """
    found = meaning(status, mark, subject)
    return OddStatusError if isinstance(found, Good) else found


_GOOD: dict[tuple[int, Subject], Good] = {
    (201, Subject.WRITE): Good.TAKEN,
    (204, Subject.WRITE): Good.TAKEN,
    (204, Subject.CONNECTION): Good.TAKEN,
    (204, Subject.LIST): Good.EMPTY,
    (304, Subject.LIST): Good.EMPTY,
    (404, Subject.RECORD): Good.ABSENT,
    (404, Subject.FILE): Good.ABSENT,
    (404, Subject.CONNECTION): Good.ABSENT,
}
_BODY_PROVES = {HTTPStatus.OK, HTTPStatus.CREATED}
"""What the body shows to be Xero's or not; an empty answer proves nothing without a mark in a header."""

_NEVER_XEROS = {HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED}
"""What only proxies and portals say (RFC 9110 15.5.8, RFC 6585 6)."""

_XEROS: dict[int, type[XeroError]] = {
    401: UnauthorisedError,
    403: ForbiddenError,
    408: ServerError,
    429: RateLimitedError,
    501: BadRequestError,
    503: OfflineError,
}


def _xeros(status: int, subject: Subject) -> type[XeroError]:
    if status == HTTPStatus.FORBIDDEN and subject is Subject.CONNECTION:
        return NotAConnectionError  # the id is a tenant's or a consent's (XeroAPI/xero-node#403)
    if status in _XEROS:
        return _XEROS[status]
    if 400 <= status < 500:
        return BadRequestError
    return ServerError if status >= 500 else OddStatusError


def _strangers(status: int) -> type[XeroError]:
    return ServerError if status >= 500 else InterceptedError


def _by_subject(record: Act, batch: Act, listed: Act) -> dict[Subject, Act]:
    """The acts for what is read for the stream; whoever asked for anything else is told."""
    return dict.fromkeys(Subject, Act.TELL) | {
        Subject.RECORD: record,
        Subject.BATCH: batch,
        Subject.LIST: listed,
    }


_ACTS: dict[type[XeroError], Act | dict[Subject, Act]] = {
    TransientError: Act.RETRY,
    HoldError: Act.WAIT,
    UnauthorisedError: _by_subject(Act.HOLD_ENTITY, Act.HOLD_ENTITY, Act.HOLD_ENTITY),
    ForbiddenError: _by_subject(Act.ASK_CONNECTIONS, Act.ASK_CONNECTIONS, Act.ASK_CONNECTIONS),
    AccessError: Act.SUSPEND,
    RejectedError: _by_subject(Act.SET_ASIDE, Act.SPLIT, Act.POSTPONE),
    MisconfiguredError: Act.STOP,
}
"""The first branch that fits decides."""

_TEXTS = re.compile(rb"\s*(?:Supplied parameter '[^']{1,100}' cannot be parsed|The Xero API is )")
_WORDS = re.compile(r"(?:Authentication|Authorization)Unsuccessful|TokenExpired\b.*", re.IGNORECASE | re.DOTALL)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_LONGEST_LOOKED_AT = 100_000


def _is_xeros(document: dict[str, Any]) -> bool:
    detail, instance, kind = document.get("detail"), document.get("instance"), document.get("type")
    if isinstance(detail, str) and "title" in document:
        # RFC 9457 gives strangers a "detail" and an "instance" too, but theirs is an address.
        return bool(_WORDS.fullmatch(detail) or (isinstance(instance, str) and _GUID.fullmatch(instance)))
    return isinstance(kind, str) and kind.endswith("Exception") and ("errornumber" in document or "message" in document)
