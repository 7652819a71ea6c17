"""The peer: the receiver one writes in an afternoon, FastAPI + uvicorn + aiokafka, with the same promises on the wire.

Raw body, HMAC in constant time, 401 or 200 with an empty body after Kafka's ack; the same producer settings as ours, the
same record. None of our limits, metrics, logs, deadlines, dead letters or recovery. With ``PEER_TOGETHER`` all events of a delivery are
sent before the first is waited for.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

KEY = os.environ["XERO_WEBHOOK_KEYS"].encode()
TOPIC = os.environ["PEER_TOPIC"]
TOGETHER = bool(os.environ.get("PEER_TOGETHER"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One producer for the process."""
    producer = AIOKafkaProducer(
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=131_072,
        request_timeout_ms=10_000,
    )
    await producer.start()
    app.state.producer = producer
    yield
    await producer.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/webhooks/xero")
async def receive(request: Request) -> Response:
    """Verify, parse, append, answer."""
    body = await request.body()
    expected = base64.b64encode(hmac.digest(KEY, body, hashlib.sha256)).decode()
    if not hmac.compare_digest(expected.encode(), request.headers.get("x-xero-signature", "").encode()):
        return Response(status_code=401)
    delivery = json.loads(body)
    delivery_id = hashlib.sha256(body).hexdigest()[:32]
    received_at = datetime.now(UTC).isoformat()
    under_way = []
    for index, event in enumerate(delivery["events"]):
        value = {
            "version": 1,
            "app": "default",
            "received_at": received_at,
            "delivery_id": delivery_id,
            "index": index,
            "first_event_sequence": delivery["firstEventSequence"],
            "last_event_sequence": delivery["lastEventSequence"],
            "event": event,
        }
        sent = await request.app.state.producer.send(
            TOPIC,
            json.dumps(value).encode(),
            key=event["tenantId"].encode(),
            headers=[("traceparent", f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01".encode())],
        )
        if TOGETHER:
            under_way.append(sent)
        else:
            await sent
    await asyncio.gather(*under_way)
    return Response(status_code=200)
