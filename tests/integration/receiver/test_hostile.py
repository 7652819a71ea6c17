"""What strangers may send: every answer is empty and closed, and the next good request is served as ever."""

import asyncio
import gzip
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator

import orjson
import pytest

from tests.support.hostile import (
    BODY,
    EVENTS,
    LETTERS,
    MALFORMED,
    MANY,
    RIGHT,
    SIGNATURES,
    SMUGGLED,
    exchange,
    status_of,
)  # fmt: skip
from tests.support.receivers import RunningReceiver, read_all
from tests.support.webhooks import KEY, Maker, raw_request, sign


@pytest.fixture(autouse=True)
async def _still_well(receiver: RunningReceiver) -> AsyncIterator[None]:
    yield
    assert (await receiver.post(Maker(seed=22).body())).status_code == 200


@pytest.mark.parametrize("name", SIGNATURES)
async def test_signature(receiver: RunningReceiver, name: str) -> None:
    """A signature that is not the right one is answered 401, empty, whatever is wrong with it."""
    answer = await exchange(receiver.port, raw_request(BODY, signature=None, headers=SIGNATURES[name]))

    assert status_of(answer) == 401


async def test_all_rejections_are_alike(receiver: RunningReceiver) -> None:
    """Nothing in a rejection tells what was wrong, nor whether an app exists."""
    answers = {
        (await exchange(receiver.port, raw_request(BODY, signature=None, headers=headers))).split(b"\r\nDate")[0]
        for headers in SIGNATURES.values()
    }
    answers.add((await exchange(receiver.port, raw_request(BODY, path="/webhooks/xero/nobody"))).split(b"\r\nDate")[0])

    assert len(answers) == 1


async def test_white_space_around_the_header(receiver: RunningReceiver) -> None:
    """White space around a header's value is no part of it (RFC 9110, 5.5), so a proxy may add it."""
    answer = await exchange(
        receiver.port, raw_request(BODY, signature=None, headers=(("x-xero-signature", f" {RIGHT} \t"),))
    )

    assert status_of(answer) == 200


async def test_megabyte_of_header(receiver: RunningReceiver) -> None:
    """A header larger than 8 KiB is no request."""
    request = raw_request(BODY, signature="A" * 1_000_000)

    answer = await exchange(receiver.port, request)

    assert answer == b"" or status_of(answer) == 400


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED)
async def test_malformed(receiver: RunningReceiver, request_bytes: bytes) -> None:
    """What is no proper HTTP, smuggling attempts first, is answered 400 and the connection closed."""
    answer = await exchange(receiver.port, request_bytes)

    assert status_of(answer) == 400
    assert b"Connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


SECOND = raw_request(BODY)
"""A good request inside the body of another: who is deceived about where a body ends would answer it."""


@pytest.mark.parametrize("fields", SMUGGLED)
async def test_smuggling(receiver: RunningReceiver, fields: bytes) -> None:
    """Where lengths are doubtful there is one answer, not a good one, and the connection is closed: nothing is smuggled."""
    before = await receiver.metrics()
    hidden = b"0\r\n\r\n" + SECOND

    answer = await exchange(
        receiver.port, b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n\r\n" + hidden
    )

    assert answer.count(b"HTTP/1.1 ") == 1
    assert status_of(answer) == 400
    assert b"Connection: close" in answer
    accepted = 'xero_stream_receiver_requests_total{outcome="accepted"}'
    assert (await receiver.metrics())[accepted] == before[accepted]


@pytest.mark.parametrize(
    "parts",
    [[b"1\r\na\r\n"] * 100, [b"1;" + b"x" * 50 + b"\r\na\r\n"] * 100, [b"0\r\n", *[b"X: y\r\n"] * 100]],
    ids=["chunks", "chunks with extensions", "trailers"],
)
async def test_chunks_without_end(receiver: RunningReceiver, parts: list[bytes]) -> None:
    """A body in chunks that never ends is cut off in time."""
    started = time.monotonic()
    head = raw_request(b"", signature=RIGHT, headers=(("Transfer-Encoding", "chunked"),), length=-1)

    answer = await exchange(receiver.port, head, *parts, pause=0.1)

    assert answer == b"" or status_of(answer) in (400, 408)
    assert time.monotonic() - started < 11.5


async def test_odd_bodies(receiver: RunningReceiver) -> None:
    """Each is answered 200, and is in the log: as its event, or else whole as a dead letter."""
    odd = {**LETTERS, **EVENTS}
    answers = {name: (await receiver.post(body)).status_code for name, body in odd.items()}

    assert answers == dict.fromkeys(odd, 200)
    letters = {record.value for record in await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.dead-letters")}
    events = Counter(
        orjson.loads(record.value)["delivery_id"]
        for record in await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    )
    assert {name for name, body in LETTERS.items() if body in letters} == set(LETTERS)
    assert {name for name, body in EVENTS.items() if body in letters} == set()
    logged = {name: events[hashlib.sha256(body).hexdigest()[:32]] for name, body in odd.items()}
    assert logged == {**dict.fromkeys(LETTERS, 0), **dict.fromkeys(EVENTS, 1)}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW"])
async def test_other_methods(receiver: RunningReceiver, method: str) -> None:
    """Only POST is taken."""
    request = raw_request(BODY).replace(b"POST ", method.encode() + b" ", 1)

    answer = await exchange(receiver.port, request)

    assert status_of(answer) in ((400, 404, 405) if method in ("CONNECT", "BREW") else (405,))


async def test_largest_body(receiver: RunningReceiver) -> None:
    """A body of exactly 4 MiB is read; one byte more is 413, whether its length is told or not."""
    limit = 4 * 1024 * 1024
    exact = BODY + b" " * (limit - len(BODY))

    assert (await receiver.post(exact)).status_code == 200
    assert (await receiver.post(exact + b" ")).status_code == 413
    chunks = [b"%x\r\n" % 65_536 + b" " * 65_536 + b"\r\n"] * 65
    request = raw_request(b"", signature=RIGHT, headers=(("Transfer-Encoding", "chunked"),), length=-1)
    assert status_of(await exchange(receiver.port, request, *chunks, b"0\r\n\r\n")) == 413


async def test_many_events(receiver: RunningReceiver) -> None:
    """Each is answered 200, its events or the whole of it are in the log, and the worker stays within its memory."""
    answers = {name: (await receiver.post(body)).status_code for name, (body, _, _) in MANY.items()}

    assert answers == dict.fromkeys(MANY, 200)
    assert receiver.resident_bytes() < 200_000_000
    letters = {record.value for record in await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.dead-letters")}
    events = Counter(
        orjson.loads(record.value)["delivery_id"]
        for record in await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    )
    for name, (body, count, is_letter) in MANY.items():
        assert (body in letters) is is_letter, name
        assert events[hashlib.sha256(body).hexdigest()[:32]] == count, name


async def test_forms_of_a_request(receiver: RunningReceiver) -> None:
    """RFC 9110 and 9112 on the wire: absolute-form, an empty coding, another version, more than one Host or none."""
    good = raw_request(BODY)
    forms = [
        (good.replace(b"POST /", b"POST http://receiver/", 1), 200),
        (good.replace(b"POST /", b"POST https://receiver:443/", 1), 200),
        (good.replace(b"POST /webhooks/xero ", b"POST http://receiver/elsewhere ", 1), 404),
        (raw_request(BODY, headers=(("Content-Encoding", ""),)), 200),
        (raw_request(BODY, headers=(("Content-Encoding", "gzip"),)), 415),
        (good.replace(b"HTTP/1.1", b"HTTP/2.0", 1), 505),
        (good.replace(b"HTTP/1.1", b"HTTP/0.9", 1), 505),
        (good.replace(b"Host: receiver\r\n", b"", 1), 400),
        (raw_request(BODY, headers=(("Host", "another"),)), 400),
    ]

    assert [status_of(await exchange(receiver.port, form)) for form, _ in forms] == [status for _, status in forms]


async def test_announced_length_alone(receiver: RunningReceiver) -> None:
    """A body that is announced too large is refused before it is sent."""
    answer = await exchange(receiver.port, raw_request(b"", signature=RIGHT, length=10**12))

    assert status_of(answer) == 413


async def test_chunked_body(receiver: RunningReceiver) -> None:
    """A body in chunks is as good as any."""
    request = raw_request(b"", signature=RIGHT, headers=(("Transfer-Encoding", "chunked"),), length=-1)
    half = len(BODY) // 2
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:half], BODY[half:])]

    assert status_of(await exchange(receiver.port, request, *chunks, b"0\r\n\r\n", pause=0.01)) == 200


async def test_content_encoding(receiver: RunningReceiver) -> None:
    """A compressed body is refused unread: no bomb goes off."""
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    before = receiver.resident_bytes()

    for encoding in ("gzip", "deflate", "br", "identity, gzip", "x"):
        answer = await receiver.post(bomb, content_encoding=encoding)
        assert (answer.status_code, answer.content) == (415, b"")

    assert receiver.resident_bytes() - before < 30_000_000
    assert (await receiver.post(BODY, content_encoding="identity")).status_code == 200


async def test_expect_continue(receiver: RunningReceiver) -> None:
    """A sender that asks first is told to go on."""
    request = raw_request(BODY, headers=(("Expect", "100-continue"),))
    head, body = request[: -len(BODY)], BODY

    answer = await exchange(receiver.port, head, body, pause=0.2)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_http_1_0(receiver: RunningReceiver) -> None:
    """An old client gets its answer, and the connection is closed."""
    answer = await exchange(receiver.port, raw_request(BODY).replace(b"HTTP/1.1", b"HTTP/1.0", 1))

    assert status_of(answer) == 200
    assert b"Connection: close" in answer


async def test_pipelined(receiver: RunningReceiver) -> None:
    """Requests sent without waiting are answered one after another, in order."""
    good, bad = raw_request(BODY), raw_request(BODY, signature="wrong")
    last = raw_request(BODY, headers=(("Connection", "close"),))

    answer = await exchange(receiver.port, good + bad + good + last, answers=4)

    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"401", b"200", b"200"]


async def test_body_that_does_not_come(receiver: RunningReceiver) -> None:
    """A body that stops half-way, or drips, is cut off in time."""
    request = raw_request(BODY, length=len(BODY))
    started = time.monotonic()

    stopped, dripping = await asyncio.gather(
        exchange(receiver.port, request[:-10]),
        exchange(receiver.port, request[: -len(BODY)], *[bytes([byte]) for byte in BODY[:100]], pause=0.1),
    )

    assert status_of(stopped) == 408
    assert dripping == b"" or status_of(dripping) == 408
    assert time.monotonic() - started < 11.5


async def test_head_that_does_not_come(receiver: RunningReceiver) -> None:
    """A head that stops half-way is cut off without an answer, long before an idle connection would be."""
    before = (await receiver.metrics())['xero_stream_receiver_connections_cut_total{reason="header"}']
    started = time.monotonic()

    answer = await exchange(receiver.port, b"POST /webhooks/xero HTTP/1.1\r\nHost:")

    assert answer == b""
    assert 3 < time.monotonic() - started < 8
    after = (await receiver.metrics())['xero_stream_receiver_connections_cut_total{reason="header"}']
    assert after - before == 1


async def test_sender_that_leaves(receiver: RunningReceiver) -> None:
    """A sender that leaves in the middle of its body is counted and forgotten."""
    before = await receiver.metrics()
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(raw_request(BODY)[:-5])
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    await asyncio.sleep(0.3)
    after = await receiver.metrics()
    gone = 'xero_stream_receiver_requests_total{outcome="gone"}'
    assert after[gone] - before[gone] == 20
    assert after["xero_stream_receiver_connections"] <= before["xero_stream_receiver_connections"] + 2


async def test_slow_strangers_do_not_slow_good_requests(receiver: RunningReceiver) -> None:
    """While hundreds of connections dribble heads and bodies, good requests are answered as fast as ever."""
    maker = Maker(seed=23)

    async def worst(count: int) -> float:
        slowest = 0.0
        for _ in range(count):
            started = time.monotonic()
            assert (await receiver.post(maker.body())).status_code == 200
            slowest = max(slowest, time.monotonic() - started)
        return slowest

    calm = await worst(100)
    writers = []
    for number in range(300):
        _, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        request = raw_request(BODY, length=1_000_000)
        writer.write(request[:40] if number % 2 else request)
        writers.append(writer)
    busy = await worst(100)
    for writer in writers:
        writer.close()

    assert busy < max(2 * calm, 0.5)


async def test_nothing_secret_is_logged(receiver: RunningReceiver) -> None:
    """Keys, signatures and bodies are in no line of the log, whatever was sent."""
    canary = "canary-7d1f0c"
    good, bad = (f'{{"events":[{{"note":"{canary}"}}],"n":{n}}}'.encode() for n in range(2))
    await receiver.post(good)
    await receiver.post(bad, signature=sign(good))
    await receiver.post(f"{canary} is no JSON".encode())
    await exchange(receiver.port, raw_request(good, headers=(("X-Odd", f"{canary}\0"),)))
    await exchange(receiver.port, raw_request(good, path=f"/{canary}"))
    await receiver.post(good, path=f"/webhooks/xero/{canary}")

    logged = receiver.logged()

    assert "request_rejected" in logged
    assert "dead_letter" in logged
    for secret in (canary, KEY, sign(good), sign(bad), "nz-newer-key-of-the-file-0123456789"):
        assert secret not in logged


async def test_sender_that_never_reads(receiver: RunningReceiver) -> None:
    """A sender that pipelines without end and reads nothing is cut off; its answers don't pile up in memory."""
    before = receiver.resident_bytes()
    _, writer = await asyncio.open_connection("127.0.0.1", receiver.port, limit=1)
    flood = raw_request(b"", signature="wrong") * 2_000

    async def send(times: int) -> None:
        for _ in range(times):
            writer.write(flood)
            await writer.drain()

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(send(400), 60)
    writer.close()

    assert receiver.resident_bytes() - before < 30_000_000
