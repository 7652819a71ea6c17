"""The receiver as a process: alone, or as the parent of several workers. What ``xero-stream receiver`` calls."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from receiver import health
from receiver.app import Receiver, check_http_parser
from receiver.keys import KeyRing
from receiver.metrics import LAYOUT, ReceiverMetrics
from receiver.workers import Workers
from xero_stream.settings.access import Process, foreign_secrets
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.listener import cannot_listen
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.telemetry import PrivatePortSettings, TelemetrySettings
from xero_stream.telemetry.cells import SharedCells
from xero_stream.telemetry.logging import configure_logging
from xero_stream.telemetry.private_port import PrivatePort

if sys.platform != "win32":
    import uvloop

_log = structlog.get_logger(__name__)

_PRIVATE = "XERO_STREAM_RECEIVER_PRIVATE"


def start(settings: ReceiverSettings | None = None) -> None:
    """Run the receiver until SIGTERM or SIGINT.

    Args:
        settings: read from the environment by default.

    Raises:
        SettingsError: it can't run with these settings; the message says why.
    """
    settings = settings or ReceiverSettings.read()
    kafka = KafkaSettings.read()
    apps = WebhookApps.read()
    check_http_parser()
    keys = KeyRing(apps, random_bytes=os.urandom)
    _log_to_stderr(kafka, keys)
    keys.warn()
    foreign = foreign_secrets(Process.RECEIVER, os.environ)
    if foreign:
        _log.warning(
            "secrets_of_other_processes", settings=foreign, detail="a receiver has no use for them: leave them out"
        )
    if settings.workers == 1:
        _run(lambda: _alone(settings, kafka, apps))
    else:
        _run(lambda: _parent(settings))


def work(*, number: int, of: int, listening: int, cells: int) -> None:
    """Run one worker of a parent, until its standard input ends or SIGTERM.

    Args:
        number: which one, from 0.
        of: how many there are.
        listening: descriptor of the listening socket.
        cells: descriptor of the metrics' shared memory.

    Raises:
        SettingsError: it can't run with these settings.
    """
    settings = ReceiverSettings.read()
    kafka = KafkaSettings.read()
    apps = WebhookApps.read()
    _log_to_stderr(kafka, KeyRing(apps, random_bytes=os.urandom))
    metrics = ReceiverMetrics(registry=CollectorRegistry(), cells=SharedCells(LAYOUT, of, cells))

    async def main() -> None:
        stop = _stop_event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _parent_gone, stop)
        receiver = Receiver(settings=settings, kafka=kafka, apps=apps, metrics=metrics.worker(number))
        await receiver.serve(socket.socket(fileno=listening), stop)

    _run(main)


def listen(settings: ReceiverSettings) -> socket.socket:
    """Open the public port.

    Raises:
        SettingsError: it can't be opened.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=1_024)
    except OSError as error:
        raise cannot_listen(
            error, host=settings.host, port=settings.port, prefix="XERO_STREAM_RECEIVER", option=True
        ) from error


async def _alone(settings: ReceiverSettings, kafka: KafkaSettings, apps: WebhookApps) -> None:
    registry = CollectorRegistry()
    metrics = ReceiverMetrics(registry=registry)
    worker = metrics.worker()
    receiver = Receiver(settings=settings, kafka=kafka, apps=apps, metrics=worker)
    started = time.monotonic()
    port = PrivatePort(
        host=settings.private_host,
        port=settings.private_port,
        registry=registry,
        live=lambda: health.live([worker], time.monotonic(), started),
        ready=lambda: health.ready([worker]),
        setting=_PRIVATE,
        names=PrivatePortSettings.read().host_names,
    )
    await port.start()
    try:
        await receiver.serve(listen(settings), _stop_event())
    finally:
        await port.stop()


async def _parent(settings: ReceiverSettings) -> None:
    registry = CollectorRegistry()
    workers = Workers(settings=settings, registry=registry)
    port = PrivatePort(
        host=settings.private_host,
        port=settings.private_port,
        registry=registry,
        live=workers.live,
        ready=workers.ready,
        setting=_PRIVATE,
        names=PrivatePortSettings.read().host_names,
    )
    await port.start()
    try:
        with listen(settings) as listening:
            await workers.run(listening, _stop_event())
    finally:
        await port.stop()


def _log_to_stderr(kafka: KafkaSettings, keys: KeyRing) -> None:
    telemetry = TelemetrySettings.read()
    password = [kafka.sasl_password.get_secret_value()] if kafka.sasl_password else []
    configure_logging(
        service="receiver",
        level=telemetry.log_level,
        log_format=telemetry.log_format,
        secrets=[*keys.secrets(), *password],
    )


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _parent_gone(stop: asyncio.Event) -> None:
    # Nothing is ever written to a worker's standard input: readable means that the parent has ended.
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    stop.set()


def _run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    factory = uvloop.new_event_loop if sys.platform != "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
