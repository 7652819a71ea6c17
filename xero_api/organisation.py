"""One organisation for programs that use this package alone: every kind of call, inside Xero's limits.

The shell over the client and one budget: a call waits for its turn, what Xero says is left corrects the budget, and a
read that failed for a moment is made again. Our own services keep their budgets in the store instead
(``processors/tenants``), as several processes share them there.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from xero_api.answers import Answer
from xero_api.budget.minute import Minute
from xero_api.budget.tenant import Go, Reason, TenantBudget, app_minute, rapid_sync_seconds
from xero_api.call import Lane
from xero_api.client import XeroClient
from xero_api.errors import HoldError, OfflineError, OverBudgetError, RateLimitedError, TransientError, XeroError
from xero_api.meta import Limits, Meta
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
_LOOK_SECONDS = 1.0


class _Answered(Protocol):
    @property
    def meta(self) -> Meta:
        """What the headers say."""


T = TypeVar("T", bound=_Answered)
Again = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class _Spent:
    """The calls that one request came to, and what Xero says is left."""

    again: Again
    limits: Limits | None = None


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
        lane: Lane = Lane.COMMAND,
        patience: float = 120.0,
    ) -> None:
        """Nothing is called yet, and nothing is known of what was used before: Xero's first answer tells.

        Args:
            client: one for the process.
            tier: the app's; it decides how many calls a day there are, and whether the first half hour has no such limit.
            connected_at: ``created_at`` of its connection, when that half hour began; None: nobody knows.
            app: which app, where the client's token source knows several.
            calls: the app's minute (:func:`~xero_api.budget.tenant.app_minute`), shared by all its organisations.
            lane: why calls are made. All but ``command`` leave a share of the limits to more urgent ones.
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
        self._connected_at = connected_at
        self._app = app
        self._lane = lane
        self._patience = patience
        self._budget = TenantBudget(day_limit=self._tier.calls_per_day, app=calls or app_minute())
        self._ended = asyncio.Event()

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
        return await self._repeated(
            lambda again: self._client.send(self._app, self._tenant_id, request, lane=self._lane, again=again)
        )

    async def report(self, request: ReportRequest) -> ReportAnswer:
        """Read a report; as :meth:`send`."""
        return await self._repeated(
            lambda again: self._client.report(self._app, self._tenant_id, request, lane=self._lane, again=again)
        )

    async def part(self, request: PartRequest) -> PartAnswer:
        """Read a list below a record, its attachments or its history; as :meth:`send`."""
        return await self._repeated(
            lambda again: self._client.part(self._app, self._tenant_id, request, lane=self._lane, again=again)
        )

    async def write(self, request: WriteRequest) -> WriteAnswer:
        """Write, once. Whether a failed write may be sent again says ``xero_api.writes.again``.

        Raises:
            OverBudgetError: its turn would come too late; nothing was sent.
            XeroError: see ``xero_api.errors``.
        """
        return await self._once(
            lambda again: self._client.write(self._app, self._tenant_id, request, lane=self._lane, again=again)
        )

    @asynccontextmanager
    async def stream(self, request: FileRequest) -> AsyncIterator[FileStream]:
        """Read a file, chunk by chunk. The call ends with the block, and is made once.

        Yields:
            The file.

        Raises:
            OverBudgetError: its turn would come too late; nothing was sent.
            XeroError: see ``xero_api.errors``.
        """
        async with self._turn() as spent:
            opened = self._client.stream(self._app, self._tenant_id, request, lane=self._lane, again=spent.again)
            async with opened as file:
                spent.limits = file.meta.limits
                yield file

    async def _repeated(self, call: Callable[[Again], Awaitable[T]]) -> T:
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

    async def _once(self, call: Callable[[Again], Awaitable[T]]) -> T:
        async with self._turn() as spent:
            sent = time.monotonic()
            answer = await call(spent.again)
            spent.limits = answer.meta.limits
            if self._connected_at and answer.meta.server_date:
                lifted = rapid_sync_seconds(self._tier, self._connected_at, answer.meta.server_date)
                self._budget.lift(sent + lifted)
            return answer

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[_Spent]:
        """A call inside the budget, and each that follows from it."""
        calls = [await self._begin()]

        async def again() -> bool:
            calls.append(await self._begin())  # a second exchange is a call of its own for Xero's limits
            return True

        spent, failure, abandoned = _Spent(again), None, True
        try:
            yield spent
            abandoned = False
        except XeroError as error:
            spent.limits, failure, abandoned = error.meta.limits, error, error.status is None
            raise
        finally:
            for call in calls:
                ok = not (failure or abandoned)
                self._budget.finished(call, time.monotonic(), spent.limits, ok=ok, abandoned=abandoned)
            self._learn(failure)
            self._ended.set()

    async def _begin(self) -> object:
        deadline = time.monotonic() + self._patience
        while not isinstance(decision := self._budget.decide(self._lane, now := time.monotonic()), Go):
            ours = decision.reason is Reason.AT_ONCE  # a call of ours ends some time: that is no reason to give up
            if now >= deadline or (decision.until > deadline and not ours):
                raise OverBudgetError(f"{self._tenant_id}: {decision.reason}, for {decision.until - now:.0f} s")
            self._ended.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(decision.until - now, 0.01), _LOOK_SECONDS)):
                    await self._ended.wait()
        call = object()
        self._budget.started(call, now)
        return call

    def _learn(self, error: XeroError | None) -> None:
        now = time.monotonic()
        if isinstance(error, RateLimitedError):
            self._budget.limited(error.limit, now, error.meta.retry_after, random.random())
        elif isinstance(error, OfflineError):
            self._budget.offline(now, error.meta.retry_after, random.random())
