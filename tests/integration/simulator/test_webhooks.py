"""Webhooks as they arrive, and what happens when nobody takes them."""

import asyncio
import random
from typing import Any

import pytest
from aiohttp import web

from simulator.webhooks.events import event_date
from simulator.webhooks.payload import spoil
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Hook, Receiver, Simulated, Talk
from tests.support.webhooks import sign

KEY = "LR+QgKlbRciIPYpi65tTKLaZ3FzLLofCNEQWrRXqWXJeDFrfexzfVI9SmnVuCWDJ4jnjHB9ECtOyxZSofRxwWw=="


@pytest.fixture
async def hooked(start: Start, receiver: Receiver) -> Simulated:
    """A simulator that sends to the receiver, its clock standing still."""
    simulated = await start(webhook_url=receiver.url, webhook_key=KEY, clock_rate=0)
    await simulated.talk.connect()
    return simulated


async def test_an_edit_is_announced_with_a_signature_over_the_bytes(hooked: Simulated, receiver: Receiver) -> None:
    """Key as text, never decoded; the headers seen in the wild and no others."""
    (edit,) = await hooked.talk.edit(kind="create", endpoint="Invoices")
    await hooked.talk.calm()

    (hook,) = receiver.hooks
    assert hook.headers["x-xero-signature"] == sign(hook.body, KEY)
    assert {name.lower() for name in hook.headers} == {
        "host",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "x-xero-signature",
    }
    assert (hook.headers["Content-Type"], hook.headers["Accept"]) == ("application/json; charset=utf-8", "*/*")
    (event,) = hook.events
    assert (event["eventType"], event["eventCategory"], event["resourceId"]) == ("CREATE", "INVOICE", edit["id"])
    assert event["tenantId"] == edit["tenantId"]
    assert event["resourceUrl"] == f"https://api.xero.com/api.xro/2.0/Invoices/{edit['id']}"
    assert b'],"firstEventSequence": 1,"lastEventSequence": 1, "entropy": "' in hook.body


@pytest.mark.parametrize("url", ["not a url", "nope", "", "/hook", "ftp://127.0.0.1/hook", "http://", "http://a b/"])
@pytest.mark.parametrize(("method", "path"), [("PUT", "/webhooks"), ("POST", "/intent-to-receive")])
async def test_webhooks_go_to_http_urls_only(
    hooked: Simulated, receiver: Receiver, method: str, path: str, url: str
) -> None:
    """What is none is refused, and the address stays as it was."""
    status, answer = await hooked.talk.refused(method, path, {"url": url})

    assert (status, "not an http or https URL" in answer["error"]) == (400, True)
    assert (await hooked.talk.control("GET", "/webhooks"))["url"] == receiver.url


async def test_the_event_is_as_old_as_the_record(hooked: Simulated, receiver: Receiver) -> None:
    """Its eventDateUtc is UpdatedDateUTC, in ISO without a zone."""
    (edit,) = await hooked.talk.edit(kind="change")
    await hooked.talk.calm()

    (event,) = receiver.events
    truth = await hooked.talk.truth("Invoices", edit["tenantId"])
    row = next(row for row in truth if row["InvoiceID"] == edit["id"])
    assert f"{edit['records'][0]['updatedMs'] % 1000:03d}" == event["eventDateUtc"][-3:]
    assert row["UpdatedDateUTCString"][:19] == event["eventDateUtc"][:19]


async def test_what_changes_what_is_announced(hooked: Simulated, receiver: Receiver) -> None:
    """Payment → itself and the invoice; merge → both contacts."""
    talk = hooked.talk
    tenant = talk.tenants[0]

    await talk.edit(kind="pay", tenantId=tenant)
    await talk.edit(kind="merge", tenantId=tenant)
    await talk.calm()

    told = [(event["eventCategory"], event["eventType"]) for event in receiver.events]
    assert told[:4] == [("PAYMENT", "CREATE"), ("INVOICE", "UPDATE"), ("CONTACT", "UPDATE"), ("CONTACT", "UPDATE")]
    assert {event_type for _, event_type in told[4:]} <= {"UPDATE"}


async def test_payments_are_announced_whatever_makes_or_deletes_them(hooked: Simulated, receiver: Receiver) -> None:
    """A batch, a refund of credit, and each taken back: the payment's own event beside its document's."""
    talk = hooked.talk
    tenant = talk.tenants[0]

    async def told(**edit: str) -> list[tuple[str, str, str]]:
        receiver.hooks.clear()
        await talk.edit(tenantId=tenant, **edit)
        await talk.calm()
        return [
            (
                event["eventCategory"],
                event["eventType"],
                event["data"]["Status"] if event["eventCategory"] == "PAYMENT" else "",
            )
            for event in receiver.events
        ]

    refund = await told(endpoint="Payments", kind="create")
    taken_back = await told(endpoint="Payments", kind="delete")
    batch = await told(endpoint="BatchPayments", kind="create")
    batch_deleted = await told(endpoint="BatchPayments", kind="delete")

    assert refund[0] == ("PAYMENT", "CREATE", "AUTHORISED")
    assert refund[1][:2] in {("CREDITNOTE", "UPDATE"), ("PREPAYMENT", "UPDATE"), ("OVERPAYMENT", "UPDATE")}
    assert taken_back[0] == ("PAYMENT", "UPDATE", "DELETED")
    assert {event[0] for event in batch} <= {"PAYMENT", "INVOICE"}
    assert ("PAYMENT", "AUTHORISED") in {(event[0], event[2]) for event in batch}
    assert ("PAYMENT", "UPDATE", "DELETED") in batch_deleted
    assert ("INVOICE", "UPDATE", "") in batch_deleted


async def test_an_allocation_announces_both_documents(start: Start, receiver: Receiver) -> None:
    """CREDITNOTE with data, INVOICE without."""
    simulated = await start(webhook_url=receiver.url, contacts=2, invoices=60, credit_notes=40)

    await simulated.talk.edit(kind="allocate", endpoint="CreditNotes")
    await simulated.talk.calm()

    note, invoice = receiver.events
    assert (note["eventCategory"], invoice["eventCategory"]) == ("CREDITNOTE", "INVOICE")
    assert note["data"]["Type"] in ("ACCRECCREDIT", "ACCPAYCREDIT")
    assert note["data"]["Status"] in ("AUTHORISED", "PAID")
    assert "data" not in invoice


async def test_several_events_and_tenants_share_a_delivery(start: Start, receiver: Receiver) -> None:
    """What gathers in the batching time travels together, in sequence."""
    simulated = await start(webhook_url=receiver.url, webhook_batch_ms=400)

    tenants = [row["tenantId"] for row in (await simulated.talk.control("GET", "/tenants"))["tenants"]]
    for number in range(10):
        await simulated.talk.edit(tenantId=tenants[number % 2])
    report = await simulated.talk.calm()

    events = sum(len(hook.events) for hook in receiver.hooks)
    assert len(receiver.hooks) < events / 2
    assert len({event["tenantId"] for event in max((hook.events for hook in receiver.hooks), key=len)}) == 2
    assert report["deliveredEvents"] == events
    spans = [(hook.document["firstEventSequence"], hook.document["lastEventSequence"]) for hook in receiver.hooks]
    assert spans[0][0] == 1
    assert spans[-1][1] == events


async def test_an_app_gets_the_categories_it_subscribed_to(start: Start, receiver: Receiver) -> None:
    """A payment announces itself and its invoice; what was not subscribed to has no number either."""
    simulated = await start(webhook_url=receiver.url, webhook_categories=("INVOICE",))
    talk = simulated.talk
    await talk.edit(kind="pay")
    await talk.calm()

    report = await talk.control("PUT", "/webhooks", {"categories": ["INVOICE", "PAYMENT"]})
    await talk.edit(kind="pay")
    await talk.calm()
    await talk.control("PUT", "/webhooks", {"categories": []})
    await talk.edit(kind="pay")

    assert report["categories"] == ["INVOICE", "PAYMENT"]
    events = [(event["eventCategory"], event["eventType"]) for hook in receiver.hooks for event in hook.events]
    assert events == [("INVOICE", "UPDATE"), ("PAYMENT", "CREATE"), ("INVOICE", "UPDATE")]
    assert receiver.hooks[-1].document["lastEventSequence"] == 3
    status, refused = await talk.refused("PUT", "/webhooks", {"categories": ["JOURNAL"]})
    assert status == 400
    assert "JOURNAL: no webhook category" in str(refused)


async def test_a_batch_has_a_largest_size(start: Start, receiver: Receiver) -> None:
    """More events make more deliveries."""
    simulated = await start(webhook_url=receiver.url, webhook_batch_ms=20, webhook_batch_events=4)

    await simulated.talk.edit(count=20, kind="change")
    await simulated.talk.calm()

    assert max(len(hook.events) for hook in receiver.hooks) == 4


async def test_a_failed_delivery_is_tried_once_more_at_once(hooked: Simulated, receiver: Receiver) -> None:
    """The same bytes; one good answer is enough."""
    answers = iter([500, 200])
    receiver.answer = lambda _: web.Response(status=next(answers))

    await hooked.talk.edit(kind="change")
    report = await hooked.talk.calm()

    first, second = receiver.hooks
    assert first.body == second.body
    assert (report["health"], report["failedAttempts"]) == ("healthy", 1)
    assert [one["answer"] for one in report["deliveries"][0]["attempts"]] == [500, 200]


@pytest.mark.parametrize("status", [500, 503, 401, 204, 302])
async def test_anything_but_200_is_a_failure(hooked: Simulated, receiver: Receiver, status: int) -> None:
    """Redirects aren't followed."""
    receiver.answer = lambda _: web.Response(status=status, headers={"Location": receiver.url})

    await hooked.talk.edit(kind="change")
    await receiver.until(2)
    report = await until_health(hooked.talk, "retrying")

    assert report["deliveries"][0]["attempts"][0]["answer"] == status
    assert report["pendingEvents"] == 1


async def until_health(talk: Talk, health: str, within: float = 5) -> dict[str, Any]:
    """The report once the subscription is in that state."""
    async with asyncio.timeout(within):
        while True:
            report: dict[str, Any] = await talk.control("GET", "/webhooks")
            if report["health"] == health:
                return report
            await asyncio.sleep(0.01)


async def test_after_two_failures_it_waits_a_quarter_of_an_hour_and_replays_in_order(
    hooked: Simulated, receiver: Receiver
) -> None:
    """What happens meanwhile is stored; one good answer brings everything, in order."""
    talk = hooked.talk
    receiver.answer = lambda _: web.Response(status=503)
    await talk.edit(kind="change")
    await until_health(talk, "retrying")
    for _ in range(5):
        await talk.edit(kind="change")
    assert len(receiver.hooks) == 2

    await talk.ahead(899)
    assert len(receiver.hooks) == 2
    await talk.ahead(2)
    await receiver.until(3)
    receiver.answer = lambda _: web.Response()
    await talk.ahead(901)
    report = await talk.calm()

    assert report["health"] == "healthy"
    assert [hook.document["firstEventSequence"] for hook in receiver.hooks[:4]] == [1, 1, 1, 1]
    delivered = [event["eventDateUtc"] for hook in receiver.hooks[3:] for event in hook.events]
    assert len(delivered) == 6
    assert delivered == sorted(delivered)


async def test_the_interval_is_a_setting_and_a_retry_can_be_ordered(start: Start, receiver: Receiver) -> None:
    """So that tests need not wait."""
    simulated = await start(webhook_url=receiver.url, webhook_retry_seconds=0.1)
    answers = iter([503, 503, 503, 200])
    receiver.answer = lambda _: web.Response(status=next(answers, 200))
    await simulated.talk.edit(kind="change")
    await receiver.until(4)
    await simulated.talk.calm()

    await simulated.talk.control("PUT", "/webhooks", {"retrySeconds": 3600})
    failing = iter([503, 503])
    receiver.answer = lambda _: web.Response(status=next(failing, 200))
    await simulated.talk.edit(kind="change")
    await until_health(simulated.talk, "retrying")
    await simulated.talk.control("PUT", "/webhooks", {"tryNow": True})
    report = await simulated.talk.calm()

    assert report["deliveredEvents"] == 2


async def test_after_a_day_of_failure_it_is_disabled_until_the_handshake(hooked: Simulated, receiver: Receiver) -> None:
    """Stored events come after a good intent-to-receive, not by themselves."""
    talk = hooked.talk
    receiver.answer = lambda _: web.Response(status=503)
    await talk.edit(kind="change")
    await until_health(talk, "retrying")
    await talk.ahead(24 * 3600)
    await until_health(talk, "disabled")
    await talk.edit(kind="change")
    seen = len(receiver.hooks)
    await talk.ahead(3600)
    assert len(receiver.hooks) == seen

    receiver.answer = judge
    result = await talk.control("POST", "/intent-to-receive", {})
    report = await talk.calm()

    assert result["passed"]
    assert (report["health"], report["deliveredEvents"]) == ("healthy", 2)


async def test_what_is_stored_is_kept_for_31_days(hooked: Simulated, receiver: Receiver) -> None:
    """Then it is lost, and counted."""
    talk = hooked.talk
    receiver.answer = lambda _: web.Response(status=503)
    await talk.edit(kind="change")
    await until_health(talk, "retrying")
    await talk.edit(kind="change")
    await talk.ahead(24 * 3600)
    await until_health(talk, "disabled")
    await talk.ahead(31 * 86_400)
    await talk.edit(kind="change")

    receiver.answer = judge
    await talk.control("POST", "/intent-to-receive", {})
    report = await talk.calm()

    assert (report["expiredEvents"], report["deliveredEvents"]) == (2, 1)


def judge(hook: Hook) -> web.Response:
    """What a right receiver answers."""
    return web.Response(status=200 if hook.headers["x-xero-signature"] == sign(hook.body, KEY) else 401)


async def test_a_slow_receiver_fails(start: Start, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five seconds (here: less) nobody listens any more."""
    monkeypatch.setattr("simulator.webhooks.sender.ANSWER_SECONDS", 0.2)
    receiver.held = asyncio.Event()
    simulated = await start(webhook_url=receiver.url)

    await simulated.talk.edit(kind="change")
    report = await until_health(simulated.talk, "retrying")

    assert [one["answer"] for one in report["deliveries"][0]["attempts"]] == ["timeout", "timeout"]


async def test_a_receiver_that_is_down_is_a_failure_and_comes_back(start: Start) -> None:
    """Connection refused; later everything arrives."""
    receiver = Receiver()
    simulated = await start(webhook_url=receiver.url, webhook_retry_seconds=0.2)
    await simulated.talk.edit(kind="change", count=3)
    await until_health(simulated.talk, "retrying")

    await receiver.start()
    report = await simulated.talk.calm()
    await receiver.stop()

    assert report["deliveredEvents"] == 3
    assert len(receiver.events) == 3


async def test_events_wait_until_there_is_a_url(start: Start, receiver: Receiver) -> None:
    """Set at run time, with another key."""
    simulated = await start()
    await simulated.talk.edit(kind="change", count=2)

    await simulated.talk.control("PUT", "/webhooks", {"url": receiver.url, "key": "other"})
    await simulated.talk.calm()

    assert len(receiver.events) == 2
    assert receiver.hooks[0].headers["x-xero-signature"] == sign(receiver.hooks[0].body, "other")


async def test_a_good_receiver_passes_the_handshake(hooked: Simulated, receiver: Receiver) -> None:
    """A series of empty payloads, one character wrong in most."""
    receiver.answer = judge

    result = await hooked.talk.control("POST", "/intent-to-receive", {})

    assert result["passed"]
    assert sorted(row["answer"] for row in result["requests"]) == [200, 401, 401, 401]
    assert all(hook.document["events"] == [] for hook in receiver.hooks)
    assert all(hook.document["lastEventSequence"] == 0 for hook in receiver.hooks)
    for hook in receiver.hooks:
        given, right = hook.headers["x-xero-signature"], sign(hook.body, KEY)
        assert sum(mine != theirs for mine, theirs in zip(given, right, strict=True)) <= 1


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda _: web.Response(), "Response to incorrectly signed payload not 401"),
        (lambda _: web.Response(status=401), "Response to correctly signed payload not 200"),
        (lambda hook: web.Response(status=judge(hook).status, text="ok"), "Response contained a body"),
        (
            lambda hook: web.Response(status=judge(hook).status, headers={"Set-Cookie": "a=b"}),
            "Response contained a cookie",
        ),
    ],
)
async def test_a_wrong_receiver_fails_the_handshake(
    hooked: Simulated, receiver: Receiver, wrong: Any, complaint: str
) -> None:
    """With the portal's reason."""
    receiver.answer = wrong

    result = await hooked.talk.control("POST", "/intent-to-receive", {"url": receiver.url})

    assert not result["passed"]
    assert complaint in {row["complaint"] for row in result["requests"]}


async def test_a_handshake_needs_somebody_to_ask(talk: Talk) -> None:
    """409 without a URL; no answer is a complaint."""
    status, _ = await talk.refused("POST", "/intent-to-receive", {})
    nobody = await talk.control("POST", "/intent-to-receive", {"url": "http://127.0.0.1:9/nobody"})

    assert status == 409
    assert not nobody["passed"]


async def test_events_to_order_travel_as_they_are(hooked: Simulated, receiver: Receiver) -> None:
    """Together in one delivery, whatever its size; what they leave out is filled in."""
    events = [
        {"eventCategory": "PREPAYMENT", "resourceId": f"r{number}", "tenantId": hooked.talk.tenants[0], "x": 1}
        for number in range(3000)
    ]
    events[0]["eventType"] = "Update"

    answer = await hooked.talk.control("POST", "/webhooks/events", {"events": events})
    await hooked.talk.calm()

    (hook,) = receiver.hooks
    assert answer["events"] == list(range(1, 3001))
    assert len(hook.events) == 3000
    assert (hook.events[0]["eventType"], hook.events[1]["eventType"], hook.events[5]["x"]) == ("Update", "UPDATE", 1)
    assert hook.events[0]["resourceUrl"].endswith("/Prepayments/r0")
    assert len(hook.body) > 2**19


async def test_faults_of_webhooks_are_seen_to_happen(start: Start, receiver: Receiver) -> None:
    """Dropped, doubled, overtaken, late."""
    simulated = await start(webhook_url=receiver.url, webhook_concurrency=1)
    talk = simulated.talk

    async def one_by_one(fault: dict[str, Any], count: int) -> list[int]:
        receiver.hooks.clear()
        await talk.faults({"operation": "webhook", "times": 1, "fault": fault})
        dates = [event_date((await talk.edit(kind="change"))[0]["records"][0]["updatedMs"]) for _ in range(count)]
        await talk.calm()
        assert await talk.fired() == [1]
        return [dates.index(event["eventDateUtc"]) for event in receiver.events]

    assert await one_by_one({"kind": "drop"}, 3) == [1, 2]
    assert sorted(await one_by_one({"kind": "duplicate"}, 2)) == [0, 0, 1]
    assert await one_by_one({"kind": "delay", "ms": 1500}, 2) == [1, 0]
    assert (await talk.control("GET", "/webhooks"))["droppedEvents"] == 1
    assert await one_by_one({"kind": "reorder", "places": 1}, 3) == [1, 0, 2]


async def test_edits_can_be_silent(hooked: Simulated, receiver: Receiver) -> None:
    """Without a webhook nobody is told."""
    (edit,) = await hooked.talk.edit(kind="change", webhook=False)
    await hooked.talk.calm()

    assert edit["events"] == []
    assert receiver.hooks == []


async def test_a_touch_without_a_stamp_is_announced(hooked: Simulated, receiver: Receiver) -> None:
    """Now, or dated as the record on request."""
    tenant = hooked.talk.tenants[0]
    target = next(row["InvoiceID"] for row in await hooked.talk.truth("Invoices") if row["Status"] == "AUTHORISED")
    before = (await hooked.talk.get(f"Invoices/{target}", unitdp="4")).json()["Invoices"][0]

    for dated in ("now", "record"):
        await hooked.talk.edit(
            tenantId=tenant,
            endpoint="Invoices",
            kind="touch_without_stamp",
            recordId=target,
            eventDate=dated,
        )
    await hooked.talk.edit(tenantId=tenant, endpoint="Invoices", kind="restore", recordId=target)
    await hooked.talk.edit(tenantId=tenant, endpoint="Invoices", kind="restore", recordId=target)
    await hooked.talk.calm()

    after = (await hooked.talk.get(f"Invoices/{target}", unitdp="4")).json()["Invoices"][0]
    assert after["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    assert len(receiver.events) == 4
    dates = [event["eventDateUtc"][:19] for event in receiver.events]
    assert dates[1] == before["UpdatedDateUTCString"][:19]
    assert dates[0] != dates[1]


def test_a_spoilt_signature_is_what_the_receiver_must_refuse() -> None:
    """The judge of these tests knows good from bad."""
    body = b"body"
    good = Hook(body=body, headers={"x-xero-signature": sign(body, KEY)})
    bad = Hook(body=body, headers={"x-xero-signature": spoil(sign(body, KEY), random.Random(1))})

    assert (judge(good).status, judge(bad).status) == (200, 401)
