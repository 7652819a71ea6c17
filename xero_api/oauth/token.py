"""Asking Xero's token endpoint, and making sense of what it says. Pure.

Forms and errors follow RFC 6749; Xero's lifetimes and rotation: https://developer.xero.com/documentation/guides/oauth2/token-types.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

from xero_api.decode import decode
from xero_api.errors import (
    ClientConfigError,
    GarbledAnswerError,
    LimitKind,
    RateLimitedError,
    ReauthoriseError,
    ServerError,
    XeroError,
)
from xero_api.meta import Meta, read_meta

PATH = "/connect/token"
_DEFAULT_LIFE = 1_800


class GrantKind(StrEnum):
    """How a grant was given."""

    AUTHORIZATION_CODE = "authorization_code"  # a user's consent in the browser; lives by its refresh token
    CLIENT_CREDENTIALS = "client_credentials"  # a custom connection: id and secret are all it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """An app's id and secret.

    Attributes:
        client_id: from the developer portal.
        client_secret: from there too.
    """

    client_id: str
    client_secret: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """The value of the ``Authorization`` header (RFC 6749, section 2.3.1: both parts form-encoded first)."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return f"Basic {b64encode(pair.encode()).decode()}"


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


def decipher_token(
    status: int, headers: Mapping[str, str], body: bytes, *, before: TokenSet | None, kind: GrantKind, now: datetime
) -> TokenSet:
    """The new token set, or a typed error.

    Args:
        status: HTTP status.
        headers: response headers, names in lower case.
        body: the whole body.
        before: the set that was refreshed, if any: its refresh token becomes the previous one.
        kind: how the grant was given.
        now: when the request was sent; the life of the token counts from there.

    Raises:
        ReauthoriseError: ``invalid_grant``.
        ClientConfigError: the app itself is refused.
        TransientError: 5xx, or a 200 that can't be read: the refresh may have happened.
        RateLimitedError: 429.
    """
    meta = read_meta(headers)
    document = _object(body)
    if status != HTTPStatus.OK:
        raise _error(status, meta, document)
    access_token = document.get("access_token")
    refresh_token = document.get("refresh_token")
    if not isinstance(access_token, str) or not access_token:
        raise GarbledAnswerError("token endpoint: a 200 without an access token", status=status, meta=meta)
    if kind is GrantKind.AUTHORIZATION_CODE and (not isinstance(refresh_token, str) or not refresh_token):
        raise GarbledAnswerError("token endpoint: a 200 without a refresh token", status=status, meta=meta)
    return TokenSet(
        kind=kind,
        access_token=access_token,
        expires_at=now + timedelta(seconds=_life(document.get("expires_in"))),
        refreshed_at=now,
        refresh_token=refresh_token if kind is GrantKind.AUTHORIZATION_CODE else None,
        previous_refresh_token=before.refresh_token if before else None,
        scopes=_scopes(document.get("scope")) or (before.scopes if before else ()),
    )


def _error(status: int, meta: Meta, document: dict[str, Any]) -> XeroError:
    word = document.get("error")
    told = word if isinstance(word, str) and word.isascii() and word.replace("_", "").isalpha() else "no reason given"
    message = f"token endpoint: {status} {told}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(message, limit=LimitKind.APP, status=status, meta=meta)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return ServerError(message, status=status, meta=meta)
    if told == "invalid_grant":
        return ReauthoriseError(message, status=status, meta=meta)
    return ClientConfigError(message, status=status, meta=meta)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = decode(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _life(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else _DEFAULT_LIFE


def _scopes(value: Any) -> tuple[str, ...]:
    return tuple(value.split()) if isinstance(value, str) else ()
