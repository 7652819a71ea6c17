"""A user's consent in the browser: the link that asks for it, and the way back. Pure: new secrets are drawn by an argument.

The code flow of RFC 6749 with PKCE (RFC 7636, S256 only). What Xero allows:
https://developer.xero.com/documentation/guides/oauth2/auth-flow and /pkce-flow.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote, urlencode, urlsplit

from xero_api.errors import ClientConfigError, ConsentDeniedError, ForgedCallbackError, ServerError, XeroError
from xero_api.oauth.token import refused_app, safe_word
from xero_api.scopes import OFFLINE_ACCESS

PATH = "/identity/connect/authorize"

_STATE_BYTES = 32
_VERIFIER_BYTES = 48
"""64 characters; RFC 7636 wants 43 to 128."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent that was asked for: keep it until the browser comes back, in the user's session or by ``state``.

    Attributes:
        state: comes back with the browser, and proves that it is the same one.
        verifier: proves to the token endpoint that the code is ours; None without PKCE.
        redirect_uri: where the browser comes back to.
        scopes: what was asked for.
    """

    state: str = field(repr=False)
    verifier: str | None = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]

    @property
    def challenge(self) -> str | None:
        """What the link shows of the verifier (RFC 7636, 4.2: S256)."""
        if self.verifier is None:
            return None
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def new_consent(
    *,
    redirect_uri: str,
    scopes: tuple[str, ...],
    pkce: bool = True,
    draw: Callable[[int], str] = secrets.token_urlsafe,
) -> Consent:
    """Begin a consent.

    Args:
        redirect_uri: where the browser comes back to, exactly as registered for the app.
        scopes: what to ask for, see :func:`xero_api.scopes.least`.
        pkce: whether to use it. An app without a secret must; one with a secret is safer with it.
        draw: that many random bytes as URL-safe text.

    Raises:
        ClientConfigError: Xero would refuse the address, or there would be no refresh token.
    """
    check_redirect_uri(redirect_uri)
    if OFFLINE_ACCESS not in scopes:
        error = ClientConfigError(f"the scope {OFFLINE_ACCESS} is missing")
        error.hint = (
            f"Add {OFFLINE_ACCESS}: without it Xero gives no refresh token, and access ends after half an hour."
        )
        raise error
    return Consent(
        state=draw(_STATE_BYTES),
        verifier=draw(_VERIFIER_BYTES) if pkce else None,
        redirect_uri=redirect_uri,
        scopes=tuple(scopes),
    )


def check_redirect_uri(redirect_uri: str) -> None:
    """Whether Xero lets an app register that address: https, or ``http://localhost``.

    Args:
        redirect_uri: absolute, without a fragment.

    Raises:
        ClientConfigError: it doesn't.
    """
    try:
        parts = urlsplit(redirect_uri)
        host = parts.hostname
        _ = parts.port  # raises for what is no number
    except ValueError:
        parts, host = urlsplit(""), None
    local = parts.scheme == "http" and host == "localhost"
    clean = redirect_uri.isascii() and redirect_uri.isprintable() and " " not in redirect_uri
    if not host or not clean or "#" in redirect_uri or "@" in parts.netloc or not (parts.scheme == "https" or local):
        error = ClientConfigError("the redirect_uri is not one Xero takes")
        error.hint = (
            "Use an https address without a fragment, or http://localhost for development (http://127.0.0.1 is refused), "
            "exactly as it is registered in Xero's developer portal."
        )
        raise error


def authorise_url(consent: Consent, *, login_url: str, client_id: str, one_organisation: bool = False) -> str:
    """Where to send the user's browser.

    Args:
        consent: what is asked for.
        login_url: base URL of Xero's login, ``https://login.xero.com``.
        one_organisation: let the user choose one organisation only, also where the app has bulk connections.

    Raises:
        ClientConfigError: the client id is empty.
    """
    if not client_id:
        raise refused_app("unauthorized_client", where="an empty client id")
    challenge = consent.challenge
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": consent.redirect_uri,
        "scope": " ".join(consent.scopes),
        "state": consent.state,
        **({"code_challenge": challenge, "code_challenge_method": "S256"} if challenge else {}),
        **({"acr_values": "bulk_connect:false"} if one_organisation else {}),
    }
    return f"{login_url.rstrip('/')}{PATH}?{urlencode(parameters, quote_via=quote)}"


def read_callback(consent: Consent, parameters: Mapping[str, str]) -> str:
    """The code, from the query the browser came back with.

    Args:
        consent: the one kept.
        parameters: the query's fields.

    Raises:
        ForgedCallbackError: another ``state``, or neither code nor error.
        ConsentDeniedError: the user said no.
        ServerError: Xero failed.
        ClientConfigError: Xero refuses the app or what it asked for.
    """
    if not hmac.compare_digest(_bytes(parameters.get("state", "")), _bytes(consent.state)):
        raise ForgedCallbackError("the browser came back with another state")
    word = parameters.get("error")
    if word:
        raise _refusal(word)
    code = parameters.get("code")
    if not code:
        raise ForgedCallbackError("the browser came back with neither code nor error")
    return code


def exchange_form(consent: Consent, code: str) -> dict[str, str]:
    """The form that trades a code for tokens.

    Args:
        consent: the one it was given for.
        code: from :func:`read_callback`.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": consent.redirect_uri}
    return {**form, "code_verifier": consent.verifier} if consent.verifier else form


def _refusal(word: str) -> XeroError:
    if word == "access_denied":
        return ConsentDeniedError("the user declined")
    if word in {"server_error", "temporarily_unavailable"}:
        return ServerError(f"authorise page: {word}")
    return refused_app(safe_word(word), where="authorise page")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
