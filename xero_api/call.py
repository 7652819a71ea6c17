"""What is told about every call: one record, whatever became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from xero_api.errors import (
    AccessError,
    GarbledAnswerError,
    HoldError,
    InterceptedError,
    MisconfiguredError,
    OddStatusError,
    RateLimitedError,
    RejectedError,
    ServerError,
    TimedOutError,
    UnreachableError,
    XeroError,
)
from xero_api.meta import Limits
from xero_stream.contracts.names import AppName, TenantId


class Priority(StrEnum):
    """Why a call is made, most urgent first."""

    COMMAND = "command"
    WEBHOOK = "webhook"
    POLL = "poll"
    BACKFILL = "backfill"


class Outcome(StrEnum):
    """What became of a call; a metric label."""

    OK = "ok"
    MISSING = "missing"  # a 404 that proves a record is not there
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    SERVER_ERROR = "server_error"
    INTERCEPTED = "intercepted"  # something between here and Xero answered
    GARBLED = "garbled"
    RATE_LIMITED = "rate_limited"
    OFFLINE = "offline"
    NO_ACCESS = "no_access"
    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"
    CANCELLED = "cancelled"


_OUTCOMES: tuple[tuple[type[XeroError], Outcome], ...] = (
    (UnreachableError, Outcome.UNREACHABLE),
    (TimedOutError, Outcome.TIMED_OUT),
    (ServerError, Outcome.SERVER_ERROR),
    (OddStatusError, Outcome.SERVER_ERROR),
    (InterceptedError, Outcome.INTERCEPTED),
    (GarbledAnswerError, Outcome.GARBLED),
    (RateLimitedError, Outcome.RATE_LIMITED),
    (HoldError, Outcome.OFFLINE),
    (AccessError, Outcome.NO_ACCESS),
    (RejectedError, Outcome.REJECTED),
    (MisconfiguredError, Outcome.MISCONFIGURED),
)


def outcome_of(error: XeroError) -> Outcome:
    """The word for a failed call."""
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome.UNREACHABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One HTTP exchange with Xero.

    Attributes:
        app: our app.
        tenant_id: the organisation; None for ``/connections``.
        priority: why it was made.
        endpoint: a bounded label, e.g. ``Invoices/ids``.
        sent_at: when, wall clock.
        status: HTTP status; None without an answer.
        ms: from sending to the last byte of the answer, milliseconds.
        bytes_out: request line, headers and body, without the token.
        bytes_in: body as it came over the wire.
        correlation_id: Xero's ``xero-correlation-id``.
        outcome: what became of it.
        limits: what Xero says is left.
    """

    app: AppName
    tenant_id: TenantId | None
    priority: Priority
    endpoint: str
    sent_at: datetime
    status: int | None
    ms: float
    bytes_out: int
    bytes_in: int
    correlation_id: str | None
    outcome: Outcome
    limits: Limits
