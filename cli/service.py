"""What every long-running command has in common: logs, loop, signals, and an end when its parent ends."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import typer
from pydantic import SecretStr

from xero_stream.settings.apps import secrets_of
from xero_stream.settings.base import Section, SettingsError
from xero_stream.settings.example import SECTIONS
from xero_stream.settings.telemetry import TelemetrySettings
from xero_stream.settings.xero import AppsFileSettings
from xero_stream.telemetry.logging import configure_logging

if sys.platform != "win32":
    import uvloop

LAST_SECONDS = 12.0
"""How long a process may take to end in order once its parent is gone."""

WithParent = Annotated[
    bool,
    typer.Option(
        "--with-parent",
        hidden=True,
        help="End when standard input ends: a parent that is killed leaves nothing behind.",
    ),
]


def run_service(work: Callable[[asyncio.Event], Awaitable[None]], *, service: str, with_parent: bool = False) -> None:
    """Run until the work ends; SIGTERM and SIGINT ask it to, the second one insists.

    Args:
        work: gets the event that asks it to end.
        service: name in every log line.
        with_parent: see :func:`end_with_parent`.
    """
    log_to_stderr(service)
    if with_parent:
        end_with_parent()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_until_told(work))


async def _until_told(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None

    def asked(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform != "win32":
            loop.add_signal_handler(number, asked, number)
    await work(stop)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it exists; None asks for asyncio's own."""
    return uvloop.new_event_loop if sys.platform != "win32" else None


def end_with_parent() -> None:
    """End in order once standard input ends, and at all costs some seconds later.

    A parent gives its children a pipe that only it holds: when it is killed, the kernel closes it.
    """
    threading.Thread(target=_await_end, name="parent", daemon=True).start()


def _await_end() -> None:
    try:
        while os.read(sys.stdin.fileno(), 4096):
            pass
    except (OSError, ValueError):
        pass  # it was never open: nobody is there
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os._exit(1)


def log_to_stderr(service: str) -> None:
    """Set up logs as the settings say, with every configured secret kept out.

    Args:
        service: name in every line.

    Raises:
        SettingsError: the log's own settings are unusable.
    """
    telemetry = TelemetrySettings.read()
    configure_logging(
        service=service,
        level=telemetry.log_level,
        log_format=telemetry.log_format,
        secrets=set(configured_secrets()),
    )


def configured_secrets() -> Iterator[str]:
    """Every secret in the settings; sections that can't be read have none to keep."""
    for section in SECTIONS:
        try:
            values = section.read()
        except SettingsError:
            continue
        for value in _secrets_of(values):
            yield value
            yield from (part.strip() for part in value.split(",") if part.strip())
            yield from _passwords_of(value)
    with contextlib.suppress(SettingsError):
        yield from secrets_of(AppsFileSettings.read().apps_file)


def _passwords_of(value: str) -> Iterator[str]:
    """The password in a URL, in both its forms."""
    with contextlib.suppress(ValueError):  # it only looks like a URL
        if "://" in value and (password := urlsplit(value).password):
            yield from (password, unquote(password))


def _secrets_of(section: Section) -> Iterator[str]:
    fields: dict[str, Any] = {name: getattr(section, name) for name in type(section).model_fields}
    return (value.get_secret_value() for value in fields.values() if isinstance(value, SecretStr))
