"""Access tokens and id tokens, and what an app may ask about its user. Pure; ``now_ms`` is an argument, the key is random by its seed.

Claims are those seen in Xero's tokens, and the signature is as Xero's (RS256): clients check id tokens with the published key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.identity.consent import User
from simulator.identity.grants import ACCESS_LIFE_SECONDS, Grant, Grants
from simulator.identity.signing import SigningKey, half_hash

ID_LIFE_SECONDS = 300
"""How long an id token is good."""

ISSUER = "https://identity.xero.com"
"""``iss`` of every token."""

_RESOURCES = f"{ISSUER}/resources"
_READ_BEFORE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token says."""

    grant_id: str
    expires_ms: int
    scopes: tuple[str, ...]


class AccessTokens:
    """Issues and reads access tokens."""

    def __init__(self, *, key: Callable[[], SigningKey]) -> None:
        """Nothing is signed yet.

        Args:
            key: gives the key that signs; asked for the first time when a token is.
        """
        self._key = key
        self._read: dict[str, Access] = {}

    def issue(self, grant: Grant, *, token_id: str, now_ms: int, auth_event_id: str | None = None) -> str:
        """A token for half an hour; claims as seen in Xero's tokens.

        Args:
            token_id: its ``jti``.
            auth_event_id: the consent its refresh token comes from; None: the latest.
        """
        seconds = now_ms // 1000
        claims = {
            "nbf": seconds,
            "exp": seconds + ACCESS_LIFE_SECONDS,
            "iss": ISSUER,
            "aud": _RESOURCES,
            "client_id": grant.client_id,
            "sub": grant.user_id.replace("-", ""),
            "auth_time": seconds,
            "xero_userid": grant.user_id,
            "global_session_id": grant.session_id,
            "sid": grant.session_id,
            "jti": token_id.replace("-", "").upper(),
            "authentication_event_id": auth_event_id or grant.auth_event_id,
            "scope": list(grant.scopes),
            "amr": ["pwd"],
        }
        token = self._key().sign(claims)
        self._remember(
            token,
            Access(grant_id=grant.id, expires_ms=(seconds + ACCESS_LIFE_SECONDS) * 1000, scopes=grant.scopes),
        )
        return token

    def issue_id(self, grant: Grant, user: User, *, now_ms: int, access_token: str, nonce: str | None = None) -> str:
        """An id token for five minutes: who signed in.

        Args:
            access_token: the one that is given with it.
            nonce: what the app sent with its link.
        """
        seconds = now_ms // 1000
        claims = {
            "nbf": seconds,
            "exp": seconds + ID_LIFE_SECONDS,
            "iss": ISSUER,
            "aud": grant.client_id,
            **({} if nonce is None else {"nonce": nonce}),
            "iat": seconds,
            "at_hash": half_hash(access_token),
            "sid": grant.session_id,
            "auth_time": seconds,
            "global_session_id": grant.session_id,
            **about(user, grant.scopes),
            "amr": ["pwd"],
        }
        return self._key().sign(claims)

    def read(self, token: str, grants: Grants) -> Access | None:
        """What a token says; None if it isn't ours.

        Args:
            token: as presented.
        """
        known = self._read.get(token)
        if known is not None:
            return known
        claims = self._key().read(token)
        if claims is None:
            return None
        try:
            if claims["aud"] != _RESOURCES:  # an id token opens nothing
                return None
            grant = grants.of_session(claims["sid"])
            if grant is None:
                return None
            access = Access(grant_id=grant.id, expires_ms=claims["exp"] * 1000, scopes=tuple(claims["scope"]))
        except (KeyError, TypeError):
            return None
        self._remember(token, access)
        return access

    def published(self) -> dict[str, Any]:
        """The JSON Web Key Set that clients check signatures with."""
        return {"keys": [self._key().published()]}

    def _remember(self, token: str, access: Access) -> None:
        if len(self._read) > _READ_BEFORE:
            self._read.clear()
        self._read[token] = access


def about(user: User, scopes: tuple[str, ...]) -> dict[str, str]:
    """Claims about a user, as far as scopes allow.

    Args:
        user: about whom.
        scopes: of the token.
    """
    given, _, family = user.name.partition(" ")
    claims = {"sub": user.id.replace("-", ""), "xero_userid": user.id}
    if "profile" in scopes:
        claims |= {
            "preferred_username": user.email,
            "given_name": given,
            "family_name": family,
            "name": user.name,
        }
    return claims | ({"email": user.email} if "email" in scopes else {})
