"""Reading a request's body: as a whole, within its bounds in bytes and in time."""

import asyncio

from aiohttp import HttpVersion11, web

from receiver.limits import Limits
from receiver.metrics import Answered


class BodyError(Exception):
    """There is no body to work on; :attr:`answered` says how the request ends."""

    def __init__(self, answered: Answered) -> None:
        super().__init__(answered.value)
        self.answered = answered


class BodyReader:
    """Reads bodies; counts the bytes of those that are still arriving, and that arrived late and are worked on.

    A body that came with its head, as nearly all do, never waits and is never counted: who dribbles bodies in takes
    nothing from the others.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    def arrived(self, request: web.BaseRequest) -> bytes | None:
        """The whole body if it came with its head, else None.

        Raises:
            BodyError: it is too large.
        """
        content = request.content
        if not content.is_eof():
            return None
        body = content.read_nowait()
        if len(body) > self._limits.body_bytes:
            raise BodyError(Answered.TOO_LARGE)
        return body

    async def read(self, request: web.BaseRequest, seconds: float) -> bytes:
        """The whole body, waited for. It counts as held until :meth:`release`.

        Args:
            request: its head is complete.
            seconds: how long the rest may take.

        Raises:
            BodyError: it is or says it is too large, it is no proper body, it is not here in time, the sender has
                left, or there is no room for it now.
        """
        announced = request.content_length
        if announced is not None and announced > self._limits.body_bytes:
            raise BodyError(Answered.TOO_LARGE)
        expects = request.headers.get("Expect", "").lower() == "100-continue"
        # RFC 9110, 10.1.1: a sender that speaks HTTP/1.0 does not know the answer.
        if expects and request.version is HttpVersion11 and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(seconds):
                return await self._arriving(request)
        except TimeoutError as error:
            raise BodyError(Answered.SLOW) from error
        except web.RequestPayloadError as error:
            raise BodyError(Answered.MALFORMED) from error
        except ConnectionError as error:
            raise BodyError(Answered.GONE) from error

    def release(self, body: bytes) -> None:
        """Count a body no longer."""
        self._held -= len(body)

    async def _arriving(self, request: web.BaseRequest) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while part := await request.content.readany():
                parts.append(part)
                size += len(part)
                self._held += len(part)
                if size > self._limits.body_bytes:
                    raise BodyError(Answered.TOO_LARGE)
                if self._held > self._limits.reading_bytes:
                    raise BodyError(Answered.UNAVAILABLE)
            return b"".join(parts)
        except BaseException:
            self._held -= size
            raise
