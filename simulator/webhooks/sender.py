"""Delivers the outbox: batches, faults, Xero's retry rules, and a log of every attempt."""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import aiohttp

from simulator.chance import draw_letters
from simulator.webhooks.delivery import Answered, Attempt, Delivery, Trace, pack
from simulator.webhooks.events import Event, subscription
from simulator.webhooks.payload import HEADERS, body_of, sign
from simulator.webhooks.schedule import ANSWER_SECONDS, STORED_FOR_MS, Health, Schedule, failed, succeeded
from simulator.webhooks.spoiling import WaitingRoom
from simulator.world import World

LOGGED = 20_000
"""Deliveries that the log remembers."""

KEEP_ALIVE_SECONDS = 2.0
"""Idle connections are dropped sooner than any receiver would: a request on one that just closed would look failed."""


class Sender:
    """The webhook side of the app: one URL, one key, one state of health for all tenants."""

    def __init__(self, world: World) -> None:
        self._world = world
        settings = world.settings
        self.url: str | None = settings.webhook_url
        self.key = settings.webhook_key.get_secret_value()
        self.batch_ms = settings.webhook_batch_ms
        self.batch_events = settings.webhook_batch_events
        self.schedule = Schedule(retry_ms=int(settings.webhook_retry_seconds * 1000))
        self._concurrency = settings.webhook_concurrency
        self._entropy = world.chance.stream("entropy")
        self._wake = asyncio.Event()
        self._calm = asyncio.Event()
        self._stuck: list[Delivery] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._error: BaseException | None = None
        self._replay_up_to = 0
        self._flying = 0
        self._room = WaitingRoom()
        self._log: deque[Trace] = deque(maxlen=LOGGED)
        self._session: aiohttp.ClientSession | None = None
        self.delivered_events = 0
        self.delivered_requests = 0
        self.failed_attempts = 0
        self.dropped_events = 0
        self.expired_events = 0
        world.on_events = self.nudge

    def nudge(self) -> None:
        """Something changed: look again."""
        self._calm.clear()
        self._wake.set()

    @property
    def pending(self) -> int:
        """Events not delivered yet."""
        waiting = sum(len(delivery.events) for delivery in self._stuck)
        return len(self._world.outbox) + len(self._room) + waiting + self._flying

    async def until_calm(self, seconds: float) -> bool:
        """Wait until nothing is pending; False if it takes longer than that."""
        if not self.pending:
            return True
        try:
            await asyncio.wait_for(self._calm.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def configure(
        self,
        *,
        url: str | None = None,
        key: str | None = None,
        batch_ms: float | None = None,
        batch_events: int | None = None,
        retry_seconds: float | None = None,
        categories: Collection[str] | None = None,
    ) -> None:
        """Other settings from the next request on; None leaves one as it is.

        ``categories`` holds for changes from now on: Xero numbers and keeps only events that the app subscribed to.
        """
        if categories is not None:
            self._world.subscribed = subscription(categories)
        self.url = self.url if url is None else url
        self.key = self.key if key is None else key
        self.batch_ms = self.batch_ms if batch_ms is None else batch_ms
        self.batch_events = self.batch_events if batch_events is None else batch_events
        if retry_seconds is not None:
            self.schedule = replace(self.schedule, retry_ms=int(retry_seconds * 1000))
        self.nudge()

    def enable(self) -> None:
        """The handshake passed: deliver again, what was stored first, less what was stored for too long."""
        self._expire(self._world.clock.now_ms())
        self.schedule = succeeded(self.schedule)
        self._replay_up_to = self._world.outbox.last_sequence()
        self.nudge()

    def try_now(self) -> None:
        """Don't wait for the next retry."""
        self.schedule = replace(self.schedule, next_attempt_ms=0)
        self.nudge()

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        async with aiohttp.ClientSession(
            timeout=timeout,
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as session:
            self._session = session
            try:
                while True:
                    await self._turn()
            finally:
                for task in self._under_way:
                    task.cancel()
                await asyncio.gather(*self._under_way, return_exceptions=True)
                self._session = None

    async def _turn(self) -> None:
        if self._error is not None:
            raise self._error
        if self.url is None or self.schedule.health is Health.DISABLED:
            await self._wait(None)
        elif self.schedule.health is Health.RETRYING:
            await self._retry()
        elif self._stuck:
            await self._replay_stuck()
        else:
            await self._deliver_some()

    async def _wait(self, seconds: float | None) -> None:
        if not self.pending:
            self._calm.set()
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    # -- healthy --------------------------------------------------------------------------------------------------------

    async def _deliver_some(self) -> None:
        outbox, loop = self._world.outbox, asyncio.get_running_loop()
        release = self._room.next_release()
        if not len(outbox) and (release is None or release > loop.time()):
            await self._wait(None if release is None else release - loop.time())
            return
        if self.batch_ms and len(outbox):
            await asyncio.sleep(self.batch_ms / 1000)
            if self.schedule.health is not Health.HEALTHY:
                return
        events = self._room.release(loop.time()) + self._spoil(outbox.take(self.batch_events))
        if not events:
            return
        delivery = self._pack(events)
        if delivery.first <= self._replay_up_to:
            await self._deliver(delivery)
            return
        while len(self._under_way) >= self._concurrency:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            if self.schedule.health is not Health.HEALTHY:
                self._stick(delivery)
                return
        task = asyncio.create_task(self._deliver(delivery))
        self._under_way.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error
        self._wake.set()

    def _spoil(self, events: Sequence[Event]) -> list[Event]:
        faults = self._world.faults
        if not faults and not len(self._room):
            return list(events)
        now = asyncio.get_running_loop().time()
        spoilt = self._room.spoil(events, faults, self._world.fault_dice, now)
        self.dropped_events += len(spoilt.lost)
        self._world.settle(spoilt.lost)
        return spoilt.send

    def _pack(self, events: Sequence[Event]) -> Delivery:
        body = body_of(events, draw_letters(self._entropy, 20))
        delivery = pack(events, body, sign(body, self.key))
        self._log.append(delivery.trace)
        self._flying += len(events)
        return delivery

    async def _deliver(self, delivery: Delivery) -> None:
        """One attempt and, if it fails, one more at once."""
        if await self._attempt(delivery) or await self._attempt(delivery):
            self._settle(delivery)
            return
        self._stick(delivery)
        if self.schedule.health is Health.HEALTHY:
            self.schedule = failed(self.schedule, self._world.clock.now_ms())

    def _stick(self, delivery: Delivery) -> None:
        self._flying -= len(delivery.events)
        self._stuck.append(delivery)
        self._stuck.sort(key=lambda one: one.first)
        self.nudge()

    def _settle(self, delivery: Delivery) -> None:
        self.delivered_events += len(delivery.events)
        self.delivered_requests += 1
        self._flying -= len(delivery.events)
        self._world.settle(delivery.events)

    # -- unhealthy ------------------------------------------------------------------------------------------------------

    async def _retry(self) -> None:
        clock = self._world.clock
        if clock.now_ms() < self.schedule.next_attempt_ms:
            self._wake.clear()
            sleeping = asyncio.ensure_future(clock.sleep_until(self.schedule.next_attempt_ms))
            waking = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()
            return
        if self._under_way:
            await asyncio.wait(self._under_way)
        self._expire(clock.now_ms())
        if not self._stuck:
            self.schedule = succeeded(self.schedule)
            return
        delivery = self._unstick()
        if await self._attempt(delivery):
            self._settle(delivery)
            self._replay_up_to = self._world.outbox.last_sequence()
            self.schedule = succeeded(self.schedule)
        else:
            self._stick(delivery)
            self.schedule = failed(self.schedule, clock.now_ms())

    async def _replay_stuck(self) -> None:
        """What was stored goes first, in order, one request at a time."""
        if self._under_way:
            await asyncio.wait(self._under_way)
            return
        await self._deliver(self._unstick())

    def _unstick(self) -> Delivery:
        delivery = self._stuck.pop(0)
        self._flying += len(delivery.events)
        return delivery

    def _expire(self, now_ms: int) -> None:
        before_ms = now_ms - STORED_FOR_MS
        expired = self._world.outbox.expire(before_ms)
        for delivery in [one for one in self._stuck if all(event.at_ms < before_ms for event in one.events)]:
            self._stuck.remove(delivery)
            expired += delivery.events
        self.expired_events += len(expired)
        self._world.settle(expired)

    # -- the wire -------------------------------------------------------------------------------------------------------

    async def _attempt(self, delivery: Delivery) -> bool:
        loop, at_ms = asyncio.get_running_loop(), self._world.clock.now_ms()
        started = loop.time()
        answer = await self.post(delivery.body, delivery.signature)
        good = isinstance(answer, Answered) and answer.status == 200
        delivery.trace.attempts.append(
            Attempt(
                at_ms=at_ms,
                answer=answer.status if isinstance(answer, Answered) else answer,
                took_ms=(loop.time() - started) * 1000,
                good=good,
            )
        )
        self.failed_attempts += not good
        return good

    async def post(self, body: bytes, signature: str, url: str | None = None) -> Answered | str:
        """One signed request.

        Returns:
            What came back within five seconds, or in a word why nothing did.
        """
        target = url or self.url
        if self._session is None or target is None:
            return "not running"
        try:
            async with self._session.post(
                target, data=body, headers={**HEADERS, "x-xero-signature": signature}, allow_redirects=False
            ) as response:
                content = await response.content.read(65_536)
                return Answered(status=response.status, body=content, cookie="Set-Cookie" in response.headers)
        except TimeoutError:
            return "timeout"
        except aiohttp.ClientError as error:
            return type(error).__name__

    def report(self, limit: int) -> dict[str, Any]:
        """As ``GET /_sim/webhooks`` answers it; ``limit`` deliveries, latest last."""
        log = list(self._log)[-limit:] if limit else []
        return {
            "url": self.url,
            "categories": sorted(self._world.subscribed),
            "health": self.schedule.health.value,
            "failingSinceMs": self.schedule.failing_since_ms or None,
            "nextAttemptMs": self.schedule.next_attempt_ms or None,
            "pendingEvents": self.pending,
            "deliveredEvents": self.delivered_events,
            "deliveredRequests": self.delivered_requests,
            "failedAttempts": self.failed_attempts,
            "droppedEvents": self.dropped_events,
            "expiredEvents": self.expired_events,
            "deliveries": [trace.report() for trace in log],
        }
