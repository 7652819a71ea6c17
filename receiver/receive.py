"""What happens to a request: read, verify, parse, append, answer; in that order, and nothing before its turn."""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from aiohttp import HttpVersion10, HttpVersion11, hdrs, web
from multidict import istr

from receiver.answers import Answers
from receiver.body import BodyError, BodyReader
from receiver.connections import Connection
from receiver.keys import KeyRing, Keys
from receiver.limits import Limits
from receiver.metrics import Answered, Intent, Rejected, Unavailable, WorkerMetrics
from receiver.parse import Delivery, looks_like_intent, parse, room, unparsed
from receiver.records import Receipt, Shaper, Shaping, is_large
from receiver.signature import HEADER, Flaw, verify
from xero_stream.failpoints import Failpoint, reach
from xero_stream.kafka.appender import Appender
from xero_stream.kafka.partition_queue import Outcome
from xero_stream.telemetry.repeats import Repeats
from xero_stream.telemetry.trace import ENTROPY_BITS, next_header

_log = structlog.get_logger(__name__)

_SIGNATURE = istr(HEADER)
_TRACEPARENT = istr("traceparent")
_NONE: list[str] = []
_REASONS: dict[tuple[bool, Flaw | None], Rejected | None] = {
    # Whether no app has that name, and what is wrong with the signature.
    **{(True, flaw): Rejected.UNKNOWN_APP for flaw in (None, *Flaw)},
    **{(False, flaw): Rejected(flaw) for flaw in Flaw},
    (False, None): None,
}

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
    Answered.VERSION: 505,
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
        self._turn = asyncio.Lock()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.began()
        answered = Answered.FAILED
        try:
            answered = await self._answered(request)
        finally:
            connection.ended(accepted=answered is Answered.ACCEPTED)
        self._metrics.answered(answered)
        return self._answers.get(_STATUS[answered], keep=request.keep_alive and request.version is HttpVersion11)

    async def _answered(self, request: web.BaseRequest) -> Answered:
        deadline = self._clock() + self._limits.answer_seconds
        found = self._keys.find(request.raw_path)
        refusal = _refusal(request, found)
        if refusal is not None:
            return refusal
        assert found is not None
        try:
            body = self._bodies.arrived(request)
            if body is not None:
                return await self._judged(request, found, body, deadline)
            body = await self._bodies.read(request, self._limits.answer_seconds)
        except BodyError as error:
            return self._unavailable(Outcome.OVERLOADED) if error.answered is Answered.UNAVAILABLE else error.answered
        try:
            return await self._judged(request, found, body, deadline)
        finally:
            self._bodies.release(body)

    async def _judged(self, request: web.BaseRequest, found: Keys, body: bytes, deadline: float) -> Answered:
        if is_large(body):
            return await self._large(request, found, body, deadline)
        receipt = self._receipt(request, found, body)
        if receipt is None:
            return Answered.REJECTED
        verified_at = self._clock()
        delivery = parse(body)
        shaping = self._shaper.shape(delivery, receipt)
        records = shaping.records()
        await reach(Failpoint.RECEIVER_VERIFIED)
        outcome = await self._appender.append(records, deadline)
        return await self._ended(outcome, delivery, shaping, receipt, verified_at)

    async def _large(self, request: web.BaseRequest, found: Keys, body: bytes, deadline: float) -> Answered:
        """The same for a body that takes long: one at a time, with the others' turn after every step."""
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                await self._turn.acquire()
        except TimeoutError:
            return self._unavailable(Outcome.OVERLOADED)
        try:
            await asyncio.sleep(0)
            receipt = self._receipt(request, found, body)
            if receipt is None:
                return Answered.REJECTED
            verified_at = self._clock()
            await reach(Failpoint.RECEIVER_VERIFIED)
            needed = room(body)
            fits = needed <= self._appender.limit_bytes
            opened = self._appender.open(needed if fits else len(body), deadline)
            if isinstance(opened, Outcome):
                return self._unavailable(opened)
            await asyncio.sleep(0)
            with opened, _no_collection():
                delivery = parse(body) if fits else unparsed(body)
                shaping = self._shaper.shape(delivery, receipt)
                for records in shaping.slices():
                    if not opened.add(records):
                        break
                    await asyncio.sleep(0)
                delivery.events.clear()
        finally:
            self._turn.release()
        return await self._ended(await opened.outcome(), delivery, shaping, receipt, verified_at)

    def _receipt(self, request: web.BaseRequest, found: Keys, body: bytes) -> Receipt | None:
        """What is known of a delivery whose signature is right; None where it is not."""
        headers = request.headers
        signatures: list[str] = headers.getall(_SIGNATURE, _NONE)
        key, flaw = verify(body, signatures, found.keys)
        app = found.app
        reason = _REASONS[app is None, flaw]
        # The same steps whichever it is: an app's name must not be told by time.
        if reason is not None or app is None:
            self._rejected(request, body, reason or Rejected.UNKNOWN_APP)
            return None
        self._metrics.verified(key, len(body))
        trace = next_header(headers.get(_TRACEPARENT), self._entropy(ENTROPY_BITS))
        return Receipt(app, body, signatures[0], int(self._wall_clock() * 1000), trace)

    async def _ended(
        self, outcome: Outcome, delivery: Delivery, shaping: Shaping, receipt: Receipt, verified_at: float
    ) -> Answered:
        if outcome is not Outcome.ACKNOWLEDGED:
            return self._unavailable(outcome)
        await reach(Failpoint.RECEIVER_APPENDED)
        now = self._clock()
        self._metrics.appended(now - verified_at, shaping.categories, shaping.unreadable, now)
        if delivery.intent:
            self._metrics.intent(Intent.ACCEPTED, receipt.received_ms / 1000)
            held_back = self._repeats.allow(f"intent:{receipt.app}", now)
            if held_back is not None:
                _log.info("intent_to_receive", app=receipt.app, outcome="accepted", held_back=held_back)
        if shaping.unreadable is not None:
            reason = shaping.unreadable.value
            held_back = self._repeats.allow(f"dead_letter:{receipt.app}:{reason}", now)
            if held_back is not None:
                _log.warning(
                    "dead_letter", app=receipt.app, delivery=delivery.id, reason=reason, bytes=len(receipt.body),
                    held_back=held_back,
                )  # fmt: skip
        return Answered.ACCEPTED

    def _rejected(self, request: web.BaseRequest, body: bytes, reason: Rejected) -> None:
        self._metrics.rejected(reason)
        now = self._clock()
        if looks_like_intent(body):
            self._metrics.intent(Intent.REJECTED, self._wall_clock())
        # One kind for all reasons: a line for each would tell by time which apps exist.
        held_back = self._repeats.allow("rejected", now)
        if held_back is not None:
            _log.warning(
                "request_rejected", reason=reason.value, bytes=len(body), remote=request.remote, held_back=held_back
            )

    def _unavailable(self, outcome: Outcome) -> Answered:
        self._metrics.unavailable(Unavailable(outcome))
        held_back = self._repeats.allow(f"unavailable:{outcome}", self._clock())
        if held_back is not None:
            _log.warning("not_appended", reason=outcome.value, held_back=held_back)
        return Answered.UNAVAILABLE


def _refusal(request: web.BaseRequest, found: Keys | None) -> Answered | None:
    """How a request is answered whose head alone tells that it is no webhook; None for the others."""
    version = request.version
    headers = request.headers
    if version is not HttpVersion11 and version != HttpVersion10:
        return Answered.VERSION
    # RFC 9112, 3.2: a request with more than one Host is to be answered 400; the parser does so where there is none.
    if len(headers.getall(hdrs.HOST, _NONE)) > 1:
        return Answered.MALFORMED
    if found is None:
        return Answered.NOT_FOUND
    if request.method != hdrs.METH_POST:
        return Answered.NOT_POST
    if hdrs.CONTENT_ENCODING in headers and _is_encoded(headers.getall(hdrs.CONTENT_ENCODING)):
        return Answered.ENCODED
    return None


def _is_encoded(fields: Sequence[str]) -> bool:
    """Whether ``Content-Encoding`` names a coding; an empty field, or an empty element of its list, names none (RFC 9110, 5.6.1)."""
    return any(coding.strip().lower() not in ("", "identity") for field in fields for coding in field.split(","))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's collector for a while.

    It would look at a document's objects again and again: two seconds for a body of 4 MiB that takes 60 ms to parse. They have
    no cycles, and are freed without it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
