"""The answers: no body, no cookie, nothing about who answers. Made once a second and shared by all requests.

aiohttp builds headers for every response, at half the cost of a whole request; ours differ only in the date.
"""

from email.utils import formatdate
from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

_EXTRA = {405: "Allow: POST\r\n", 503: "Retry-After: 5\r\n"}

STATUSES = (200, 400, 401, 404, 405, 408, 413, 415, 500, 503, 505)
# After these the request's body may not have been read, or the peer is not to be trusted with a connection.
_CLOSING = frozenset({400, 404, 405, 408, 413, 415, 500, 505})


class Answer(web.StreamResponse):
    """A finished response. It holds no state of a request, so that one object serves them all."""

    def __init__(self, status: int, *, keep: bool) -> None:
        super().__init__(status=status)
        self._keep = keep and status not in _CLOSING
        self._bytes = b""

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection goes on."""
        return self._keep

    def date(self, date: str) -> None:
        """Set the date that it carries."""
        end = "\r\n" if self._keep else "Connection: close\r\n\r\n"
        self._bytes = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"Content-Length: 0\r\nDate: {date}\r\n{_EXTRA.get(self.status, '')}{end}"
        ).encode()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it.

        Raises:
            ConnectionResetError: the sender has left, or sends without ever reading answers, which would pile up here.
        """
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the sender has left")
        if request.protocol.writing_paused:
            transport.abort()
            raise ConnectionResetError("the sender does not read its answers")
        transport.write(self._bytes)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing follows."""


class Answers:
    """Every answer, with today's date."""

    def __init__(self, now: float) -> None:
        """Made for a moment; :meth:`date` moves it on.

        Args:
            now: Unix time.
        """
        self._keeping = {status: Answer(status, keep=True) for status in STATUSES}
        self._closing = {status: Answer(status, keep=False) for status in STATUSES}
        self.draining = False
        """Whether every answer now ends its connection."""
        self.date(now)

    def date(self, now: float) -> None:
        """Set the date; once a second is enough."""
        date = formatdate(now, usegmt=True)
        for answer in (*self._keeping.values(), *self._closing.values()):
            answer.date(date)

    def get(self, status: int, *, keep: bool) -> Answer:
        """The answer for a status.

        Args:
            keep: whether the request allows the connection to go on.
        """
        return (self._keeping if keep and not self.draining else self._closing)[status]
