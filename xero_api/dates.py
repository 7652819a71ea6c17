"""Xero's dates. Pure.

``/Date(1541176290160+0000)/`` and ``/Date(1573755038314)/`` are epoch milliseconds in UTC; of a moment, the offset is never
added. Document dates are calendar dates of the organisation written as midnight UTC: the UTC date part is the date, no time
zone may shift it (https://developer.xero.com/documentation/api/accounting/requests-and-responses). A document date that is
not midnight UTC was written as midnight of the offset's zone: ``/Date(1426849200000+1300)/`` is 21 March 2015
(freakboy3742/pyxero, test data of its date parser).
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_WRAPPED = re.compile(r"/Date\((-?\d{1,17})(?:([+-])(\d{2})(\d{2}))?\)/", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000
_LAST_DAY = date.max.toordinal()


@lru_cache(maxsize=4096)  # the documents of a page share their dates
def parse_day(value: str) -> str | None:
    """The calendar date in a document date.

    Args:
        value: ``/Date(ms+0000)/``, ``2018-10-20T00:00:00`` or ``2018-10-20``.

    Returns:
        ``YYYY-MM-DD``, or None if it is no date of the years 2 to 9999 (0001-01-01 is .NET's way to say "none").
    """
    wrapped = _WRAPPED.fullmatch(value)
    if wrapped:
        day = _EPOCH_DAY + _local_ms(wrapped) // _DAY_MS
        return date.fromordinal(day).isoformat() if 365 < day <= _LAST_DAY else None
    if _ISO_DAY.fullmatch(value):
        try:
            found = date.fromisoformat(value[:10])
        except ValueError:
            return None
        return value[:10] if found.year > 1 else None
    return None


def _local_ms(wrapped: re.Match[str]) -> int:
    ms = int(wrapped[1])
    if ms % _DAY_MS == 0 or wrapped[2] is None:
        return ms
    offset = (int(wrapped[3]) * 60 + int(wrapped[4])) * _MINUTE_MS
    return ms - offset if wrapped[2] == "-" else ms + offset


def parse_moment(value: str) -> datetime | None:
    """The moment in a time stamp, to the millisecond.

    Args:
        value: ``/Date(ms+0000)/``, or ISO 8601 with or without a zone (without: UTC), any number of decimals.

    Returns:
        An aware datetime in UTC, or None if it is no moment of the years 2 to 9999.
    """
    wrapped = _WRAPPED.fullmatch(value)
    try:
        if wrapped:
            moment = _EPOCH + timedelta(milliseconds=int(wrapped[1]))
        else:
            moment = datetime.fromisoformat(value)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1 else None


def iso_ms(moment: datetime) -> str:
    """``2018-11-02T16:31:30.160Z``."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='milliseconds')[: -len('+00:00')]}Z"


def since_header(moment: datetime) -> str:
    """The value of ``If-Modified-Since`` as Xero wants it: UTC, whole seconds, no zone.

    A malformed value is ignored by Xero without a word, and everything comes back (XeroAPI/xero-node#198), so there is
    one place that writes it.

    Args:
        moment: an aware datetime; cut to the second, never rounded up.
    """
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
