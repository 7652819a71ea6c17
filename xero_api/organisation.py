"""One organisation for programs that use this package alone: every kind of call, inside Xero's limits.

A call waits for its turn (``xero_api.calling``, with a ledger in memory), and a read that failed for a moment is made
again. Our own services have a ledger in the store (``processors/tenants/ledger.py``).
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol, TypeVar

from xero_api.answers import Answer
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import Reason, TenantBudget, Wait, app_minute
from xero_api.call import Priority
from xero_api.calling.caller import BudgetedCaller, Turn, parked_by
from xero_api.calling.context import CallContext
from xero_api.calling.ledger import MemoryLedger
from xero_api.client import XeroClient
from xero_api.errors import HoldError, OfflineError, OverBudgetError, RateLimitedError, TransientError
from xero_api.meta import Meta
from xero_api.parts import FileRequest, PartAnswer, PartRequest
from xero_api.reading import Reader
from xero_api.reports import ReportAnswer, ReportRequest
from xero_api.requests import Request
from xero_api.streams import FileStream
from xero_api.writes.answers import WriteAnswer
from xero_api.writes.requests import WriteRequest
from xero_stream.contracts.names import DEFAULT_APP, AppName, TenantId
from xero_stream.process.backoff import Backoff
from xero_stream.settings.xero import AppTier

ATTEMPTS = 4
"""How often a read is made before its error is raised."""
_BACKOFF = Backoff(first=0.5, longest=60.0, spread=(0.0, 1.0))


class _Answered(Protocol):
    @property
    def meta(self) -> Meta:
        """What the headers say."""


T = TypeVar("T", bound=_Answered)


class Organisation:
    """Reads and writes one organisation, as fast as Xero allows and no faster. Safe for any number of tasks."""

    def __init__(
        self,
        client: XeroClient,
        tenant_id: TenantId,
        *,
        tier: AppTier | str,
        connected_at: datetime | None = None,
        app: AppName = DEFAULT_APP,
        calls: Minute | None = None,
        priority: Priority = Priority.COMMAND,
        patience: float = 120.0,
    ) -> None:
        """Nothing is called yet, and nothing is known of what was used before: Xero's first answer tells.

        Args:
            client: one for the process.
            tier: the app's; it decides how many calls a day there are, and whether the first half hour has no such limit.
            connected_at: ``created_at`` of its connection, when that half hour began; None: unknown.
            app: which app, where the client's token source knows several.
            calls: the app's minute (:func:`~xero_api.budget.tenant.app_minute`), shared by all its organisations.
            priority: why calls are made. All but ``command`` leave a share of the limits to more urgent ones.
            patience: seconds that a call may wait for its turn.

        Raises:
            ValueError: there is no such tier, or ``connected_at`` has no time zone.
        """
        if tier not in set(AppTier):
            raise ValueError(f"no tier {tier!r}; Xero has {', '.join(AppTier)}")
        if connected_at is not None and connected_at.tzinfo is None:
            raise ValueError("connected_at has no time zone: give created_at of the connection, or an aware datetime")
        self._client = client
        self._tenant_id = tenant_id
        self._tier = AppTier(tier)
        self._priority = priority
        self._patience = patience
        self._budget = TenantBudget(day_limit=self._tier.calls_per_day, app=calls or app_minute())
        self._caller = BudgetedCaller(
            app=app,
            tenant_id=tenant_id,
            budget=self._budget,
            ledger=MemoryLedger(),
            tier=self._tier,
            connected_at=connected_at,
        )

    @property
    def reader(self) -> Reader:
        """Typed records: ``await organisation.reader.get(INVOICES, id)``."""
        return Reader(self.send, self._tenant_id)

    @property
    def left_today(self) -> int:
        """Calls left of the day, as far as known."""
        return self._budget.day_left(time.monotonic())

    async def send(self, request: Request) -> Answer:
        """Read records; a failure that may pass is tried again.

        Raises:
            OverBudgetError: its turn would come too late; nothing was sent.
            XeroError: see ``xero_api.errors``.
        """
        return await self._repeated(lambda context: self._client.send(context, request))

    async def report(self, request: ReportRequest) -> ReportAnswer:
        """Read a report; as :meth:`send`."""
        return await self._repeated(lambda context: self._client.report(context, request))

    async def part(self, request: PartRequest) -> PartAnswer:
        """Read a list below a record, its attachments or its history; as :meth:`send`."""
        return await self._repeated(lambda context: self._client.part(context, request))

    async def write(self, request: WriteRequest) -> WriteAnswer:
        """Write, once. Whether a failed write may be sent again says ``xero_api.writes.again``.

        Raises:
            OverBudgetError: its turn would come too late; nothing was sent.
            XeroError: see ``xero_api.errors``.
        """
        return await self._once(lambda context: self._client.write(context, request))

    @asynccontextmanager
    async def stream(self, request: FileRequest) -> AsyncIterator[FileStream]:
        """Read a file, chunk by chunk. The call ends with the block, and is made once.

        Yields:
            The file.

        Raises:
            OverBudgetError: its turn would come too late; nothing was sent.
            XeroError: see ``xero_api.errors``.
        """
        async with self._turn() as turn, self._client.stream(turn.context, request) as file:
            turn.answered(file.meta)
            yield file

    async def _repeated(self, call: Callable[[CallContext], Awaitable[T]]) -> T:
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._once(call)
            except OverBudgetError:
                raise
            except TransientError:
                await asyncio.sleep(_BACKOFF.delay(attempt + 1, random.random()))
            except HoldError:
                if self._budget.parked_until > time.monotonic() + self._patience:
                    raise  # else the budget knows until when
        return await self._once(call)

    async def _once(self, call: Callable[[CallContext], Awaitable[T]]) -> T:
        async with self._turn() as turn:
            answer = await call(turn.context)
            turn.answered(answer.meta)
            return answer

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Turn[None]]:
        try:
            patience = _Patience(self._tenant_id, self._patience)
            async with self._caller.turn(self._priority, patience, permitted=patience.renew) as turn:
                yield turn
        except (RateLimitedError, OfflineError) as error:
            parked_by(self._budget, error)
            raise


class _Patience:
    """Gives an exchange up whose turn would come too late."""

    def __init__(self, tenant_id: TenantId, seconds: float) -> None:
        self._tenant_id = tenant_id
        self._seconds = seconds
        self._deadline: float | None = None

    async def __call__(self, wait: Wait, now: float) -> None:
        if self._deadline is None:
            self._deadline = now + self._seconds
        ours = wait.reason is Reason.AT_ONCE  # a call of ours ends some time: that is no reason to give up
        if now >= self._deadline or (wait.until > self._deadline and not ours):
            raise OverBudgetError(f"{self._tenant_id}: {wait.reason}, for {wait.until - now:.0f} s")

    async def renew(self, _: None) -> None:
        """The exchange has its permit; another one may wait as long."""
        self._deadline = None
