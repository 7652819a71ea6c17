"""Structured logs on standard error: structlog, with the standard library's loggers routed through it.

Event name plus fields, JSON or console. Every line, ours or a library's, passes :mod:`xero_stream.telemetry.redaction`, is bounded,
and holds no character that steers a terminal: values are of strangers too.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO

import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor, WrappedLogger

from xero_stream.printable import printable
from xero_stream.settings.telemetry import LogFormat, LogLevel
from xero_stream.telemetry.redaction import Scrubber, redact
from xero_stream.telemetry.repeats import Repeats

LONGEST_LINE = 64_000
"""Characters; of a longer line only its head is written."""

_SHOWN_OF_LONG = 8_000
_ALWAYS_SHOWN = ("timestamp", "level", "logger", "service", "pid", "event")

# structlog's own entries, which are no fields of ours.
_INTERNAL = frozenset({"_record", "_from_structlog"})


def configure_logging(
    *,
    service: str,
    level: LogLevel = LogLevel.INFO,
    log_format: LogFormat = LogFormat.AUTO,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Set up logging for this process; call it once, before anything logs. Calling again replaces the set-up.

    Args:
        service: name of the process, in every line.
        level: the least severe level that is written.
        log_format: how lines look; AUTO is console on a terminal, JSON elsewhere.
        secrets: the configured secrets, replaced wherever they turn up.
        stream: where lines go; standard error by default.
    """
    stream = stream or sys.stderr
    pretty = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and stream.isatty())
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Plain: a traceback with the values of local variables would show bodies and keys.
        structlog.processors.format_exc_info,
        _add_service(service),
    ]
    handler = logging.StreamHandler(stream)
    handler.addFilter(_calm_libraries(Repeats(), time.monotonic))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[_redact_fields, _bounded(_renderer(pretty=pretty, stream=stream)), _scrub(Scrubber(secrets))],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.value.upper())
    # Below INFO aiokafka logs keys and values of every record, asyncio every slow callback.
    for library in ("asyncio", "aiohttp", "httpx", "httpcore"):
        logging.getLogger(library).setLevel(max(logging.INFO, root.level))
    # At INFO it tells of every group join, assignment and offset: what matters of them our own lines say.
    logging.getLogger("aiokafka").setLevel(
        max(logging.WARNING, root.level) if level is not LogLevel.DEBUG else logging.INFO
    )
    # A line per call, with the whole URL, is our own hook's business.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _add_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        event.setdefault("pid", os.getpid())
        return event

    return add


def _redact_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return redact({name: value for name, value in event.items() if name not in _INTERNAL})


def _bounded(render: Processor) -> Processor:
    """A line, or the head of it: what follows the renderer looks at every character."""

    def bounded(logger: WrappedLogger, method: str, event: EventDict) -> str:
        fields = dict(event)
        line = str(render(logger, method, event))
        if len(line) <= LONGEST_LINE:
            return line
        short = {name: str(fields[name])[:_SHOWN_OF_LONG] for name in _ALWAYS_SHOWN if name in fields}
        return str(render(logger, method, {**short, "characters": len(line), "head": line[:_SHOWN_OF_LONG]}))

    return bounded


def _renderer(*, pretty: bool, stream: TextIO) -> Processor:
    if not pretty:
        return structlog.processors.JSONRenderer(serializer=_json)
    console = structlog.dev.ConsoleRenderer(colors=stream.isatty() and not os.environ.get("NO_COLOR"))

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        # Before it is rendered: the renderer's own colours are control characters too.
        return str(console(logger, method, {printable(name): _for_terminal(name, event[name]) for name in event}))

    return render


def _for_terminal(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value  # is written as ``repr`` does, which escapes
    if name in {"exception", "stack"}:
        # A line of a message must not look like a line of the log: none begins at the margin.
        return "\n".join(f"  {line}" for line in printable(value, lines=True).split("\n"))
    return printable(value)


def _json(event: Any, **_: Any) -> str:
    try:
        line = orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:  # a lone surrogate, or a number that is none of JSON's
        line = json.dumps(event, default=str)
    # orjson escapes what JSON asks for, C0; within a string the other escapes mean the same.
    return printable(line)


def _scrub(scrubber: Scrubber) -> Processor:
    def scrub(_logger: WrappedLogger, _method: str, line: Any) -> str:
        # The renderer before this one has made a line of the event.
        return scrubber(str(line))

    return scrub


def _calm_libraries(repeats: Repeats, clock: Callable[[], float]) -> Callable[[logging.LogRecord], bool]:
    """Hold back what strangers or an outage could make a library write without end."""

    def calm(record: logging.LogRecord) -> bool:
        if not record.name.startswith(("aiokafka", "aiohttp")):
            return True
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            # Malformed requests of strangers; the message quotes the line, which may be the signature's.
            return False
        held_back = repeats.allow(f"{record.name}:{record.msg}", clock())
        if held_back:
            record.msg = f"{record.getMessage()} ({held_back} more like this)"
            record.args = ()
        return held_back is not None

    return calm
