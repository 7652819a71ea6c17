"""Reading bodies: their bounds in bytes, in time, and over all connections."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import HttpVersion10, HttpVersion11, web

from receiver.body import BodyError, BodyReader
from receiver.limits import Limits
from receiver.metrics import Answered

LIMITS = Limits(body_bytes=100, reading_bytes=150)


class Content:
    """A body as aiohttp hands it out."""

    def __init__(self, parts: Sequence[bytes | BaseException], *, complete: bool, stuck: bool = False) -> None:
        self._parts = list(parts)
        self._complete = complete
        self._stuck = stuck

    def is_eof(self) -> bool:
        """Whether it is all here."""
        return self._complete

    def read_nowait(self) -> bytes:
        """All of it."""
        return b"".join(part for part in self._parts if isinstance(part, bytes))

    async def readany(self) -> bytes:
        """The next part; nothing at the end."""
        if not self._parts and self._stuck:
            await asyncio.Event().wait()
        part = self._parts.pop(0) if self._parts else b""
        if isinstance(part, BaseException):
            raise part
        return part


class Transport:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        """Remember."""
        self.written += data


class Request:
    """What the reader looks at."""

    def __init__(
        self, *parts: bytes | BaseException, complete: bool = False, stuck: bool = False, **headers: str
    ) -> None:
        self.content = Content(parts, complete=complete, stuck=stuck)
        self.headers = headers
        self.content_length = int(headers["length"]) if "length" in headers else None
        self.transport = Transport()
        self.version = HttpVersion11


def arrived(request: Any, reader: BodyReader | None = None) -> bytes | None:
    """A body that came with its head."""
    return (reader or BodyReader(LIMITS)).arrived(request)


async def read(request: Any, reader: BodyReader | None = None, seconds: float = 5.0) -> bytes:
    """A body that is waited for."""
    return await (reader or BodyReader(LIMITS)).read(request, seconds)


def test_arrived() -> None:
    """A body that is all here is taken as it is; one that is not, is none yet."""
    assert arrived(Request(b"a", b"b", complete=True)) == b"ab"
    assert arrived(Request(complete=True)) == b""
    assert arrived(Request(b"a")) is None


def test_arrived_too_large() -> None:
    """The limit is the last byte that is taken."""
    assert arrived(Request(b"x" * 100, complete=True)) == b"x" * 100
    with pytest.raises(BodyError) as caught:
        arrived(Request(b"x" * 101, complete=True))
    assert caught.value.answered is Answered.TOO_LARGE


async def test_waited_for() -> None:
    """Parts are put together up to the limit."""
    assert await read(Request(b"x" * 50, b"y" * 50)) == b"x" * 50 + b"y" * 50


@pytest.mark.parametrize(
    ("request_", "answered"),
    [
        (Request(b"x" * 60, b"y" * 41), Answered.TOO_LARGE),
        (Request(length="101"), Answered.TOO_LARGE),
        (Request(b"x", stuck=True), Answered.SLOW),
        (Request(b"x", web.RequestPayloadError()), Answered.MALFORMED),
        (Request(b"x", ConnectionResetError()), Answered.GONE),
    ],
    ids=["grown", "announced", "slow", "malformed", "gone"],
)
async def test_no_body(request_: Request, answered: Answered) -> None:
    """What is wrong with a body decides the answer."""
    with pytest.raises(BodyError) as caught:
        await read(request_, seconds=0.05)

    assert caught.value.answered is answered


async def test_all_connections_together() -> None:
    """Bodies that did not come with their head share a budget until they are done with; the others don't need it."""
    reader = BodyReader(LIMITS)
    slow = [asyncio.create_task(read(Request(b"x" * 70, stuck=True), reader, 0.2)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(BodyError) as caught:
        await read(Request(b"y" * 20), reader)
    assert caught.value.answered is Answered.UNAVAILABLE
    assert arrived(Request(b"z" * 90, complete=True), reader) == b"z" * 90

    await asyncio.gather(*slow, return_exceptions=True)
    body = await read(Request(b"y" * 90), reader)
    assert body == b"y" * 90
    with pytest.raises(BodyError):
        await read(Request(b"y" * 61), reader)
    reader.release(body)
    assert await read(Request(b"y" * 61), reader) == b"y" * 61


async def test_asks_first() -> None:
    """A sender that asks whether to go on is told so, but not before its announced length was looked at."""
    good, bad = Request(b"x", Expect="100-Continue"), Request(Expect="100-continue", length="101")
    old = Request(b"x", Expect="100-Continue")
    old.version = HttpVersion10

    await read(good)
    await read(old)
    with pytest.raises(BodyError):
        await read(bad)

    assert good.transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert bad.transport.written == b""
    assert old.transport.written == b"", "RFC 9110, 10.1.1: HTTP/1.0 knows no such answer"
