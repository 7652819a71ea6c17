"""Access tokens and id tokens: JWTs, signed with the simulator's own secret so that they outlive a restart.

The algorithm is HS256; Xero's is RS256 with published keys. Nobody but the simulator can check the signature, and
clients have no need to.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import orjson

from simulator.identity.consent import User
from simulator.identity.grants import ACCESS_LIFE_SECONDS, Grant, Grants

ID_LIFE_SECONDS = 300
"""How long an id token is good."""

_ISSUER = "https://identity.xero.com"
_RESOURCES = f"{_ISSUER}/resources"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token says."""

    grant_id: str
    expires_ms: int
    scopes: tuple[str, ...]


class AccessTokens:
    """Issues and reads access tokens."""

    def __init__(self, *, secret: bytes) -> None:
        self._secret = secret
        self._read: dict[str, Access] = {}

    def issue(self, grant: Grant, *, token_id: str, now_ms: int, auth_event_id: str | None = None) -> str:
        """A token for half an hour; claims as seen in Xero's tokens.

        Args:
            grant: whose.
            token_id: its ``jti``.
            now_ms: the time.
            auth_event_id: the consent its refresh token comes from; None: the latest.
        """
        seconds = now_ms // 1000
        claims = {
            "nbf": seconds,
            "exp": seconds + ACCESS_LIFE_SECONDS,
            "iss": _ISSUER,
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
        token = self._signed(claims)
        if len(self._read) > 10_000:
            self._read.clear()
        self._read[token] = Access(
            grant_id=grant.id, expires_ms=(seconds + ACCESS_LIFE_SECONDS) * 1000, scopes=grant.scopes
        )
        return token

    def issue_id(self, grant: Grant, user: User, *, now_ms: int) -> str:
        """An id token for five minutes: who signed in.

        Args:
            grant: whose.
            user: who that is.
            now_ms: the time.
        """
        seconds = now_ms // 1000
        given, _, family = user.name.partition(" ")
        claims = {
            "nbf": seconds,
            "exp": seconds + ID_LIFE_SECONDS,
            "iss": _ISSUER,
            "aud": grant.client_id,
            "iat": seconds,
            "sub": user.id.replace("-", ""),
            "auth_time": seconds,
            "sid": grant.session_id,
            "xero_userid": user.id,
            **({"email": user.email} if "email" in grant.scopes else {}),
            **({"name": user.name, "given_name": given, "family_name": family} if "profile" in grant.scopes else {}),
        }
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "HS256", "kid": "SIMULATOR", "typ": "JWT"}
        signed = f"{_encode(orjson.dumps(header))}.{_encode(orjson.dumps(claims))}"
        return f"{signed}.{self._sign(signed)}"

    def read(self, token: str, grants: Grants) -> Access | None:
        """What a token says; None if it isn't ours.

        Args:
            token: as presented.
            grants: all grants.
        """
        known = self._read.get(token)
        if known is not None:
            return known
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(signed).encode(), signature.encode()):
            return None
        try:
            claims = orjson.loads(_decode(signed.partition(".")[2]))
            if claims["aud"] != _RESOURCES:  # an id token opens nothing
                return None
            grant = grants.of_session(claims["sid"])
            if grant is None:
                return None
            access = Access(grant_id=grant.id, expires_ms=claims["exp"] * 1000, scopes=tuple(claims["scope"]))
        except (binascii.Error, ValueError, KeyError, TypeError):
            return None
        self._read[token] = access
        return access

    def _sign(self, text: str) -> str:
        return _encode(hmac.digest(self._secret, text.encode(), hashlib.sha256))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
