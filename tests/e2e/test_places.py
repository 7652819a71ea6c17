"""Events that lie, or claim to belong, elsewhere than the organisation they are about. One stack with the other tests."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from tests.support.stack import PARTITIONS, Stack
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def changed_silently(stack: Stack, tenant: str, place: int) -> tuple[str, Mapping[str, str]]:
    """Change an invoice without telling; its id, and the event that Xero owes for it."""
    rows = (await stack.control("GET", f"/truth/{tenant}/Invoices"))["Invoices"]
    record_id = [row["InvoiceID"] for row in rows if row["Status"] not in {"DELETED", "VOIDED"}][place]
    fields = b'{"fields": {"Reference": "changed silently"}, "webhook": false}'
    answer = await stack.http.put(
        f"/_sim/records/{tenant}/Invoices/{record_id}", content=fields, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    return record_id, await stack.event_of(tenant, "Invoices", record_id)


Send = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="session")
async def send(quiet: Stack) -> AsyncIterator[Send]:
    """Writes to webhook-events as somebody else may: a value, under a key, into a partition."""
    producer = AIOKafkaProducer(bootstrap_servers=quiet.bootstrap_servers)
    headers = [("traceparent", b"00-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01")]

    async def write(value: bytes, key: bytes, partition: int) -> None:
        await producer.send_and_wait(quiet.topics.webhook_events, value, key=key, partition=partition, headers=headers)

    await producer.start()
    yield write
    await producer.stop()


def logged(event: Mapping[str, str], app: str = "default") -> bytes:
    """The value of an event's record."""
    return orjson.dumps(
        {
            "version": 1,
            "app": app,
            "received_at": f"{event['eventDateUtc']}Z",
            "delivery_id": uuid.uuid4().hex,
            "index": 0,
            "event": event,
        }
    )


async def quarantined(stack: Stack, reason: str) -> list[Any]:
    """Open entries of a reason."""
    return await stack.fetch("SELECT * FROM quarantine WHERE reason = $1 AND state = 'open'", reason)


async def test_an_organisation_in_another_spelling_is_the_same_organisation(quiet: Stack) -> None:
    """Signed events for ``{23C8…}`` come out on the organisation's partition, and its compacted topic has one key."""
    tenant = (await quiet.tenants())[0]
    home = partition_of(TenantId(tenant), PARTITIONS)
    spellings = [f"{{{tenant}}}", tenant.upper(), tenant.replace("-", ""), f"urn:uuid:{tenant}"]
    elsewhere = [text for text in spellings if partition_of(TenantId(text.lower()), PARTITIONS) != home]
    assert elsewhere, "each of these spellings hashes to the organisation's partition: try another seed"
    edits = [await changed_silently(quiet, tenant, place) for place in range(len(spellings))]

    events = [
        {**event, "tenantId": text, "resourceId": text.replace(tenant, record_id)}
        for text, (record_id, event) in zip(spellings, edits, strict=True)
    ]
    events[1]["resourceId"], events[2]["resourceId"] = edits[1][0].upper(), edits[2][0].replace("-", "")
    await quiet.control("POST", "/webhooks/events", {"events": events})
    await quiet.drained()

    kept = await quiet.records()
    for record_id, _ in edits:
        spots = {record.spot.partition for record in kept if record.ref.record_id == record_id}
        assert spots == {home}
        last = [change for change in await quiet.changes() if change.ref.record_id == record_id][-1]
        assert (last.spot.partition, last.event["after"]["reference"]) == (home, "changed silently")
    await quiet.judged(await quiet.tenants())


async def test_an_event_in_another_partition_waits_in_quarantine(quiet: Stack, send: Send) -> None:
    """It marks nothing and costs no call; its bytes are kept and counted."""
    tenant = (await quiet.tenants())[1]
    home = partition_of(TenantId(tenant), PARTITIONS)
    record_id, event = await changed_silently(quiet, tenant, 0)
    calls = (await quiet.control("GET", "/calls"))["tenants"][tenant]["calls"]
    value = logged(event)

    await send(value, key=tenant.encode(), partition=(home + 1) % PARTITIONS)
    await send(value, key=f"{{{tenant}}}".encode(), partition=home)
    await quiet.drained()

    entries = await quarantined(quiet, "misplaced_event")
    assert {entry["value"] for entry in entries} == {value}
    assert sorted(entry["partition"] for entry in entries) == sorted([home, (home + 1) % PARTITIONS])
    counted = (await quiet.series("processors-0"))['xero_stream_events_refused_total{reason="misplaced_event"}']
    assert counted == len(entries) == 2
    assert (await quiet.control("GET", "/calls"))["tenants"][tenant]["calls"] == calls

    await send(value, key=tenant.encode(), partition=home)
    await quiet.drained()
    assert [change for change in await quiet.changes() if change.ref.record_id == record_id][-1].spot.partition == home
    await quiet.fetch("UPDATE quarantine SET state = 'resolved' WHERE reason = 'misplaced_event'")
    await quiet.judged(await quiet.tenants())


async def test_an_app_has_no_business_with_another_apps_organisation(quiet: Stack, send: Send) -> None:
    """An event of app ``ghost`` for an organisation of ``default`` causes no call and is kept with its bytes."""
    tenant = (await quiet.tenants())[2]
    home = partition_of(TenantId(tenant), PARTITIONS)
    _, event = await changed_silently(quiet, tenant, 0)
    calls = (await quiet.control("GET", "/calls"))["tenants"][tenant]["calls"]
    value = logged(event, app="ghost")

    await send(value, key=tenant.encode(), partition=home)
    await quiet.drained()

    (entry,) = await quarantined(quiet, "event_of_another_app")
    assert (entry["value"], entry["partition"]) == (value, home)
    assert entry["error"] == f"app 'ghost' sent it; organisation {tenant} is connected through app 'default'"
    assert (await quiet.control("GET", "/calls"))["tenants"][tenant]["calls"] == calls

    await send(logged(event), key=tenant.encode(), partition=home)
    await quiet.drained()
    await quiet.fetch("UPDATE quarantine SET state = 'resolved' WHERE reason = 'event_of_another_app'")
    await quiet.judged(await quiet.tenants())
