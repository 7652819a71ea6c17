"""Whether a request was signed with one of an app's webhook keys. Pure.

``x-xero-signature`` is base64 of HMAC-SHA256 over the raw body, keyed by the UTF-8 bytes of the key as Xero's portal
shows it; the key looks like base64 but is never decoded.
https://developer.xero.com/documentation/guides/webhooks/configuring-your-server
"""

import hmac
from binascii import b2a_base64
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

HEADER = "x-xero-signature"

LONGEST = 64
"""A header longer than this many characters is not even looked at; a true one has 44."""

_NONE = bytes(44)
"""Compared in place of a signature that can't be one: no base64 text equals it."""


class Flaw(StrEnum):
    """Why a signature is not good. For metrics only: the answer is the same."""

    MISSING = "missing"
    DUPLICATED = "duplicated"
    OVERSIZED = "oversized"
    NON_ASCII = "non_ascii"
    MISMATCH = "mismatch"


class Verdict(NamedTuple):
    """What came out.

    Attributes:
        key: position of the matching key, newest is 0; -1 if there is none.
        flaw: why not, or None.
    """

    key: int
    flaw: Flaw | None


def verify(body: bytes, values: Sequence[str], keys: Sequence[bytes]) -> Verdict:
    """Check a body's signature. Takes the same path, and the same time, whatever is wrong with it.

    Args:
        body: the request's body exactly as received.
        values: every ``x-xero-signature`` header of the request.
        keys: the app's keys, newest first.
    """
    given, flaw = _given(values)
    matching = -1
    # Every key is tried, also after a match: how long it takes must not tell which one it was.
    for position, key in enumerate(keys):
        expected = b2a_base64(hmac.digest(key, body, "sha256"), newline=False)
        if hmac.compare_digest(expected, given) and matching < 0:
            matching = position
    if matching >= 0:
        return Verdict(matching, None)
    return Verdict(-1, flaw or Flaw.MISMATCH)


def _given(values: Sequence[str]) -> tuple[bytes, Flaw | None]:
    if len(values) != 1:
        return _NONE, Flaw.DUPLICATED if values else Flaw.MISSING
    value = values[0]
    if len(value) > LONGEST:
        return _NONE, Flaw.OVERSIZED
    if not value.isascii():
        return _NONE, Flaw.NON_ASCII
    return value.encode("ascii"), None
