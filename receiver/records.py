"""From a delivery to Kafka records. Pure.

One record per event on ``webhook-events``: key and partition of its tenant, value a
:class:`~xero_stream.contracts.webhook_event.WebhookEvent` as JSON. What can't be read goes to ``dead-letters``, and
where the setting asks for it the exact bytes of everything to ``webhook-deliveries``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import orjson

from receiver.parse import Category, Delivery, Unreadable, category_of
from xero_stream.contracts.dead_letter import DeadLetter, Stage
from xero_stream.contracts.ids import tenant_id_of
from xero_stream.contracts.names import AppName
from xero_stream.contracts.partition import murmur2, partition_of
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.partition_queue import Record

LARGEST_VALUE = 7_864_320
"""Largest value that is sure to fit a topic with ``max.message.bytes`` 8 MiB, headers included."""

LARGE_BYTES = 16_384
"""A larger body is worked on in steps."""

SLICE_EVENTS = 128
"""Events of a slice at most: some two milliseconds of work."""

SLICE_BYTES = 262_144
"""Bytes of values after which a slice ends."""

_ERRORS = {
    Unreadable.TOO_MANY: "the body has more events, or values in them, than the receiver can hold; none was appended",
    Unreadable.INVALID_JSON: "the body is not JSON",
    Unreadable.NOT_A_DELIVERY: "the body is JSON but not an object with a list of events",
    Unreadable.EVENT_NOT_AN_OBJECT: "at least one of the events is not an object; the others were appended",
    Unreadable.TOO_LARGE: "an event is too large for a Kafka message; the others were appended",
    Unreadable.TOO_DEEP: "an event is nested too deep to be written; the others were appended",
}


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


def is_large(body: bytes) -> bool:
    """Whether a body takes so long to verify, parse and shape that others must get their turn in between.

    Args:
        body: exactly as received.
    """
    return len(body) > LARGE_BYTES or (len(body) > 3 * SLICE_EVENTS and body.count(b"{") > SLICE_EVENTS)


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
        self.events_topic = topics.webhook_events
        self._partitions = partitions
        self.keep_deliveries = keep_deliveries
        self._second = (-1, "")
        self._homes: dict[str, tuple[bytes, int]] = {}
        self._apps: dict[AppName, tuple[bytes, tuple[str, bytes]]] = {}

    def shape(self, delivery: Delivery, receipt: Receipt) -> "Shaping":
        """Begin to make a delivery's records.

        Args:
            receipt: how it came in.
        """
        return Shaping(self, delivery, receipt)

    def home(self, event: dict[str, Any]) -> tuple[bytes, int] | None:
        """Key and partition of an event's tenant, or None where it names none.

        Args:
            event: as sent.
        """
        spelled = event.get("tenantId")
        if type(spelled) is not str:
            return None
        home = self._homes.get(spelled)
        if home is None:
            tenant = tenant_id_of(spelled)
            if tenant is None:
                return None
            if len(self._homes) >= _HOMES:
                self._homes.clear()
            home = self._homes[spelled] = tenant.encode(), partition_of(tenant, self._partitions)
        return home

    def of_app(self, app: AppName) -> tuple[bytes, tuple[str, bytes]]:
        """How an app's values begin, and its header ``ce_source``."""
        known = self._apps.get(app)
        if known is None:
            begins = orjson.dumps({"version": 1, "app": app})[:-1] + b","
            known = self._apps[app] = begins, ("ce_source", f"/xero-stream/apps/{app}".encode())
        return known

    def iso(self, epoch_ms: int) -> str:
        """A moment as ISO 8601 in UTC.

        Args:
            epoch_ms: Unix time in milliseconds.
        """
        second, millisecond = divmod(epoch_ms, 1000)
        known, text = self._second
        if second != known:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (second, text)
        return f"{text}.{millisecond:03d}Z"

    def spread(self, delivery_id: str) -> int:
        """The partition of what belongs to a delivery as a whole."""
        return (murmur2(delivery_id.encode()) & 0x7FFFFFFF) % self._partitions

    def after(self, delivery: Delivery, unreadable: Unreadable | None, receipt: Receipt) -> list[Record]:
        """The records of a delivery as a whole: its dead letter, and its bytes where they are kept.

        Args:
            delivery: the parsed body.
            unreadable: why the body is a dead letter too, or None.
            receipt: how it came in.
        """
        records = []
        if unreadable is not None:
            records.append(self._dead_letter(delivery, unreadable, receipt))
        if self.keep_deliveries:
            records.append(self._kept(delivery, receipt))
        return records

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
        topic, partition = self._topics.dead_letters, self.spread(delivery.id)
        return Record(topic, partition, letter.key, letter.value, letter.headers())

    def _kept(self, delivery: Delivery, receipt: Receipt) -> Record:
        headers = [
            ("app", receipt.app.encode()),
            ("x-xero-signature", receipt.signature.encode()),
            ("traceparent", receipt.traceparent.encode()),
        ]
        topic, partition = self._topics.webhook_deliveries, self.spread(delivery.id)
        return Record(topic, partition, delivery.id.encode(), receipt.body, headers)


_SPECVERSION = ("ce_specversion", b"1.0")
_TYPE = ("ce_type", b"io.xerostream.webhook-event")
_CONTENT_TYPE = ("content-type", b"application/json")
_HOMES = 20_000


class Shaping:
    """A delivery's records in the making, a slice at a time: a large one must not hold up the others.

    Attributes:
        unreadable: why the body is a dead letter too, or None; known after the last slice.
        categories: how many events there were of each category; as far as the slices have gone.
    """

    __slots__ = (
        "_delivery", "_head", "_homeless", "_receipt", "_shaper", "_source", "_tail", "_trace", "categories", "unreadable",
    )  # fmt: skip

    def __init__(self, shaper: Shaper, delivery: Delivery, receipt: Receipt) -> None:
        """Nothing is made before :meth:`slices`.

        Args:
            shaper: knows the topics.
            delivery: the parsed body.
            receipt: how it came in.
        """
        self._shaper = shaper
        self._delivery = delivery
        self._receipt = receipt
        self.unreadable = delivery.unreadable
        self.categories: dict[Category, int] = {}
        # Field by field as ``WebhookEvent`` has it, the same for all events; a test holds this and the contract together.
        app, self._source = shaper.of_app(receipt.app)
        self._head = b'%b"received_at":"%b","delivery_id":"%b","index":' % (
            app, shaper.iso(receipt.received_ms).encode(), delivery.id.encode(),
        )  # fmt: skip
        self._tail = b',"first_event_sequence":%b,"last_event_sequence":%b,"event":' % (
            _number(delivery.first_sequence), _number(delivery.last_sequence),
        )  # fmt: skip
        self._homeless: tuple[None, int] | None = None
        self._trace = ("traceparent", receipt.traceparent.encode())

    def records(self) -> list[Record]:
        """All records at once, for a small delivery."""
        events = self._delivery.events
        records, position = self._slice(events, 0)
        while position < len(events):
            more, position = self._slice(events, position)
            records += more
        if self.unreadable is not None or self._shaper.keep_deliveries:
            records += self._shaper.after(self._delivery, self.unreadable, self._receipt)
        return records

    def slices(self) -> Iterator[list[Record]]:
        """The same a slice at a time, events of a partition in their order; the last slice has those of the delivery as a whole."""
        events = self._delivery.events
        position = 0
        while True:
            records, position = self._slice(events, position)
            if position >= len(events):
                break
            yield records
        records += self._shaper.after(self._delivery, self.unreadable, self._receipt)
        yield records

    def _slice(self, events: list[Any], position: int) -> tuple[list[Record], int]:
        """The records of the events from a position on, and where the next slice begins."""
        home, categories, delivery_id = self._shaper.home, self.categories, self._delivery.id.encode()
        topic, head, tail, source, trace = self._shaper.events_topic, self._head, self._tail, self._source, self._trace
        records: list[Record] = []
        size = 0
        end = min(len(events), position + SLICE_EVENTS)
        while position < end and size < SLICE_BYTES:
            event = events[position]
            value = self._value(event, head, position, tail)
            if value is not None:
                size += len(value)
                key, partition = home(event) or self._without_tenant()
                event_id = ("ce_id", b"%b-%d" % (delivery_id, position))
                headers = [_SPECVERSION, event_id, source, _TYPE, _CONTENT_TYPE, trace]
                records.append(Record(topic, partition, key, value, headers))
                category = category_of(event)
                categories[category] = categories.get(category, 0) + 1
            position += 1
        return records, position

    def _without_tenant(self) -> tuple[None, int]:
        """No key, and one partition for all such events of the delivery: they stay in order."""
        if self._homeless is None:
            self._homeless = (None, self._shaper.spread(self._delivery.id))
        return self._homeless

    def _value(self, event: Any, head: bytes, position: int, tail: bytes) -> bytes | None:
        """The record's value, or None where there can't be one; then the whole body is a dead letter."""
        if type(event) is not dict:
            return None
        try:
            value = b"%b%d%b%b}" % (head, position, tail, orjson.dumps(event))
        except orjson.JSONEncodeError:  # it is read to a depth of 1,024 and written to one of 254
            self.unreadable = Unreadable.TOO_DEEP
            return None
        if len(value) > LARGEST_VALUE:
            self.unreadable = Unreadable.TOO_LARGE
            return None
        return value


def _number(sequence: int | None) -> bytes:
    return b"null" if sequence is None else b"%d" % sequence
