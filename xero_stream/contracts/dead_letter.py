"""``DeadLetter``: what could not be parsed or applied. The record's value is the original bytes; this is its headers.

Names follow Kafka Connect's ``__connect.errors.*`` in spirit, under our own prefix, so that a console shows them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where it went wrong."""

    RECEIVE = "receive"  # a verified body that is no webhook
    INTAKE = "intake"  # a record on webhook-events that can't be read
    FETCH = "fetch"  # an answer of Xero that can't be applied
    RELAY = "relay"  # a change Kafka will not take


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter.

    Attributes:
        id: the quarantine entry's id, the same at every attempt; an attempt that read other bytes is another letter with that id.
            Of a verified body that is no webhook: deterministic, from the bytes.
        stage: where it went wrong.
        reason: closed snake_case word, fit for a metric label (``invalid_json``, ``validation``, ``too_large`` …).
        error: one sentence for an operator; no payload in it.
        attempts: how often it was tried.
        key: the original record's key, or None.
        value: the original bytes, as far as they fit Kafka's message size.
        source: where it came from, e.g. ``xero.webhook-events/3@1711`` or an API path.
        traceparent: W3C trace context, if known.
        cut_from: how many bytes there were, where ``value`` holds only the first of them; the store keeps them all.
    """

    id: str
    stage: Stage
    reason: str
    error: str
    attempts: int
    key: bytes | None
    value: bytes
    source: str
    traceparent: str | None = None
    cut_from: int | None = None

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers of the dead letter."""
        fields = {
            "xs_id": self.id,
            "xs_stage": self.stage.value,
            "xs_reason": self.reason,
            "xs_error": self.error,
            "xs_attempts": str(self.attempts),
            "xs_source": self.source,
        }
        if self.traceparent:
            fields["traceparent"] = self.traceparent
        if self.cut_from is not None:
            fields["xs_cut_from"] = str(self.cut_from)
        return [(name, text.encode()) for name, text in fields.items()]
