"""Kafka's framing, as far as a proxy must know it to do harm to single requests. No I/O.

A message is 4 bytes of length and the rest; a request begins with API key (int16), version (int16), correlation id (int32)
and client id (int16 length and text); an answer begins with the correlation id. A broker answers the requests of a connection in
their order (https://kafka.apache.org/protocol).
"""

import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

_LENGTH = struct.Struct(">i")
_REQUEST = struct.Struct(">hhih")
_CORRELATION = struct.Struct(">i")


class Api(IntEnum):
    """Requests that rules are made for."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class Fate(StrEnum):
    """What becomes of a request."""

    DROP = "drop"
    """It is lost, and the connection is reset."""

    SILENCE = "silence"
    """It is lost, and nothing on its connection is answered any more."""

    DELAY = "delay"
    """The broker gets it late, even if its sender has given up meanwhile; what follows on the connection waits."""

    REPEAT = "repeat"
    """The broker gets it twice before the sender hears the first answer; the second answer is swallowed."""

    LOSE_ANSWER = "lose-answer"
    """The broker acts on it; instead of the answer the sender gets a reset connection."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """Something to be done to the next requests of a kind.

    Attributes:
        api: which.
        fate: what becomes of them.
        times: how many; later ones pass.
        seconds: how late, with DELAY.
        client: only of clients whose id contains this.
        fired: how many it met so far.
        done: how many of their fates are sealed: lost, answered, or delivered late.
    """

    api: Api
    fate: Fate
    times: int = 1
    seconds: float = 0.0
    client: str = ""
    fired: int = 0
    done: int = 0

    def __str__(self) -> str:
        return f"{self.fate} {self.api.name} ({self.fired} of {self.times})"

    def meets(self, api: int, client: str) -> bool:
        """Whether it applies to a request, which counts."""
        if api != self.api or self.fired >= self.times or self.client not in client:
            return False
        self.fired += 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a proxy does next in one direction.

    Attributes:
        data: bytes to pass on.
        late: seconds to hold them back, and all that follows.
        reset: reset the connection instead.
        rule: whose doing it is.
    """

    data: bytes = b""
    late: float = 0.0
    reset: bool = False
    rule: Rule | None = None


@dataclass(slots=True)
class Frames:
    """Cuts a stream into messages."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now, each with its length in front.

        Args:
            data: what arrived.

        Raises:
            ValueError: this is not Kafka's protocol.
        """
        self._rest += data
        found: list[bytes] = []
        while len(self._rest) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest)
            if length < _CORRELATION.size:
                raise ValueError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._rest) < end:
                break
            found.append(bytes(self._rest[:end]))
            del self._rest[:end]
        return found


@dataclass(frozen=True, slots=True)
class _Expected:
    """An answer that the broker owes."""

    correlation: int
    rule: Rule | None = None
    swallow: bool = False


class KafkaWire:
    """One connection between a client and a broker.

    Args:
        rules: those in force at the moment of asking.
    """

    def __init__(self, rules: Callable[[], Sequence[Rule]]) -> None:
        self._rules = rules
        self._requests = Frames()
        self._answers = Frames()
        self._expected: deque[_Expected] = deque()
        self._silent = False

    def from_client(self, data: bytes) -> list[Step]:
        """What to do about bytes from the client."""
        steps: list[Step] = []
        for frame in self._requests.feed(data):
            if not self._silent:
                steps += self._request(frame)
        return steps

    def from_server(self, data: bytes) -> list[Step]:
        """What to do about bytes from the broker."""
        steps: list[Step] = []
        for frame in self._answers.feed(data):
            steps += self._answer(frame)
        return steps

    def _request(self, frame: bytes) -> list[Step]:
        api, _, correlation, length = _REQUEST.unpack_from(frame, _LENGTH.size)
        begin = _LENGTH.size + _REQUEST.size
        client = frame[begin : begin + max(0, length)].decode("utf-8", "replace")
        rule = next((rule for rule in self._rules() if rule.meets(api, client)), None)
        match rule.fate if rule else None:
            case None:
                self._expected.append(_Expected(correlation))
                return [Step(data=frame)]
            case Fate.DROP:
                return [Step(reset=True, rule=rule)]
            case Fate.SILENCE:
                self._silent = True
                return [Step(rule=rule)]
            case Fate.DELAY:
                assert rule is not None
                self._expected.append(_Expected(correlation))
                return [Step(data=frame, late=rule.seconds, rule=rule)]
            case Fate.REPEAT:
                self._expected += (_Expected(correlation), _Expected(correlation, rule, swallow=True))
                return [Step(data=frame), Step(data=frame)]
            case Fate.LOSE_ANSWER:
                self._expected.append(_Expected(correlation, rule))
                return [Step(data=frame)]

    def _answer(self, frame: bytes) -> list[Step]:
        (correlation,) = _CORRELATION.unpack_from(frame, _LENGTH.size)
        # Requests that are not answered (produced with acks=0) are passed over.
        while self._expected and self._expected[0].correlation != correlation:
            self._expected.popleft()
        expected = self._expected.popleft() if self._expected else _Expected(correlation)
        if expected.swallow:
            return [Step(rule=expected.rule)]
        if expected.rule is not None:
            return [Step(reset=True, rule=expected.rule)]
        return [Step(data=frame)]
