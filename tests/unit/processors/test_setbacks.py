"""What failed calls tell."""

import random

import pytest

from processors.tenants.job import Slot
from processors.tenants.setbacks import LONGEST_OUTAGE_WAIT, LONGEST_WAIT, Setbacks
from xero_api.call import Priority
from xero_stream.contracts.names import EntityName

SLOT = Slot(priority=Priority.WEBHOOK, entity=EntityName.INVOICES)
OTHER = Slot(priority=Priority.WEBHOOK, entity=EntityName.CONTACTS)


def waits(setbacks: Setbacks, times: int, *, others: bool) -> list[float]:
    """What a slot waits that fails again and again."""
    found = []
    for now in range(times):
        setbacks.failed(SLOT, float(now))
        if others:
            setbacks.succeeded(OTHER, now + 0.5)
        found.append(setbacks.wait(SLOT))
    return found


@pytest.mark.parametrize(("others", "longest"), [(True, LONGEST_WAIT), (False, LONGEST_OUTAGE_WAIT)])
def test_waits_double(others: bool, longest: float) -> None:
    """From a second to a minute; to four where nothing else is answered either."""
    found = waits(Setbacks(), 12, others=others)

    assert found[:6] == [1, 2, 4, 8, 16, 32]
    assert found[-1] == longest


def test_good_answers_end_it() -> None:
    """The next failure is a first one."""
    setbacks = Setbacks()
    waits(setbacks, 8, others=False)

    setbacks.succeeded(SLOT, 100.0)

    assert setbacks.failed(SLOT, 101.0) == 1
    assert setbacks.wait(SLOT) == 1
    assert not setbacks.others_go_well(SLOT)  # that answer was before the failure


def test_one_failure_does_not_split_a_batch() -> None:
    """Two neither: they are tried again as they are."""
    setbacks = Setbacks()
    for now in range(2):
        setbacks.failed(SLOT, float(now))
        setbacks.halve(SLOT, 50)

    assert setbacks.most == {}


@pytest.mark.parametrize("spoilt", [0, 17, 49])
def test_the_record_that_spoils_a_batch_is_found_in_few_calls(spoilt: int) -> None:
    """Halves, until it is alone; then the others are brought together again."""
    setbacks, records, calls, alone, now = Setbacks(), list(range(50)), 0, [], 0.0
    while records:
        batch = records[: setbacks.most.get(SLOT, 50)]
        calls, now = calls + 1, now + 1
        if spoilt not in batch:
            setbacks.succeeded(SLOT, now)
            records = records[len(batch) :]
            continue
        setbacks.failed(SLOT, now)
        if len(batch) == 1:
            alone.append(records.pop(0))
        else:
            setbacks.halve(SLOT, len(batch))

    assert alone == [spoilt]
    assert calls <= 35


def test_an_outage_costs_few_calls() -> None:
    """An hour in which nothing is answered: about one call every four minutes for a slot, and few more afterwards."""
    setbacks, chance, now, calls = Setbacks(), random.Random(1), 0.0, 0
    while now < 3600:
        setbacks.failed(SLOT, now)
        setbacks.halve(SLOT, setbacks.most.get(SLOT, 50))
        calls += 1
        now += setbacks.wait(SLOT) * chance.uniform(0.75, 1.25)
    records = 50
    while records > 0:
        records -= setbacks.most.get(SLOT, 50)
        setbacks.succeeded(SLOT, now)
        calls += 1

    assert calls <= 35
