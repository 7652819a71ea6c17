"""A file as it comes: each chunk in time, no more bytes than agreed on."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from xero_api.answers import error_of
from xero_api.call import Outcome, outcome_of
from xero_api.errors import (
    GarbledAnswerError,
    MissingFileError,
    TimedOutError,
    UnmappableAnswerError,
    XeroError,
)
from xero_api.meta import read_meta
from xero_api.parts import FileRequest
from xero_api.verdicts import Good, Subject, mark_of, meaning


class FileStream:
    """A file that Xero is sending. Iterate over it once, or :meth:`read` it.

    Attributes:
        content_type: its media type, as Xero says.
        size: its bytes, if Xero says.
        meta: what the headers say.
        outcome: what became of it so far.
    """

    def __init__(
        self, request: FileRequest, headers: Mapping[str, str], chunks: AsyncIterator[bytes], seconds: float
    ) -> None:
        """Nothing is read yet.

        Args:
            headers: the answer's, names in lower case.
            chunks: its body, still to come; fails with a typed error.
            seconds: how long each chunk may take.

        Raises:
            GarbledAnswerError: it is something else than a file of that kind.
            UnmappableAnswerError: it is larger than agreed on.
        """
        self.content_type = headers.get("content-type")
        self.meta = read_meta(headers)
        self.size = _size(headers)
        self.outcome = Outcome.CANCELLED
        self._request = request
        self._chunks = chunks
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
            while (chunk := await self._next()) is not None:
                count += len(chunk)
                self._check(count)
                yield chunk
            for size in (self.size, self._request.size):
                if size not in {None, count}:
                    raise GarbledAnswerError(f"{self._request.endpoint}: {count} of {size} bytes", status=200)
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

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await anext(self._chunks, None)
        except TimeoutError:
            raise TimedOutError(f"{self._request.endpoint}: nothing for {self._seconds:g} s", status=200) from None

    def _check(self, count: int) -> None:
        if count > self._request.most:
            raise UnmappableAnswerError(
                f"{self._request.endpoint}: a file of over {self._request.most} bytes", status=200, meta=self.meta
            )


def file_error(request: FileRequest, status: int, headers: Mapping[str, str], body: bytes) -> XeroError:
    """The error an answer other than a file stands for.

    Args:
        headers: response headers, names in lower case.
        body: the body, of any kind.
    """
    meta = read_meta(headers)
    if meaning(status, mark_of(meta, body), Subject.FILE) is Good.ABSENT:
        return MissingFileError(f"{request.endpoint}: {status}", status=status, meta=meta, body=body)
    return error_of(request.endpoint, status, headers, body, Subject.FILE)


def _size(headers: Mapping[str, str]) -> int | None:
    """Of the file, not of its packed form."""
    length = headers.get("content-length", "")
    packed = headers.get("content-encoding", "identity") != "identity"
    return int(length) if length.isascii() and length.isdigit() and not packed else None
