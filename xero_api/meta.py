"""What the headers of any answer of Xero's say, good or bad. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What Xero says is left, from the headers of an answer; None where it says nothing.

    Attributes:
        day: calls left today for the tenant (``x-daylimit-remaining``).
        minute: calls left this minute for the tenant (``x-minlimit-remaining``).
        app_minute: calls left this minute for the app over all tenants (``x-appminlimit-remaining``).
    """

    day: int | None = None
    minute: int | None = None
    app_minute: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What the headers of any answer say.

    Attributes:
        correlation_id: what Xero's support asks for.
        limits: what is left.
        server_date: Xero's clock when it answered, whole seconds.
        retry_after: seconds to wait, if it says so.
        xeros: whether a header is one that only Xero's API sends. Bodies can have marks too: ``xero_api.verdicts``.
    """

    correlation_id: str | None = None
    limits: Limits = Limits()
    server_date: datetime | None = None
    retry_after: float | None = None
    xeros: bool = False


NO_META = Meta()
"""No answer, no headers."""


def read_meta(headers: Mapping[str, str]) -> Meta:
    """What the headers say.

    Args:
        headers: response headers, names in lower case.
    """
    limits = Limits(
        day=_count(headers.get("x-daylimit-remaining")),
        minute=_count(headers.get("x-minlimit-remaining")),
        app_minute=_count(headers.get("x-appminlimit-remaining")),
    )
    correlation_id = headers.get("xero-correlation-id")
    server_date = _http_date(headers.get("date"))
    return Meta(
        correlation_id=correlation_id,
        limits=limits,
        server_date=server_date,
        retry_after=_retry_after(headers.get("retry-after"), server_date),
        xeros=bool(correlation_id) or limits != Limits() or bool(headers.get("x-rate-limit-problem")),
    )


def _count(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER else None


def _http_date(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


def _retry_after(value: str | None, server_date: datetime | None) -> float | None:
    seconds = _count(value.strip() if value else None)
    if seconds is not None:
        return float(seconds)
    moment = _http_date(value)
    return max(0.0, (moment - server_date).total_seconds()) if moment and server_date else None
