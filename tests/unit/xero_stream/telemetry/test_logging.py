"""Log lines, ours and libraries', as they are written."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage

from tests.support.webhooks import KEY
from xero_stream.settings.telemetry import LogFormat, LogLevel
from xero_stream.telemetry.logging import configure_logging


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The JSON lines written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configured(**options: Any) -> io.StringIO:
    """Configure and return what is written to."""
    stream = options.pop("stream", io.StringIO())
    assert isinstance(stream, io.StringIO)
    configure_logging(service="test", stream=stream, **options)
    return stream


def test_json_elsewhere_than_on_a_terminal() -> None:
    """A line is JSON with time, level, logger, service and fields."""
    stream = configured()

    structlog.get_logger("a.b").info("happened", app="default", n=3)

    (line,) = lines(stream)
    assert line["event"] == "happened"
    assert (line["app"], line["n"], line["level"], line["logger"], line["service"]) == (
        "default",
        3,
        "info",
        "a.b",
        "test",
    )
    assert line["timestamp"].endswith("Z")


def test_console_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal lines are for people, without colour where NO_COLOR is set."""
    monkeypatch.setenv("NO_COLOR", "1")
    stream = configured(stream=Terminal())

    structlog.get_logger().warning("happened", app="default")

    assert "happened" in stream.getvalue()
    assert "app=default" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_level() -> None:
    """Less severe lines are not written."""
    stream = configured(level=LogLevel.WARNING)

    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [line["event"] for line in lines(stream)] == ["loud"]


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.CONSOLE])
def test_no_way_for_a_secret(log_format: LogFormat) -> None:
    """A secret doesn't get through as a field, in a message, in an exception, or by a library."""
    canary = "canary-5f3a91-secret"
    stream = configured(log_format=log_format, secrets=[canary])
    log = structlog.get_logger()

    log.info("field", token=canary, note=f"with {canary}", nested={"deep": [canary]})
    message = "message " + canary
    log.info(message)
    try:
        raise ValueError(canary)
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed %s", canary)
    logging.getLogger("library").warning("said %s", canary)
    log.info("object", thing=type("Thing", (), {"__repr__": lambda _: canary})())

    assert "failed" in stream.getvalue()
    assert canary not in stream.getvalue()


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.CONSOLE])
def test_secrets_nobody_told(log_format: LogFormat) -> None:
    """What is secret by its name, and bytes, and what an object says of itself, are not written either."""
    stream = configured(log_format=log_format)
    log = structlog.get_logger()

    class Thing:
        def __repr__(self) -> str:
            return "untold-by-repr"

    log.info("field", refresh_token="untold-by-name", nested={"body": "untold-by-name"}, data=b"untold-as-bytes")
    log.info("object", thing=Thing(), things=[Thing()])

    assert "field" in stream.getvalue()
    assert "untold" not in stream.getvalue()


def test_tracebacks_without_local_variables() -> None:
    """A traceback shows where, never the values there."""
    stream = configured(log_format=LogFormat.CONSOLE)

    def fails(body: str) -> None:
        assert body
        raise ValueError("no")

    customer = "A. Customer, " + "17 High Street"
    try:
        fails(customer)
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "ValueError: no" in stream.getvalue()
    assert "Customer, 17" not in stream.getvalue()


def test_aiokafka_does_not_log_records() -> None:
    """Even at debug level aiokafka's lines with keys and values are not written."""
    stream = configured(level=LogLevel.DEBUG)

    logging.getLogger("aiokafka.producer.producer").debug("Sending (key=%s value=%s)", b"k", b"customer data")
    structlog.get_logger().debug("ours")

    assert [line["event"] for line in lines(stream)] == ["ours"]


@pytest.mark.parametrize(
    ("level", "shown"), [(LogLevel.INFO, ["a warning"]), (LogLevel.DEBUG, ["a join", "a warning"])]
)
def test_aiokafka_is_heard_from_a_warning_on(level: LogLevel, shown: list[str]) -> None:
    """Its joins, assignments and offsets would be most of what `up` writes; who looks for something asks for them."""
    stream = configured(level=level)

    logging.getLogger("aiokafka.consumer.group_coordinator").info("a join")
    logging.getLogger("aiokafka.consumer.group_coordinator").warning("a warning")

    assert [line["event"] for line in lines(stream)] == shown


def test_outages_do_not_flood() -> None:
    """A library that repeats itself is heard once in a while."""
    stream = configured()

    for number in range(1_000):
        logging.getLogger("aiokafka.client").error("Unable connect to node with id %s: %s", 1, number)

    assert len(lines(stream)) == 1


def test_strangers_requests_are_not_quoted() -> None:
    """Malformed requests are quoted by aiohttp, and may hold a signature; those lines are dropped."""
    stream = configured()

    try:
        raise BadHttpMessage(f"Invalid header value char:\n\n  b'x-xero-signature: {KEY}'")
    except BadHttpMessage:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", "1.2.3.4")

    assert stream.getvalue() == ""


def test_configuring_again_replaces() -> None:
    """A second configuration does not write lines twice."""
    first = configured()
    second = configured()

    structlog.get_logger().info("once")

    assert (len(lines(first)), len(lines(second))) == (0, 1)
