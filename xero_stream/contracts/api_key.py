"""An API key of the console: its form, its scopes, what it may see. Pure.

A key is ``xsk_<id>_<secret>``: the id (12 hexadecimal digits) names it in lists and logs, the secret (43 characters of base64url, 256
random bits) proves that the caller has it. Only the SHA-256 of the secret is stored.
"""

import hashlib
import hmac
import re
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

PREFIX = "xsk"
_KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_NO_DIGEST = bytes(32)
ID_BYTES, SECRET_BYTES = 6, 32


class Scope(StrEnum):
    """What a key may do. No scope contains another."""

    READ = "read"  # records, changes, organisations
    WRITE = "write"  # commands that write to Xero
    PROXY = "proxy"  # calls to Xero through the proxy
    CONNECT = "connect"  # consent links, organisations connected and disconnected
    OPERATE = "operate"  # status, sync control, quarantine
    ADMIN = "admin"  # API keys, audit log


class KeyState(StrEnum):
    """Whether a key opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Presented:
    """A key as a caller sent it.

    Attributes:
        key_id: its public part.
        secret: its secret part.
    """

    key_id: str
    secret: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """The form in which the secret is stored."""
        return hashlib.sha256(self.secret.encode()).digest()

    def __str__(self) -> str:
        """The whole key, as its owner is shown it once."""
        return f"{PREFIX}_{self.key_id}_{self.secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A stored key.

    Attributes:
        key_id: its public part.
        name: for people.
        scopes: what it may do; a word that this release does not know opens nothing.
        tenant_ids: the organisations that it is restricted to; None: no restriction.
        customer_ref: the customer whose organisations it is restricted to; None: no restriction. With both, an organisation must
            satisfy both.
        created_at: when.
        created_by: who.
        expires_at: when it ends; None: never.
        revoked_at: when it was ended; None: it was not.
        last_used_at: within a minute; None: never used.
    """

    key_id: str
    name: str
    scopes: frozenset[str]
    tenant_ids: frozenset[str] | None = None
    customer_ref: str | None = None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """Whether it opens anything.

        Args:
            now: the store's time.
        """
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ACTIVE

    @property
    def is_restricted(self) -> bool:
        """Whether there is an organisation that it must not see."""
        return self.tenant_ids is not None or self.customer_ref is not None

    def visible(self, of_customer: Set[str]) -> frozenset[str] | None:
        """The organisations that it may see; None: all.

        Args:
            of_customer: the organisations of :attr:`customer_ref`; not looked at where that is None.
        """
        if self.customer_ref is None:
            return self.tenant_ids
        return frozenset(of_customer) if self.tenant_ids is None else self.tenant_ids & of_customer


def parse(text: str) -> Presented | None:
    """Read a key.

    Args:
        text: what a caller sent; anything.

    Returns:
        Its parts, or None where it does not have the form of a key.
    """
    match = _KEY.fullmatch(text)
    return Presented(match[1], match[2]) if match else None


def is_digest_of(presented: Presented, stored: bytes | None) -> bool:
    """Whether a secret is the stored one. Takes as long for a key that does not exist as for a wrong secret.

    Args:
        presented: what the caller sent.
        stored: the digest found under its id; None: there is no such key.
    """
    equal = hmac.compare_digest(presented.digest, stored or _NO_DIGEST)
    return equal and stored is not None
