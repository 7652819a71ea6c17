"""A Xero that answers as told, over no network, and a client of it."""

import asyncio
from collections.abc import Callable

import httpx

from xero_api.call import CallRecord
from xero_api.client import XeroClient
from xero_api.errors import UnauthorisedError
from xero_api.exchange import Clock
from xero_api.oauth.source import AccessToken, GrantId
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId

TENANT = TenantId("11111111-1111-4111-8111-111111111111")
Handler = Callable[[httpx.Request], httpx.Response]


class Tokens:
    """``SECRET-1``, and another one each time it is refused; or as slow or stubborn as told."""

    def __init__(self, *, slow: bool = False, stubborn: bool = False) -> None:
        self.replaced: list[str] = []
        self._slow, self._stubborn = slow, stubborn

    def _current(self) -> AccessToken:
        return AccessToken(value=f"SECRET-{len(self.replaced) + 1}", grant_id=GrantId("g"))

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """The current one."""
        assert (app, tenant_id) == (DEFAULT_APP, TENANT)
        if self._slow:
            await asyncio.Event().wait()
        return self._current()

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        """The next one."""
        self.replaced.append(rejected.value)
        if self._stubborn:
            raise UnauthorisedError("no other", status=401)
        return self._current()


class Xero:
    """The handler in Xero's place, what it was asked, and what the client told of its calls."""

    def __init__(
        self, handler: Handler, *, tokens: Tokens | None = None, timeout: float = 5.0, clock: Clock | None = None
    ) -> None:
        self.asked: list[httpx.Request] = []
        self.told: list[CallRecord] = []
        self.tokens = tokens or Tokens()

        def answer(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return handler(request)

        self.transport = httpx.MockTransport(answer)
        self.client = XeroClient(
            api_url="https://api.example",
            tokens=self.tokens,
            on_call=self.told.append,
            timeout=timeout,
            transport=self.transport,
            clock=clock,
        )


def failing(error: type[httpx.RequestError]) -> Handler:
    """The connection fails, with words that must not get out."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise error("SECRET", request=request)

    return handler
