"""Access tokens: JWT-shaped, signed with the simulator's own secret so that they outlive a restart."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import orjson

from simulator.identity.grants import ACCESS_LIFE_SECONDS, Grant, Grants


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token says."""

    grant_id: str
    expires_ms: int


class AccessTokens:
    """Issues and reads access tokens."""

    def __init__(self, *, secret: bytes) -> None:
        self._secret = secret
        self._read: dict[str, Access] = {}

    def issue(self, grant: Grant, *, token_id: str, now_ms: int) -> str:
        """A token for half an hour; claims as seen in Xero's tokens."""
        seconds = now_ms // 1000
        claims = {
            "nbf": seconds,
            "exp": seconds + ACCESS_LIFE_SECONDS,
            "iss": "https://identity.xero.com",
            "aud": "https://identity.xero.com/resources",
            "client_id": grant.client_id,
            "sub": grant.user_id.replace("-", ""),
            "auth_time": seconds,
            "xero_userid": grant.user_id,
            "global_session_id": grant.session_id,
            "sid": grant.session_id,
            "jti": token_id.replace("-", "").upper(),
            "authentication_event_id": grant.auth_event_id,
            "scope": list(grant.scopes),
            "amr": ["pwd"],
        }
        header = {"alg": "RS256", "kid": "SIMULATOR", "typ": "JWT", "x5t": "SIMULATOR"}
        signed = f"{_encode(orjson.dumps(header))}.{_encode(orjson.dumps(claims))}"
        token = f"{signed}.{self._sign(signed)}"
        if len(self._read) > 10_000:
            self._read.clear()
        self._read[token] = Access(grant_id=grant.id, expires_ms=(seconds + ACCESS_LIFE_SECONDS) * 1000)
        return token

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
            grant = grants.of_session(claims["sid"])
            if grant is None:
                return None
            access = Access(grant_id=grant.id, expires_ms=claims["exp"] * 1000)
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
