"""Answers that would fill the memory: packed twice, packed very small, or without end. Memory is measured, over real HTTP."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache

import pytest

from tests.unit.xero_api.rig import TENANT, Tokens
from xero_api.call import Priority
from xero_api.calling.context import CallContext
from xero_api.client import XeroClient
from xero_api.errors import EncodedAnswerError, GarbledAnswerError, InterceptedError, OversizedAnswerError, XeroError
from xero_api.exchange import MOST_BYTES
from xero_api.oauth.identity import IdentityClient
from xero_api.oauth.token import ClientCredentials
from xero_api.registry import INVOICES
from xero_api.requests import get_page
from xero_api.verdicts import Act, Subject, act
from xero_stream.contracts.names import DEFAULT_APP

MIB = 1024 * 1024
CHUNK = bytes(64 * 1024)

Ask = Callable[[str], Awaitable[object]]


@cache
def packed_once() -> bytes:
    """256 MiB in 256 kB."""
    return gzip.compress(bytes(256 * MIB), 6)


@cache
def packed_twice() -> bytes:
    """The same in a kilobyte."""
    return gzip.compress(packed_once(), 9)


@asynccontextmanager
async def _answering(body: bytes, *, encoding: str = "", status: int = 200, again: int = 0) -> AsyncIterator[str]:
    """A server that gives every request this answer; ``again``: and then so many bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nxero-correlation-id: c\r\n"
            head += f"Content-Encoding: {encoding}\r\n" if encoding else ""
            writer.write(f"{head}Content-Length: {len(body) + again}\r\n\r\n".encode() + body)
            for _ in range(again // len(CHUNK)):
                writer.write(CHUNK)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _records(url: str) -> object:
    client = XeroClient(api_url=url, tokens=Tokens(), timeout=60)
    try:
        return await client.send(CallContext(DEFAULT_APP, TENANT, Priority.POLL), get_page(INVOICES, None))
    finally:
        await client.aclose()


async def _token(url: str) -> object:
    client = IdentityClient(identity_url=url, timeout=60)
    try:
        return await client.client_credentials(ClientCredentials(client_id="i", client_secret="s"), datetime.now(UTC))
    finally:
        await client.aclose()


async def _revocation(url: str) -> None:
    client = IdentityClient(identity_url=url, timeout=60)
    try:
        await client.revoke(ClientCredentials(client_id="i", client_secret="s"), "t")
    finally:
        await client.aclose()


async def _error(ask: Ask, url: str) -> tuple[XeroError, int]:
    """What it fails with, and the most memory it took meanwhile, bytes."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        with pytest.raises(XeroError) as raised:
            await ask(url)
        memory = tracemalloc.get_traced_memory()[1] - before
        return raised.value, memory
    finally:
        tracemalloc.stop()


SMALL, RECORDS = 8 * MIB, MOST_BYTES + 40 * MIB


@pytest.mark.parametrize(
    ("ask", "encoding", "status"),
    [
        *((_records, "gzip, gzip", status) for status in (200, 401, 429, 500)),
        *((_records, encoding, 200) for encoding in ("GZIP,gzip,gzip", "br", "deflate", "gzip\t, identity")),
        *((_token, "gzip, gzip", status) for status in (200, 400)),
        (_token, "deflate", 200),
        (_revocation, "gzip, gzip", 200),
    ],
)
async def test_an_encoding_that_was_not_asked_for_is_not_unpacked(ask: Ask, encoding: str, status: int) -> None:
    """A kilobyte stays one, whatever the status; the error is transient and says what to look for."""
    async with _answering(packed_twice(), encoding=encoding, status=status) as url:
        error, memory = await _error(ask, url)

    assert isinstance(error, EncodedAnswerError)
    assert act(error, Subject.LIST) is Act.RETRY
    assert ("XERO_API_URL" if ask is _records else "XERO_IDENTITY_URL") in error.hint
    assert memory < SMALL


@pytest.mark.parametrize("packed", [True, False])
async def test_records_are_read_up_to_64_mib_unpacked(packed: bool) -> None:
    """More is not read, and not held."""
    body, encoding, again = (packed_once(), "gzip", 0) if packed else (b"", "", 128 * MIB)
    async with _answering(body, encoding=encoding, again=again) as url:
        error, memory = await _error(_records, url)

    assert isinstance(error, OversizedAnswerError)
    assert act(error, Subject.LIST) is Act.POSTPONE
    assert act(error, Subject.BATCH) is Act.SPLIT
    assert memory < RECORDS


@pytest.mark.parametrize(
    ("ask", "packed", "status"),
    [(_token, True, 200), (_token, False, 200), (_token, False, 400), (_revocation, True, 200)],
)
async def test_an_identity_answer_is_read_up_to_one_mib_unpacked(ask: Ask, packed: bool, status: int) -> None:
    """300 MB of plain bytes, or 256 MiB in 256 kB: a megabyte is read."""
    body, encoding, again = (packed_once(), "gzip", 0) if packed else (b"", "", 300 * MIB)
    async with _answering(body, encoding=encoding, status=status, again=again) as url:
        error, memory = await _error(ask, url)

    assert isinstance(error, InterceptedError)
    assert "XERO_IDENTITY_URL" in error.hint
    assert memory < SMALL


@pytest.mark.parametrize(
    "body",
    [gzip.compress(bytes(MIB), 6)[:500], b"no gzip", gzip.compress(b"{}") + b"more", gzip.compress(b"{}")[:-4]],
    ids=["cut", "plain", "more after the end", "without its check value"],
)
@pytest.mark.parametrize("ask", [_records, _token])
async def test_a_packed_answer_that_breaks_off_is_an_error(ask: Ask, body: bytes) -> None:
    """What is no whole gzip is no answer; it is tried again."""
    async with _answering(body, encoding="gzip") as url:
        error, _ = await _error(ask, url)

    assert isinstance(error, GarbledAnswerError)
