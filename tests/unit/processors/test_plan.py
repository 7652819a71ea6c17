"""Which call comes next."""

from collections.abc import Collection

from processors.jobs.passes import plan as passes_plan
from processors.jobs.passes.plan import OpenPass
from processors.jobs.refresh.plan import DueRow, GetIds, GetOne, Read, Sweep, plan
from processors.tenants.job import Slot
from xero_api.call import Priority
from xero_api.paging import first
from xero_stream.contracts.names import EntityName
from xero_stream.store.states import Mode, PassKind

INVOICES, CONTACTS, NOTES = EntityName.INVOICES, EntityName.CONTACTS, EntityName.CREDIT_NOTES
IDS = {INVOICES: 50, CONTACTS: 50, NOTES: 20}


def rows(count: int, mode: Mode = Mode.ANY) -> list[DueRow]:
    """Due rows."""
    return [DueRow(record_id=f"{mode}-{n}", mode=mode) for n in range(count)]


def planned(due: dict[EntityName, list[DueRow]], busy: Collection[Slot] = ()) -> list[Read]:
    """Plan with the usual limits."""
    return plan(due, busy=busy, ids_per_call=IDS)


def test_one_record_is_a_single_get() -> None:
    """It also proves absence."""
    (work,) = planned({INVOICES: rows(1)})
    assert isinstance(work, GetOne)


def test_a_slot_in_trouble_asks_for_less() -> None:
    """As many as it may; one is a single get. A slot of another entity is not concerned."""
    slot = Slot(priority=Priority.WEBHOOK, entity=INVOICES)
    due = {INVOICES: rows(50), CONTACTS: rows(50)}

    few, many = plan(due, busy=(), ids_per_call=IDS, most={slot: 12})
    one, _ = plan(due, busy=(), ids_per_call=IDS, most={slot: 1})

    assert isinstance(few, GetIds)
    assert isinstance(many, GetIds)
    assert (len(few.record_ids), len(many.record_ids)) == (12, 50)
    assert isinstance(one, GetOne)
    assert one.record_id == "any-0"


def test_few_records_are_asked_for_by_id() -> None:
    """Fifty a call, oldest first; the rest rides the next call."""
    (work,) = planned({INVOICES: rows(50)})
    assert isinstance(work, GetIds)
    assert work.record_ids == tuple(f"any-{n}" for n in range(50))
    (work,) = planned({INVOICES: rows(120, Mode.IDS)})
    assert isinstance(work, GetIds)
    assert len(work.record_ids) == 50


def test_many_records_are_swept() -> None:
    """More than one call by id: one pass is cheaper. The threshold follows the entity's limit."""
    assert isinstance(planned({INVOICES: rows(51)})[0], Sweep)
    assert isinstance(planned({NOTES: rows(21)})[0], Sweep)
    assert isinstance(planned({NOTES: rows(20)})[0], GetIds)


def test_what_a_sweep_did_not_bring_is_not_swept_again() -> None:
    """Else it would go round for ever."""
    assert isinstance(planned({INVOICES: rows(200, Mode.IDS)})[0], GetIds)


def test_an_absent_record_is_asked_for_alone_beside_the_others() -> None:
    """Its slot is its own: a doubtful id must not wait behind a busy stream of events, nor hold it up."""
    work = planned({INVOICES: [*rows(2), *rows(2, Mode.ALONE)]})
    assert [type(item) for item in work] == [GetIds, GetOne]
    assert work[0].slot != work[1].slot


def test_one_call_at_a_time_per_slot() -> None:
    """While it is out, events gather."""
    slot = Slot(priority=Priority.WEBHOOK, entity=INVOICES)
    work = planned({INVOICES: rows(3), CONTACTS: rows(3)}, busy={slot})
    assert [item.slot.entity for item in work] == [CONTACTS]


def test_passes_go_one_at_a_time() -> None:
    """A load of a million records must leave slots for what is fresh; a catch-up comes before a load."""
    passes = [
        OpenPass(entity=entity, kind=kind, place=first(None))
        for kind in (PassKind.CATCH_UP, PassKind.BACKFILL)
        for entity in (CONTACTS, INVOICES)
    ]

    pages = passes_plan.plan(passes, busy=(), turns={})

    assert [page.slot.priority for page in pages] == [Priority.POLL, Priority.BACKFILL]
    assert pages[0].step.entity is CONTACTS
    assert passes_plan.plan(passes, busy=[page.slot for page in pages], turns={}) == []


def test_passes_take_turns() -> None:
    """The one that waited longest; who had none comes first, and a kind of pass knows nothing of the other's turns."""
    passes = [OpenPass(entity=one, kind=PassKind.BACKFILL, place=first(None)) for one in (CONTACTS, INVOICES)]

    def next_one(turns: dict[tuple[PassKind, EntityName], int]) -> EntityName:
        (work,) = passes_plan.plan(passes, busy=(), turns=turns)
        return work.entity

    assert next_one({}) is CONTACTS
    assert next_one({(PassKind.BACKFILL, CONTACTS): 1}) is INVOICES
    assert next_one({(PassKind.BACKFILL, CONTACTS): 1, (PassKind.BACKFILL, INVOICES): 2}) is CONTACTS
    assert next_one({(PassKind.CATCH_UP, CONTACTS): 9}) is CONTACTS


def test_an_entity_without_calls_by_id_is_read_one_by_one() -> None:
    """Until a sweep is cheaper."""
    assert isinstance(plan({INVOICES: rows(1)}, busy=(), ids_per_call={})[0], GetOne)
    assert isinstance(plan({INVOICES: rows(2)}, busy=(), ids_per_call={})[0], Sweep)
