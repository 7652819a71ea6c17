"""What happens to a request: read, verify, parse, append, answer; in that order, and nothing before its turn."""

import random
import time
from collections.abc import Callable

import structlog
from aiohttp import HttpVersion11, hdrs, web
from multidict import istr

from receiver.answers import Answers
from receiver.body import BodyError, BodyReader
from receiver.connections import Connection
from receiver.keys import KeyRing
from receiver.limits import Limits
from receiver.metrics import Answered, Intent, Rejected, Unavailable, WorkerMetrics
from receiver.parse import looks_like_intent, parse
from receiver.records import Receipt, Shaper
from receiver.signature import HEADER, Flaw, verify
from xero_stream.contracts.names import AppName
from xero_stream.failpoints import Failpoint, reach
from xero_stream.kafka.appender import Appender
from xero_stream.kafka.partition_queue import Outcome
from xero_stream.telemetry.repeats import Repeats
from xero_stream.telemetry.trace import ENTROPY_BITS, next_header

_log = structlog.get_logger(__name__)

_SIGNATURE = istr(HEADER)
_TRACEPARENT = istr("traceparent")

_STATUS = {
    Answered.ACCEPTED: 200,
    Answered.MALFORMED: 400,
    Answered.REJECTED: 401,
    Answered.NOT_FOUND: 404,
    Answered.NOT_POST: 405,
    Answered.SLOW: 408,
    Answered.TOO_LARGE: 413,
    Answered.ENCODED: 415,
    Answered.UNAVAILABLE: 503,
    Answered.GONE: 400,  # nobody is there to read it
}


class Receive:
    """Answers requests."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        shaper: Shaper,
        appender: Appender,
        answers: Answers,
        metrics: WorkerMetrics,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,  # noqa: TID251 - received_at, by which nothing is decided
        entropy: Callable[[int], int] = random.getrandbits,
    ) -> None:
        """Put together.

        Args:
            keys: the apps' keys.
            shaper: makes records.
            appender: puts them on Kafka.
            metrics: where everything is counted.
            clock: monotonic seconds, the appender's.
            wall_clock: Unix time.
            entropy: random bits for trace ids; they are no secret.
        """
        self._keys = keys
        self._shaper = shaper
        self._appender = appender
        self._answers = answers
        self._metrics = metrics
        self._limits = limits
        self._bodies = BodyReader(limits)
        self._clock = clock
        self._wall_clock = wall_clock
        self._entropy = entropy
        self._repeats = Repeats()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.began()
        try:
            answered = await self._answered(request)
        finally:
            connection.ended()
        self._metrics.answered(answered)
        return self._answers.get(_STATUS[answered], keep=request.keep_alive and request.version >= HttpVersion11)

    async def _answered(self, request: web.BaseRequest) -> Answered:
        deadline = self._clock() + self._limits.answer_seconds
        found = self._keys.find(request.raw_path)
        if found is None:
            return Answered.NOT_FOUND
        headers = request.headers
        if request.method != hdrs.METH_POST:
            return Answered.NOT_POST
        encoding = headers.get(hdrs.CONTENT_ENCODING)
        if encoding is not None and encoding.lower() != "identity":
            return Answered.ENCODED
        try:
            body = self._bodies.arrived(request)
            if body is None:
                body = await self._bodies.read(request, self._limits.answer_seconds)
        except BodyError as error:
            return self._unavailable(Outcome.OVERLOADED) if error.answered is Answered.UNAVAILABLE else error.answered
        signatures: list[str] = headers.getall(_SIGNATURE, [])
        key, flaw = verify(body, signatures, found.keys)
        if found.app is None or flaw is not None:
            reason = Rejected.UNKNOWN_APP if found.app is None else Rejected(flaw or Flaw.MISMATCH)
            return self._rejected(request, body, reason)
        self._metrics.verified(key, len(body))
        return await self._verified(found.app, body, signatures[0], headers.get(_TRACEPARENT), deadline)

    async def _verified(
        self, app: AppName, body: bytes, signature: str, traceparent: str | None, deadline: float
    ) -> Answered:
        verified_at = self._clock()
        now = self._wall_clock()
        delivery = parse(body)
        trace = next_header(traceparent, self._entropy(ENTROPY_BITS))
        receipt = Receipt(app, body, signature, int(now * 1000), trace)
        records, unreadable = self._shaper.records(delivery, receipt)
        await reach(Failpoint.RECEIVER_VERIFIED)
        outcome = await self._appender.append(records, deadline)
        if outcome is not Outcome.ACKNOWLEDGED:
            return self._unavailable(outcome)
        await reach(Failpoint.RECEIVER_APPENDED)
        acknowledged_at = self._clock()
        self._metrics.appended(acknowledged_at - verified_at, delivery.events, unreadable, acknowledged_at)
        if delivery.intent:
            self._metrics.intent(Intent.ACCEPTED, now)
            _log.info("intent_to_receive", app=app, outcome="accepted")
        if unreadable is not None:
            _log.warning("dead_letter", app=app, delivery=delivery.id, reason=unreadable.value, bytes=len(body))
        return Answered.ACCEPTED

    def _rejected(self, request: web.BaseRequest, body: bytes, reason: Rejected) -> Answered:
        self._metrics.rejected(reason)
        now = self._clock()
        if looks_like_intent(body):
            self._metrics.intent(Intent.REJECTED, self._wall_clock())
        held_back = self._repeats.allow(reason, now)
        if held_back is not None:
            _log.warning(
                "request_rejected", reason=reason.value, bytes=len(body), remote=request.remote, held_back=held_back
            )
        return Answered.REJECTED

    def _unavailable(self, outcome: Outcome) -> Answered:
        self._metrics.unavailable(Unavailable(outcome))
        held_back = self._repeats.allow(f"unavailable:{outcome}", self._clock())
        if held_back is not None:
            _log.warning("not_appended", reason=outcome.value, held_back=held_back)
        return Answered.UNAVAILABLE
