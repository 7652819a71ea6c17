"""What an access token says about itself. Pure.

The signature is not checked: the token came from the token endpoint over TLS, and goes back to Xero, who checks it. Never
decide by it who somebody else is.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xero_api.decode import decode
from xero_api.errors import UnmappableAnswerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims that matter here; None where the token has none.

    Attributes:
        auth_event_id: ``authentication_event_id``: the consent. The connections made in it have it as ``authEventId``, and
            nothing else tells which ones these are. None with client credentials.
        user_id: ``xero_userid``: who consented. Tokens belong to a user and an app, not to an organisation.
        client_id: the app.
        scopes: what the token opens.
    """

    auth_event_id: str | None
    user_id: str | None
    client_id: str | None
    scopes: tuple[str, ...]


def read_claims(access_token: str) -> Claims:
    """The claims of an access token.

    Args:
        access_token: a JWT (RFC 7519).

    Raises:
        UnmappableAnswerError: it is none. The message doesn't show it.
    """
    try:
        _, payload, _ = access_token.split(".")
        claims = decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise UnmappableAnswerError("the access token is no JWT")
    return Claims(
        auth_event_id=_lower(claims, "authentication_event_id"),
        user_id=_lower(claims, "xero_userid"),
        client_id=_text(claims, "client_id"),
        scopes=read_scopes(claims.get("scope")),
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


def _lower(claims: Mapping[str, Any], name: str) -> str | None:
    value = _text(claims, name)
    return value.lower() if value else None


def read_scopes(value: Any) -> tuple[str, ...]:
    """Scopes, from a text with blanks (RFC 6749, 3.3) or commas between them, or from a list; anything else has none.

    Args:
        value: ``scope`` as it came, in a token answer or in an access token.
    """
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str)]
    return tuple(dict.fromkeys(word for text in texts for word in text.replace(",", " ").split()))
