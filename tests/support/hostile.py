"""What strangers send to a webhook receiver, made by hand: requests as bytes on the wire, and what they are answered."""

import asyncio
import gzip
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.webhooks import Maker, raw_request, sign

BODY = Maker(seed=21).body()


async def exchange(port: int, *parts: bytes, answers: int = 1, pause: float = 0.0) -> bytes:
    """Send bytes, in parts with pauses, and read until the receiver closes or all answers are here.

    Args:
        port: to whom.
        parts: what to send.
        answers: how many answers to wait for, if it doesn't close before.
        pause: seconds after each part.

    Returns:
        Everything that came back.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(10):
            while chunk := await reader.read(65_536):
                answer += chunk
                if answer.count(b"Content-Length: 0") == answers and b"Connection: close" not in answer:
                    break
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return answer


def status_of(answer: bytes) -> int:
    """The first answer's status; its body must be empty and it must name nobody."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: 0" in head
    assert body == b"" or body.startswith(b"HTTP/1.1 ")
    for name in (b"Server:", b"Set-Cookie:", b"Content-Type:"):
        assert name not in head
    return int(head.split(b" ")[1])


RIGHT = sign(BODY)
SIGNATURES: dict[str, tuple[tuple[str, str], ...]] = {
    "absent": (),
    "empty": (("x-xero-signature", ""),),
    "wrong": (("x-xero-signature", "A" * 43 + "="),),
    "doubled": (("x-xero-signature", RIGHT), ("X-Xero-Signature", RIGHT)),
    "right and wrong": (("x-xero-signature", RIGHT), ("x-xero-signature", "A" * 43 + "=")),
    "in one header": (("x-xero-signature", f"{RIGHT}, {RIGHT}"),),
    "inner space": (("x-xero-signature", RIGHT[:20] + " " + RIGHT[20:]),),
    "trailing no-break space": (("x-xero-signature", RIGHT + "\xa0"),),
    "hex": (("x-xero-signature", "a" * 64),),
    "quoted": (("x-xero-signature", f'"{RIGHT}"'),),
    "without padding": (("x-xero-signature", RIGHT.rstrip("=")),),
    "case": (("x-xero-signature", RIGHT.swapcase()),),
    "65 characters": (("x-xero-signature", RIGHT + "=" * 21),),
    "8,000 characters": (("x-xero-signature", "A" * 8_000),),
    "no ASCII": (("x-xero-signature", "ß" + RIGHT[1:]),),
    "no UTF-8": (("x-xero-signature", "\udcff" + RIGHT[1:]),),
    "of another key": (("x-xero-signature", sign(BODY, "another")),),
    "of the body spelt anew": (("x-xero-signature", sign(BODY.replace(b",", b", "))),),
    "under another name": (("x-xero-signature2", RIGHT), ("xero-signature", RIGHT)),
}


LETTERS: dict[str, bytes] = {
    "100,000 deep": b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "1,000 deep": b'{"events":[{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}]}",
    "NaN": b'{"events":[{"a":NaN}]}',
    "Infinity": b'{"events":[{"a":-Infinity}]}',
    "beyond a double": b'{"events":[{"a":1e400}]}',
    "lone surrogate": b'{"events":[{"a":"\\ud800"}]}',
    "lone surrogates in a name": b'{"events":[{"\\udc00":1}]}',
    "bytes of a surrogate": b'{"events":[{"a":"\xed\xa0\x80"}]}',
    "overlong": b'{"events":[{"a":"\xc0\xaf"}]}',
    "UTF-16": '{"events":[{}]}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"events":[{}]}',
    "two documents": b'{"events":[{}]}{"events":[{}]}',
    "comment": b'{"events":[{}]} // really',
    "NUL": b'{"events":[{}]}\0',
}
"""Rightly signed, and no deliveries."""

EVENTS: dict[str, bytes] = {
    "a name twice": b'{"events":[{"tenantId":"a","tenantId":"b"}]}',
    "events twice": b'{"events":[{"a":1}],"events":[{"a":2}]}',
    "200 deep": b'{"events":[{"a":' + b"[" * 200 + b"]" * 200 + b"}]}",
    "odd kinds": b'{"events":[{"tenantId":7,"eventCategory":[],"resourceId":null,"eventDateUtc":{}}]}',
    "escaped NUL": b'{"events":[{"tenantId":"\\u0000","eventCategory":"\\u0000"}]}',
    "huge tenant": b'{"events":[{"tenantId":"' + b"t" * 100_000 + b'"}]}',
    "huge numbers": b'{"events":[{}],"firstEventSequence":18446744073709551615,"lastEventSequence":-1e99}',
    "a pair of surrogates": b'{"events":[{"a":"\\ud83d\\ude00"}]}',
}
"""Odd, and one event each."""


MANY: dict[str, tuple[bytes, int, bool]] = {
    "1,000 events": (Maker(seed=31).body(1_000), 1_000, False),
    "12,000 events": (Maker(seed=32).body(12_000), 12_000, False),
    "2,000 empty events": (b'{"events":[' + b",".join([b"{}"] * 2_000) + b"]}", 2_000, False),
    "100,000 empty events": (b'{"events":[' + b",".join([b"{}"] * 100_000) + b"]}", 0, True),
    "300,000 empty events": (b'{"events":[' + b",".join([b"{}"] * 300_000) + b"]}", 0, True),
    "1,390,000 empty events": (b'{"events":[' + b",".join([b"{}"] * 1_390_000) + b"]}", 0, True),
    "1,390,000 empty lists": (b'{"events":[' + b",".join([b"[]"] * 1_390_000) + b"]}", 0, True),
    "500,000 nested objects": (b'{"events":[' + b",".join([b'{"":{}}'] * 500_000) + b"]}", 0, True),
    "2,000 lists, 1,000 deep": (b'{"events":[' + b",".join([b"[" * 1_000 + b"]" * 1_000] * 2_000) + b"]}", 0, True),
    "one string": (b'{"events":[{"a":"' + "😀".encode() + b"a" * 4_000_000 + b'"}]}', 1, False),
}
"""Rightly signed: the body, how many events of it are in the log, and whether it is a dead letter."""


MALFORMED = dict(
    zip(
        [
            "no HTTP",
            "version",
            "TLS hello",
            "two lengths",
            "length and chunks",
            "negative length",
            "odd length",
            "NUL",
            "space before colon",
            "bad chunk",
            "200 headers",
            "long path",
        ],
        [
            b"nonsense\r\n\r\n",
            b"POST /webhooks/xero HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n",
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
            b"POST /webhooks/xero HTTP/1.1\r\nHost : a\r\n\r\n",
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
            b"POST /webhooks/xero HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            b"POST " + b"/x" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
        strict=True,
    )
)
"""No proper HTTP: 400, and the connection is closed."""

SMUGGLED = [
    b"Content-Length: 5, 5",
    b"Content-Length: +5",
    b"Content-Length: 0x5",
    b"Content-Length: 5\r\n\t5",
    b"Content-Length : 5",
    b"Content-Length:",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding:\r\n chunked, x",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked, x",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    b"Content-Length: 5\r\ntransfer-encoding: CHUNKED",
]
"""Fields that leave the length of a body in doubt: 400, and the connection is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A hostile request.

    Attributes:
        name: what is odd about it.
        parts: its bytes, sent one after another.
        statuses: the answers that are right; none at all is 0.
        body: where it is signed rightly: what has to be on Kafka after a 200.
        pause: seconds after each part.
        leaves: the sender does not wait for an answer.
    """

    name: str
    parts: tuple[bytes, ...]
    statuses: tuple[int, ...]
    body: bytes | None = None
    pause: float = 0.0
    leaves: bool = False


def chunked(body: bytes, size: int) -> bytes:
    """A rightly signed request whose body comes in chunks."""
    head = raw_request(b"", signature=sign(body), headers=(("Transfer-Encoding", "chunked"),), length=-1)
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks) + b"0\r\n\r\n"


def cases() -> list[Case]:
    """All of them, more than 400."""
    return [
        *_signatures(), *_bodies(), *_heads(), *_framing(), *_large(), *_codings(), *_slow(),
    ]  # fmt: skip


def _signatures() -> Iterator[Case]:
    for path in (
        "/webhooks/xero",
        "/webhooks/xero?a=b",
        "/webhooks/xero/default",
        "/webhooks/xero/nobody",
        "http://receiver/webhooks/xero",
    ):
        for name, headers in SIGNATURES.items():
            request = raw_request(BODY, signature=None, path=path, headers=headers)
            yield Case(name=f"signature {name}, {path}", parts=(request,), statuses=(401,))
    for path in ("default2", "DEFAULT", "x" * 4_000, "%64efault", "a%00b", "..", "default;a"):
        request = raw_request(BODY, path=f"/webhooks/xero/{path}")
        yield Case(name=f"app {path[:20]}", parts=(request,), statuses=(401,))


def _bodies() -> Iterator[Case]:
    for name, body in {**LETTERS, **EVENTS}.items():
        yield Case(name=f"body {name}", parts=(raw_request(body),), statuses=(200,), body=body)
        yield Case(name=f"body {name}, in chunks", parts=(chunked(body, 4_096),), statuses=(200,), body=body)
        request = raw_request(body)
        at = len(request) - len(body) // 2 - 1
        parts = (request[:at], request[at:])
        yield Case(name=f"body {name}, in two parts", parts=parts, statuses=(200,), body=body, pause=0.02)
        yield Case(name=f"body {name}, unsigned", parts=(raw_request(body, signature=None),), statuses=(401,))


def _heads() -> Iterator[Case]:
    good = raw_request(BODY)
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"):
        request = good.replace(b"POST ", method.encode() + b" ", 1)
        yield Case(name=f"method {method}", parts=(request,), statuses=(405,))
        elsewhere = request.replace(b"/webhooks/xero", b"/elsewhere", 1)
        yield Case(name=f"method {method} elsewhere", parts=(elsewhere,), statuses=(404,))
    for method in ("CONNECT", "BREW", "post", "P OST", "POST\x01"):
        request = good.replace(b"POST ", method.encode() + b" ", 1)
        yield Case(name=f"method {method!r}", parts=(request,), statuses=(400, 404, 405))
    for path in (
        "/", "*", "//", "/webhooks", "/webhooks/xerox", "/webhooks/xero/a/b", "//webhooks/xero", "/livez", "/readyz", "/metrics",
        "/webhooks/xero/../../metrics", "/WEBHOOKS/XERO", "/webhooks%2fxero", "/webhooks/xero%00", "http://receiver",
        "http://receiver/metrics", "ftp://receiver/webhooks/xero", "/webhooks//xero", "/webhooks/xero/a/",
    ):  # fmt: skip
        wanted = (401,) if path == "/webhooks/xero/a/" else (400, 404)
        yield Case(name=f"path {path}", parts=(raw_request(BODY, path=path),), statuses=wanted)
    for version, statuses in (
        ("HTTP/0.9", (505,)), ("HTTP/2.0", (505,)), ("HTTP/1.2", (400, 505)), ("HTTP/3.0", (400, 505)), ("HTTP/9.9", (400, 505)),
        ("HTTP/1", (400,)), ("HTTP/11", (400,)), ("http/1.1", (400,)), ("HTTP/1.1 x", (400,)), ("HTTPS/1.1", (400,)), ("ICE/1.0", (400, 405)),
    ):  # fmt: skip
        yield Case(name=version, parts=(good.replace(b"HTTP/1.1", version.encode(), 1),), statuses=statuses)
    for name, field, statuses in (
        ("NUL", "X: a\0b", (400,)), ("no colon", "nonsense", (400,)), ("blank before colon", "X : a", (400,)), ("no name", ": a", (400,)),
        ("blank in name", "X Y: a", (400,)), ("control in name", "X\x01: a", (400,)), ("bare CR", "X: a\rb", (400,)), ("folded", "X: a\r\n b", (400,)),
        ("control in value", "X: a\x01b", (200, 400)), ("tab in value", "X: a\tb", (200,)), ("8,000 characters", "X: " + "a" * 8_000, (200,)),
        ("9,000 characters", "X: " + "a" * 9_000, (400,)), ("name of 9,000", "X" * 9_000 + ": a", (400,)),
        ("100 fields", "\r\n".join(["X: y"] * 100), (200,)), ("200 fields", "\r\n".join(["X: y"] * 200), (400,)),
        ("no ASCII", "X: ß", (200,)), ("no UTF-8", "X: \udcff", (200,)), ("second Host", "Host: another", (400,)),
        ("traceparent of nonsense", "traceparent: " + "f" * 600, (200,)), ("traceparent of nulls", "traceparent: 00-" + "0" * 32 + "-" + "0" * 16 + "-01", (200,)),
        ("forwarded", "X-Forwarded-For: 127.0.0.1", (200,)), ("cookie", "Cookie: a=b; " + "c" * 4_000, (200,)), ("basic", "Authorization: Basic YTpi", (200,)),
        ("websocket", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", (200,)),
        ("h2c", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA", (200,)),
        ("range", "Range: bytes=0-1", (200,)), ("TE", "TE: trailers, gzip", (200,)), ("close", "Connection: close", (200,)),
        ("expectation of its own", "Expect: miracles", (200,)), ("asks first", "Expect: 100-continue", (100, 200)),
    ):  # fmt: skip
        head = (tuple(field.split(": ", 1)),) if field.count(": ") == 1 and "\r\n" not in field else None
        if head is not None and len(head[0]) == 2:
            request = raw_request(BODY, headers=((head[0][0], head[0][1]),))
        else:
            request = good.replace(b"Accept: */*", field.encode("utf-8", "surrogateescape"), 1)
        yield Case(name=f"field {name}", parts=(request,), statuses=statuses, body=BODY if 200 in statuses else None)


def _framing() -> Iterator[Case]:
    for name, request in MALFORMED.items():
        yield Case(name=name, parts=(request,), statuses=(400,))
    for fields in SMUGGLED:
        for path in (b"/webhooks/xero", b"/elsewhere"):
            request = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n\r\n0\r\n\r\n" + raw_request(BODY)
            yield Case(name=f"smuggled {fields!r} to {path!r}", parts=(request,), statuses=(400,))
    head = raw_request(b"", signature=RIGHT, headers=(("Transfer-Encoding", "chunked"),), length=-1)
    for chunk in (
        b"-1\r\n", b"+5\r\nhello\r\n", b"0x5\r\nhello\r\n", b" 5\r\nhello\r\n", b"5 \r\nhello\r\n", b"5\nhello\n", b"5\r\nhello!\r\n", b"5\r\nhell\r\n",
        b"fffffffffffffffff\r\n", b"\r\n", b"g\r\n", b"5;" + b"x" * 20_000 + b"\r\nhello\r\n", b"5\rhello\r\n", b"5\r\nhello0\r\n\r\n",
    ):  # fmt: skip
        yield Case(name=f"chunk {chunk[:20]!r}", parts=(head + chunk + b"0\r\n\r\n",), statuses=(400, 401, 408))
    good, bad = raw_request(BODY), raw_request(BODY, signature="wrong")
    for name, requests, first in (
        ("good, bad, good", (good, bad, good), 200), ("bad, good", (bad, good), 401), ("100 bad", (bad,) * 100, 401),
        ("good, nonsense", (good, b"nonsense\r\n\r\n"), 400), ("good, half", (good, good[:40]), 200), ("blank lines first", (b"\r\n\r\n", good), 200),
    ):  # fmt: skip
        last = raw_request(BODY, headers=(("Connection", "close"),)) if name != "good, half" else b""
        yield Case(
            name=f"pipelined {name}",
            parts=(b"".join(requests) + last,),
            statuses=(first, 400) if "nonsense" in name else (first,),
        )


def _large() -> Iterator[Case]:
    for name, (body, _, _) in MANY.items():
        yield Case(name=name, parts=(raw_request(body),), statuses=(200, 503), body=body)
        yield Case(name=f"{name}, in chunks", parts=(chunked(body, 100_000),), statuses=(200, 503), body=body)
        yield Case(name=f"{name}, wrongly signed", parts=(raw_request(body, signature="x"),), statuses=(401, 503))
    limit = 4 * 1024 * 1024
    full = BODY + b" " * (limit - len(BODY))
    yield Case(name="4 MiB", parts=(raw_request(full),), statuses=(200, 503), body=full)
    yield Case(name="4 MiB and a byte", parts=(raw_request(full + b" "),), statuses=(413,))
    yield Case(name="more than 4 MiB in chunks", parts=(chunked(full + b" " * 70_000, 65_536),), statuses=(413,))
    for length in (limit + 1, 2**31, 2**63 - 1, 10**12):
        yield Case(
            name=f"{length} announced", parts=(raw_request(b"", signature=RIGHT, length=length),), statuses=(413,)
        )
    for length in (2**64, 10**30):
        yield Case(
            name=f"{length} announced", parts=(raw_request(b"", signature=RIGHT, length=length),), statuses=(400,)
        )
    chance = random.Random(14)
    for number in range(6):
        noise = chance.randbytes(700_000 * number + 1)
        yield Case(name=f"{len(noise)} random bytes", parts=(raw_request(noise),), statuses=(200, 503), body=noise)


def _codings() -> Iterator[Case]:
    bomb = gzip.compress(bytes(50_000_000), compresslevel=9)
    for coding in (
        "gzip",
        "deflate",
        "br",
        "zstd",
        "x",
        "identity, gzip",
        "gzip, gzip",
        "GZIP",
        ",gzip",
        "identity;q=1",
        '"identity"',
    ):
        yield Case(
            name=f"coding {coding}",
            parts=(raw_request(bomb, headers=(("Content-Encoding", coding),)),),
            statuses=(415,),
        )
    for coding in ("", "identity", "IDENTITY", " , ", "identity, identity"):
        request = raw_request(BODY, headers=(("Content-Encoding", coding),))
        yield Case(name=f"coding {coding!r}", parts=(request,), statuses=(200,), body=BODY)


def _slow() -> Iterator[Case]:
    good = raw_request(BODY)
    for at in (1, 5, 20, 60, 120, 160):
        yield Case(name=f"head stops after {at}", parts=(good[:at],), statuses=(0,))
    for missing in (1, 10, 100, len(BODY)):
        yield Case(name=f"body stops {missing} early", parts=(good[:-missing],), statuses=(408,))
    drops = tuple(bytes([byte]) for byte in BODY[:60])
    yield Case(name="body drips", parts=(good[: -len(BODY)], *drops), statuses=(0, 408), pause=0.1)
    yield Case(name="head drips", parts=tuple(bytes([byte]) for byte in good[:70]), statuses=(0,), pause=0.1)
    yield Case(name="silent", parts=(b"",), statuses=(0,), leaves=True)
    for at in (10, 100, -100, -1):
        yield Case(name=f"leaves at {at}", parts=(good[:at],), statuses=(0,), leaves=True)


def generated(seed: int, count: int) -> Iterator[bytes]:
    """Bodies of JSON's costliest parts, up to 4 MiB, the same for the same seed."""
    chance = random.Random(seed)
    parts: Sequence[bytes] = [
        b"{}", b"[]", b"1", b'"a"', b'""', "\"😀\"".encode(), b'{"":{}}', b'{"":[]}', b"[" * 900 + b"]" * 900, b'{"":' * 900 + b"1" + b"}" * 900,
        b'{"tenantId":"0e8d2e0c-9f6c-4a58-8c2b-2b6a6f0a8f11"}', b'{"a":' + b"9" * 300 + b"}", b"1e400", b"{", b'"\xff"', BODY[11:300],
    ]  # fmt: skip
    for _ in range(count):
        some = [chance.choice(parts) for _ in range(chance.randint(1, 4))]
        round_ = b",".join(some)
        size = int(10 ** chance.uniform(2, 6.62))
        yield (b'{"events":[' + b",".join([round_] * max(1, size // len(round_))) + b"]}")[: 4 * 1024 * 1024]
