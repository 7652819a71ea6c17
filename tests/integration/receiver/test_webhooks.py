"""Webhooks against the running receiver and the real Kafka: what is answered, and what is in the log."""

import asyncio
import hashlib
import re
from pathlib import Path

import orjson
import pytest

from tests.support.receivers import RunningReceiver, read_all
from tests.support.webhooks import CAPTURES, KEY, Maker, captured, examples, sign
from xero_stream.contracts.names import TenantId
from xero_stream.contracts.partition import partition_of
from xero_stream.contracts.webhook_event import WebhookEvent


async def events_of(receiver: RunningReceiver, body: bytes) -> list[WebhookEvent]:
    """The log's events of a delivery, by partition and offset."""
    delivery = hashlib.sha256(body).hexdigest()[:32]
    records = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    events = [WebhookEvent.model_validate_json(record.value) for record in records]
    return [event for event in events if event.delivery_id == delivery]


async def test_captured_intent_to_receive(receiver: RunningReceiver) -> None:
    """The handshake as captured from Xero is answered as Xero wants it, and seen by the operator."""
    before = await receiver.metrics()
    receiver_key = captured()[0].key
    assert receiver_key != KEY

    for case in captured():
        # The captured key is no key of this receiver: the same body is signed with ours, and spoilt as Xero does.
        signature = sign(case.body) if case.answer == 200 else "/" + sign(case.body)[1:]
        answer = await receiver.post(case.body, signature=signature)
        assert (answer.status_code, answer.content) == (case.answer, b"")
        assert "set-cookie" not in answer.headers

    after = await receiver.metrics()
    for outcome in ("accepted", "rejected"):
        name = f'xero_stream_receiver_intent_to_receive_total{{outcome="{outcome}"}}'
        assert after[name] - before[name] == 1
        assert after[f'xero_stream_receiver_intent_to_receive_timestamp_seconds{{outcome="{outcome}"}}'] > 1.7e9


@pytest.mark.parametrize("file", CAPTURES, ids=["ours", "shared"][: len(CAPTURES)])
async def test_captured_requests_with_their_key(file: Path, kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """The captured requests, bytes, headers, key and all, are answered 200 and 401 as given; no topic is needed."""
    environment = {"XERO_WEBHOOK_KEYS": captured(file)[0].key}
    async with RunningReceiver(
        bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path, environment=environment
    ) as receiver:
        for case in captured(file):
            answer = await receiver.post(
                case.body,
                signature=case.signature,
                accept="*/*",
                accept_encoding="gzip,deflate",
                content_type="application/json; charset=utf-8",
            )
            assert (answer.status_code, answer.content) == (case.answer, b"")


@pytest.mark.parametrize("name", examples())
async def test_answered_200_is_in_the_log(receiver: RunningReceiver, name: str) -> None:
    """Whatever the category, each event of a webhook that was answered 200 is in the log, as it was sent."""
    body = orjson.dumps(examples()[name])

    answer = await receiver.post(body)

    assert (answer.status_code, answer.content) == (200, b"")
    logged = sorted(await events_of(receiver, body), key=lambda event: event.index)
    assert [event.event for event in logged][: len(examples()[name]["events"])] == examples()[name]["events"]
    assert {event.app for event in logged} == {"default"}


async def test_record_on_the_topic(receiver: RunningReceiver) -> None:
    """Key, partition, headers and the broker's timestamp are right on Kafka itself; the trace is the caller's."""
    body = Maker(seed=11).body()
    tenant = orjson.loads(body)["events"][0]["tenantId"]
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    await receiver.post(body, traceparent=f"00-{trace}-00f067aa0ba902b7-01")

    records = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    (record,) = [record for record in records if record.key == tenant.encode()]
    headers = dict(record.headers)
    assert record.partition == partition_of(TenantId(tenant), 3)
    assert headers["traceparent"].split(b"-")[1] == trace.encode()
    assert headers["ce_specversion"] == b"1.0"
    received = WebhookEvent.model_validate_json(record.value).received_at.timestamp() * 1000
    assert record.timestamp_type == 1, "the broker stamps what it appends"
    assert record.timestamp == pytest.approx(received, abs=5_000)


async def test_order_of_a_tenant(receiver: RunningReceiver) -> None:
    """Events of a tenant keep the order in which their webhooks were answered."""
    maker = Maker(seed=12, tenants=1)
    bodies = [maker.body(3) for _ in range(20)]
    for body in bodies:
        assert (await receiver.post(body)).status_code == 200

    records = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    ours = [orjson.loads(record.value) for record in records if record.key == maker.tenants[0].encode()]

    sent = [event["resourceId"] for body in bodies for event in orjson.loads(body)["events"]]
    assert [event["event"]["resourceId"] for event in ours] == sent


async def test_three_thousand_events(receiver: RunningReceiver) -> None:
    """A webhook of 2 MiB and 3,000 events is one answer, and every event is in the log, in order per tenant."""
    body = Maker(seed=13, tenants=7).body(3_000)
    padded = body + b" " * max(0, 2 * 1024 * 1024 - len(body))

    answer = await receiver.post(padded)

    assert answer.status_code == 200
    logged = await events_of(receiver, padded)
    assert sorted(event.index for event in logged) == list(range(3_000))
    by_tenant: dict[str, list[int]] = {}
    for event in logged:
        by_tenant.setdefault(event.event["tenantId"], []).append(event.index)
    assert all(indices == sorted(indices) for indices in by_tenant.values())


@pytest.mark.parametrize(
    "body",
    [b"no JSON at all", b"[1,2]", b'{"events":"none"}', b'{"events":[{"a":NaN}]}', b"[" * 50_000, b'"\xff\xfe"'],
    ids=["text", "list", "no events", "NaN", "deep", "no UTF-8"],
)
async def test_verified_but_unreadable(receiver: RunningReceiver, body: bytes) -> None:
    """A verified body that can't be read is answered 200 and kept, byte for byte, as a dead letter."""
    answer = await receiver.post(body)

    assert (answer.status_code, answer.content) == (200, b"")
    letters = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.dead-letters")
    (letter,) = [letter for letter in letters if letter.value == body]
    assert dict(letter.headers)["xs_stage"] == b"receive"


async def test_empty_body(receiver: RunningReceiver) -> None:
    """An empty body, rightly signed, is unreadable like any other; unsigned it is rejected."""
    assert (await receiver.post(b"")).status_code == 200
    assert (await receiver.post(b"", signature=None)).status_code == 401


async def test_kept_deliveries(receiver: RunningReceiver) -> None:
    """Where the setting asks for it, the exact bytes and the signature are on webhook-deliveries."""
    body = b' {"events" : [ ] , "entropy":"kept"} '

    await receiver.post(body)

    kept = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-deliveries")
    (record,) = [record for record in kept if record.value == body]
    assert dict(record.headers)["x-xero-signature"].decode() == sign(body)


async def test_apps(receiver: RunningReceiver) -> None:
    """Each app has its own path and keys; another app's key is wrong there; an unknown app is a wrong key."""
    body = Maker(seed=14).body()
    newer, older = sign(body, "nz-newer-key-of-the-file-0123456789"), sign(body, "nz-older-key-of-the-file-0123456789")

    assert (await receiver.post(body, path="/webhooks/xero/nz", signature=newer)).status_code == 200
    assert (await receiver.post(body, path="/webhooks/xero/nz", signature=older)).status_code == 200
    assert (await receiver.post(body, path="/webhooks/xero/nz")).status_code == 401
    assert (await receiver.post(body, signature=newer)).status_code == 401
    for path in ("/webhooks/xero/au", "/webhooks/xero/au%2F", "/webhooks/xero/.."):
        assert (await receiver.post(body, path=path)).status_code in (401, 404)

    assert {event.app for event in await events_of(receiver, body)} == {"nz"}


async def test_apps_file_is_read_again(receiver: RunningReceiver) -> None:
    """A new app in the file is taken without a restart."""
    file = receiver.folder / "apps.toml"
    before = file.read_text()
    body = Maker(seed=15).body()
    try:
        file.write_text(before + '\n[apps.uk]\nwebhook_keys = ["uk-key-of-the-file-0123456789abcdef"]\n')
        answers = []
        for _ in range(100):
            answer = await receiver.post(
                body, path="/webhooks/xero/uk", signature=sign(body, "uk-key-of-the-file-0123456789abcdef")
            )
            answers.append(answer.status_code)
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.1)
    finally:
        file.write_text(before)

    assert answers[-1] == 200


async def test_secrets_of_other_processes_are_told(receiver: RunningReceiver) -> None:
    """One warning names what should not be in the receiver's environment, and never shows it."""
    (line,) = [line for line in receiver.logged().splitlines() if "secrets_of_other_processes" in line]

    assert orjson.loads(line)["settings"] == ["XERO_CLIENT_SECRET"]
    assert "canary-of-the-processors" not in receiver.logged()


async def test_burst(receiver: RunningReceiver) -> None:
    """Many at once are all accepted, each once in the log."""
    maker = Maker(seed=16, tenants=50)
    bodies = [maker.body() for _ in range(300)]

    answers = await asyncio.gather(*[receiver.post(body) for body in bodies])

    assert {answer.status_code for answer in answers} == {200}
    records = await read_all(receiver.bootstrap_servers, f"{receiver.prefix}.webhook-events")
    logged = [orjson.loads(record.value)["event"].get("resourceId") for record in records]
    for body in bodies:
        assert logged.count(orjson.loads(body)["events"][0]["resourceId"]) == 1


async def test_metrics_add_up(receiver: RunningReceiver) -> None:
    """What happened is counted, once, where it belongs."""
    maker = Maker(seed=17)
    before = await receiver.metrics()

    await receiver.post(maker.body(4))
    await receiver.post(maker.body(), signature="wrong")
    await receiver.post(maker.body(), signature=None)
    await receiver.post(maker.body(), path="/webhooks/xero/none")
    await receiver.post(b"unreadable")

    after = await receiver.metrics()
    changed = {
        name.removeprefix("xero_stream_receiver_"): after[name] - before[name]
        for name in after
        if name.startswith("xero_stream_receiver_")
        and after[name] != before[name]
        and not re.search("_bucket|_bytes|_seconds|_connections", name)
    }
    assert changed == {
        'requests_total{outcome="accepted"}': 2,
        'requests_total{outcome="rejected"}': 3,
        'rejected_total{reason="mismatch"}': 1,
        'rejected_total{reason="missing"}': 1,
        'rejected_total{reason="unknown_app"}': 1,
        'events_total{category="invoice"}': 4,
        'dead_letters_total{reason="invalid_json"}': 1,
        'verified_total{key="newest"}': 2,
    }
    assert after["xero_stream_receiver_append_seconds_count"] - before["xero_stream_receiver_append_seconds_count"] == 2
    assert after["xero_stream_receiver_in_flight_bytes"] == 0
    assert after["xero_stream_receiver_producer_available"] == 1


async def test_health(receiver: RunningReceiver) -> None:
    """The private port says that it lives and is ready; the public one says nothing of the kind."""
    assert await receiver.status("/livez") == 200
    assert await receiver.status("/readyz") == 200
    for page in ("/livez", "/readyz", "/metrics", "/"):
        assert (await receiver.http.get(page)).status_code == 404
        assert (await receiver.http.post(page)).status_code == 404
