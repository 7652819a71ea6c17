"""A sender of webhooks: signs as Xero does, or wrongly on purpose; and the captured requests as data."""

import base64
import hashlib
import hmac
import random
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from receiver.parse import Unreadable, parse
from receiver.records import Receipt, Shaper
from xero_stream.kafka.partition_queue import Record

DATA = Path(__file__).parents[1] / "data" / "xero" / "webhooks"
KEY = "test-signing-key-with-enough-letters=="


def sign(body: bytes, key: str = KEY) -> str:
    """The ``x-xero-signature`` of a body.

    Args:
        body: the raw body.
        key: the signing key as text, used as it is.
    """
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def shaped(shaper: Shaper, receipt: Receipt) -> tuple[list[Record], Unreadable | None]:
    """All records of a delivery, and why its body is a dead letter too.

    Args:
        shaper: makes them.
        receipt: the delivery.
    """
    shaping = shaper.shape(parse(receipt.body), receipt)
    return [record for some in shaping.slices() for record in some], shaping.unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A captured intent-to-receive request."""

    key: str
    body: bytes
    signature: str
    answer: int


SHARED = Path(__file__).parents[3] / "shared" / "vectors" / "xero_intent_to_receive.json"
CAPTURES = [DATA / "intent_to_receive.json", *([SHARED] if SHARED.exists() else [])]
"""Our copy of the captured requests, and the original where it lies beside the repository."""


@cache
def captured(file: Path = CAPTURES[0]) -> tuple[Captured, ...]:
    """The captured intent-to-receive requests and what Xero wants to hear."""
    document = orjson.loads(file.read_bytes())
    body = document["body"].encode()
    assert len(body) == document["body_bytes"]
    return tuple(
        Captured(key=document["signing_key"], body=body, signature=case["x-xero-signature"], answer=case["answer"])
        for case in document["cases"]
    )


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Example deliveries by name."""
    deliveries: dict[str, dict[str, Any]] = orjson.loads((DATA / "deliveries.json").read_bytes())["deliveries"]
    return deliveries


class Maker:
    """Makes deliveries that differ, the same for the same seed."""

    def __init__(self, seed: int = 1, *, tenants: int = 5) -> None:
        self._chance = random.Random(seed)
        self.tenants = [self._id() for _ in range(tenants)]
        self._sequence = 0

    def _id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def event(self, tenant: str | None = None) -> dict[str, Any]:
        """One event on a new record."""
        record = self._id()
        return {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{record}",
            "resourceId": record,
            "eventDateUtc": "2026-11-22T01:15:39.902",
            "eventType": "UPDATE",
            "eventCategory": "INVOICE",
            "tenantId": tenant or self._chance.choice(self.tenants),
            "tenantType": "ORGANISATION",
        }

    def body(self, events: int = 1, *, tenant: str | None = None) -> bytes:
        """A delivery of that many events."""
        first = self._sequence + 1
        self._sequence += events
        document = {
            "events": [self.event(tenant) for _ in range(events)],
            "firstEventSequence": first if events else 0,
            "lastEventSequence": self._sequence if events else 0,
            "entropy": "".join(self._chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=20)),
        }
        return orjson.dumps(document)


def raw_request(
    body: bytes,
    *,
    signature: str | None = "",
    path: str = "/webhooks/xero",
    headers: tuple[tuple[str, str], ...] = (),
    length: int | None = None,
) -> bytes:
    """A request as bytes on the wire.

    Args:
        body: the body.
        signature: the signature header; "" for the right one, None for none.
        path: where to.
        headers: more headers.
        length: Content-Length, if it is to lie; -1 for none.
    """
    lines = [f"POST {path} HTTP/1.1", "Host: receiver", "Accept: */*", "Content-Type: application/json; charset=utf-8"]
    if signature is not None:
        lines.append(f"x-xero-signature: {signature or sign(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
