"""Everything that can go wrong between us and Xero, and what to do about it. Pure.

::

    XeroError
    ├── TransientError            nothing is wrong with the request; the same again may work
    │   ├── UnreachableError      no connection, or it broke before an answer
    │   ├── TimedOutError         no complete answer within the deadline
    │   ├── ServerError           5xx other than 503, and 408
    │   └── GarbledAnswerError    200, but no or only half a JSON document
    ├── HoldError                 wait, only for this tenant (or app)
    │   ├── RateLimitedError      429: minute, day, app or concurrency
    │   └── OfflineError          503: this organisation, or all of Xero, is offline
    ├── AccessError               someone has to give us access again
    │   ├── UnauthorisedError     401 with a fresh token: scope or role missing
    │   ├── DisconnectedError     403: the organisation is no longer connected, or the user lost a permission
    │   └── ReauthoriseError      the grant is dead (invalid_grant)
    ├── RejectedError             this request or record will never work; the rest may
    │   ├── BadRequestError       400 and other refusals of this one request
    │   ├── UnmappableAnswerError 200, JSON, but not the promised shape
    │   ├── PagingError           the pages can't be what we asked for
    │   └── InvalidRecordError    a record that can't be mapped
    └── MisconfiguredError        nothing will work before a human changes a setting
        ├── ClientConfigError     the token endpoint refuses the app (invalid_client, unauthorized_client, invalid_scope)
        └── MisdirectedError      the address is not Xero's API: redirects, foreign 404s, a token for another host

Each class has one intent, in :data:`INTENTS`. Messages never hold tokens or bodies.
"""

from enum import StrEnum

from xero_api.meta import NO_META, Meta


class Intent(StrEnum):
    """What a caller does about an error."""

    RETRY = "retry"  # the same again, with backoff
    PARK = "park"  # the tenant (or app) waits until a time; nobody else does
    REAUTHORISE = "reauthorise"  # the tenant waits for a human to connect it again
    QUARANTINE = "quarantine"  # put the bytes aside, go on with the rest
    STOP = "stop"  # the app waits for a changed setting


class LimitKind(StrEnum):
    """Which limit a 429 is about."""

    MINUTE = "minute"
    DAY = "day"
    APP = "app"
    CONCURRENT = "concurrent"


class XeroError(Exception):
    """Root. Raised for every failed call.

    Attributes:
        hint: what a human can do, one sentence.
        status: HTTP status, if there was an answer.
        meta: what its headers said, if there was one.
        body: the answer's bytes, kept only where they go to quarantine.
    """

    hint = "See the log for the call's correlation id, and ask Xero's support with it."

    def __init__(self, message: str, *, status: int | None = None, meta: Meta = NO_META, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.meta = meta
        self.body = body


class TransientError(XeroError):
    """The same request may work in a moment."""

    hint = "Nothing to do: it is tried again. If it lasts, see https://status.xero.com."


class UnreachableError(TransientError):
    """No connection, or it broke before an answer was complete."""

    hint = "It is tried again. If it lasts, check the network and XERO_API_URL."


class TimedOutError(TransientError):
    """No complete answer within the deadline. Xero may still be working on the call."""


class ServerError(TransientError):
    """Xero failed (5xx other than 503, or 408)."""


class GarbledAnswerError(TransientError):
    """A 200 whose body is empty, truncated or not JSON."""


class HoldError(XeroError):
    """The tenant has to wait; ``meta.retry_after`` says how long, if Xero said."""


class RateLimitedError(HoldError):
    """429."""

    hint = "Nothing to do: the tenant waits. If it happens often, another process uses the same app, or the tier is set too high."

    def __init__(
        self,
        message: str,
        *,
        limit: LimitKind,
        status: int | None = None,
        meta: Meta = NO_META,
        body: bytes = b"",
    ) -> None:
        super().__init__(message, status=status, meta=meta, body=body)
        self.limit = limit


class OfflineError(HoldError):
    """503: the organisation or Xero is offline."""

    hint = "Nothing to do: the tenant is asked again later. Xero may be under maintenance, see https://status.xero.com."


class AccessError(XeroError):
    """A human has to give us access again."""


class UnauthorisedError(AccessError):
    """401 although the token is fresh."""

    hint = "The grant lacks a scope for this entity: connect the organisation again with the scopes the docs list."


class DisconnectedError(AccessError):
    """403."""

    hint = "The organisation was disconnected in Xero, or the user lost a permission: connect it again."


class ReauthoriseError(AccessError):
    """The grant's refresh token is dead."""

    hint = "The consent expired or was withdrawn: connect the organisation again."


class RejectedError(XeroError):
    """This request or this record will never work as it is."""

    hint = "It is in quarantine with its bytes: look with `xero-stream quarantine show`, retry after a fix."


class BadRequestError(RejectedError):
    """Xero refuses this one request."""


class UnmappableAnswerError(RejectedError):
    """JSON, but not the shape Xero documents."""


class PagingError(RejectedError):
    """The pages can't be what we asked for: a loop, or If-Modified-Since ignored."""


class InvalidRecordError(RejectedError):
    """A record that can't be mapped.

    Attributes:
        path: where in the record, e.g. ``LineItems[3].Quantity``.
        problem: what is wrong there; never the value itself.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem

    def under(self, parent: str) -> "InvalidRecordError":
        """The same problem, seen from the enclosing object.

        Args:
            parent: path of the enclosing object.
        """
        return InvalidRecordError(f"{parent}.{self.path}", self.problem)


class MisconfiguredError(XeroError):
    """Nothing will work before a setting changes."""


class ClientConfigError(MisconfiguredError):
    """The token endpoint refuses the app itself."""

    hint = "Check XERO_CLIENT_ID, XERO_CLIENT_SECRET and the app's type and scopes in Xero's developer portal."


class MisdirectedError(MisconfiguredError):
    """The address we call is not Xero's API."""

    hint = "Check XERO_API_URL: it is the base address only, https://api.xero.com, without a path."


INTENTS: dict[type[XeroError], Intent] = {
    TransientError: Intent.RETRY,
    HoldError: Intent.PARK,
    AccessError: Intent.REAUTHORISE,
    RejectedError: Intent.QUARANTINE,
    MisconfiguredError: Intent.STOP,
}
"""What to do about each branch of the tree."""


def intent(error: XeroError) -> Intent:
    """What to do about an error.

    Args:
        error: any error of this module.
    """
    for branch in type(error).__mro__:
        if branch in INTENTS:
            return INTENTS[branch]
    return Intent.RETRY
