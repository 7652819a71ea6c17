"""Xero's identity server over HTTP. One request per call, never repeated here."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from xero_api.errors import (
    CodeLostError,
    CodeRefusedError,
    EncodedAnswerError,
    GarbledAnswerError,
    InterceptedError,
    MisdirectedError,
    ReauthoriseError,
    TimedOutError,
    TransientError,
    UnreachableError,
    XeroError,
)
from xero_api.oauth.consent import Consent, exchange_form
from xero_api.oauth.token import (
    PATH,
    REVOCATION_PATH,
    ClientCredentials,
    GrantKind,
    TokenSet,
    client_credentials_form,
    decipher_revocation,
    decipher_token,
    refresh_form,
    revocation_form,
)
from xero_api.unpacking import BadPackingError, unpacked, whole

TIMEOUT_SECONDS = 8.0
"""Below the store's limit on how long a transaction may sit idle: the row stays locked during the call."""

MOST_BYTES = 1024 * 1024
"""Of an answer, unpacked. A token set has some thousand bytes."""

_SHARE_TO_CONNECT = 0.5
Found = TypeVar("Found", bound=XeroError)

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_MISDIRECTED = "Check XERO_IDENTITY_URL: it is the base address only, https://identity.xero.com, without a path."


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer that was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class IdentityClient:
    """Sends forms to the token endpoint and to the revocation endpoint."""

    def __init__(
        self,
        *,
        identity_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        """Nothing is called yet.

        Args:
            identity_url: the base address.
            transport: another way to send than over the network.
            timeout: seconds that a call may take in all.

        Raises:
            MisdirectedError: the address is none.
        """
        self._base = _base_address(identity_url)
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(timeout, connect=timeout * _SHARE_TO_CONNECT),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "xero-stream"},
        )
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def exchange(self, credentials: ClientCredentials, consent: Consent, code: str, now: datetime) -> TokenSet:
        """Trade a code for the first tokens of a grant. Xero takes a code once: what failed is not tried again.

        Args:
            consent: the one the code was given for.
            code: from :func:`~xero_api.oauth.consent.read_callback`.
            now: wall clock.

        Raises:
            CodeRefusedError: it was used before, came late, or belongs to another address or verifier.
            CodeLostError: it was sent, but whether Xero took it is not known.
            TransientError: with ``sent`` False: it never left; the same code may be tried again.
            XeroError: as :func:`~xero_api.oauth.token.decipher_token`.
        """
        form = exchange_form(consent, code)
        try:
            return await self._ask(credentials, form, None, GrantKind.AUTHORIZATION_CODE, now)
        except ReauthoriseError as error:
            raise CodeRefusedError(str(error), status=error.status, meta=error.meta) from None
        except TransientError as error:
            if not error.sent:
                raise
            raise CodeLostError(f"the code's fate is unknown: {error}", status=error.status, meta=error.meta) from error

    async def refresh(
        self, credentials: ClientCredentials, tokens: TokenSet, refresh_token: str, now: datetime
    ) -> TokenSet:
        """Trade a refresh token for a new set.

        Args:
            refresh_token: which of its refresh tokens to use.
            now: wall clock.

        Raises:
            XeroError: see :func:`~xero_api.oauth.token.decipher_token`; time-outs and broken connections too.
        """
        return await self._ask(credentials, refresh_form(refresh_token), tokens, tokens.kind, now, used=refresh_token)

    async def client_credentials(
        self, credentials: ClientCredentials, now: datetime, scopes: tuple[str, ...] = ()
    ) -> TokenSet:
        """A token set of a custom connection.

        Args:
            now: wall clock.
            scopes: what to ask for.

        Raises:
            XeroError: as :meth:`refresh`.
        """
        return await self._ask(credentials, client_credentials_form(scopes), None, GrantKind.CLIENT_CREDENTIALS, now)

    async def revoke(self, credentials: ClientCredentials, refresh_token: str) -> None:
        """Give a grant back: its tokens end, and every connection of that user to the app with them. Repeating is harmless.

        Args:
            refresh_token: the grant's current one.

        Raises:
            XeroError: as :func:`~xero_api.oauth.token.decipher_token`; after a transient one it may have happened.
        """
        reply = await self._post(REVOCATION_PATH, credentials, revocation_form(refresh_token))
        decipher_revocation(reply.status, reply.headers, reply.body)

    async def _ask(
        self,
        credentials: ClientCredentials,
        form: dict[str, str],
        before: TokenSet | None,
        kind: GrantKind,
        now: datetime,
        used: str | None = None,
    ) -> TokenSet:
        reply = await self._post(PATH, credentials, form)
        return decipher_token(reply.status, reply.headers, reply.body, before=before, kind=kind, now=now, used=used)

    async def _post(self, path: str, credentials: ClientCredentials, form: dict[str, str]) -> _Reply:
        asked = "revocation endpoint" if path == REVOCATION_PATH else "token endpoint"
        request = self._http.build_request(
            "POST", self._base + path, data={**form, **credentials.fields()}, headers=credentials.headers()
        )
        try:
            async with asyncio.timeout(self._timeout):
                return await self._reply(asked, request)
        except _UNSENT as error:
            raise _unreachable(asked, error) from None
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOutError(f"{asked}: no answer within {self._timeout:g} s") from None
        except httpx.RequestError as error:
            raise _unreachable(asked, error) from None

    async def _reply(self, asked: str, request: httpx.Request) -> _Reply:
        async with aclosing(await self._http.send(request, stream=True)) as response:
            if response.is_redirect:
                misdirected = MisdirectedError(f"{asked}: {response.status_code}, a redirect")
                misdirected.hint = _MISDIRECTED
                raise misdirected
            return _Reply(response.status_code, response.headers, await _body(asked, response))


async def _body(asked: str, response: httpx.Response) -> bytes:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    chunks: AsyncIterator[bytes] = aiter(response.stream)
    encoding, status = response.headers.get("content-encoding", ""), response.status_code
    try:
        async with aclosing(unpacked(encoding, chunks)) as pieces:
            body = await whole(pieces, MOST_BYTES)
    except EncodedAnswerError as error:
        raise _here(EncodedAnswerError(f"{asked}: {error}", status=status)) from None
    except BadPackingError:
        raise _here(GarbledAnswerError(f"{asked}: an answer that can't be unpacked", status=status)) from None
    if body is None:
        raise _here(InterceptedError(f"{asked}: an answer of over {MOST_BYTES} bytes", status=status))
    return body


def _base_address(identity_url: str) -> str:
    try:
        parts = urlsplit(identity_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # brackets that aren't closed
        good = False
    if not good:
        misdirected = MisdirectedError("XERO_IDENTITY_URL must be a base address like https://identity.xero.com")
        misdirected.sent, misdirected.hint = False, _MISDIRECTED
        raise misdirected
    return identity_url.rstrip("/")


def _unreachable(asked: str, error: httpx.RequestError) -> UnreachableError:
    found = UnreachableError(f"{asked}: {type(error).__name__}")
    found.sent = not isinstance(error, _UNSENT)
    return _here(found)


def _here(error: Found) -> Found:
    """The same error; its hint names this server's address."""
    error.hint = error.hint.replace("XERO_API_URL", "XERO_IDENTITY_URL")
    return error
