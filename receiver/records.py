"""From a delivery to Kafka records. Pure.

One record per event on ``webhook-events``: key and partition of its tenant, value a
:class:`~xero_stream.contracts.webhook_event.WebhookEvent` as JSON. What can't be read goes to ``dead-letters``, and
where the setting asks for it the exact bytes of everything to ``webhook-deliveries``.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

import orjson

from receiver.parse import Delivery, Event, Unreadable
from xero_stream.contracts.dead_letter import DeadLetter, Stage
from xero_stream.contracts.names import AppName
from xero_stream.contracts.partition import murmur2, partition_of
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.partition_queue import Record

LARGEST_VALUE = 7_864_320
"""Largest value that is sure to fit a topic with ``max.message.bytes`` 8 MiB, headers included."""

_ERRORS = {
    Unreadable.INVALID_JSON: "the body is not JSON",
    Unreadable.NOT_A_DELIVERY: "the body is JSON but not an object with a list of events",
    Unreadable.EVENT_NOT_AN_OBJECT: "at least one of the events is not an object; the others were appended",
    Unreadable.TOO_LARGE: "an event is too large for a Kafka message; the others were appended",
    Unreadable.TOO_DEEP: "an event is nested too deep to be written; the others were appended",
}


class Shaped(NamedTuple):
    """What a delivery comes to.

    Attributes:
        records: to be appended.
        unreadable: why the body is a dead letter too, or None.
    """

    records: list[Record]
    unreadable: Unreadable | None


class Receipt(NamedTuple):
    """What is known of a delivery besides its content.

    Attributes:
        app: the Xero app it was sent to.
        body: its bytes, exactly as received.
        signature: its verified signature.
        received_ms: when it had been read, epoch milliseconds of this machine's clock.
        traceparent: W3C trace context.
    """

    app: AppName
    body: bytes
    signature: str
    received_ms: int
    traceparent: str


class Shaper:
    """Knows the deployment's topics and partitions."""

    def __init__(self, *, topics: Topics, partitions: int, keep_deliveries: bool = False) -> None:
        """Take them.

        Args:
            topics: the deployment's topic names.
            partitions: partition count of its keyed topics.
            keep_deliveries: also keep each delivery's exact bytes.
        """
        self._topics = topics
        self._events_topic = topics.webhook_events
        self._partitions = partitions
        self._keep_deliveries = keep_deliveries
        self._second = (-1, "")

    def records(self, delivery: Delivery, receipt: Receipt) -> Shaped:
        """Every record of a delivery, events of a partition in their order.

        Args:
            receipt: how it came in.
        """
        trace = ("traceparent", receipt.traceparent.encode())
        source = ("ce_source", f"/xero-stream/apps/{receipt.app}".encode())
        received_at = self._iso(receipt.received_ms)
        unreadable = delivery.unreadable
        records = []
        for event in delivery.events:
            try:
                value = _value(delivery, event, receipt.app, received_at)
            except orjson.JSONEncodeError:  # it is read to a depth of 1,024 and written to one of 254
                unreadable = Unreadable.TOO_DEEP
                continue
            if len(value) > LARGEST_VALUE:
                unreadable = Unreadable.TOO_LARGE
                continue
            if event.tenant is None:
                key, partition = None, self._spread(delivery.id)
            else:
                key, partition = event.tenant.encode(), partition_of(event.tenant, self._partitions)
            event_id = ("ce_id", f"{delivery.id}-{event.position}".encode())
            headers = [_SPECVERSION, event_id, source, _TYPE, _CONTENT_TYPE, trace]
            records.append(Record(self._events_topic, partition, key, value, headers))
        if unreadable is not None:
            records.append(self._dead_letter(delivery, unreadable, receipt))
        if self._keep_deliveries:
            records.append(self._kept(delivery, receipt))
        return Shaped(records, unreadable)

    def _iso(self, epoch_ms: int) -> str:
        second, millisecond = divmod(epoch_ms, 1000)
        known, text = self._second
        if second != known:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (second, text)
        return f"{text}.{millisecond:03d}Z"

    def _spread(self, delivery_id: str) -> int:
        return (murmur2(delivery_id.encode()) & 0x7FFFFFFF) % self._partitions

    def _dead_letter(self, delivery: Delivery, reason: Unreadable, receipt: Receipt) -> Record:
        letter = DeadLetter(
            id=str(uuid5(NAMESPACE_URL, f"xero-stream:receive:{receipt.app}:{delivery.id}:{reason}")),
            stage=Stage.RECEIVE,
            reason=reason.value,
            error=_ERRORS[reason],
            attempts=1,
            key=None,
            value=receipt.body,
            source=f"webhook of app {receipt.app}, delivery {delivery.id}",
            traceparent=receipt.traceparent,
        )
        topic, partition = self._topics.dead_letters, self._spread(delivery.id)
        return Record(topic, partition, letter.key, letter.value, letter.headers())

    def _kept(self, delivery: Delivery, receipt: Receipt) -> Record:
        headers = [
            ("app", receipt.app.encode()),
            ("x-xero-signature", receipt.signature.encode()),
            ("traceparent", receipt.traceparent.encode()),
        ]
        topic, partition = self._topics.webhook_deliveries, self._spread(delivery.id)
        return Record(topic, partition, delivery.id.encode(), receipt.body, headers)


_SPECVERSION = ("ce_specversion", b"1.0")
_TYPE = ("ce_type", b"io.xerostream.webhook-event")
_CONTENT_TYPE = ("content-type", b"application/json")


def _value(delivery: Delivery, event: Event, app: AppName, received_at: str) -> bytes:
    """The record's value, field by field as ``WebhookEvent`` has it; a test holds the two together."""
    return orjson.dumps(
        {
            "version": 1,
            "app": app,
            "received_at": received_at,
            "delivery_id": delivery.id,
            "index": event.position,
            "first_event_sequence": delivery.first_sequence,
            "last_event_sequence": delivery.last_sequence,
            "event": event.body,
        }
    )
