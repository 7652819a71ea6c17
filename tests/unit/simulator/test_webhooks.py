"""Events, deliveries, signatures, schedule, handshake: the pure parts."""

import hashlib
import random
from dataclasses import replace

import orjson
import pytest

from simulator.books import money
from simulator.books.organisation import Change
from simulator.books.words import DocumentStatus, Endpoint
from simulator.faults.plan import FaultPlan, read_rules
from simulator.webhooks.delivery import Answered, Attempt, pack
from simulator.webhooks.events import event_body, event_date, subscription
from simulator.webhooks.handshake import Exchange, complaint, judge
from simulator.webhooks.outbox import Outbox
from simulator.webhooks.payload import body_of, sign, spoil
from simulator.webhooks.schedule import DISABLED_AFTER_MS, Health, Schedule, failed, succeeded
from simulator.webhooks.spoiling import LONGEST_REORDER_SECONDS, WaitingRoom
from tests.support.webhooks import captured
from tests.unit.simulator.builders import (
    CUSTOMER,
    NOW,
    TENANT,
    contact,
    credit_note,
    event,
    guid,
    invoice,
    organisation,
    payment,
)


def test_an_event_names_the_record_and_little_else() -> None:
    """An invoice's event says neither type nor status; the URL is always Xero's."""
    change = Change(endpoint=Endpoint.INVOICES, record=invoice(), at_ms=NOW, created=True)

    assert orjson.loads(event_body(change, TENANT, 1_718_932_539_902)) == {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{guid(1)}",
        "resourceId": guid(1),
        "tenantId": TENANT,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "CREATE",
        "eventDateUtc": "2024-06-21T01:15:39.902",
    }


def test_a_credit_notes_event_carries_type_and_status() -> None:
    """The newer categories have data."""
    note = credit_note(status=DocumentStatus.VOIDED)
    body = orjson.loads(event_body(Change(endpoint=Endpoint.CREDIT_NOTES, record=note, at_ms=NOW), TENANT, NOW))

    assert (body["eventCategory"], body["eventType"]) == ("CREDITNOTE", "UPDATE")
    assert body["data"] == {"Type": "ACCRECCREDIT", "Status": "VOIDED"}


def test_a_payments_event_is_like_a_prepayments() -> None:
    """Category and data are unconfirmed; a payment that was taken back is an UPDATE to DELETED."""
    books = organisation(invoice())
    made = books.pay(guid(1), payment(1_000), NOW)[0]
    deleted = money.delete_payment(books, guid(700), NOW + 1_500)[0]

    bodies = [orjson.loads(event_body(change, TENANT, NOW)) for change in (made, deleted)]

    assert [(body["eventCategory"], body["eventType"]) for body in bodies] == [
        ("PAYMENT", "CREATE"),
        ("PAYMENT", "UPDATE"),
    ]
    assert bodies[0]["resourceUrl"] == f"https://api.xero.com/api.xro/2.0/Payments/{guid(700)}"
    assert bodies[0]["data"] | {"UpdatedDateUTCString": ""} == {
        "Type": "ACCRECPAYMENT",
        "Status": "AUTHORISED",
        "UpdatedDateUTCString": "",
    }
    assert bodies[1]["data"]["Status"] == "DELETED"
    assert bodies[1]["data"]["UpdatedDateUTCString"] == f"{event_date(NOW + 1_500)[:19]}Z"


def test_an_app_subscribes_to_categories_that_there_are() -> None:
    """Another word is refused with those there are."""
    assert subscription(["PAYMENT", "INVOICE"]) == {"INVOICE", "PAYMENT"}
    with pytest.raises(ValueError, match=r"JOURNAL: no webhook category; choose among INVOICE, .*PAYMENT"):
        subscription(["JOURNAL"])


def test_a_contacts_event() -> None:
    """CONTACT, and its URL."""
    body = orjson.loads(event_body(Change(endpoint=Endpoint.CONTACTS, record=contact(), at_ms=NOW), TENANT, NOW))

    assert (body["eventCategory"], body["resourceUrl"].rpartition("/")[2]) == ("CONTACT", CUSTOMER)


def test_event_dates_have_milliseconds_and_no_zone() -> None:
    """Also when they are zero."""
    assert event_date(1_718_932_539_000) == "2024-06-21T01:15:39.000"


def test_the_captured_intent_to_receive_is_reproduced_to_the_byte() -> None:
    """Same entropy, same body; same key, same signature."""
    good = next(one for one in captured() if one.answer == 200)
    entropy = orjson.loads(good.body)["entropy"]

    body = body_of([], entropy)

    assert body == good.body
    assert sign(body, good.key) == good.signature


def test_a_body_spans_its_events_sequences() -> None:
    """Also when they travel out of order."""
    body = orjson.loads(body_of([event(7), event(5), event(6)], "X" * 20))

    assert (body["firstEventSequence"], body["lastEventSequence"]) == (5, 7)
    assert [one["n"] for one in body["events"]] == [7, 5, 6]


def test_a_spoilt_signature_differs_by_one_character() -> None:
    """As Xero's do."""
    signature = sign(b"body", "key")

    for seed in range(600):
        other = spoil(signature, random.Random(seed))
        assert len(other) == len(signature)
        assert sum(mine != theirs for mine, theirs in zip(signature, other, strict=True)) == 1


def test_a_delivery_that_fails_is_retried_on_schedule_and_then_given_up() -> None:
    """Every interval, until 24 hours are over."""
    schedule = failed(Schedule(retry_ms=900_000), NOW)
    assert (schedule.health, schedule.next_attempt_ms, schedule.failing_since_ms) == (
        Health.RETRYING,
        NOW + 900_000,
        NOW,
    )

    still = failed(schedule, NOW + DISABLED_AFTER_MS - 1)
    over = failed(still, NOW + DISABLED_AFTER_MS)

    assert (still.health, still.failing_since_ms) == (Health.RETRYING, NOW)
    assert over.health is Health.DISABLED
    assert succeeded(over).health is Health.HEALTHY


def test_one_good_answer_heals() -> None:
    """And the next failure starts the day again."""
    healed = succeeded(failed(Schedule(retry_ms=1000), NOW))

    assert healed == Schedule(retry_ms=1000)
    assert failed(healed, NOW + 5).failing_since_ms == NOW + 5


def test_the_outbox_batches_in_order() -> None:
    """No more than asked for; parcels whole and alone."""
    outbox = Outbox()
    outbox.add([event(1), event(2), event(3), event(4, parcel=4), event(5, parcel=4), event(6)])

    batches = [[one.sequence for one in outbox.take(2)] for _ in range(5)]

    assert batches == [[1, 2], [3], [4, 5], [6], []]
    assert (len(outbox), outbox.last_sequence()) == (0, 0)


def test_the_outbox_forgets_what_is_too_old() -> None:
    """After 31 days."""
    outbox = Outbox()
    outbox.add([event(1), event(2), event(3)])

    expired = outbox.expire(NOW + 3)

    assert [one.sequence for one in expired] == [1, 2]
    assert outbox.last_sequence() == 3
    assert outbox.expire(NOW) == []


def plan(*faults: dict[str, object]) -> FaultPlan:
    """Faults of webhooks, each striking once."""
    return FaultPlan(read_rules({"rules": [{"operation": "webhook", "times": 1, "fault": fault} for fault in faults]}))


def spoilt(room: WaitingRoom, *numbers: int, by: FaultPlan) -> list[int]:
    """What goes out now."""
    result = room.spoil([event(number) for number in numbers], by, random.Random(1), 10.0)
    return [one.sequence for one in result.send]


def test_a_dropped_event_is_lost() -> None:
    """And said to be."""
    room = WaitingRoom()

    result = room.spoil([event(1), event(2)], plan({"kind": "drop"}), random.Random(1), 10.0)

    assert [one.sequence for one in result.send] == [2]
    assert [one.sequence for one in result.lost] == [1]
    assert len(room) == 0


def test_a_duplicate_comes_again() -> None:
    """At once, and as many copies later as ordered."""
    room = WaitingRoom()

    assert spoilt(room, 1, by=plan({"kind": "duplicate", "copies": 2, "afterMs": 500})) == [1]
    assert room.next_release() == 10.5
    assert room.release(10.4) == []
    assert [one.sequence for one in room.release(10.5)] == [1, 1]


def test_a_delayed_event_comes_later() -> None:
    """Not before its time."""
    room = WaitingRoom()

    assert spoilt(room, 1, 2, by=plan({"kind": "delay", "ms": 1000})) == [2]
    assert room.release(10.9) == []
    assert [one.sequence for one in room.release(11.0)] == [1]
    assert room.next_release() is None


def test_a_reordered_event_lets_others_pass() -> None:
    """Within a batch and across batches."""
    room = WaitingRoom()
    rules = plan({"kind": "reorder", "places": 2})

    assert spoilt(room, 1, 2, by=rules) == [2]
    assert spoilt(room, 3, 4, by=rules) == [3, 1, 4]


def test_a_reordered_event_does_not_wait_for_ever() -> None:
    """If nothing comes after it, it goes in the end."""
    room = WaitingRoom()

    assert spoilt(room, 1, by=plan({"kind": "reorder"})) == []
    assert room.next_release() == 10.0 + LONGEST_REORDER_SECONDS
    assert [one.sequence for one in room.release(10.0 + LONGEST_REORDER_SECONDS)] == [1]


def test_a_trace_says_what_came_back() -> None:
    """Sequences, size, attempts."""
    delivery = pack([event(4), event(3)], b"12345", "sig")
    delivery.trace.attempts.append(Attempt(at_ms=NOW, answer=503, took_ms=1.234, good=False))

    assert delivery.first == 3
    assert delivery.trace.report() == {
        "firstEventSequence": 3,
        "lastEventSequence": 4,
        "events": 2,
        "bytes": 5,
        "bodySha256": hashlib.sha256(b"12345").hexdigest(),
        "delivered": False,
        "attempts": [{"atMs": NOW, "answer": 503, "tookMs": 1.23}],
    }


GOOD = Exchange(signed_well=True, answer=Answered(status=200, body=b"", cookie=False), took_seconds=0.1)
BAD = Exchange(signed_well=False, answer=Answered(status=401, body=b"", cookie=False), took_seconds=0.1)


def test_200_for_good_and_401_for_bad_passes() -> None:
    """Empty, without a cookie, in time."""
    result = judge([GOOD, BAD, BAD])

    assert result["passed"]
    assert [row["answer"] for row in result["requests"]] == [200, 401, 401]


@pytest.mark.parametrize(
    ("exchange", "text"),
    [
        (replace(GOOD, answer=Answered(status=202, body=b"", cookie=False)), "correctly signed payload not 200"),
        (replace(BAD, answer=Answered(status=200, body=b"", cookie=False)), "incorrectly signed payload not 401"),
        (replace(BAD, answer=Answered(status=403, body=b"", cookie=False)), "incorrectly signed payload not 401"),
        (replace(GOOD, answer=Answered(status=200, body=b"ok", cookie=False)), "contained a body"),
        (replace(BAD, answer=Answered(status=401, body=b"", cookie=True)), "contained a cookie"),
        (replace(GOOD, took_seconds=5.1), "longer than 5 seconds"),
        (replace(GOOD, answer="timeout"), "longer than 5 seconds"),
        (replace(GOOD, answer="ClientConnectorError"), "No response: ClientConnectorError"),
    ],
)
def test_everything_else_fails_with_a_reason(exchange: Exchange, text: str) -> None:
    """In words like the portal's."""
    said = complaint(exchange)

    assert said is not None
    assert text in said
    assert not judge([GOOD, exchange])["passed"]
