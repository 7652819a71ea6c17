"""A process of a deployment after an outage: all its organisations have work, and it calls Xero as fast as it may.

``python -m tests.support.backlog ORDER``: says ``ready``, waits for a line, works, and says what came of it, as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field

from tests.support.quotas import minutes
from xero_api.budget.shared import SharedMinute
from xero_api.budget.tenant import Go, TenantBudget
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.errors import RateLimitedError, XeroError
from xero_api.meta import Limits
from xero_api.oauth.source import AccessToken, GrantId
from xero_api.registry import CONTACTS
from xero_api.requests import get_page
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId
from xero_stream.store.pool import open_pool

HTTP_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do.

    Attributes:
        database_url: the store.
        api_url: Xero.
        token: an access token that lasts.
        tenants: the process's own organisations.
        calls: of each.
        limit: calls in the app's minute, over all processes.
        pace: seconds of the limits in one of ours; the simulator's clock runs as fast.
    """

    database_url: str
    api_url: str
    token: str = field(repr=False)
    tenants: tuple[str, ...]
    calls: int
    limit: int
    pace: float


@dataclass(slots=True, kw_only=True)
class Came:
    """What came of it: good calls, refusals by limit, other failures, and the least that was left of the app's minute."""

    good: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    least_left: int


class OneToken:
    """The same for all."""

    def __init__(self, value: str) -> None:
        self._token = AccessToken(value=value, grant_id=GrantId("g"))

    async def token(self, app: AppName, tenant_id: TenantId) -> AccessToken:
        """See ``TokenSource``."""
        del app, tenant_id
        return self._token

    async def replacement(self, rejected: AccessToken) -> AccessToken:
        """See ``TokenSource``."""
        raise AssertionError(f"refused: {rejected}")


class Backlog:
    """The calls of one process, within its organisations' budgets and its part of the app's minute."""

    def __init__(self, order: Order, client: XeroClient) -> None:
        self._order = order
        self._client = client
        self.came = Came(least_left=order.limit)

    async def work_off(self, minute: SharedMinute) -> None:
        """All of them."""
        async with asyncio.TaskGroup() as group:
            for tenant in self._order.tenants:
                group.create_task(self._drain(TenantId(tenant), TenantBudget(day_limit=5_000, app=minute)))

    def _now(self) -> float:
        return time.monotonic() * self._order.pace

    async def _drain(self, tenant: TenantId, budget: TenantBudget) -> None:
        for number in range(self._order.calls):
            await self._turn(budget)
            await self._call(tenant, budget, (tenant, number))

    async def _turn(self, budget: TenantBudget) -> None:
        while True:
            decision = budget.decide(Priority.WEBHOOK, self._now())
            if isinstance(decision, Go):
                return
            await asyncio.sleep(max(0.0, min(1.0, (decision.until - self._now()) / self._order.pace)))

    async def _call(self, tenant: TenantId, budget: TenantBudget, name: tuple[TenantId, int]) -> None:
        budget.started(name, self._now())
        limits, ok = Limits(), False
        try:
            answer = await self._client.send(
                CallContext(DEFAULT_APP, tenant, Priority.WEBHOOK), get_page(CONTACTS, None, page_size=1)
            )
            limits, ok = answer.meta.limits, True
            self.came.good += 1
        except RateLimitedError as error:
            limits = error.meta.limits
            self.came.refused[error.limit] += 1
        except XeroError as error:
            limits = error.meta.limits
            self.came.failed[type(error).__name__] += 1
        finally:
            budget.finished(name, self._now(), limits, ok=ok, abandoned=not ok)
        if limits.app_minute is not None:
            self.came.least_left = min(self.came.least_left, limits.app_minute)


async def main(order: Order) -> None:
    """Be one process."""
    pool = await open_pool(order.database_url, size=2)
    kept = minutes(pool, limit=order.limit, pace=order.pace, http_timeout=HTTP_TIMEOUT * order.pace)
    client = XeroClient(
        api_url=order.api_url, tokens=OneToken(order.token), on_call=lambda _: None, timeout=HTTP_TIMEOUT
    )
    async with pool, aclosing(client):
        backlog = Backlog(order, client)
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        await backlog.work_off(await kept.of(DEFAULT_APP))
        await kept.aclose()
    came = backlog.came
    _say(json.dumps({name: getattr(came, name) for name in ("good", "refused", "failed", "least_left")}))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Order(**json.loads(sys.argv[1]))))
