"""Webhook signing keys as operators give them: one parser for every form, and for each reading of the apps file. Pure."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from xero_stream.settings.simulator import DEMO_WEBHOOK_KEY

SHORTEST = 32
"""Characters. Xero's keys have 88; nobody guesses 32 random ones."""
FEWEST_DISTINCT = 8
"""Different characters in a key: 32 random hexadecimal digits have fewer than that once in ten million."""

_WORDS = frozenset({"your", "my", "the", "webhook", "webhooks", "signing", "key", "keys", "secret", "xero", "example"})
_WORDS |= frozenset(
    {"placeholder", "changeme", "change", "replace", "insert", "paste", "here", "todo", "dummy", "test"}
)


class WebhookKeyError(ValueError):
    """A key can't be used; the message says why and never shows it."""


def parse(value: Any, *, simulated: bool) -> tuple[bytes, ...]:
    """The keys in a setting or in a row of the apps file.

    Args:
        value: text with commas between keys, a list of such texts, or None. Blank keys count as not given.
        simulated: whether Xero's API is a simulator on this machine; only then is the simulator's public key taken.

    Returns:
        The keys in the order given, as UTF-8 bytes exactly as Xero's portal shows them, never decoded; none: no key was given.

    Raises:
        WebhookKeyError: one of them is no key that protects anything.
    """
    keys = list(_parts(value))
    for number, key in enumerate(keys, start=1):
        flaw = _flaw(key, simulated=simulated)
        if flaw:
            raise WebhookKeyError(f"webhook signing key {number} of {len(keys)} {flaw}")
    return tuple(key.encode() for key in dict.fromkeys(keys))


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine.

    Args:
        url: an absolute URL.
    """
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(value: Any) -> Iterator[str]:
    texts: Sequence[Any] = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise WebhookKeyError("webhook signing keys must be text or a list of texts")
    return (part.strip() for text in texts for part in text.split(",") if part.strip())


def _flaw(key: str, *, simulated: bool) -> str | None:
    if key == DEMO_WEBHOOK_KEY:
        # It is in the source code: whoever reads it can sign.
        return (
            None
            if simulated
            else "is the simulator's, which is public: it is taken only where XERO_API_URL is on this machine"
        )
    if _is_placeholder(key):
        return "is a placeholder: use the key that Xero's developer portal shows under Webhooks"
    if len(key) < SHORTEST:
        return f"has {len(key)} characters; at least {SHORTEST} are needed, and Xero's keys have 88"
    if not all("!" <= character <= "~" for character in key):
        return "has blanks or characters beyond ASCII, which Xero's keys never have"
    if len(set(key)) < FEWEST_DISTINCT:
        return f"has only {len(set(key))} different characters, so it can be guessed"
    return None


def _is_placeholder(key: str) -> bool:
    if "…" in key or "..." in key or key[0] in "<[{$" or key[-1] in ">]}":
        return True
    words = [word for word in re.split(r"[-_.\s]+", key.lower()) if word]
    # A random key has no separators, or its pieces are no words.
    return all(word.isalpha() for word in words) and bool(_WORDS.intersection(words))
