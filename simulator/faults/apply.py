"""Faults on the wire: late, cut, dripping and lost answers, wrong dates."""

import asyncio
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from simulator.compression import SMALLEST, packed, takes_gzip
from simulator.errors import by_status, role_missing, scope_missing
from simulator.faults.plan import (
    Date,
    Drip,
    Firewall,
    Hang,
    Latency,
    Operation,
    Proxy,
    RateLimit,
    Reset,
    RoleMissing,
    ScopeMissing,
    Stale,
    Status,
    TokenFault,
    Truncate,
)
from simulator.reply import Reply
from simulator.world import World

_LOOK_EVERY = 0.05
_AT_ONCE_CLOSED = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What a request suffers: at most one of each.

    Attributes:
        stranger: who answers in Xero's place.
    """

    latency_ms: float = 0.0
    stale_ms: float = 0.0
    date_offset: float = 0.0
    stranger: Firewall | Proxy | None = None
    status: Status | None = None
    rate_limit: RateLimit | None = None
    token_error: TokenFault | None = None
    truncate: Truncate | None = None
    drip: Drip | None = None
    reset: Reset | None = None
    hang: Hang | None = None

    @property
    def unhandled(self) -> bool:
        """The request has no effect."""
        return any(fault is not None and not fault.handled for fault in (self.status, self.reset, self.hang))


class Faults:
    """Applies the world's plan to requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._base_ms = world.settings.api_latency_ms
        self._date = (0, "")

    def strike(self, operation: Operation, tenant_id: str = "", endpoint: str = "") -> Struck:
        """What happens to this request."""
        if not self._world.faults:
            return Struck(latency_ms=self._base_ms) if self._base_ms else _SPARED
        return self._sum_up(self._world.faults.decide(operation, tenant_id, endpoint, self._world.fault_dice.random))

    def _sum_up(self, faults: Sequence[Any]) -> Struck:
        found: dict[str, Any] = {"latency_ms": self._base_ms}
        for fault in faults:
            match fault:
                case Latency():
                    found["latency_ms"] += fault.ms + self._world.fault_dice.uniform(0, fault.jitter_ms)
                case Stale():
                    found["stale_ms"] = max(found.get("stale_ms", 0.0), fault.seconds * 1000)
                case Date():
                    found["date_offset"] = fault.offset_seconds
                case RoleMissing():
                    found.setdefault("status", _in_words(role_missing(self._world.answer_id())))
                case ScopeMissing():
                    found.setdefault("status", _in_words(scope_missing(self._world.answer_id())))
                case _:  # the plan refuses faults of webhooks for requests
                    found.setdefault(_PLACES[type(fault)], fault)
        return Struck(**found)

    def date(self, offset_seconds: float = 0.0) -> str:
        """The ``Date`` header by the simulator's clock."""
        second = self._world.clock.now_ms() // 1000
        if offset_seconds:
            return formatdate(second + offset_seconds, usegmt=True)
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]

    async def send(self, request: web.Request, reply: Reply, struck: Struck | None = None) -> web.StreamResponse:
        """Answer a request, as spoiled as it has to be."""
        struck = struck or _SPARED
        headers = {"Content-Type": reply.content_type, "Date": self.date(struck.date_offset), **reply.headers}
        if struck.hang is not None:
            await self._hang(request, struck.hang.seconds)
            return await self._cut(request, reply, headers, 0)
        if struck.reset is not None:
            return await self._cut(request, reply, headers, struck.reset.after_bytes)
        body = reply.body
        if struck.truncate is not None:
            body = body[: int(len(body) * struck.truncate.fraction)]
        if len(body) >= SMALLEST and reply.content_type.startswith(_PACKED):
            headers["Vary"] = "Accept-Encoding"
            if takes_gzip(request.headers.get("Accept-Encoding", "")):
                headers["Content-Encoding"] = "gzip"
                body = packed(body)
        if struck.drip is not None:
            return await self._drip(request, reply.status, headers, body, struck.drip)
        return web.Response(status=reply.status, body=body, headers=headers)

    @staticmethod
    async def _hang(request: web.Request, seconds: float) -> None:
        """Until the client has gone: the server library tells nobody, so it is looked for."""
        end = asyncio.get_running_loop().time() + seconds
        while request.transport is not None and not request.transport.is_closing():
            if asyncio.get_running_loop().time() >= end:
                return
            await asyncio.sleep(_LOOK_EVERY)

    @staticmethod
    async def _drip(
        request: web.Request, status: int, headers: dict[str, str], body: bytes, drip: Drip
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        for start in range(0, len(body), drip.chunk_bytes):
            if start:
                await asyncio.sleep(drip.every_ms / 1000)
            await response.write(body[start : start + drip.chunk_bytes])
        await response.write_eof()
        return response

    @staticmethod
    async def _cut(request: web.Request, reply: Reply, headers: dict[str, str], after_bytes: int) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=headers)
        transport = request.transport
        if transport is None:
            return response
        if after_bytes:
            response.content_length = max(len(reply.body), after_bytes + 1)
            await response.prepare(request)
            await response.write(reply.body[:after_bytes])
            await asyncio.sleep(0.01)  # let the loop hand the bytes to the kernel before the connection goes
        elif (raw := transport.get_extra_info("socket")) is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE_CLOSED)
        transport.abort()
        return response


_PACKED = ("application/json", "text/")
"""Types of answers that gzip makes smaller; files and PDFs are sent as they are."""

_SPARED = Struck()
_PLACES: dict[type[Any], str] = {
    Firewall: "stranger",
    Proxy: "stranger",
    Status: "status",
    RateLimit: "rate_limit",
    TokenFault: "token_error",
    Truncate: "truncate",
    Drip: "drip",
    Reset: "reset",
    Hang: "hang",
}
"""Where a fault goes of which the first counts."""


def forced_reply(status: Status) -> Reply:
    """A fault's status, in its own words or in Xero's."""
    usual = by_status(status.status)
    return Reply(
        status=status.status,
        body=usual.body if status.body is None else status.body.encode(),
        content_type=status.content_type or usual.content_type,
        headers=status.headers,
    )


def strangers_reply(fault: Firewall | Proxy) -> Reply:
    """The page of a firewall or a proxy. It never has a header of Xero's."""
    headers = {"Server": "edge"}
    if fault.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        headers["Proxy-Authenticate"] = 'Basic realm="proxy"'
    title = "Access Denied" if isinstance(fault, Firewall) else f"{fault.status} {_phrase(fault.status)}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status=fault.status, body=body.encode(), content_type="text/html", headers=headers)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"


def _in_words(reply: Reply) -> Status:
    return Status(kind="status", status=reply.status, body=reply.body.decode(), contentType=reply.content_type)


def token_reply(error: str) -> Reply:
    """A refusal in OAuth's words."""
    return Reply(status=500 if error == "server_error" else 400, body=orjson.dumps({"error": error}))
