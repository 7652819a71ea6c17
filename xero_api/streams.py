"""A file as it comes: each chunk in time, no more bytes than agreed on. The bytes are httpx's; the words are ours."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx

from xero_api.answers import error_of
from xero_api.call import Outcome, outcome_of
from xero_api.errors import (
    GarbledAnswerError,
    MissingFileError,
    TimedOutError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.meta import Meta, read_meta
from xero_api.parts import FileRequest


class FileStream:
    """A file that Xero is sending. Iterate over it once, or :meth:`read` it.

    Attributes:
        content_type: its media type, as Xero says.
        size: its bytes, if Xero says.
        meta: what the headers say.
        outcome: what became of it so far.
    """

    def __init__(self, request: FileRequest, response: httpx.Response, seconds: float) -> None:
        """Nothing is read yet.

        Args:
            request: what was asked.
            response: the answer, its body still to come.
            seconds: how long each chunk may take.

        Raises:
            GarbledAnswerError: it is something else than a file of that kind.
            UnmappableAnswerError: it is larger than agreed on.
        """
        self.content_type: str | None = response.headers.get("content-type")
        self.meta: Meta = read_meta(response.headers)
        self.size = _size(response)
        self.outcome = Outcome.CANCELLED
        self._request = request
        self._response = response
        self._seconds = seconds
        kind = (self.content_type or "").partition(";")[0].strip().lower()
        if request.content_type not in {None, kind}:
            raise GarbledAnswerError(f"{request.endpoint}: no {request.content_type}", status=200, meta=self.meta)
        self._check(self.size or 0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks, as they come.

        Raises:
            TimedOutError: a chunk took too long.
            GarbledAnswerError: it broke off.
            UnmappableAnswerError: it is larger than agreed on.
        """
        try:
            count = 0
            chunks = self._response.aiter_bytes()
            while (chunk := await self._next(chunks)) is not None:
                count += len(chunk)
                self._check(count)
                yield chunk
            if self.size is not None and count != self.size:
                raise GarbledAnswerError(f"{self._request.endpoint}: {count} of {self.size} bytes", status=200)
            self.outcome = Outcome.OK
        except XeroError as error:
            self.outcome = outcome_of(error)
            raise

    async def read(self) -> bytes:
        """All of it.

        Raises:
            XeroError: as the iteration.
        """
        return b"".join([chunk async for chunk in self])

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await anext(chunks, None)
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOutError(f"{self._request.endpoint}: nothing for {self._seconds:g} s", status=200) from None
        except httpx.RequestError as error:
            raise GarbledAnswerError(f"{self._request.endpoint}: {type(error).__name__}", status=200) from None

    def _check(self, count: int) -> None:
        if count > self._request.most:
            raise UnmappableAnswerError(
                f"{self._request.endpoint}: a file of over {self._request.most} bytes", status=200, meta=self.meta
            )


def file_error(request: FileRequest, response: httpx.Response, body: bytes) -> XeroError:
    """The error an answer other than a file stands for.

    Args:
        request: what was asked.
        response: the answer.
        body: its body, of any kind.
    """
    error = error_of(request.endpoint, response.status_code, response.headers, body)
    if response.status_code == HTTPStatus.NOT_FOUND and error.meta.xeros:
        return MissingFileError(f"{request.endpoint}: 404", status=404, meta=error.meta, body=body)
    return error


def _size(response: httpx.Response) -> int | None:
    """Of the file, not of its packed form."""
    length = response.headers.get("content-length", "")
    packed = response.headers.get("content-encoding", "identity") != "identity"
    return int(length) if length.isascii() and length.isdigit() and not packed else None
