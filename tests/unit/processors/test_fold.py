"""Folding events into marks."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from processors.intake.fold import KEPT_DELIVERIES, Arrived, Refusal, fold, moment
from processors.intake.place import Place, home_of
from processors.intake.subject import Subjects
from xero_api.registry import CONTACTS, INVOICES, PAYMENTS
from xero_stream.contracts.names import AppName, EntityName, TenantId
from xero_stream.contracts.partition import partition_of

TENANT = "11111111-1111-1111-1111-111111111111"
RECORD = "22222222-2222-2222-2222-222222222222"
SUBJECTS = Subjects.of([INVOICES, CONTACTS, PAYMENTS])
PARTITIONS = 6
PLACE = Place(
    partition=partition_of(TenantId(TENANT), PARTITIONS),
    partitions=PARTITIONS,
    owners={TenantId(TENANT): AppName("default")},
)

APPENDED = datetime(2026, 11, 22, 10, tzinfo=UTC)


def arrived(
    offset: int = 0,
    *,
    delivery: str = "d1",
    appended: str = "2026-11-22T10:00:00Z",
    numbers: tuple[Any, Any] = (None, None),
    app: str = "default",
    key: str = TENANT,
    **event: Any,
) -> Arrived:
    """A record of webhook-events."""
    whole = {
        "tenantId": TENANT,
        "resourceId": RECORD,
        "eventCategory": "INVOICE",
        "eventDateUtc": "2026-11-22T09:59:59.100",
        **event,
    }
    envelope = {
        "app": app,
        "received_at": "1999-01-01T00:00:00Z",  # of a machine whose clock is wrong: nothing goes by it
        "delivery_id": delivery,
        "first_event_sequence": numbers[0],
        "last_event_sequence": numbers[1],
        "event": whole,
    }
    return Arrived(
        offset=offset,
        key=key.encode(),
        value=orjson.dumps(envelope),
        appended_at=moment(appended),
        traceparent=f"trace-{offset}",
    )


def test_the_numbers_of_deliveries_are_noted() -> None:
    """Each once, whatever its events are about; what can be no numbers is nobody's."""
    rows = [(1, 4), (1, 4), (5, 5), (None, 6), (0, 0), (8, 7), ("9", 9), (True, 9), (1, 10**9), (2**63, 2**63)]
    events = [arrived(numbers=numbers, eventCategory="SUBSCRIPTION") for numbers in rows]
    events.append(arrived(numbers=(1, 4), appended="2026-11-22T11:00:00Z"))

    assert fold(events, SUBJECTS, PLACE).ranges == {
        ("default", 1, 4): datetime(2026, 11, 22, 11, tzinfo=UTC),
        ("default", 5, 5): datetime(2026, 11, 22, 10, tzinfo=UTC),
    }


def test_one_event_that_says_created_is_enough() -> None:
    """In any place among the others; no other type says it."""
    kinds: dict[str, list[Any]] = {
        "a": ["UPDATE", "CREATE", "UPDATE"],
        "b": ["UPDATE"],
        "c": [None],
        "d": ["create"],
        "e": [{"CREATE": 1}],
    }
    ids = {name: f"22222222-2222-2222-2222-22222222222{name}" for name in kinds}
    events = [arrived(resourceId=ids[name], eventType=kind) for name, found in kinds.items() for kind in found]

    marks = fold(events, SUBJECTS, PLACE).marks

    assert {mark.record_id[-1]: mark.created for mark in marks} == {
        "a": True,
        "b": False,
        "c": False,
        "d": True,
        "e": False,
    }


def test_a_thousand_events_on_one_record_are_one_mark() -> None:
    """Folding keeps the latest date, the broker's first time of appending, and the first deliveries."""
    events = [
        arrived(
            n,
            delivery=f"d{n}",
            appended=f"2026-11-22T10:00:{n % 60:02d}Z",
            eventDateUtc=f"2026-11-22T09:{n % 60:02d}:00.000",
        )
        for n in range(1000)
    ]

    folded = fold(events, SUBJECTS, PLACE)

    (mark,) = folded.marks
    assert mark.events == folded.events == 1000
    assert mark.event_at == datetime(2026, 11, 22, 9, 59, tzinfo=UTC)
    assert mark.received_at == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert mark.deliveries == [f"d{n}" for n in range(KEPT_DELIVERIES)]
    assert mark.traceparent == "trace-0"
    assert folded.newest == datetime(2026, 11, 22, 10, 0, 59, tzinfo=UTC)


def test_letter_case_does_not_matter() -> None:
    """Xero's documentation and its events disagree on the case of categories; ids may come in upper case."""
    folded = fold(
        [arrived(eventCategory="Invoice", tenantId=TENANT.upper(), resourceId=RECORD.upper())], SUBJECTS, PLACE
    )

    (mark,) = folded.marks
    assert (mark.tenant_id, mark.record_id, mark.entity) == (TENANT, RECORD, EntityName.INVOICES)


def test_unknown_categories_are_counted_not_quarantined() -> None:
    """New categories appear without notice."""
    folded = fold([arrived(eventCategory="SUBSCRIPTION"), arrived(eventCategory="ü" * 99)], SUBJECTS, PLACE)

    assert folded.ignored == {"SUBSCRIPTION": 1, "OTHER": 1}
    assert not folded.marks
    assert not folded.refused


def test_a_category_in_another_word_is_recognised_by_its_url() -> None:
    """The word for payments is unconfirmed; what is streamed under no word is ignored, whatever its URL looks like."""
    url = f"https://api.xero.com/api.xro/2.0/{{}}/{RECORD}"
    guessed = [
        arrived(eventCategory="PAYMENT"),
        arrived(eventCategory="PAYMENTS", resourceUrl=url.format("Payments")),
        arrived(eventCategory="BANKING", resourceUrl="https://api.xero.com/api.xro/2.0/payments"),
    ]
    others = [
        arrived(eventCategory="BATCHPAYMENT", resourceUrl=url.format("BatchPayments")),
        arrived(eventCategory="CREDITNOTE", resourceUrl=url.format("CreditNotes")),
        arrived(eventCategory="SUBSCRIPTION", resourceUrl="https://api.xero.com/appstore/2.0/Payments/1"),
        arrived(eventCategory="ODD", resourceUrl=7),
    ]

    folded = fold([*guessed, *others], SUBJECTS, PLACE)

    (mark,) = folded.marks
    assert (mark.entity, mark.events) == (EntityName.PAYMENTS, len(guessed))
    assert folded.ignored == {"BATCHPAYMENT": 1, "CREDITNOTE": 1, "SUBSCRIPTION": 1, "ODD": 1}


def test_events_of_an_entity_that_is_off_are_counted_by_entity() -> None:
    """By category or by URL; apart from categories that no entity has."""
    invoices = Subjects.of([INVOICES])
    others = Subjects.of([CONTACTS, PAYMENTS])
    url = f"https://api.xero.com/api.xro/2.0/Payments/{RECORD}"
    events = [
        arrived(),
        arrived(eventCategory="CONTACT"),
        arrived(eventCategory="Contact"),
        arrived(eventCategory="ODD", resourceUrl=url),
        arrived(eventCategory="SUBSCRIPTION"),
    ]

    folded = fold(events, invoices, PLACE, others)

    assert folded.events == 1
    assert folded.disabled == {EntityName.CONTACTS: 2, EntityName.PAYMENTS: 1}
    assert folded.ignored == {"SUBSCRIPTION": 1}


def test_what_can_not_be_read_is_kept() -> None:
    """No JSON, no envelope, no tenant, no GUID: each is handed on with its bytes, and the rest goes on."""
    bad = [
        Arrived(offset=1, key=None, value=b"{", appended_at=APPENDED),
        Arrived(offset=2, key=None, value=b"[]", appended_at=APPENDED),
        Arrived(offset=3, key=None, value=b"{}", appended_at=APPENDED),
        arrived(4, tenantId=None),
        arrived(5, resourceId="../../etc/passwd"),
        arrived(6, eventCategory=7),
        arrived(7, app="no\0name"),  # the store takes no such text: the whole poll would fail, again and again
        arrived(8, app="a" * 5_000, numbers=(1, 4)),  # nor one of that length in an index
        arrived(9, delivery="d\0"),
    ]

    folded = fold([*bad, arrived(10)], SUBJECTS, replace(PLACE, owners={}))

    assert [item.arrived.offset for item in folded.refused] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert not folded.ranges
    assert folded.refused[0].arrived.value == b"{"
    assert len(folded.marks) == 1


def test_an_event_belongs_under_the_key_and_in_the_partition_of_its_organisation() -> None:
    """Two owners must never work for one organisation, whoever wrote to the topic."""
    elsewhere = replace(PLACE, partition=(PLACE.partition + 1) % PARTITIONS)
    spelled = "{" + TENANT.upper() + "}"

    for folded in (
        fold([arrived(1), arrived(2, tenantId=spelled)], SUBJECTS, elsewhere),
        fold([arrived(1, key=spelled), arrived(2, key=RECORD)], SUBJECTS, PLACE),
    ):
        assert not folded.marks
        assert [(one.arrived.offset, one.reason) for one in folded.refused] == [
            (1, Refusal.MISPLACED_EVENT),
            (2, Refusal.MISPLACED_EVENT),
        ]
        assert home_of(folded.refused[0].arrived.value, PARTITIONS) == (TENANT.encode(), PLACE.partition)


def test_an_event_of_another_app_is_refused() -> None:
    """An app's signing key does not command what another app is connected to; nobody owns what nobody is connected to."""
    folded = fold([arrived(1, app="ghost"), arrived(2)], SUBJECTS, PLACE)
    strange = fold([arrived(1, app="ghost")], SUBJECTS, replace(PLACE, owners={}))

    assert [(one.arrived.offset, one.reason) for one in folded.refused] == [(1, Refusal.EVENT_OF_ANOTHER_APP)]
    assert folded.refused[0].error == f"app 'ghost' sent it; organisation {TENANT} is connected through app 'default'"
    assert folded.marks[0].events == 1
    assert not strange.refused


def test_an_event_that_names_no_organisation_has_no_home() -> None:
    """It goes back where it was found."""
    for value in (b"{", b"[]", b"{}", b'{"event": 1}', b'{"event": {"tenantId": "x"}}'):
        assert home_of(value, PARTITIONS) is None


def test_an_event_without_a_usable_date_is_dated_by_its_receipt() -> None:
    """It is still a reason to read the record, whatever is known of it: beside others, too."""
    for text in (None, "", "soon", "1999-12-31T00:00:00", "2026-11-23T10:00:00.001"):
        (mark,) = fold([arrived(eventDateUtc=text)], SUBJECTS, PLACE).marks
        assert (mark.event_at, mark.dated) == (datetime(2026, 11, 22, 10, 0, tzinfo=UTC), False)
        (mark,) = fold([arrived(), arrived(eventDateUtc=text), arrived()], SUBJECTS, PLACE).marks
        assert not mark.dated
    (mark,) = fold([arrived(eventDateUtc="2026-11-23T10:00:00")], SUBJECTS, PLACE).marks
    assert mark.dated


def test_event_dates_are_utc_whatever_they_look_like() -> None:
    """Xero writes no offset; seven decimals are cut."""
    assert moment("2024-06-21T01:15:39.902") == datetime(2024, 6, 21, 1, 15, 39, 902000, tzinfo=UTC)
    assert moment("2024-06-21T01:15:39.9021234Z") == datetime(2024, 6, 21, 1, 15, 39, 902123, tzinfo=UTC)
    assert moment("2024-06-21T01:15:39+02:00") == datetime(2024, 6, 20, 23, 15, 39, tzinfo=UTC)
