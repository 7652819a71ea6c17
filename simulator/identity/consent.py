"""What an app asks of a user, and the code it gets for a yes. Pure; ``now_ms`` is an argument.

A code is good once, for five minutes, for the app, the address and the verifier it was asked with
(developer.xero.com/documentation/guides/oauth2/auth-flow and /pkce-flow). An attempt of the right app uses it up, even
one that is refused (unconfirmed).
"""

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from simulator.identity.grants import AppKind, Client, Grants, TokenError, TokenProblem
from simulator.identity.scopes import refused

CODE_LIFE_MS = 5 * 60 * 1000
"""How long a code works. Source: developer.xero.com, guides/oauth2/auth-flow."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may consent."""

    id: str
    name: str
    email: str


def users(seed: int) -> tuple[User, ...]:
    """The people the authorise page knows; the same seed, the same ids."""
    people = (
        ("Alex Rivera", "alex@example.com"),
        ("Kiri Moana", "kiri@example.com"),
        ("Sam Okafor", "sam@example.com"),
    )
    return tuple(
        User(id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"simulator:{seed}:{email}")), name=name, email=email)
        for name, email in people
    )


def user_of(seed: int, user_id: str) -> User:
    """Who has that id; a grant that was made without a browser has a user whom the authorise page does not list."""
    other = User(id=user_id, name="Robin Vale", email="robin@example.com")
    return next((one for one in users(seed) if one.id == user_id), other)


class Problem(StrEnum):
    """What the authorise page's error says."""

    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"


class AuthoriseError(Exception):
    """The link is wrong. Xero shows the user a page and sends nobody back: the address can't be trusted."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A good link.

    Attributes:
        challenge: of PKCE, if it is used.
        nonce: what the id token must repeat, if one was sent.
        several: whether the user may choose more than one organisation.
    """

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    nonce: str | None
    several: bool


def understand(fields: Mapping[str, str], grants: Grants, *, bulk: bool, journals: bool) -> Asked:
    """Check what an app asks.

    Args:
        fields: of the link, or of the page's form.
        grants: the apps there are.
        bulk: whether the tier has bulk connections.
        journals: whether it has the general ledger.

    Raises:
        AuthoriseError: what is wrong with it.
    """
    client = grants.client(fields.get("client_id", ""))
    if client is None or client.kind is AppKind.CUSTOM:
        raise AuthoriseError(Problem.UNAUTHORIZED_CLIENT, "No app that users connect has this client_id.")
    redirect_uri = fields.get("redirect_uri", "")
    if not may_return_to(client, redirect_uri):
        raise AuthoriseError(Problem.UNAUTHORIZED_CLIENT, "The redirect_uri is not one of this app's.")
    if fields.get("response_type") != "code":
        raise AuthoriseError(Problem.UNSUPPORTED_RESPONSE_TYPE, "The response_type has to be code.")
    scopes = tuple(dict.fromkeys(fields.get("scope", "").split()))
    wrong = refused(scopes, broad=client.broad_scopes, journals=journals)
    if not scopes or wrong:
        raise AuthoriseError(Problem.INVALID_SCOPE, f"This app may not have: {', '.join(wrong) or 'no scope at all'}.")
    return Asked(
        client=client,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=fields.get("state"),
        challenge=_challenge(client, fields),
        nonce=fields.get("nonce"),
        several=bulk and fields.get("acr_values") != "bulk_connect:false",
    )


def _challenge(client: Client, fields: Mapping[str, str]) -> str | None:
    challenge = fields.get("code_challenge")
    if challenge is None:
        if client.kind is AppKind.PKCE:
            raise AuthoriseError(Problem.INVALID_REQUEST, "An app without a secret has to send a code_challenge.")
        return None
    if fields.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise AuthoriseError(Problem.INVALID_REQUEST, "The code_challenge has to be of the method S256, 43 characters.")
    return challenge


def may_return_to(client: Client, redirect_uri: str) -> bool:
    """Whether the browser may be sent there: one of the app's addresses; if it has none, any that could be one."""
    return redirect_uri in client.redirect_uris if client.redirect_uris else registrable(redirect_uri)


def registrable(redirect_uri: str) -> bool:
    """Whether Xero takes it as an app's address: https, or http on localhost."""
    try:
        parts = urlsplit(redirect_uri)
        host = parts.hostname
    except ValueError:
        return False
    good = redirect_uri.isascii() and redirect_uri.isprintable() and not parts.fragment
    return good and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host == "localhost"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A user's yes, not yet traded for tokens."""

    client_id: str
    redirect_uri: str
    challenge: str | None
    user: User
    scopes: tuple[str, ...]
    tenants: tuple[str, ...]
    auth_event_id: str
    issued_ms: int
    nonce: str | None = None


class Codes:
    """The codes that wait. They are not kept: a restart is longer than many users wait anyway."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}

    def add(self, value: str, code: Code) -> None:
        """Give one out."""
        old = [key for key, one in self._codes.items() if code.issued_ms - one.issued_ms > CODE_LIFE_MS]
        for key in old:
            del self._codes[key]
        self._codes[value] = code

    def redeem(self, value: str, client: Client, redirect_uri: str, verifier: str | None, now_ms: int) -> Code:
        """Trade one in.

        Args:
            redirect_uri: the address it was sent to.
            verifier: of PKCE, if it was used.

        Raises:
            TokenError: invalid_grant: unknown, used, late, another app's, for another address or of another verifier.
        """
        code = self._codes.get(value)
        if code is None or code.client_id != client.id:
            raise TokenError(TokenProblem.INVALID_GRANT)
        del self._codes[value]
        late = now_ms - code.issued_ms > CODE_LIFE_MS
        if late or code.redirect_uri != redirect_uri or not _proven(code.challenge, verifier):
            raise TokenError(TokenProblem.INVALID_GRANT)
        return code


def _proven(challenge: str | None, verifier: str | None) -> bool:
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return bool(_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(digest, challenge.encode())
