"""Everything that can go wrong between us and Xero, and what to do about it. Pure.

::

    XeroError
    ├── TransientError            nothing is wrong with the request; the same again may work
    │   ├── UnreachableError      no connection, or it broke before an answer
    │   ├── TimedOutError         no complete answer within the deadline
    │   ├── ServerError           5xx other than 503, 503 without a mark of Xero's, and 408
    │   ├── InterceptedError      an answer without a mark of Xero's: a firewall, a proxy or a portal gave it
    │   ├── OddStatusError        a status that Xero documents nowhere: 1xx, 3xx, another 2xx
    │   ├── EncodedAnswerError    an answer in a Content-Encoding that was not asked for
    │   └── GarbledAnswerError    200, but no or only half a JSON document
    ├── HoldError                 wait, only for this tenant (or app)
    │   ├── RateLimitedError      429: minute, day, app or concurrency
    │   ├── OfflineError          503: this organisation, or all of Xero, is offline
    │   └── OverBudgetError       our own count: its turn would come too late; nothing was sent
    ├── AccessError               someone has to give us access again
    │   ├── UnauthorisedError     401 of Xero's with a fresh token: scope or role missing
    │   ├── ForbiddenError        403 of Xero's: a role is missing, or the organisation is gone; ``/connections`` says which
    │   ├── DisconnectedError     no connection reaches the organisation
    │   ├── ReauthoriseError      the grant is dead (invalid_grant)
    │   │   └── TamperedGrantError the stored tokens of the grant were changed by somebody else
    │   └── ConsentError          a consent in the browser came to nothing: the user starts again
    │       ├── ConsentDeniedError the user said no
    │       ├── ForgedCallbackError the way back is not the one of this consent
    │       ├── CodeRefusedError  the code was used before, came late, or was asked for with other values
    │       └── CodeLostError     the code was sent and no answer came: it may be used up
    ├── RejectedError             this request or record will never work; the rest may
    │   ├── UnsendableError       refused here, before the network: Xero has no such call, or wouldn't take it
    │   │   └── UnfitFieldError   a value that Xero would take for another one, or that is not valid JSON
    │   ├── BadRequestError       400 and other refusals of this one request
    │   │   ├── InvalidRowsError  400 to a write, with what is wrong with each row
    │   │   ├── MissingFileError  404: the record has no such file, or isn't there
    │   │   └── KeyReusedError    400: the Idempotency-Key went out with another request before
    │   ├── UnforeseenError       our code failed on the answer
    │   ├── UnmappableAnswerError 200, JSON, but not the promised shape
    │   │   ├── OversizedAnswerError it is longer than what is read of an answer
    │   │   └── RowsMismatchError the answer to a write has other rows than were sent
    │   ├── PagingError           the pages can't be what we asked for
    │   ├── NotAConnectionError   403 to a disconnect: the id is a tenant's or a consent's
    │   └── InvalidRecordError    a record that can't be mapped
    └── MisconfiguredError        nothing will work before an operator changes a setting
        ├── ClientConfigError     the token endpoint refuses the app (invalid_client, unauthorized_client, invalid_scope)
        └── MisdirectedError      an address in the settings is none, or a token would leave for another host

Each class has one intent, in :data:`INTENTS`; what it is held against depends on what was asked, see ``xero_api.verdicts``.
Messages never hold tokens or bodies.
"""

from dataclasses import dataclass
from enum import StrEnum

from xero_api.meta import NO_META, Meta


class Intent(StrEnum):
    """What a caller does about an error."""

    RETRY = "retry"  # the same again, with backoff
    PARK = "park"  # the tenant (or app) waits until a time; nobody else does
    REAUTHORISE = "reauthorise"  # the tenant waits for an operator to connect it again
    QUARANTINE = "quarantine"  # put the bytes aside, go on with the rest
    STOP = "stop"  # the app waits for a changed setting


class LimitKind(StrEnum):
    """Which limit a 429 is about."""

    MINUTE = "minute"
    DAY = "day"
    APP = "app"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One of Xero's validation messages, or warnings.

    Attributes:
        path: where in the row it stands: empty for the row itself, else e.g. ``Contact`` or ``LineItems[2]``.
        message: Xero's own words; they may quote what was sent.
    """

    path: str
    message: str


class XeroError(Exception):
    """Root. Raised for every failed call.

    Attributes:
        hint: what an operator can do, one sentence.
        sent: whether the request may have reached Xero; False only where it certainly did not.
        status: HTTP status, if there was an answer.
        meta: what its headers said, if there was one.
        body: the answer's bytes, kept only where they go to quarantine.
    """

    hint = "See the log for the call's correlation id, and ask Xero's support with it."
    sent = True

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
    """Xero failed (5xx other than 503, or 408), or something in front of it did."""


class InterceptedError(TransientError):
    """The answer has no mark of Xero's: something between this machine and Xero gave it."""

    hint = (
        "A firewall, a proxy or a portal answered in Xero's place: let calls to the host of XERO_API_URL pass unchanged, and "
        "check that address. It is tried again."
    )


class OddStatusError(TransientError):
    """Xero answered with a status that it documents nowhere."""


class EncodedAnswerError(TransientError):
    """The answer's ``Content-Encoding`` is neither gzip, once, nor none: it is not unpacked."""

    hint = (
        "We ask Xero for gzip or for no encoding: something between this machine and Xero packs answers again, or poses as "
        "Xero. Let calls to the host of XERO_API_URL pass unchanged, and check that address. It is tried again."
    )


class GarbledAnswerError(TransientError):
    """A 200 whose body is empty, truncated or not JSON, or an empty list where one record was asked for."""


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


class OverBudgetError(HoldError):
    """A call of ours that Xero would refuse, or that it asked us to make later."""

    hint = "Nothing was sent: wait, be more patient, or call less. Xero's limits are for each organisation, and for the app."
    sent = False


class AccessError(XeroError):
    """An operator has to give us access again."""


class UnauthorisedError(AccessError):
    """401 of Xero's although the token is fresh."""

    hint = (
        "Xero refuses a token that it gave a moment ago. AuthorizationUnsuccessful means that the grant lacks a scope, or its "
        "user a role, for what was asked: connect the organisation again with the scopes the docs list. Anything else may "
        "pass within minutes; if it lasts, connect the organisation again."
    )


class ForbiddenError(AccessError):
    """403 of Xero's. It doesn't say whether the organisation is gone or the user lacks a role for this endpoint."""

    hint = (
        "The user who connected the organisation lacks a role or permission for this in Xero (reports and journals need the "
        "reporting permission): have it granted, or connect with another user."
    )


class DisconnectedError(AccessError):
    """No connection of ours reaches the organisation."""

    hint = "The organisation was disconnected in Xero: connect it again."


class ReauthoriseError(AccessError):
    """The grant's refresh token is dead."""

    hint = "The consent expired or was withdrawn: connect the organisation again."


class TamperedGrantError(ReauthoriseError):
    """The stored tokens of the grant are those of another one: somebody changed them. They are not used."""

    hint = "Find out who can write the store's table grants, then connect the organisation again."


class ConsentError(AccessError):
    """A consent in the browser came to nothing. Nothing is stored; the user may start again at once."""

    hint = "Connect the organisation again."


class ConsentDeniedError(ConsentError):
    """The user said no."""

    hint = "The user declined in Xero: ask them, and connect again when they agree."


class ForgedCallbackError(ConsentError):
    """The way back from Xero has another ``state`` than the way there, or neither code nor error."""

    hint = "The browser came back with a link that was not made for it, or twice: begin again from the connect button."


class CodeRefusedError(ConsentError):
    """The token endpoint refuses the code: ``invalid_grant``."""

    hint = (
        "A code works once and for five minutes, with the redirect_uri and the verifier it was asked with: connect again, "
        "and look for a callback that runs twice."
    )


class CodeLostError(ConsentError):
    """The code was sent, but no answer that can be read came back. Xero may have made the connection; its tokens are lost."""

    hint = "It is not known whether Xero took the code, and it takes each only once: connect again, which does no harm."


class RejectedError(XeroError):
    """This request or this record will never work as it is."""

    hint = "The message says what can't be as it is, and `body` has Xero's bytes if it answered: trying again changes nothing."


class UnsendableError(RejectedError):
    """Refused here, before the network."""

    hint = "The message names what the call can't do: change the request; nothing was sent."
    sent = False


class UnfitFieldError(UnsendableError):
    """A value in a write that Xero would take for another one, or that is not valid JSON.

    Attributes:
        path: where in the body, e.g. ``Invoices[0].LineItems[3].UnitAmount``.
        problem: what is wrong there, and what to give instead; never the value itself.
    """

    hint = "The message names the field and what to give instead: nothing was sent."

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class BadRequestError(RejectedError):
    """Xero refuses this one request."""

    hint = "Xero refuses this request: the message and `body` say why; correct it, it is not worth sending again."


class InvalidRowsError(BadRequestError):
    """Xero's validation refuses rows, and answers only those it refuses. The others may have been written.

    Attributes:
        elements: what is wrong with each row refused, in the order of the answer.
    """

    hint = (
        "Xero says for each row what is wrong with it: correct those rows, and look up whether the others were written."
    )

    def __init__(
        self, message: str, *, elements: tuple[tuple[Problem, ...], ...], status: int, meta: Meta, body: bytes
    ) -> None:
        super().__init__(message, status=status, meta=meta, body=body)
        self.elements = elements


class MissingFileError(BadRequestError):
    """404 of Xero's own to an attachment or a PDF: there is no such file, or no such record."""

    hint = "List the record's attachments: it may have been renamed or taken away, or the record is gone."


class KeyReusedError(BadRequestError):
    """The Idempotency-Key went out with another method, address or body within the last six minutes."""

    hint = "An Idempotency-Key belongs to one request: look up what became of the first one, and take a new key for this one."


class UnforeseenError(RejectedError):
    """Our code failed on the answer: a fault of ours, not of Xero's."""

    hint = (
        "A fault of xero-stream: report it with the exception's class and place; an upgrade may already have the cure."
    )


class UnmappableAnswerError(RejectedError):
    """JSON, but not the shape Xero documents."""


class OversizedAnswerError(UnmappableAnswerError):
    """The answer, unpacked, is longer than what is read of one; the rest was not read."""

    hint = (
        "No page of records is that long: check that XERO_API_URL is Xero's, and what stands between this machine and Xero; "
        "then ask again, for fewer records if it was a list."
    )


class RowsMismatchError(UnmappableAnswerError):
    """The rows of the answer are not the rows sent, so the result of each is unknown."""

    hint = "The rows can't be told apart: look each of them up in Xero before anything is sent again."


class PagingError(RejectedError):
    """The pages can't be what we asked for: a loop, or If-Modified-Since ignored."""


class NotAConnectionError(RejectedError):
    """403 to a disconnect."""

    hint = "Disconnect by the id of the connection (`id` in /connections), not by that of the tenant or of the consent."


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
