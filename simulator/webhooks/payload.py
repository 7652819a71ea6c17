"""The body and signature of a delivery. Pure; the random source is an argument."""

import base64
import hashlib
import hmac
import random
import string
from collections.abc import Sequence

from simulator.webhooks.events import Event

HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip,deflate",
    "Content-Type": "application/json; charset=utf-8",
}
"""As captured in XeroAPI/XeroWebhooksReceiver#1."""

_ALPHABET = string.ascii_letters + string.digits + "+/"


def body_of(events: Sequence[Event], entropy: str) -> bytes:
    """A delivery's body, with the irregular spacing Xero really sends: parsing and re-encoding breaks the signature.

    Args:
        events: in the order they travel; empty for an intent-to-receive request, whose sequences are 0.
        entropy: twenty capital letters.
    """
    first = min((event.sequence for event in events), default=0)
    last = max((event.sequence for event in events), default=0)
    return (
        b'{"events":['
        + b",".join(event.body for event in events)
        + f'],"firstEventSequence": {first},"lastEventSequence": {last}, "entropy": "{entropy}"}}'.encode()
    )


def sign(body: bytes, key: str) -> str:
    """``x-xero-signature``: base64 of HMAC-SHA256 under the key's UTF-8 bytes, never decoded."""
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()


def spoil(signature: str, source: random.Random) -> str:
    """The signature with one character changed, as in Xero's intent-to-receive."""
    place = source.randrange(len(signature) - 2)
    other = source.choice([letter for letter in _ALPHABET if letter != signature[place]])
    return signature[:place] + other + signature[place + 1 :]
