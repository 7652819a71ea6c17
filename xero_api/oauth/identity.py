"""Xero's token endpoint over HTTP. One request per call, never repeated here."""

import asyncio
from datetime import datetime

import httpx

from xero_api.errors import MisdirectedError, TimedOutError, UnreachableError
from xero_api.oauth.token import (
    PATH,
    ClientCredentials,
    GrantKind,
    TokenSet,
    client_credentials_form,
    decipher_token,
    refresh_form,
)

TIMEOUT_SECONDS = 8.0
"""Below the store's limit on how long a transaction may sit idle: the row stays locked during the call."""


class IdentityClient:
    """Sends forms to the token endpoint."""

    def __init__(
        self,
        *,
        identity_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._url = identity_url.rstrip("/") + PATH
        self._timeout = timeout
        self._http = httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def refresh(
        self, credentials: ClientCredentials, tokens: TokenSet, refresh_token: str, now: datetime
    ) -> TokenSet:
        """Trade a refresh token for a new set.

        Args:
            credentials: the app's.
            tokens: the stored set.
            refresh_token: which of its refresh tokens to use.
            now: wall clock.

        Raises:
            XeroError: see :func:`~xero_api.oauth.token.decipher_token`; time-outs and broken connections too.
        """
        return await self._ask(credentials, refresh_form(refresh_token), tokens, tokens.kind, now)

    async def client_credentials(
        self, credentials: ClientCredentials, now: datetime, scopes: tuple[str, ...] = ()
    ) -> TokenSet:
        """A token set of a custom connection.

        Args:
            credentials: the app's.
            now: wall clock.
            scopes: what to ask for.

        Raises:
            XeroError: as :meth:`refresh`.
        """
        return await self._ask(credentials, client_credentials_form(scopes), None, GrantKind.CLIENT_CREDENTIALS, now)

    async def _ask(
        self,
        credentials: ClientCredentials,
        form: dict[str, str],
        before: TokenSet | None,
        kind: GrantKind,
        now: datetime,
    ) -> TokenSet:
        headers = {"Authorization": credentials.authorization, "Accept": "application/json"}
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.post(self._url, data=form, headers=headers)
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOutError(f"token endpoint: no answer within {self._timeout:g} s") from None
        except httpx.RequestError as error:
            raise UnreachableError(f"token endpoint: {type(error).__name__}") from error
        if response.is_redirect:
            raise MisdirectedError(f"token endpoint: {response.status_code}, a redirect; check XERO_IDENTITY_URL")
        return decipher_token(
            response.status_code, response.headers, response.content, before=before, kind=kind, now=now
        )
