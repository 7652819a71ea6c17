"""``WebhookEvent``: the value on ``webhook-events``. One Xero event, as sent, with how and when it reached us."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class WebhookEvent(BaseModel):
    """One event of a verified webhook delivery.

    The record's key is the tenant id (empty for an event without one), its partition is the tenant's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    version: Literal[1] = 1
    """Version of this contract."""
    app: str
    """Which of the deployment's Xero apps received it."""
    received_at: datetime
    """When the receiver had read the whole request, by its machine's clock, UTC. Nothing is decided by it: the time to rely on is
    the record's timestamp, which the Kafka broker sets."""
    delivery_id: str
    """Id of the delivery (request) it came in: the first 32 hex digits of SHA-256 over the body."""
    index: int = Field(ge=0)
    """Its place in the delivery's ``events``, from 0."""
    first_event_sequence: int | None = None
    """``firstEventSequence`` of the delivery, as sent (0 in an intent-to-receive request)."""
    last_event_sequence: int | None = None
    """``lastEventSequence`` of the delivery, as sent."""
    event: dict[str, Any]
    """The event exactly as Xero sent it, unknown fields included."""
