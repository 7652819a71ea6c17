"""The answers on the wire."""

import pytest

from receiver.answers import STATUSES, Answers


class Transport:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.written = b""
        self.aborted = False

    def abort(self) -> None:
        """Remember."""
        self.aborted = True

    def write(self, data: bytes) -> None:
        """Remember."""
        self.written += data


class Request:
    """What an answer looks at."""

    def __init__(self, transport: Transport | None, *, writing_paused: bool = False) -> None:
        self.transport = transport
        self.protocol = self
        self.writing_paused = writing_paused


async def on_the_wire(answers: Answers, status: int, *, keep: bool = True) -> str:
    """The answer as sent."""
    transport = Transport()
    answer = answers.get(status, keep=keep)
    await answer.prepare(Request(transport))  # type: ignore[arg-type] # a stand-in with all that an answer looks at
    await answer.write_eof()
    return transport.written.decode()


@pytest.mark.parametrize("status", STATUSES)
async def test_empty(status: int) -> None:
    """Every answer has an empty body, no cookie, and says nothing about the server."""
    text = await on_the_wire(Answers(0.0), status)

    head, _, body = text.partition("\r\n\r\n")
    names = {line.partition(":")[0].lower() for line in head.splitlines()[1:]}
    assert body == ""
    assert names <= {"content-length", "date", "connection", "allow", "retry-after"}
    assert "Content-Length: 0" in head
    assert "Date: Thu, 01 Jan 1970 00:00:00 GMT" in head


async def test_accepted() -> None:
    """The usual answer."""
    assert await on_the_wire(Answers(0.0), 200) == (
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"
    )


async def test_what_to_do_instead() -> None:
    """A wrong method hears the right one, an unavailable service when to come again."""
    assert "Allow: POST\r\n" in await on_the_wire(Answers(0.0), 405)
    assert "Retry-After: 5\r\n" in await on_the_wire(Answers(0.0), 503)


async def test_connections_end() -> None:
    """A connection ends where the request asks for it, where its rest is unread, and while draining."""
    answers = Answers(0.0)
    for status, keep in ((200, False), (413, True), (400, True), (500, True)):
        assert "Connection: close\r\n" in await on_the_wire(answers, status, keep=keep)
        assert not answers.get(status, keep=keep).keep_alive
    for status in (200, 401, 503):
        assert "Connection: close\r\n" not in await on_the_wire(answers, status)
        assert answers.get(status, keep=True).keep_alive

    answers.draining = True

    assert "Connection: close\r\n" in await on_the_wire(answers, 200)


async def test_date_moves() -> None:
    """The date is kept up."""
    answers = Answers(0.0)
    answers.date(1_000_000_000.5)

    assert "Date: Sun, 09 Sep 2001 01:46:40 GMT\r\n" in await on_the_wire(answers, 401)


async def test_sender_has_left() -> None:
    """Without a connection there is nobody to answer."""
    with pytest.raises(ConnectionResetError):
        await Answers(0.0).get(200, keep=True).prepare(Request(None))  # type: ignore[arg-type] # as above


async def test_sender_that_does_not_read() -> None:
    """Answers don't pile up for a sender that never reads them: the connection is cut."""
    transport = Transport()
    request = Request(transport, writing_paused=True)

    with pytest.raises(ConnectionResetError):
        await Answers(0.0).get(200, keep=True).prepare(request)  # type: ignore[arg-type] # as above

    assert transport.aborted
    assert transport.written == b""
