"""The whole of ``xero_api`` against a running simulator."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.simulator.rig import Simulated, Talk, simulate
from tests.support.fake_grants import MemoryStore, Row
from xero_api.answers import Answer
from xero_api.call import CallRecord, Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.source import GrantTokens
from xero_api.oauth.token import ClientCredentials, GrantKind, TokenSet
from xero_api.requests import Request
from xero_stream.contracts.names import DEFAULT_APP, TenantId


@dataclass(slots=True)
class Api:
    """Our client, its tokens and what it told, and the simulator behind."""

    simulated: Simulated
    client: XeroClient
    tokens: GrantTokens
    store: MemoryStore
    records: list[CallRecord]
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    @property
    def talk(self) -> Talk:
        """The simulator's own client, for ``/_sim``."""
        return self.simulated.talk

    @property
    def tenant(self) -> TenantId:
        """The first organisation."""
        return TenantId(self.talk.tenants[0])

    async def send(
        self, request: Request, *, tenant: TenantId | None = None, priority: Priority = Priority.WEBHOOK
    ) -> Answer:
        """One call."""
        return await self.client.send(CallContext(DEFAULT_APP, tenant or self.tenant, priority), request)

    async def aclose(self) -> None:
        """End all of it."""
        await self.tokens.aclose()
        for close in self.closers:
            await close()


Begin = Callable[..., Awaitable[Api]]


async def start_api(*, timeout: float = 10.0, kind: str = "refresh_token", **settings: Any) -> Api:
    """A simulator and a client with a fresh grant over all its organisations."""
    simulated = await simulate(**settings)
    grant = await simulated.talk.control("POST", "/grants", {"kind": kind})
    simulated.talk.grant, simulated.talk.tenants = grant, grant["tenants"]
    now = datetime.now(UTC)
    custom = kind == "client_credentials"
    store = MemoryStore(
        Row(
            TokenSet(
                kind=GrantKind.CLIENT_CREDENTIALS if custom else GrantKind.AUTHORIZATION_CODE,
                access_token="not asked for yet",
                refresh_token=grant.get("refreshToken"),
                refreshed_at=now - timedelta(hours=1),
                expires_at=now - timedelta(minutes=30),
            )
        )
    )
    identity = IdentityClient(identity_url=simulated.talk.url)
    credentials = ClientCredentials(client_id=grant["clientId"], client_secret=grant["clientSecret"])
    tokens = GrantTokens(
        store=store, identity=identity, credentials=lambda _: credentials, now=lambda: datetime.now(UTC)
    )
    records: list[CallRecord] = []
    client = XeroClient(api_url=simulated.talk.url, tokens=tokens, on_call=records.append, timeout=timeout)
    return Api(simulated, client, tokens, store, records, [client.aclose, identity.aclose, simulated.close])


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    """Starts what :func:`start_api` does; all of it ends with the test."""
    running: list[Api] = []

    async def start(**settings: Any) -> Api:
        running.append(await start_api(**settings))
        return running[-1]

    yield start
    for api in running:
        await api.aclose()


@pytest.fixture
async def api(begin: Begin) -> Api:
    """A client of a small simulator."""
    return await begin()
