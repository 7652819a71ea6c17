"""Asking Xero's token endpoint, and making sense of what it says. Pure.

Forms and errors follow RFC 6749; Xero's lifetimes and rotation: https://developer.xero.com/documentation/guides/oauth2/token-types.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

from xero_api.claims import read_scopes
from xero_api.decode import decode
from xero_api.errors import (
    ClientConfigError,
    GarbledAnswerError,
    InterceptedError,
    LimitKind,
    RateLimitedError,
    ReauthoriseError,
    ServerError,
    XeroError,
)
from xero_api.meta import NO_META, Meta, read_meta

PATH = "/connect/token"
REVOCATION_PATH = "/connect/revocation"
_DEFAULT_LIFE = timedelta(minutes=30)
"""Of an access token, where the answer says nothing that can be used."""
_LONGEST_LIFE = timedelta(days=1)
"""A longer one is not believed: a refresh too early does no harm."""


class GrantKind(StrEnum):
    """How a grant was given."""

    AUTHORIZATION_CODE = "authorization_code"  # a user's consent in the browser; lives by its refresh token
    CLIENT_CREDENTIALS = "client_credentials"  # a custom connection: id and secret are all it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """An app's id, and its secret if it has one.

    Attributes:
        client_id: from the developer portal.
        client_secret: from there too; None for an app of the PKCE type, which has none.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        """How an app with a secret shows itself (RFC 6749, 2.3.1: both parts form-encoded first)."""
        if self.client_secret is None:
            return {}
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def fields(self) -> dict[str, str]:
        """How an app without a secret shows itself: in the form (RFC 6749, 3.2.1)."""
        return {"client_id": self.client_id} if self.client_secret is None else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """What a grant holds.

    Attributes:
        kind: how it was given.
        access_token: bearer token, 30 minutes.
        expires_at: when that ends.
        refreshed_at: when this set was obtained.
        refresh_token: gets the next set; rotated each time, 60 days. None with client credentials.
        previous_refresh_token: the one before, good for 30 minutes after ``refreshed_at``.
        scopes: what was granted, if the endpoint said so.
    """

    kind: GrantKind
    access_token: str = field(repr=False)
    expires_at: datetime
    refreshed_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    previous_refresh_token: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ()


def stored_tokens(refresh_token: str) -> TokenSet:
    """A grant's set from the refresh token alone. It counts as ended: the first use gets a new one.

    Args:
        refresh_token: the newest that was kept.

    Raises:
        ValueError: it is empty.
    """
    if not refresh_token:
        raise ValueError("the stored refresh token is empty: connect the organisation again")
    long_ago = datetime.fromtimestamp(0, UTC)
    return TokenSet(
        kind=GrantKind.AUTHORIZATION_CODE,
        access_token="",
        expires_at=long_ago,
        refreshed_at=long_ago,
        refresh_token=refresh_token,
    )


def refresh_form(refresh_token: str) -> dict[str, str]:
    """The form that trades a refresh token for a new set.

    Args:
        refresh_token: the current one, or within 30 minutes the one before.
    """
    return {"grant_type": "refresh_token", "refresh_token": refresh_token}


def client_credentials_form(scopes: tuple[str, ...] = ()) -> dict[str, str]:
    """The form that asks for a token of a custom connection.

    Args:
        scopes: what to ask for; all the connection has when empty.
    """
    form = {"grant_type": "client_credentials"}
    return {**form, "scope": " ".join(scopes)} if scopes else form


def revocation_form(refresh_token: str) -> dict[str, str]:
    """The form that gives a grant back (RFC 7009).

    Args:
        refresh_token: the current one.
    """
    return {"token": refresh_token, "token_type_hint": "refresh_token"}


def decipher_token(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    before: TokenSet | None,
    kind: GrantKind,
    now: datetime,
    used: str | None = None,
) -> TokenSet:
    """The new token set, or a typed error.

    Only OAuth's own error words (RFC 6749, 5.2) are a verdict about the grant or the app. Any other refusal may come from a
    proxy or a firewall, and says nothing about either.

    Args:
        headers: response headers, names in lower case.
        before: the set that was refreshed, if any: its refresh token becomes the previous one.
        kind: how the grant was given.
        now: when the request was sent; the life of the token counts from there.
        used: the refresh token that was sent, if any: it stays in use where the answer has no new one (RFC 6749, 6).

    Raises:
        ReauthoriseError: ``invalid_grant``.
        ClientConfigError: the app itself is refused, in one of OAuth's words.
        TransientError: 5xx, a refusal without an OAuth word, or a 200 that can't be read: the refresh may have happened.
        RateLimitedError: 429.
    """
    meta = read_meta(headers)
    document = _object(body)
    if status != HTTPStatus.OK:
        raise _error("token endpoint", status, meta, document)
    access_token = document.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise GarbledAnswerError("token endpoint: a 200 without an access token", status=status, meta=meta)
    refresh_token, previous = None, None
    if kind is GrantKind.AUTHORIZATION_CODE:
        rotated = document.get("refresh_token") or None
        refresh_token = used if rotated is None else rotated
        if not isinstance(refresh_token, str):
            raise GarbledAnswerError("token endpoint: a 200 without a refresh token", status=status, meta=meta)
        previous = before.refresh_token if before and rotated is not None else None
    # ``token_type`` is not looked at: its spelling varies, and there is no other way to present the token than as a bearer's.
    return TokenSet(
        kind=kind,
        access_token=access_token,
        expires_at=now + _life(document.get("expires_in")),
        refreshed_at=now,
        refresh_token=refresh_token,
        previous_refresh_token=previous,
        scopes=read_scopes(document.get("scope")) or (before.scopes if before else ()),
    )


def decipher_revocation(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Nothing, or a typed error.

    Args:
        headers: response headers, names in lower case.

    Raises:
        XeroError: as :func:`decipher_token`.
    """
    if status != HTTPStatus.OK:
        raise _error("revocation", status, read_meta(headers), _object(body))


def safe_word(value: Any) -> str:
    """OAuth's word for an error; what isn't a plain word is not repeated, it could be anything.

    Args:
        value: ``error`` as it came.
    """
    plain = isinstance(value, str) and value.isascii() and value.replace("_", "").isalpha() and len(value) <= _LONGEST
    return value if plain else "no reason given"


def refused_app(word: str, *, where: str, status: int | None = None, meta: Meta = NO_META) -> ClientConfigError:
    """The error for an app that is refused, with the hint for that word.

    Args:
        word: OAuth's, see :func:`safe_word`.
        status: HTTP status, if there was an answer.
        meta: what its headers said.
    """
    error = ClientConfigError(f"{where}: {word}", status=status, meta=meta)
    error.hint = _HINTS.get(word, error.hint)
    return error


_LONGEST = 64
_PORTAL = "the app in Xero's developer portal"
_VERDICTS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "unsupported_token_type",  # RFC 7009, 2.2.1: to a revocation
    }
)
_HINTS = {
    "unauthorized_client": "The client id is empty or unknown, or this type of app may not get tokens this way: compare "
    f"XERO_CLIENT_ID with {_PORTAL}, and its type.",
    "invalid_client": f"The secret is not the one of that client id: compare XERO_CLIENT_SECRET with {_PORTAL}.",
    "invalid_scope": "The app may not have one of the scopes: apps created since 2 March 2026 get granular ones only, some "
    f"(journals) need Xero's approval; compare what is asked for with {_PORTAL}.",
}


def _error(where: str, status: int, meta: Meta, document: dict[str, Any]) -> XeroError:
    told = safe_word(document.get("error"))
    message = f"{where}: {status} {told}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(message, limit=LimitKind.APP, status=status, meta=meta)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return ServerError(message, status=status, meta=meta)
    if told == "invalid_grant":
        return ReauthoriseError(message, status=status, meta=meta)
    if told in _VERDICTS:
        return refused_app(told, where=f"{where}: {status}", status=status, meta=meta)
    intercepted = InterceptedError(message, status=status, meta=meta)
    intercepted.hint = intercepted.hint.replace("XERO_API_URL", "XERO_IDENTITY_URL")
    return intercepted


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = decode(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _life(value: Any) -> timedelta:
    """How long the access token lives: seconds as a number, or as text (some servers quote it)."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return _DEFAULT_LIFE
    try:
        seconds = Decimal(str(value).strip())
    except InvalidOperation:
        return _DEFAULT_LIFE
    if not seconds.is_finite() or seconds < 1:
        return _DEFAULT_LIFE
    return timedelta(seconds=float(min(seconds, Decimal(_LONGEST_LIFE.total_seconds()))))
