"""The outermost layer of the API: request ids, security headers, limits, one log line and one measurement per request.

Whatever fails below ends here as a problem.
"""

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access.caller import CALLER, REQUEST_ID
from console.metrics import ConsoleMetrics
from console.problem import MEDIA_TYPE, ProblemError, failed, too_large, unavailable
from xero_stream.store.pool import STORE_ERRORS, StoreRefusesError, StoreUnreachableError, passes
from xero_stream.strangers import Strangers
from xero_stream.unforeseen import described

log = structlog.get_logger(__name__)

BODY_BYTES = 1024 * 1024
ANSWER_SECONDS = 30.0
"""Within so many seconds an answer begins, or it is 503."""
_DISCARD_BYTES = 16 * 1024 * 1024
_DISCARD_SECONDS = 2.0

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
]
_CACHE = (b"cache-control", b"private, no-cache")


class Edge:
    """Stands before the guard and the application."""

    def __init__(self, app: ASGIApp, *, metrics: ConsoleMetrics, names: Iterable[str] = ()) -> None:
        """Stand before an application.

        Args:
            app: guard and routes.
            metrics: counts requests.
            names: host names by which the API may be called.
        """
        self._app = app
        self._metrics = metrics
        self._strangers = Strangers(names, setting="XERO_STREAM_CONSOLE_HOST_NAMES")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, receive, send)
        started = time.monotonic()
        try:
            await self._answer(request)
        finally:
            seconds = time.monotonic() - started
            caller, route = scope.get(CALLER), getattr(scope.get("route"), "path", "unknown")
            self._metrics.answered(route, request.status, seconds)
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=request.status,
                ms=round(seconds * 1000, 1),
                key=None if caller is None else caller.key.key_id,
                request_id=request.id,
            )

    async def _answer(self, request: "_Request") -> None:
        try:
            refusal = self._strangers.refusal(request.scope["method"], _Headers(request.scope["headers"]))
            if refusal is not None:
                status, reason = refusal
                raise ProblemError(status, "foreign_page", f"{reason}.", "Call the API from a program of yours.")
            request.check_size()
            await self._within_limit(request)
        except ProblemError as problem:
            await request.refuse(problem)
        except (StoreUnreachableError, *STORE_ERRORS) as error:
            await request.refuse(problem_of(error))
        except Exception as error:  # noqa: BLE001 - nothing below may end the process
            place = described(error)  # without the message, which may quote data
            log.error("request_failed", error=place, request_id=request.id)  # noqa: TRY400 - a traceback may quote data
            if not request.started:
                await request.refuse(failed())

    async def _within_limit(self, request: "_Request") -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS) as limit:
                request.limit = limit
                await self._app(request.scope, request.receive, request.send)
        finally:
            request.limit = None


def problem_of(error: Exception) -> ProblemError:
    """The answer to a caller for an error of the store.

    Args:
        error: the store's.
    """
    if isinstance(error, StoreUnreachableError) and not isinstance(error, StoreRefusesError):
        return unavailable()
    if passes(error):
        return unavailable()
    log.error("store_error", error=type(error).__name__)
    return failed()


class _Headers(Mapping[str, str]):
    """The headers of ASGI, as :class:`Strangers` asks for them."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._values = {name: value.decode("latin-1") for name, value in raw}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower().encode()]

    def __iter__(self) -> Any:
        return (name.decode() for name in self._values)

    def __len__(self) -> int:
        return len(self._values)


class _Request:
    """One request on its way in, and its answer on its way out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope: MutableMapping[str, Any] = scope
        self._receive, self._send = receive, send
        self._read = 0
        self._overflow = self._refused = False
        self.status = 499  # the caller left before there was an answer
        self.started = False
        self.limit: asyncio.Timeout | None = None
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        self.id = given.decode() if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self._length = headers.get(b"content-length", b"0")
        scope[REQUEST_ID] = self.id

    def check_size(self) -> None:
        """Refuse a body that is said to be too large before any of it is read.

        Raises:
            ProblemError: 413.
        """
        if not self._length.isdigit() or int(self._length) > BODY_BYTES:
            raise too_large(BODY_BYTES)

    async def receive(self) -> Message:
        """The next message of the request.

        Raises:
            ProblemError: 413, the body goes on beyond the limit.
        """
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > BODY_BYTES:
            self._overflow = True  # whoever reads the body takes any error for malformed JSON
            raise too_large(BODY_BYTES)
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the answer, with the headers that every answer has."""
        if self._overflow and not self.started:
            self._overflow = False
            await self.refuse(too_large(BODY_BYTES))
            self._refused = True
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            if self.limit is not None:
                self.limit.reschedule(None)
            given = [*message["headers"]]
            if not any(name == _CACHE[0] for name, _ in given):
                given.append(_CACHE)
            message = {**message, "headers": [*given, *_SECURITY, (b"x-request-id", self.id.encode())]}
        await self._send(message)

    async def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem; an answer that has begun is cut off instead.

        Raises:
            ProblemError: it has begun: the server closes the connection.
        """
        if self.started:
            raise problem
        body = problem.body(self.id)
        headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        if problem.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
            await self._discard()
            body = b""
        await self.send({"type": "http.response.body", "body": body})

    async def _discard(self) -> None:
        """Read what still comes, for a moment: a connection closed with bytes unread is reset, and the answer with it (RFC 9112, 9.6)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DISCARD_SECONDS):
                left = _DISCARD_BYTES
                while left > 0:
                    message = await self._receive()
                    if message["type"] != "http.request" or not message.get("more_body"):
                        return
                    left -= len(message.get("body", b""))
