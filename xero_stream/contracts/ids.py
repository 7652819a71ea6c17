"""The one spelling of an id. Pure.

Partitions, keys and rows are found by an id's text: two spellings of one id would be two organisations. Whoever takes an
id in (the receiver, intake, an answer of Xero's, a command) makes it canonical first, with these functions and no others.
"""

import re
from functools import lru_cache

from xero_stream.contracts.names import TenantId

_LENGTH = 36
_LONGEST = 128
"""No spelling of a GUID is longer, blanks around it included."""
_GUID = re.compile(
    r"(?:urn:uuid:)?[{(]?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})[)}]?", re.ASCII
)
"""The forms that .NET and RFC 9562 write: with or without hyphens, in braces or parentheses, as a URN."""


def canonical_guid(text: str) -> str | None:
    """A GUID in lower case with hyphens, however it was spelled; None for what is not a GUID.

    Args:
        text: as it came.
    """
    found = _GUID.fullmatch(text.strip().lower())
    return "-".join(found.groups()) if found else None


def canonical_id(text: str) -> str:
    """An id that may also be a word: a GUID in its one spelling, anything else in lower case.

    Args:
        text: as it came.
    """
    lowered = text.lower()
    if (
        len(lowered) == _LENGTH and lowered[8:24:5] == "----"
    ):  # nearly every id of Xero's; no other GUID looks like that
        return lowered
    return canonical_guid(lowered) or lowered


def tenant_id_of(value: object) -> TenantId | None:
    """The organisation that a text names, or None."""
    return _tenant_id(value) if isinstance(value, str) and len(value) <= _LONGEST else None


@lru_cache(maxsize=20_000)  # nearly every event is of an organisation seen before
def _tenant_id(text: str) -> TenantId | None:
    found = canonical_guid(text)
    return None if found is None else TenantId(found)
