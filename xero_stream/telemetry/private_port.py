"""The private port of a process: ``/livez``, ``/readyz``, ``/metrics``. Never on the public listener."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.exposition import choose_encoder

from xero_stream.settings.listener import cannot_listen
from xero_stream.strangers import Strangers
from xero_stream.telemetry.health import Health

TASKS = "xero_stream_event_loop_tasks"


class PrivatePort:
    """Serves health and metrics until stopped."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        registry: CollectorRegistry,
        live: Callable[[], Health],
        ready: Callable[[], Health],
        setting: str = "XERO_STREAM_PRIVATE",
        names: Iterable[str] = (),
    ) -> None:
        """Nothing is opened before :meth:`start`.

        Args:
            host: address to listen on.
            port: port to listen on.
            registry: what ``/metrics`` shows.
            live: whether the process makes progress; a false answer asks for a restart. Must not block.
            ready: whether work may be sent here. Must not block.
            setting: what the names of the variables that choose host and port start with, for the error message.
            names: host names by which it may be called, besides ``localhost`` and addresses.
        """
        self._host = host
        self._port = port
        self._registry = registry
        self._checks = {"/livez": live, "/readyz": ready}
        self._setting = setting
        self._strangers = Strangers(names, setting="XERO_STREAM_PRIVATE_HOST_NAMES")
        self._runner: web.AppRunner | None = None
        # Prometheus' own names: resident memory, CPU time, open file descriptors and their limit (Linux only).
        ProcessCollector(registry=registry)
        tasks = Gauge(TASKS, "Tasks of the event loop: a number that only grows is a leak.", registry=registry)
        tasks.set_function(lambda: len(asyncio.all_tasks()))

    async def start(self) -> None:
        """Listen.

        Raises:
            SettingsError: the address can't be used.
        """
        app = web.Application(middlewares=[self._known])
        for path in self._checks:
            app.router.add_get(path, self._health)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=75, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise cannot_listen(error, host=self._host, port=self._port, prefix=self._setting) from error
        self._runner = runner

    async def stop(self) -> None:
        """Close the listener and its connections."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    @web.middleware
    async def _known(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        refusal = self._strangers.refusal(request.method, request.headers)
        if refusal is None:
            return await handler(request)
        status, reason = refusal
        return web.Response(status=status, text=f"{reason}\n")

    async def _health(self, request: web.Request) -> web.Response:
        # A check that raises is answered 500 by aiohttp, and logged: not well either.
        health = self._checks[request.path]()
        return web.Response(
            status=200 if health.ok else 503,
            body=orjson.dumps({"ok": health.ok, "reasons": health.reasons}),
            content_type="application/json",
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})
