"""The body of an answer: in one encoding at most, unpacked piece by piece, so that a few bytes can't become gigabytes. Pure.

Who calls asks for gzip (or for none) and takes nothing else: ``Content-Encoding: gzip, gzip`` turns a kilobyte into a gigabyte,
and any client that unpacks what it is told to unpack holds it all.
"""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from xero_api.errors import EncodedAnswerError

PIECE_BYTES = 64 * 1024
"""The most that one step unpacks."""

_GZIP = 16 + zlib.MAX_WBITS
_PLAIN = frozenset({"", "identity"})
_PACKED = frozenset({"gzip", "x-gzip"})


class BadPackingError(Exception):
    """The body is not what its ``Content-Encoding`` says, or it breaks off."""


class Unpacker:
    """Unpacks one body."""

    def __init__(self, encoding: str) -> None:
        """Nothing is unpacked yet.

        Args:
            encoding: the answer's ``Content-Encoding``; empty if it has none.

        Raises:
            EncodedAnswerError: it is neither gzip, once, nor identity.
        """
        word = encoding.strip().lower()
        if word not in _PLAIN | _PACKED:
            raise EncodedAnswerError("an answer in a Content-Encoding that was not asked for")
        self._gzip = zlib.decompressobj(_GZIP) if word in _PACKED else None
        self._begun = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """A chunk of the body, unpacked, in pieces of at most :data:`PIECE_BYTES` (a plain chunk as it is).

        Args:
            chunk: as it came over the wire.

        Raises:
            BadPackingError: it is no gzip, or more comes after its end.
        """
        self._begun = self._begun or bool(chunk)
        if self._gzip is None:
            yield chunk
            return
        rest = chunk
        while rest:
            if self._gzip.eof:
                raise BadPackingError
            try:
                piece = self._gzip.decompress(rest, PIECE_BYTES)
            except zlib.error:
                raise BadPackingError from None
            if piece:
                yield piece
            rest = self._gzip.unconsumed_tail or self._gzip.unused_data

    def end(self) -> None:
        """The body is complete.

        Raises:
            BadPackingError: its packed form is not.
        """
        if self._gzip is not None and self._begun and not self._gzip.eof:
            raise BadPackingError


async def unpacked(encoding: str, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """A body as it comes, unpacked.

    Args:
        encoding: the answer's ``Content-Encoding``; empty if it has none.
        chunks: the body as it comes over the wire.

    Raises:
        EncodedAnswerError: see :class:`Unpacker`.
        BadPackingError: see :class:`Unpacker`.
    """
    unpacker = Unpacker(encoding)
    async for chunk in chunks:
        for piece in unpacker.pieces(chunk):
            yield piece
    unpacker.end()


async def whole(pieces: AsyncIterator[bytes], most: int) -> bytes | None:
    """A body as one, or None if it is longer than that; then no more of it is read.

    Args:
        pieces: the body, unpacked.
        most: bytes.
    """
    body = bytearray()
    async for piece in pieces:
        if len(body) + len(piece) > most:
            return None
        body += piece
    return bytes(body)
