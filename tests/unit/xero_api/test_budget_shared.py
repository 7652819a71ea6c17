"""Parts of an app's minute: how many to ask for and when, what is given, and what answers of the server correct."""

from typing import Any

import pytest

from xero_api.budget.minute import COUNTS_FOR
from xero_api.budget.shared import (
    LEAST_PAUSE_SECONDS,
    RENEW_SECONDS,
    SHORT_PAUSE_SECONDS,
    USE_SECONDS,
    Ask,
    Grant,
    Ledger,
    SharedMinute,
    exchange,
)
from xero_api.budget.tenant import AT_ONCE, Go, Reason, TenantBudget, Wait
from xero_api.call import Priority
from xero_api.errors import LimitKind

T0 = 100_000.0
LIMIT = 10_000
CALL_SECONDS = 40.0


class Two:
    """Two processes and their ledger."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.ledger = Ledger()
        self.one = SharedMinute(whole=limit, call_seconds=CALL_SECONDS)
        self.other = SharedMinute(whole=limit, call_seconds=CALL_SECONDS)
        self._names = iter(range(10**6))

    def exchange(self, minute: SharedMinute, now: float) -> Grant:
        """An exchange that takes no time."""
        name = "one" if minute is self.one else "other"
        self.ledger, grant = exchange(self.ledger, name, minute.ask(now), limit=self.limit, now=now)
        minute.granted(grant, now)
        return grant

    def call(self, minute: SharedMinute, now: float, times: int = 1) -> int:
        """So many calls that take no time, with exchanges as they fall due; answers how many could be made."""
        for made in range(times):
            if minute.free_at(now) > now:
                self.exchange(minute, now)
            if minute.free_at(now) > now:
                return made
            name = next(self._names)
            minute.start(name, now)
            minute.end(name, now, now)
        return times


def _ask(wish: int, keeps: int = 0, lasts: float = 100.0, **more: Any) -> Ask:
    return Ask(keeps=keeps, wish=wish, lasts=lasts, **more)


def test_a_part_is_held_ahead_and_renewed_before_it_lapses() -> None:
    """A lone call goes at once, whenever it comes."""
    two = Two()
    two.exchange(two.one, T0)

    for second in range(20):
        now = T0 + second
        assert two.one.free_at(now) == now
        if two.one.next_at <= now:
            two.exchange(two.one, now)
    assert two.one.next_at <= now + RENEW_SECONDS < now + USE_SECONDS


def test_no_part_no_call() -> None:
    """Before the first exchange, and after the last one lapsed; it is asked for at once."""
    two, told = Two(), list[float]()
    two.one.on_due = lambda: told.append(two.one.next_at)
    two.one.next_at = T0 + 10

    assert two.one.free_at(T0) > T0
    assert told == [T0]
    two.exchange(two.one, T0)
    assert two.one.free_at(T0 + USE_SECONDS - 0.1) == T0 + USE_SECONDS - 0.1
    assert two.one.free_at(T0 + USE_SECONDS) > T0 + USE_SECONDS


def test_more_is_asked_for_before_nothing_is_left() -> None:
    """Twice as much each time, as soon as half of what was held ahead is gone; a moment apart."""
    two = Two()
    assert two.exchange(two.one, T0).calls == 50

    two.call(two.one, T0 + 0.01, times=30)

    assert two.one.next_at == T0 + LEAST_PAUSE_SECONDS
    assert two.exchange(two.one, T0 + 0.05).calls == 30 + 100


def test_what_is_not_used_is_given_back() -> None:
    """Little by little, when there is little to do; what counts stays taken."""
    two = Two()
    two.call(two.one, T0, times=5_000)
    at_most = two.ledger.held

    for second in range(2, 60, 2):
        two.exchange(two.one, T0 + second)
    assert two.ledger.held == 5_000 + two.one.first < at_most
    two.exchange(two.one, T0 + COUNTS_FOR + 1)
    assert two.ledger.held == two.one.first


def test_two_that_want_everything_get_half_each() -> None:
    """The one that came first starts nothing new until enough of its calls ceased to count."""
    two = Two(limit=100)
    assert two.call(two.one, T0, times=200) == 100
    for second in range(1, 60):
        assert two.call(two.other, T0 + second, times=200) == 0
        assert two.call(two.one, T0 + second, times=200) == 0

    assert (two.one.limit, two.ledger.parts["one"].held) == (50, 100)

    now = T0 + COUNTS_FOR + 2
    two.exchange(two.one, now)
    assert two.call(two.other, now, times=200) == 50
    assert two.call(two.one, now, times=200) == 50


def test_whoever_waits_is_not_forgotten() -> None:
    """A process that holds nothing still has a wish, or the others would never leave it anything."""
    two = Two(limit=100)
    two.call(two.one, T0, times=200)
    two.exchange(two.other, T0)

    assert two.ledger.parts["other"].held == 0
    assert two.exchange(two.one, T0 + 1).calls == 99


def test_a_silent_process_has_no_wish() -> None:
    """What it holds stays taken until its calls can't count any more, but nobody waits for what it wished for."""
    ledger, _ = exchange(Ledger(), "dead", _ask(10_000, keeps=50, lasts=110.0), limit=100, now=T0)
    ledger, _ = exchange(ledger, "dead", _ask(10_000, keeps=20, lasts=110.0), limit=20, now=T0)

    _, early = exchange(ledger, "one", _ask(100), limit=100, now=T0 + 1)
    _, later = exchange(ledger, "one", _ask(100), limit=100, now=T0 + USE_SECONDS)
    _, last = exchange(ledger, "one", _ask(100), limit=100, now=T0 + 110)

    assert (early.calls, later.calls, last.calls) == (50, 80, 100)


@pytest.mark.parametrize(
    ("mine", "others", "fair"),
    [(10, [], 10), (200, [], 100), (90, [90], 50), (90, [30], 70), (20, [90, 90], 20), (90, [10, 90, 90], 30)],
)
def test_an_equal_part_for_all_who_want_that_much(mine: int, others: list[int], fair: int) -> None:
    """What somebody does not want is shared out among the rest."""
    ledger = Ledger()
    for place, wish in enumerate(others):
        ledger, _ = exchange(ledger, f"other-{place}", _ask(wish), limit=1, now=T0)
    ledger, _ = exchange(ledger, "other-0", _ask(others[0] if others else 0), limit=1, now=T0)

    _, grant = exchange(ledger, "mine", _ask(mine), limit=100, now=T0)

    assert grant.calls == min(fair, 100 - ledger.held)


def test_until_the_answer_is_there_a_process_keeps_to_what_it_said() -> None:
    """Whether the exchange took place or not."""
    two = Two()
    two.call(two.one, T0, times=4_000)
    two.exchange(two.one, T0 + 2)

    ask = two.one.ask(T0 + 4)
    more = two.call(two.one, T0 + 4, times=0)
    while two.one.free_at(T0 + 4) == T0 + 4:
        two.one.start(("late", more), T0 + 4)
        more += 1

    assert two.one.used(T0 + 4) == ask.keeps
    two.one.failed(T0 + 5)
    assert two.one.free_at(T0 + 5) > T0 + 5
    assert two.one.next_at == T0 + 5 + SHORT_PAUSE_SECONDS


def test_calls_of_strangers_are_noticed() -> None:
    """The server counts more than all of us can have made: that much less is given out, for a minute."""
    two = Two(limit=1_000)
    two.call(two.one, T0, times=100)
    two.one.correct(300, T0, T0 + 0.1)  # it counts 700

    grant = two.exchange(two.one, T0 + 2)

    assert two.ledger.foreign == pytest.approx(700 - 100, abs=110)
    assert two.call(two.other, T0 + 2, times=1_000) <= 1_000 - two.ledger.foreign - grant.calls
    now = T0 + 2 + COUNTS_FOR
    two.exchange(two.one, now)
    assert two.call(two.other, now, times=1_000) > 800


def test_calls_of_others_of_ours_are_no_strangers() -> None:
    """Even if they are given back before the ledger hears what the server counted."""
    two = Two(limit=1_000)
    two.call(two.other, T0, times=800)
    two.call(two.one, T0 + 58, times=1)
    two.one.correct(199, T0 + 58, T0 + 59)

    for second in range(1, 20, 2):
        two.exchange(two.other, T0 + COUNTS_FOR + second)
    assert two.ledger.held < 100
    two.exchange(two.one, T0 + COUNTS_FOR + 20)

    assert two.ledger.foreign == 0


def test_no_more_is_started_than_the_server_says_is_left() -> None:
    """Until the next exchange, which comes at once."""
    two = Two()
    two.exchange(two.one, T0)
    two.one.start("a", T0)
    two.one.end("a", T0 + 0.1, T0 + 0.1)

    two.one.correct(3, T0, T0 + 0.1)

    started = 0
    while two.one.free_at(T0 + 0.1) == T0 + 0.1:
        two.one.start(started, T0 + 0.1)
        started += 1
    assert started == 3
    assert two.one.next_at <= T0 + 0.1


def test_a_refusal_for_the_apps_sake_stops_all_processes() -> None:
    """For as long as the server said, not longer: the ledger tells the others."""
    two = Two()
    two.exchange(two.one, T0)
    two.exchange(two.other, T0)
    budget = TenantBudget(day_limit=5_000, app=two.one)

    budget.limited(LimitKind.APP, T0, 10.0, jitter=0.0)
    two.exchange(two.one, T0 + 0.1)
    for second in range(0, 10, 2):
        two.exchange(two.other, T0 + 0.5 + second)
        two.exchange(two.one, T0 + 0.6 + second)

    assert two.other.free_at(T0 + 9) == pytest.approx(T0 + 10, abs=0.01)
    assert two.one.free_at(T0 + 9) == pytest.approx(T0 + 10, abs=0.01)
    assert two.other.free_at(T0 + 10.1) == T0 + 10.1


def test_calls_of_a_dead_process_count_as_its_own_part() -> None:
    """Not as ours as well: its part is still taken."""
    two = Two()
    two.exchange(two.one, T0)
    two.one.took_over(T0, T0)

    assert two.one.used(T0) == 0


def test_a_tenant_that_could_not_call_anyway_asks_for_nothing() -> None:
    """Five of its calls are under way: the app's minute is not the hurdle."""
    two = Two()
    two.one.next_at = T0 + 100
    budget = TenantBudget(day_limit=5_000, app=two.one)
    for call in range(AT_ONCE):
        budget.started(call, T0)
    two.one.next_at = T0 + 100

    decision = budget.decide(Priority.COMMAND, T0)

    assert isinstance(decision, Wait)
    assert decision.reason is Reason.AT_ONCE
    assert two.one.next_at == T0 + 100


def test_the_budget_of_a_tenant_goes_by_the_part() -> None:
    """It waits for the app's minute until there is a part, then goes."""
    two = Two()
    budget = TenantBudget(day_limit=5_000, app=two.one)

    decision = budget.decide(Priority.COMMAND, T0)
    assert isinstance(decision, Wait)
    assert decision.reason is Reason.APP_MINUTE
    two.exchange(two.one, T0)

    assert isinstance(budget.decide(Priority.COMMAND, decision.until), Go)


def test_the_last_thing_said_gives_back_what_is_left() -> None:
    """What was used stays taken for its minute; nothing more can be started."""
    two = Two()
    two.call(two.one, T0, times=30)

    two.ledger, _ = exchange(two.ledger, "one", two.one.farewell(T0 + 10), limit=LIMIT, now=T0 + 10)

    assert two.ledger.held == 30
    assert T0 + COUNTS_FOR <= two.ledger.parts["one"].until <= T0 + COUNTS_FOR + 1
    assert two.one.free_at(T0 + 10) > T0 + 10
    two.ledger, _ = exchange(two.ledger, "one", two.one.farewell(T0 + 70), limit=LIMIT, now=T0 + 70)
    assert two.ledger == Ledger(most=two.ledger.most, since=two.ledger.since)
