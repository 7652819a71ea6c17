"""Log lines with values of strangers: nothing steers a terminal, no line forges another, and each costs as much as it is long."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xero_stream.settings.telemetry import LogFormat
from xero_stream.telemetry.logging import LONGEST_LINE, configure_logging
from xero_stream.telemetry.redaction import REDACTED, Scrubber

STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
texts = st.text(
    st.characters(codec=None) | st.sampled_from("\x1b\x9b\x07\x00\r\n\u202e\u2066\u2028\ud83d"), max_size=40
)
values = st.recursive(
    texts | st.integers() | st.floats() | st.none() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


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


def _written(stream: io.StringIO, log_format: LogFormat, name: str, fields: dict[str, object], message: str) -> str:
    """What is written of a line of ours, of an exception, and of a line and an exception of a library."""
    configure_logging(service="test", stream=stream, log_format=log_format)
    log = structlog.get_logger("ours")
    log.info(name or "event", **fields)
    logging.getLogger("library").warning("said %s", message)
    try:
        raise ValueError(message)
    except ValueError:
        log.exception("failed", reason=message)
        logging.getLogger("library").exception("failed %s", message)
    return stream.getvalue()


named = st.dictionaries(st.sampled_from(["reason", "app", "x\x1by", "tenant_name", "path"]), values, max_size=3)


@settings(max_examples=60, deadline=None)
@given(name=texts, fields=named, message=texts)
@example(name="\x1b[2J", fields={"reason": "\x1b]0;x\x07"}, message="\x1b[31m\n2026-01-01T00:00:00Z [info] forged")
def test_nothing_steers_a_terminal(name: str, fields: dict[str, object], message: str) -> None:
    """Neither a value, a field's name nor an exception, in either format."""
    for log_format in (LogFormat.CONSOLE, LogFormat.JSON):
        written = _written(io.StringIO(), log_format, name, fields, message)

        assert not STEERING.search(written)
        written.encode()


@settings(max_examples=30, deadline=None)
@given(message=texts)
def test_only_our_own_colours(message: str) -> None:
    """On a terminal the line has the escapes of its renderer, and those alone."""
    written = _written(Terminal(), LogFormat.CONSOLE, message, {"reason": message}, message)

    assert not STEERING.search(re.sub(r"\x1b\[[0-9;]*m", "", written))
    assert set(re.findall(r"\x1b\[[0-9;]*m", written)) <= set(
        re.findall(r"\x1b\[[0-9;]*m", _written(Terminal(), LogFormat.CONSOLE, "m", {"reason": "m"}, "m"))
    )


@settings(max_examples=30, deadline=None)
@given(message=texts)
def test_no_line_is_forged(message: str) -> None:
    """A JSON line is one line and can be read; on the console only our lines begin at the margin."""
    lines = _written(io.StringIO(), LogFormat.JSON, "event", {"reason": message}, message).splitlines()
    assert [json.loads(line)["service"] for line in lines] == ["test"] * 4

    console = _written(io.StringIO(), LogFormat.CONSOLE, "event", {"reason": message}, message)
    begun = [line for line in console.split("\n") if line and not line.startswith(" ")]
    assert len(begun) == 4


@pytest.mark.parametrize("log_format", [LogFormat.CONSOLE, LogFormat.JSON])
def test_a_line_is_bounded(log_format: LogFormat) -> None:
    """However many values it has: what it is and its head are written."""
    stream = io.StringIO()
    configure_logging(service="test", stream=stream, log_format=log_format)

    structlog.get_logger().info("big", rows=["x" * 3_000] * 1_000, **{f"n{i}": "y" * 3_000 for i in range(100)})

    written = stream.getvalue()
    assert len(written) < LONGEST_LINE
    assert "big" in written
    if log_format is LogFormat.JSON:
        assert json.loads(written)["characters"] > 3_000_000


PIECES = (
    "eyJ",
    "eyJhbGciOi",
    "-",
    ".",
    "_",
    "A",
    "a.eyJ",
    "://",
    "://u:p",
    "@",
    ":",
    "/",
    "bearer ",
    " ",
    "code=",
    "=",
    "&",
    '"',
    "\\",
    "\n",
)


def _seconds(scrub: Scrubber, text: str) -> float:
    """Of the processor, the least of two runs."""
    taken = []
    for _ in range(2):
        began = time.process_time()
        scrub(text)
        taken.append(time.process_time() - began)
    return min(taken)


@settings(max_examples=20, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=5))
@example(pieces=["eyJ-"])
@example(pieces=["eyJ"])
@example(pieces=["eyJhbGciOi", "."])
@example(pieces=["://"])
@example(pieces=["://u:p"])
@example(pieces=["bearer "])
@example(pieces=["A"])
def test_scrubbing_takes_time_in_proportion(pieces: list[str]) -> None:
    """Eight times the text, some eight times the time: 64 times were quadratic."""
    scrub, unit = Scrubber(["a known secret"]), "".join(pieces)
    short, long = (unit * (size // len(unit)) for size in (4_000, 32_000))

    assert _seconds(scrub, long) < 25 * max(_seconds(scrub, short), 0.000_5)


tokens = st.builds(
    lambda header, claims, signature: f"eyJ{header}.{claims}" + (f".{signature}" if signature else ""),
    st.from_regex(r"[A-Za-z0-9_-]{8,40}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{4,40}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{0,40}", fullmatch=True),
)


@given(
    before=st.sampled_from(["", "x", "Bearer ", "-", "a.b.", "eyJ", "eyJ.", '"', "t="]),
    token=tokens,
    after=st.sampled_from(["", " ", '"', ",", ")"]),
)
def test_a_token_is_cut_out_wherever_it_stands(before: str, token: str, after: str) -> None:
    """Its header, claims and signature, whatever is around it."""
    line = Scrubber()(f"{before}{token}{after}")

    assert REDACTED in line
    assert token.split(".")[1] not in line.replace(before, "", 1) or len(token.split(".")[1]) < 5


@given(
    user=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    password=st.from_regex(r"canary[A-Za-z0-9/#?@+=%\[\]-]{0,20}", fullmatch=True),
)
def test_a_password_in_a_url_is_cut_out(user: str, password: str) -> None:
    """Also one that should have been percent-encoded."""
    line = Scrubber()(f"can't connect to postgresql://{user}:{password}@db.internal:5432/x, sorry")

    assert "canary" not in line
    assert "db.internal:5432/x" in line
