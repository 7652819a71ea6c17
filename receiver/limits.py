"""How long and how much: every bound of the public edge in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one worker.

    Attributes:
        answer_seconds: from a request's head to its answer. Xero gives up after five, and after a day of that disables
            the subscription: https://developer.xero.com/documentation/guides/webhooks/configuring-your-server
        header_seconds: from a request's first byte to the end of its head.
        keep_alive_seconds: how long a connection may idle.
        linger_seconds: how long the rest of a refused body is read and dropped, so that the sender sees the answer.
        connections: open connections.
        body_bytes: largest body.
        reading_bytes: bytes of bodies that did not come with their head, all connections together.
        in_flight_bytes: bytes held until Kafka acknowledges them, and of the large body that is worked on.
    """

    answer_seconds: float = 4.0
    header_seconds: float = 5.0
    keep_alive_seconds: float = 75.0
    linger_seconds: float = 1.0
    connections: int = 1_000
    body_bytes: int = 4 * 1024 * 1024
    reading_bytes: int = 32 * 1024 * 1024
    in_flight_bytes: int = 64 * 1024 * 1024
