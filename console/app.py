"""The console's composition: settings → store, keys, routes → a server that runs until told to stop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from console.access.keyring import KeyRing
from console.api import Routes, build, guarded
from console.changes.feed import Feed
from console.changes.routes import ChangeRoutes
from console.changes.tail import Tail
from console.keys.routes import KeyRoutes
from console.metrics import ConsoleMetrics
from console.store import Store
from console.tenants.routes import TenantRoutes
from xero_stream.settings.base import SettingsError
from xero_stream.settings.console import ConsoleSettings
from xero_stream.settings.store import StoreSettings
from xero_stream.settings.telemetry import PrivatePortSettings
from xero_stream.telemetry.health import Health
from xero_stream.telemetry.private_port import PrivatePort
from xero_stream.telemetry.watchdog import SILENT_SECONDS

log = structlog.get_logger(__name__)

_HEAD_BYTES = 16 * 1024
_IDLE_SECONDS = 75
_DRAIN_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """Everything the console is made of."""

    console: ConsoleSettings
    store: StoreSettings
    private: PrivatePortSettings

    @classmethod
    def read(cls) -> "ConsoleConfig":
        """From the environment.

        Raises:
            SettingsError: a setting is malformed.
        """
        return cls(console=ConsoleSettings.read(), store=StoreSettings.read(), private=PrivatePortSettings.read())


def features(store: Store, tail: Tail) -> list[Routes]:
    """All features with routes.

    Args:
        store: what they read.
        tail: the newest changes.
    """
    return [KeyRoutes(store), TenantRoutes(store), ChangeRoutes(store, Feed(store, tail))]


async def run(config: ConsoleConfig, stop: asyncio.Event) -> None:
    """Serve until told to stop. PostgreSQL may come later, go and come again.

    Args:
        config: the settings.
        stop: set by whoever wants the end.

    Raises:
        SettingsError: an address can't be used.
    """
    registry = CollectorRegistry()
    metrics = ConsoleMetrics(registry)
    store = Store(config.store)
    tail = Tail(store)
    app, _ = build(features(store, tail))
    metrics.look_at(store_up=lambda: float(store.up), streams=lambda: float(tail.readers))
    port = PrivatePort(
        host=config.console.private_host,
        port=config.console.private_port,
        registry=registry,
        live=lambda: _live(store),
        ready=store.ready,
        setting="XERO_STREAM_CONSOLE_PRIVATE_PORT",
        names=config.private.host_names,
    )
    async with contextlib.AsyncExitStack() as stack:
        await port.start()
        stack.push_async_callback(port.stop)
        await stack.enter_async_context(store.opened())
        await stack.enter_async_context(tail.running())
        reached = guarded(app, keys=KeyRing(store), metrics=metrics, names=config.console.host_names)
        await _serve(reached, config.console, stop, tail)


def _live(store: Store) -> Health:
    silent = store.silent_seconds()
    return Health(ok=silent < SILENT_SECONDS, reasons={"store_watch": f"{silent:.0f} s ago"})


class _Server(uvicorn.Server):
    """uvicorn's server; signals are the command's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


async def _serve(app: ASGIApp, settings: ConsoleSettings, stop: asyncio.Event, tail: Tail) -> None:
    # It logs each event that it sends, at debug.
    logging.getLogger("sse_starlette").setLevel(logging.INFO)
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",  # the one parser of uvicorn's that limits the size of a request's head
            h11_max_incomplete_event_size=_HEAD_BYTES,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # X-Forwarded-For is what the caller says; the limit of tries counts by address
            limit_concurrency=settings.connections,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    listener = _listener(settings)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="server")
    stopping = asyncio.create_task(stop.wait())
    log.info("console_started", host=settings.host, port=settings.port)
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        log.info("stopping")
        stopping.cancel()
        tail.close()  # or streams would hold the server until its patience ends
        server.should_exit = True
        await asyncio.wait({serving}, timeout=_DRAIN_SECONDS + 3)
        serving.cancel()
        await asyncio.wait({serving, stopping})
        listener.close()
    if not serving.cancelled():
        serving.result()


def _listener(settings: ConsoleSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"can't listen on {settings.host}:{settings.port} ({error.strerror}); choose another port with "
            "XERO_STREAM_CONSOLE_PORT"
        ) from error
    return listener
