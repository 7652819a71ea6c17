"""Ids and dates as clients spell them, read once, as the .NET stack behind Xero's API reads them. Pure.

Everything that names a record or a day comes through here: addresses, query parameters, ``where``, bodies, the headers
``xero-tenant-id`` and ``If-Modified-Since``. Behind this module an id is a GUID in lower case with hyphens, a day is a number.

Sources: formats N, D, B and P of Guid.Parse, and DateTime.Parse with the invariant culture (learn.microsoft.com/dotnet/api). That
Xero takes dates other than ISO's follows from reports only: XeroAPI/xero-ruby#24 saw day and month change places.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from simulator.books.amounts import Day

_DIGITS = r"[0-9a-f]{8}(-?)[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}"
_GUID = re.compile(rf"([{{(]?){_DIGITS}([}})]?)", re.IGNORECASE)
_PAIRS = {("", ""), ("{", "}"), ("(", ")")}

_TIME = r"(?:(?:T|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.\d{1,9})?)?)?"
_ZONE = r"\s*(?P<zone>Z|GMT|UTC|[+-]\d{2}:?\d{2})?"
_FORMS = tuple(
    re.compile(form + _TIME + _ZONE, re.IGNORECASE | re.ASCII)
    for form in (
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})",
        r"(?P<month>\d{1,2})[-/](?P<day>\d{1,2})[-/](?P<year>\d{4})",
        r"(?:[a-z]{3,9},?\s+)?(?P<day>\d{1,2})[ -](?P<name>[a-z]{3,9})[ -](?P<year>\d{4})",
    )
)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_EPOCH = date(1970, 1, 1).toordinal()


def guid_of(text: str) -> str | None:
    """The GUID that a text is, in lower case with hyphens; None for any other text.

    Args:
        text: with hyphens or without, perhaps in braces or brackets.
    """
    match = _GUID.fullmatch(text.strip())
    if match is None or (match[1], match[3]) not in _PAIRS or (match[1] and not match[2]):
        return None
    digits = match[0].strip("{}()").replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def folded(text: str) -> str:
    """An id as the books spell it; another text in lower case."""
    return guid_of(text) or text.lower()


def moment_of(text: str) -> int | None:
    """Milliseconds since 1970 of a date, perhaps with a time: whole seconds, UTC where no zone is named; None for any other text.

    Args:
        text: ISO's form (zeros may lack, slashes may stand for hyphens), the month before the day, or RFC 1123's.
    """
    read = _read(text)
    return None if read is None else int(read.timestamp()) * 1000


def day_of(text: str) -> Day | None:
    """Days since 1970-01-01 of a date, whatever time and zone stand behind it; None for any other text."""
    read = _read(text)
    return None if read is None else read.toordinal() - _EPOCH


def _read(text: str) -> datetime | None:
    match = next((found for form in _FORMS if (found := form.fullmatch(text.strip()))), None)
    if match is None:
        return None
    parts = match.groupdict()
    month = _month(parts["name"]) if "name" in parts else int(parts["month"])
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    try:
        zone = _zone(parts["zone"])
        return datetime(int(parts["year"]), month, int(parts["day"]), hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def _month(name: str) -> int:
    """1 to 12; 0 for a word that is none, which no date has."""
    return next((at for at, month in enumerate(_MONTHS, 1) if name.lower() in (month, month[:3])), 0)


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
