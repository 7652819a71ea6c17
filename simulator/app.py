"""Settings, seed, clock, books → a running simulator."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import UTC

from aiohttp import web
from aiohttp.typedefs import Middleware

from simulator.accounting_api.routes import AccountingApi
from simulator.chance import Chance
from simulator.clock import Clock
from simulator.control.exchange import Handler, answer_json
from simulator.control.routes import Control
from simulator.edits.traffic import Traffic
from simulator.faults.apply import Faults
from simulator.identity.routes import Identity
from simulator.keeping.books import Forgetful, Keeping
from simulator.keeping.sqlite import SqliteKeeping
from simulator.webhooks.sender import Sender
from simulator.world import World
from xero_stream.settings.listener import cannot_listen
from xero_stream.settings.simulator import SimulatorSettings
from xero_stream.strangers import Strangers

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of a request: a record of 5,000 lines, or 3,000 events, may be put."""


def create_world(settings: SimulatorSettings) -> World:
    """Open or draw the books.

    Raises:
        KeepingError: kept books can't be opened.
    """
    keeping: Keeping = SqliteKeeping(settings.data_dir) if settings.data_dir is not None else Forgetful()
    with _no_collecting():
        kept = keeping.open()
    start = settings.clock_start
    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    clock = Clock(start_ms=int(start.timestamp() * 1000) if start else None, rate=settings.clock_rate)
    chance = Chance(seed=kept.seed if kept else settings.seed, boot=kept.boot if kept else 0)
    with _no_collecting():
        return World(settings=settings, keeping=keeping, kept=kept, clock=clock, chance=chance)


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    """Drawing or loading makes millions of small objects and no garbage: looking for it triples the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def create_app(settings: SimulatorSettings, world: World | None = None) -> web.Application:
    """The application: identity, Accounting API and ``/_sim`` on one port.

    Args:
        settings: what it is like.
        world: books opened before; None opens them by the settings.

    Raises:
        KeepingError: kept books can't be opened.
    """
    world = world or create_world(settings)
    faults = Faults(world)
    traffic, sender = Traffic(world), Sender(world)
    strangers = Strangers(settings.host_names, setting="XERO_STREAM_SIMULATOR_HOST_NAMES")
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_known(strangers), _signposted])
    for part in (Identity(world, faults), AccountingApi(world, faults), Control(world, traffic, sender)):
        app.add_routes(part.routes())

    async def live(_: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(traffic.run()), asyncio.create_task(sender.run())]
        for task in tasks:
            task.add_done_callback(_fell_over)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        world.close()

    app.cleanup_ctx.append(live)
    return app


def _known(strangers: Strangers) -> Middleware:
    """Refuses what a web page sends: it could edit the books, or read tokens."""

    @web.middleware
    async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = strangers.refusal(request.method, request.headers)
        if refusal is None:
            return await handler(request)
        status, reason = refusal
        return answer_json({"error": reason}, status=status)

    return known


@web.middleware
async def _signposted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An address that no route has is answered with where to look."""
    if isinstance(request.match_info.http_exception, web.HTTPNotFound):
        return answer_json({"error": f"nothing at {request.path}; GET /_sim lists every route"}, status=404)
    return await handler(request)


def _fell_over(task: asyncio.Task[None]) -> None:
    """Edits or webhooks that stop by a fault of ours must not look like a calm Xero."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "the simulator is broken", "exception": error})
        signal.raise_signal(signal.SIGTERM)


async def run(settings: SimulatorSettings) -> None:
    """Serve until SIGTERM or SIGINT. Prints one line when ready.

    Raises:
        KeepingError: kept books can't be opened.
        SettingsError: the port can't be listened on.
    """
    world = create_world(settings)
    world.access.published()  # draws the key, so that the first token is given as fast as the others
    gc.freeze()  # the books stay: no collection need look through them
    app = create_app(settings, world)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
        except OSError as error:
            raise cannot_listen(
                error, host=settings.host, port=settings.port, prefix="XERO_STREAM_SIMULATOR", option=True
            ) from error
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in the loop
                loop.add_signal_handler(number, stopped.set)
        print(  # noqa: T201 - the one line that says it is ready
            f"simulator ready on http://{settings.host}:{settings.port}, {len(world.organisations)} organisations, "
            f"seed {world.seed}",
            flush=True,
        )
        await stopped.wait()
    finally:
        await runner.cleanup()
