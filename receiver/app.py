"""One worker: settings and parts put together, served, drained."""

import asyncio
import gc
import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import structlog
from aiohttp import http_parser

from receiver.answers import Answers
from receiver.connections import Listener
from receiver.deployment import Fit, compared
from receiver.keys import KeyRing
from receiver.limits import Limits
from receiver.metrics import WorkerMetrics
from receiver.receive import Receive
from receiver.records import Shaper
from xero_stream.kafka.appender import Appender
from xero_stream.kafka.producer import Producers
from xero_stream.settings.apps import WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.receiver import ReceiverSettings

_log = structlog.get_logger(__name__)

_TICK_SECONDS = 0.25
_REFRESH_SECONDS = 2.0
_SUPERVISOR_SECONDS = 30.0
_GRACE_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
_FLUSH_SECONDS = 3.0
_SAFE_AIOHTTP = (3, 14, 1)


def check_http_parser() -> None:
    """Refuse a parser known to be unsafe: aiohttp before 3.14.1, or without its C parser (request smuggling).

    Raises:
        SettingsError: it is one of them.
    """
    version = tuple(int(part) for part in aiohttp.__version__.split(".")[:3] if part.isdecimal())
    if version < _SAFE_AIOHTTP:
        raise SettingsError(f"aiohttp {aiohttp.__version__} is too old for a public port; install 3.14.1 or later")
    if http_parser.HttpRequestParser is http_parser.HttpRequestParserPy:
        raise SettingsError("aiohttp runs without its C parser; install its wheel, and unset AIOHTTP_NO_EXTENSIONS")


class Receiver:
    """A worker that serves a listening socket until it is told to stop."""

    def __init__(
        self,
        *,
        settings: ReceiverSettings,
        kafka: KafkaSettings,
        apps: WebhookApps,
        metrics: WorkerMetrics,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,  # noqa: TID251 - the Date header and what people read
    ) -> None:
        """Put the parts together; needs a running loop.

        Args:
            settings: limits.
            apps: whose webhooks are taken, and their keys.
            metrics: this worker's.
            clock: monotonic seconds, the same clock in all processes of the machine.
            wall_clock: Unix time.

        Raises:
            SettingsError: no app has a key, or the HTTP parser is unsafe.
        """
        check_http_parser()
        limits = Limits(
            connections=settings.connections,
            body_bytes=settings.body_bytes,
            reading_bytes=settings.in_flight_bytes // 2,
            in_flight_bytes=settings.in_flight_bytes,
        )
        self._clock = clock
        self._wall_clock = wall_clock
        self._metrics = metrics
        self._keys = KeyRing(apps, random_bytes=os.urandom)
        self._answers = Answers(wall_clock())
        self.appender = Appender(
            producers=Producers(
                kafka, client_id=f"xero-stream-receiver-{os.getpid()}", topic=kafka.topics.webhook_events
            ),
            observer=metrics,
            limit_bytes=limits.in_flight_bytes,
            patience=limits.answer_seconds,
            clock=clock,
        )
        self._fit = Fit(
            kafka=kafka,
            ours=compared(kafka, settings, EntitySettings.read()),
            keep_deliveries=settings.keep_deliveries,
            clock=clock,
        )
        handler = Receive(
            keys=self._keys,
            shaper=Shaper(topics=kafka.topics, partitions=kafka.partitions, keep_deliveries=settings.keep_deliveries),
            appender=self.appender,
            answers=self._answers,
            metrics=metrics,
            limits=limits,
            clock=clock,
            wall_clock=wall_clock,
            entropy=random.getrandbits,
        )
        self._listener = Listener(handler, answers=self._answers, metrics=metrics, limits=limits, clock=clock)

    async def serve(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Serve until told to stop, then drain: what was accepted is answered, what was answered is in the log.

        Args:
            stop: set it to end.

        Raises:
            SettingsError: the topics or the deployment don't fit the settings, seen when Kafka was first reached.
        """
        self._metrics.take_over()
        self._metrics.started(self._clock())
        server = await asyncio.get_running_loop().create_server(self._listener, sock=listening, backlog=_BACKLOG)
        self.appender.start()
        ticking = asyncio.create_task(self._tick(), name="tick")
        fitting = asyncio.create_task(self._fit.run(), name="fit")
        self._metrics.serving(True)
        _log.info("receiver_serving", address=listening.getsockname())
        # What exists now lives until the end; the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._until_told(stopping, fitting)
        finally:
            stopping.cancel()
            await self._drain(server)
            for task in (ticking, fitting):
                task.cancel()
                with suppress(asyncio.CancelledError, SettingsError):
                    await task

    async def _until_told(self, stopping: "asyncio.Task[Any]", fitting: "asyncio.Task[None]") -> None:
        """Wait for the end, or for what can't be served with these settings."""
        waited: set[asyncio.Future[Any]] = {stopping, fitting, self.appender.first_build}
        while not stopping.done():
            done, waited = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for one in done - {stopping}:
                one.result()

    async def _drain(self, server: asyncio.Server) -> None:
        started = self._clock()
        self._metrics.serving(False)
        # For a moment everything is still served, but every answer ends its connection: a request that is already on
        # its way over an idle connection, or waits to be accepted, must not be met by a reset.
        self._answers.draining = True
        end = started + _GRACE_SECONDS
        while self._listener.open and self._clock() < end:  # noqa: ASYNC110 - a bounded wait for strangers to leave
            await asyncio.sleep(0.02)
        server.close()
        self._listener.pre_shutdown()
        await self._listener.shutdown(_ANSWER_SECONDS)
        clean = await self.appender.stop(_FLUSH_SECONDS)
        _log.info("receiver_drained", clean=clean, seconds=round(self._clock() - started, 3))

    async def _tick(self) -> None:
        refresh_at = self._clock()
        while True:
            before = self._clock()
            await asyncio.sleep(_TICK_SECONDS)
            now = self._clock()
            # No sign of life while the part that replaces producers is stuck: then only a restart helps.
            if now - self.appender.beat < _SUPERVISOR_SECONDS:
                self._metrics.beat(now, max(0.0, now - before - _TICK_SECONDS))
            self._answers.date(self._wall_clock())
            self._listener.sweep()
            if now >= refresh_at:
                refresh_at = now + _REFRESH_SECONDS
                self._keys.refresh()


_BACKLOG = 1_024
