"""What Xero says when it says no: status, content type, words.

Shapes are those of xero-platform fact sheets' field reports: problem objects for 401 and 403, text or HTML for 404 and
for parameters that can't be parsed, JSON with ``ErrorNumber`` for queries. Texts marked (unconfirmed) are guesses.
"""

import orjson

from simulator.reply import JSON, Reply


class RefusedError(Exception):
    """Carries a refusal out of the depth where it was decided."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def problem(status: int, title: str, detail: str, instance: str) -> Reply:
    """Xero's problem object.

    Args:
        title: e.g. ``Unauthorized``.
        detail: e.g. ``AuthenticationUnsuccessful``.
        instance: a GUID.
    """
    body: dict[str, object] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": instance,
        "Extensions": {},
    }
    return Reply(status=status, body=orjson.dumps(body), content_type=JSON)


def token_expired(instance: str, expired_at: str) -> Reply:
    """The access token's half hour is over (text unconfirmed)."""
    return problem(401, "Unauthorized", f"TokenExpired: token expired at {expired_at}", instance)


def token_missing(instance: str) -> Reply:
    """No access token, or not one of ours."""
    return problem(401, "Unauthorized", "AuthenticationUnsuccessful", instance)


def scope_missing(instance: str) -> Reply:
    """The token lacks the scope."""
    return problem(401, "Unauthorized", "AuthorizationUnsuccessful", instance)


def role_missing(instance: str) -> Reply:
    """The user who connected lacks a role or the reporting permission (detail unconfirmed)."""
    return problem(403, "Forbidden", "AuthorizationUnsuccessful", instance)


def tenant_refused(instance: str) -> Reply:
    """``xero-tenant-id`` is missing, wrong, or no longer connected."""
    return problem(403, "Forbidden", "AuthenticationUnsuccessful", instance)


def not_found() -> Reply:
    """No such record."""
    return Reply(
        status=404, body=b"The resource you're looking for cannot be found", content_type="text/html; charset=utf-8"
    )


def query_too_long() -> Reply:
    """The query string is longer than IIS takes (404.15): Xero says 404, not 414."""
    body = (
        b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
        b"<html><head><title>404 - File or directory not found.</title></head><body><div>"
        b"<h2>404 - File or directory not found.</h2><h3>The resource you are looking for might have been removed, had "
        b"its name changed, or is temporarily unavailable.</h3></div></body></html>"
    )
    return Reply(status=404, body=body, content_type="text/html")


def unparsable(parameter: str, *, uuid: bool = False) -> Reply:
    """A parameter can't be parsed; HTML although JSON was asked for."""
    more = " - must be of type UUID." if uuid else "."
    return Reply(
        status=400,
        body=f"Supplied parameter '{parameter}' cannot be parsed{more}".encode(),
        content_type="text/html; charset=utf-8",
    )


def bad_query(message: str) -> Reply:
    """``where`` or ``order`` can't be understood."""
    body = {"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}
    return Reply(status=400, body=orjson.dumps(body), content_type=JSON)


def too_many_records(count: int) -> Reply:
    """The high-volume guard: an answer of more than 100,000 records is refused (text unconfirmed)."""
    message = f"The request would return {count} records, more than 100000. Use paging or filters."
    body = {"ErrorNumber": 10, "Type": "HighVolumeException", "Message": message}
    return Reply(status=400, body=orjson.dumps(body), content_type=JSON)


def not_modelled(what: str) -> Reply:
    """The simulator doesn't model this yet; Xero says 501 for methods it doesn't know.

    Args:
        what: method and address, as far as they matter.
    """
    return Reply(
        status=501,
        body=f"The simulator does not model {what}; docs/simulator.md lists what it models".encode(),
        content_type="text/plain; charset=utf-8",
    )


def unreadable(content_type: str) -> Reply:
    """The body is of a type that no record comes in."""
    return Reply(
        status=415,
        body=f"Records are read as JSON or XML, not as {content_type}".encode(),
        content_type="text/plain; charset=utf-8",
    )


def by_status(status: int) -> Reply:
    """A fault's status in the words Xero has for it."""
    texts = {
        500: ("text/html; charset=utf-8", b"An error occurred in Xero. Check the API Status page."),
        501: ("text/plain; charset=utf-8", b"Not implemented"),
        502: ("text/html", b"<html><head><title>502 Bad Gateway</title></head></html>"),
        503: ("text/html; charset=utf-8", b"The Xero API is currently offline for maintenance"),
        504: ("text/html", b"<html><head><title>504 Gateway Time-out</title></head></html>"),
    }
    match status:
        case 401:
            return token_missing("00000000-0000-0000-0000-000000000000")
        case 403:
            return tenant_refused("00000000-0000-0000-0000-000000000000")
        case 404:
            return not_found()
        case 412:
            return Reply(status=412, body=b"", content_type="text/html; charset=utf-8")
        case _:
            content_type, body = texts.get(status, ("text/plain; charset=utf-8", f"{status}".encode()))
            return Reply(status=status, body=body, content_type=content_type)
