"""Calls to one organisation, inside its budget and with a permit for each exchange."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from xero_api.budget.tenant import Go, TenantBudget, Wait, rapid_sync_seconds
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.calling.ledger import CallLedger
from xero_api.errors import RateLimitedError, XeroError
from xero_api.meta import Meta
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.settings.xero import AppTier

_LOOK_SECONDS = 1.0

P = TypeVar("P")
Waiting = Callable[[Wait, float], Awaitable[None]]
"""Called before each wait of at most a second, with its reason and the monotonic time; raises to give up."""


@dataclass(slots=True)
class Turn(Generic[P]):
    """A call, and the exchanges that it comes to.

    Attributes:
        context: for the client.
        permits: of its exchanges so far.
        sent: monotonic seconds when the last of them got its permit.
        meta: the headers of the answer, once it is here.
    """

    context: CallContext
    permits: list[P] = field(default_factory=list)
    sent: float = 0.0
    meta: Meta | None = None

    def answered(self, meta: Meta) -> None:
        """Xero answered; what the headers say is left corrects the budget when the turn ends."""
        self.meta = meta


class BudgetedCaller(Generic[P]):
    """Makes the calls to one organisation. Safe for any number of tasks."""

    def __init__(
        self,
        *,
        app: AppName,
        tenant_id: TenantId,
        budget: TenantBudget,
        ledger: CallLedger[P],
        tier: AppTier,
        connected_at: datetime | None,
    ) -> None:
        """Nothing is called yet.

        Args:
            budget: plans the calls of this process.
            ledger: permits each exchange.
            tier: the app's: whether the first half hour after ``connected_at`` has fewer limits.
            connected_at: when Xero made the connection, by its clock; None where it is not known.
        """
        self._app = app
        self._tenant_id = tenant_id
        self._budget = budget
        self._ledger = ledger
        self._tier = tier
        self._connected_at = connected_at
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def turn(
        self, priority: Priority, waiting: Waiting, *, permitted: Callable[[P], Awaitable[None]] | None = None
    ) -> AsyncIterator[Turn[P]]:
        """One call, once its turn has come; it ends with the block.

        Args:
            waiting: called before each wait.
            permitted: called with the permit of each exchange, before it is sent.

        Yields:
            The turn. Hand ``context`` to the client, and the answer's headers to :meth:`Turn.answered`.

        Raises:
            Exception: of ``waiting`` and of the ledger; nothing was sent.
        """
        call_ids: list[int] = []

        async def begin() -> bool:
            call_id, permit = await self._begin(priority, waiting)
            call_ids.append(call_id)
            turn.permits.append(permit)
            turn.sent = time.monotonic()
            if permitted is not None:
                await permitted(permit)
            return True

        turn: Turn[P] = Turn(CallContext(self._app, self._tenant_id, priority, begin))
        await begin()
        ok, abandoned, refused = False, True, False
        try:
            yield turn
            ok, abandoned = True, False
        except XeroError as error:
            turn.answered(error.meta)
            abandoned, refused = error.status is None, isinstance(error, RateLimitedError)
            raise
        finally:
            limits = turn.meta.limits if turn.meta is not None else None
            # What a refusal says of the day is written with the time when the day ends, or not at all.
            day_left = limits.day if limits is not None and not refused else None
            for call_id in call_ids:
                self._budget.finished(call_id, time.monotonic(), limits, ok=ok, abandoned=abandoned)
                self._ledger.finished(call_id, day_left=day_left, abandoned=abandoned)
            if ok and turn.meta is not None:
                self._lift(turn.sent, turn.meta)
            self._ended.set()

    async def _begin(self, priority: Priority, waiting: Waiting) -> tuple[int, P]:
        while True:
            await self._until_allowed(priority, waiting)
            call_id = random.getrandbits(62)
            self._budget.started(call_id, time.monotonic())
            try:
                permit = await self._ledger.permit(call_id, priority)
            except BaseException:
                self._budget.finished(call_id, time.monotonic())
                raise
            if not isinstance(permit, Wait):
                return call_id, permit
            # It counts in our copy of the budget all the same: other processes have used what we thought was left.
            self._budget.finished(call_id, time.monotonic())
            while time.monotonic() < permit.until:
                await self._wait(permit, waiting)

    async def _until_allowed(self, priority: Priority, waiting: Waiting) -> None:
        while not isinstance(decision := self._budget.decide(priority, time.monotonic()), Go):
            await self._wait(decision, waiting)

    async def _wait(self, wait: Wait, waiting: Waiting) -> None:
        now = time.monotonic()
        await waiting(wait, now)
        self._ended.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(wait.until - now, 0.01), _LOOK_SECONDS)):
                await self._ended.wait()

    def _lift(self, sent: float, meta: Meta) -> None:
        """For how long a new connection's limits are lifted is a matter of Xero's clock, which every answer shows."""
        if self._connected_at is not None and meta.server_date is not None:
            self._budget.lift(sent + rapid_sync_seconds(self._tier, self._connected_at, meta.server_date))


def parked_by(budget: TenantBudget, error: XeroError) -> float:
    """Let a budget learn that Xero asked to wait. To be called once the turn has ended.

    Args:
        error: a 429; any other is taken for a 503.

    Returns:
        Until when no call is made, monotonic seconds.
    """
    now, retry_after = time.monotonic(), error.meta.retry_after
    if isinstance(error, RateLimitedError):
        return budget.limited(error.limit, now, retry_after, random.random())
    return budget.offline(now, retry_after, random.random())
