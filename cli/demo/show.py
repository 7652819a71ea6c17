"""The live part: watch, draw, take keys or let chaos press them, and come to an end."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TextIO

import asyncpg
import orjson
from aiokafka.structs import ConsumerRecord

from cli.demo import stored
from cli.demo.chaos import Press
from cli.demo.environment import WORKERS, DemoEnvironment
from cli.demo.keys import Key, help_lines
from cli.demo.simulated import SimulatedError
from cli.demo.tally import Hop, Picture, Tally
from cli.demo.terminal import Display, PlainLines, Screen, keys_read
from cli.demo.variables import EDITS_PER_SECOND
from cli.demo.verdict import Broken, Verdict
from cli.demo.verification import TROUBLE, verify
from cli.readable import readable
from xero_api.decode import decode
from xero_stream.local.errors import LocalServerError

FRAMES_PER_SECOND = 4
POLL_SECONDS = 0.5
BURST = 100
KAFKA_DOWN_SECONDS = 4.0
LIMIT_SECONDS = 10


class Show:
    """One run of the live part."""

    def __init__(self, tally: Tally, *, source: random.Random) -> None:
        """Nothing is running yet.

        Args:
            source: decides what chaos kills and limits.
        """
        self.tally = tally
        self._source = source
        self._display: Display | None = None
        self._actions: set[asyncio.Task[None]] = set()
        self._next_worker = itertools.cycle(WORKERS)
        self._next_tenant = 0
        self._calls_before: dict[str, int] | None = None
        self._outages = 0
        self._limits = 0
        self._kafka_back = asyncio.Event()
        self._kafka_back.set()
        self._verifying = False
        self._quit = asyncio.Event()
        self._demo: DemoEnvironment | None = None

    @property
    def demo(self) -> DemoEnvironment:
        """Everything that runs."""
        assert self._demo is not None
        return self._demo

    def broken(self) -> Broken:
        """What was broken so far."""
        processes = self.demo.processes
        return Broken(kills=processes.kills, outages=self._outages, limits=self._limits, crashes=processes.crashes)

    def restarted(self, name: str, on_purpose: bool) -> None:
        """A process was started again."""
        self.note(f"{name} is back" if on_purpose else f"{name} had ended by itself and was started again")

    def note(self, text: str) -> None:
        """Show something for some seconds."""
        self.tally.note(text, asyncio.get_running_loop().time())
        if self._display is not None:
            self._display.say(text)

    def seen(self, record: ConsumerRecord) -> None:
        """A record was read from Kafka."""
        if record.topic.endswith(".webhook-events"):
            self.tally.event((record.key or b"").decode("utf-8", "replace"))
            return
        try:
            change = decode(record.value)
            source = change["source"]
            webhook = source.get("webhook") or {}
            now = datetime.now(UTC)
            latency = stored.since(webhook.get("received_at"), now)
            line = None if change["op"] == "r" else f"{now.astimezone():%H:%M:%S}  {readable(change)}"
            self.tally.change(source["tenant_id"], line, latency, asyncio.get_running_loop().time())
        except (ValueError, KeyError, TypeError, orjson.JSONDecodeError):
            self.note(f"a change that can't be read, at {record.topic}/{record.partition}@{record.offset}")

    async def run(
        self, demo: DemoEnvironment, *, out: TextIO, screen: bool, seconds: float | None, presses: Sequence[Press]
    ) -> Verdict | None:
        """Show it until it ends by itself or somebody quits.

        Args:
            demo: everything that runs.
            out: where it is shown.
            screen: on a screen, or as plain lines.
            seconds: until it ends by itself; None: when somebody quits.
            presses: what chaos does.

        Returns:
            The verdict of a run that ended by itself.
        """
        self._demo = demo
        loop = asyncio.get_running_loop()
        background: list[asyncio.Task[None]] = []
        with ExitStack() as stack:
            display = stack.enter_context(Screen(out)) if screen else PlainLines(out)
            self._display = display
            stack.enter_context(keys_read(self.press, loop.add_reader, loop.remove_reader))
            try:
                await demo.simulated.edit(1)
                await demo.simulated.keep_editing(EDITS_PER_SECOND)
                background += [
                    asyncio.create_task(demo.processes.keep(), name="processes"),
                    asyncio.create_task(self._watch(), name="watch"),
                    asyncio.create_task(self._draw(display), name="draw"),
                    asyncio.create_task(self._chaos(presses), name="chaos"),
                ]
                return await self._until_the_end(seconds, background)
            finally:
                for task in (*background, *self._actions):
                    task.cancel()
                await asyncio.gather(*background, *self._actions, return_exceptions=True)
                self._display = None

    async def _until_the_end(self, seconds: float | None, background: Sequence[asyncio.Task[None]]) -> Verdict | None:
        ending = asyncio.create_task(self._end_by_itself(seconds) if seconds is not None else self._wait_for_quit())
        try:
            watched = {ending, *background}
            while not ending.done():
                done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {ending}:
                    watched.discard(task)
                    task.result()  # none ends by itself but with an error, except chaos that has pressed all its keys
            return ending.result()
        finally:
            ending.cancel()
            with suppress(asyncio.CancelledError, *TROUBLE):
                await ending

    async def _wait_for_quit(self) -> None:
        await self._quit.wait()

    async def _end_by_itself(self, seconds: float) -> Verdict:
        self.tally.ends_at = asyncio.get_running_loop().time() + seconds
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quit.wait(), seconds)
        self.tally.ends_at = None
        self._verifying = True
        self.note("edits stopped; waiting until everything is published")
        await self.demo.simulated.keep_editing(0)
        if self._actions:
            await asyncio.gather(*self._actions, return_exceptions=True)
        await self._kafka_back.wait()
        return await verify(self.demo, self.broken, self.note)

    # -- keys ---------------------------------------------------------------------------------------------------------

    def press(self, key: Key | None) -> None:
        """A key was pressed, by a person or by chaos; None for one that means nothing."""
        if key is Key.QUIT:
            self._quit.set()
            return
        if key is None:
            self.note("that key does nothing: ? says what each does")
            return
        if key is Key.HELP:
            self._help()
            return
        self.tally.help = ()
        if self._verifying:
            self.note("wait for the verification")
            return
        self.tally.verdict = ()
        task = asyncio.create_task(self._act(key))
        self._actions.add(task)
        task.add_done_callback(self._actions.discard)

    def _help(self) -> None:
        self.tally.help = () if self.tally.help else help_lines()
        if self._display is not None:
            for line in self.tally.help:
                self._display.say(line)

    async def _act(self, key: Key) -> None:
        try:
            match key:
                case Key.EDIT:
                    await self.demo.simulated.edit(BURST)
                    self.note(f"{BURST} edits at once")
                case Key.KILL:
                    await self._kill()
                case Key.STOP_KAFKA:
                    await self._stop_kafka()
                case Key.RATE_LIMIT:
                    await self._limit()
                case Key.VERIFY:
                    await self._verify()
                case Key.QUIT | Key.HELP:
                    pass  # seen to where they were pressed
        except (*TROUBLE, LocalServerError) as error:
            self.note(f"{key.label}: {error or type(error).__name__}")

    async def _kill(self) -> None:
        name = next(self._next_worker)
        pid = await self.demo.processes.kill(name)
        self.note(f"kill -9 {name} (process {pid})" if pid else f"{name} is not running")

    async def _stop_kafka(self) -> None:
        if not self._kafka_back.is_set():
            self.note("Kafka is stopped already")
            return
        self._kafka_back.clear()
        kafka = self.demo.servers.kafka
        try:
            self._outages += 1
            self.tally.log_down(True)
            self.note(
                f"Kafka is stopped, and starts again in {KAFKA_DOWN_SECONDS:.0f} seconds; webhooks are answered 503"
            )
            await kafka.stop()
            await asyncio.sleep(KAFKA_DOWN_SECONDS)
            await kafka.start()
            self.tally.log_down(False)
            self.note("Kafka is back")
        finally:
            self._kafka_back.set()

    async def _limit(self) -> None:
        tenants = list(self.demo.names)
        tenant = tenants[self._next_tenant % len(tenants)]
        self._next_tenant += 1
        self._limits += 1
        await self.demo.simulated.limit(tenant, LIMIT_SECONDS)
        self.note(f"Xero answers {self.demo.names[tenant]} 429: wait {LIMIT_SECONDS} seconds; the others go on")

    async def _verify(self) -> None:
        self._verifying = True
        self.note("verifying: edits stopped, waiting until everything is published")
        try:
            await self._kafka_back.wait()
            verdict = await verify(self.demo, self.broken, self.note)
            agreed = "all agrees" if verdict.agrees else "DOES NOT AGREE"
            self.tally.verdict = (
                f"verified at {datetime.now(UTC).astimezone():%H:%M:%S}: {agreed}",
                verdict.line(),
                *verdict.troubles(),
            )
            for line in self.tally.verdict:
                if self._display is not None:
                    self._display.say(line)
        finally:
            self._verifying = False
            await self.demo.simulated.keep_editing(EDITS_PER_SECOND)

    # -- in the background --------------------------------------------------------------------------------------------

    async def _chaos(self, presses: Sequence[Press]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for press in presses:
            await asyncio.sleep(max(0.0, began + press.at - loop.time()))
            if press.key is Key.KILL:
                for _ in range(self._source.randrange(len(WORKERS))):
                    next(self._next_worker)
            self.press(press.key)

    async def _draw(self, display: Display) -> None:
        while True:
            display.show(self.picture())
            await asyncio.sleep(1 / FRAMES_PER_SECOND)

    def picture(self) -> Picture:
        """What there is to see now."""
        return self.tally.picture(asyncio.get_running_loop().time())

    async def _watch(self) -> None:
        while True:
            with suppress(SimulatedError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._look()
            self.tally.tick(asyncio.get_running_loop().time())
            await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        traffic = await self.demo.simulated.traffic()
        self.tally.total(Hop.EDITS, traffic.edits)
        self.tally.total(Hop.WEBHOOKS, traffic.delivered)
        if self._calls_before is None:
            self._calls_before = traffic.calls
        self.tally.total(Hop.CALLS, sum(traffic.calls.values()) - sum(self._calls_before.values()))
        for one in await stored.organisations(self.demo.pool):
            self.tally.standing(
                one.tenant_id,
                backlog=one.backlog,
                oldest=one.oldest,
                parked=one.parked,
                minute_left=traffic.minute_left.get(one.tenant_id),
                day_left=traffic.day_left.get(one.tenant_id),
            )
