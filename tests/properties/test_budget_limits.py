"""The budget against a server that counts in every way Xero might: no limit is ever exceeded."""

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.examples import examples
from xero_api.budget.tenant import (
    ABANDONED_SECONDS,
    AT_ONCE,
    PER_MINUTE,
    Past,
    TenantBudget,
    Wait,
    app_minute,
)
from xero_api.call import Priority
from xero_api.meta import Limits

DAY = 86_400.0
TIMEOUT = 30.0
LIFT_ENDS_EARLY = 60.0
"""Seconds, as ``rapid_sync_seconds`` has it."""


@dataclass
class Call:
    """A call on its way: there, worked on, and back."""

    name: int
    started: float
    arrives: float
    leaves: float
    returns: float
    counted: bool = False


class Budgets(RuleBasedStateMachine):
    """The model is a server with sliding and fixed windows at a random phase; the network delays both ways.

    Minute and day may be lifted at first; it counts those calls all the same.
    """

    @initialize(
        phase=st.floats(0, 60),
        day_phase=st.floats(0, DAY),
        day_limit=st.sampled_from([40, 150, 1_000]),
        sliding_day=st.booleans(),
        tell=st.booleans(),
        lifted=st.sampled_from([0.0, 90.0, 1_800.0]),
    )
    def begin(
        self, phase: float, day_phase: float, day_limit: int, sliding_day: bool, tell: bool, lifted: float
    ) -> None:
        """A tenant with a fresh day."""
        self.now = 100_000.0
        self.phase, self.day_phase = phase, day_phase
        self.day_limit, self.sliding_day, self.tell = day_limit, sliding_day, tell
        self.arrivals: list[float] = []
        self.calls: list[Call] = []
        self.at_server: list[Call] = []
        self.names = 0
        self.ledger: list[tuple[float, float | None, int]] = []
        self.lifted_until = self.now + lifted
        self.budget = self._new_budget()

    def _new_budget(self) -> TenantBudget:
        return TenantBudget(
            day_limit=self.day_limit, app=app_minute(), lifted_until=self.lifted_until - LIFT_ENDS_EARLY
        )

    def _day_used(self, now: float) -> int:
        if self.sliding_day:
            return sum(1 for at in self.arrivals if now - DAY < at <= now)
        window = math.floor((now + self.day_phase) / DAY)
        return sum(1 for at in self.arrivals if math.floor((at + self.day_phase) / DAY) == window)

    def _at_once(self, now: float) -> int:
        return sum(1 for call in self.at_server if call.arrives <= now < call.leaves)

    def _advance(self, until: float) -> None:
        """Let calls arrive and return, in order, up to a moment."""
        while True:
            moments = [call.arrives for call in self.calls if not call.counted]
            moments += [call.returns for call in self.calls]
            due = min(moments, default=math.inf)
            if due > until:
                break
            self.now = max(self.now, due)
            for call in [call for call in self.calls if not call.counted and call.arrives <= due]:
                call.counted = True
                self.at_server.append(call)
                self.arrivals.append(call.arrives)
                self._check(call.arrives)
            for call in [call for call in self.calls if call.returns <= due]:
                self.calls.remove(call)
                self._finish(call)
        self.now = until

    def _finish(self, call: Call) -> None:
        abandoned = call.leaves > self.now
        limits = None
        if self.tell and not abandoned:
            sliding = sum(1 for at in self.arrivals if call.arrives - 60 < at <= call.arrives)
            limits = Limits(
                day=max(0, self.day_limit - self._day_used(call.arrives)), minute=max(0, PER_MINUTE - sliding)
            )
        self.budget.finished(call.name, self.now, limits, abandoned=abandoned)
        ended = self.now + ABANDONED_SECONDS if abandoned else self.now
        self.ledger = [(s, ended if n == call.name else e, n) for s, e, n in self.ledger]

    def _check(self, at: float) -> None:
        sliding = sum(1 for other in self.arrivals if at - 60 < other <= at)
        window = math.floor((at + self.phase) / 60)
        fixed = sum(1 for other in self.arrivals if math.floor((other + self.phase) / 60) == window)
        assert self._at_once(at) <= AT_ONCE
        if at < self.lifted_until:
            return
        assert sliding <= PER_MINUTE
        assert fixed <= PER_MINUTE
        assert self._day_used(at) <= self.day_limit

    @rule(
        priority=st.sampled_from(
            [Priority.COMMAND, Priority.COMMAND, Priority.WEBHOOK, Priority.POLL, Priority.BACKFILL]
        ),
        delays=st.lists(
            st.tuples(
                st.sampled_from([0.0, 0.001, 0.7, 6.0]),
                st.sampled_from([0.0, 0.01, 0.2, 12.0]),
                st.sampled_from([0.0, 0.0, 0.3, 7.0]),
            ),
            min_size=1,
            max_size=4,
        ),
        times=st.sampled_from([1, 5, 70, 140]),
        gives_up=st.sampled_from([None, 1, 3]),
    )
    def call(
        self, priority: Priority, delays: list[tuple[float, float, float]], times: int, gives_up: int | None
    ) -> None:
        """Calls one after the other, each as soon as the budget lets it."""
        for number in range(times):
            decision = self.budget.decide(priority, self.now)
            while isinstance(decision, Wait):
                assert decision.until > self.now
                pending = min((call.returns for call in self.calls), default=math.inf)
                until = min(decision.until, pending)
                if until > self.now + 3_700:
                    return
                self._advance(until)
                decision = self.budget.decide(priority, self.now)
            self.names += 1
            there, work, back = delays[number % len(delays)]
            arrives = self.now + there
            leaves = arrives + work
            # a call given up on lasts a little longer at the server than here
            given_up = gives_up is not None and number % 4 == gives_up
            returns = max(arrives, leaves - ABANDONED_SECONDS * 0.9) if given_up else leaves + back
            self.calls.append(Call(self.names, self.now, arrives, leaves, returns))
            self.ledger.append((self.now, None, self.names))
            self.budget.started(self.names, self.now)

    @rule(seconds=st.sampled_from([0.01, 0.5, 3.0, 29.0, 61.0, 600.0, 4_000.0, 40_000.0]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self._advance(self.now + seconds)

    @precondition(lambda self: self.names > 0)
    @rule()
    def crash(self) -> None:
        """The process dies; another takes over from the ledger and from what was persisted of the day."""
        left, lost = self.budget.day_left(self.now), self.budget.running
        for call in self.calls:
            call.leaves = min(call.leaves, call.started + TIMEOUT + ABANDONED_SECONDS)
            if not call.counted and call.arrives > call.started + TIMEOUT:
                call.arrives = call.started + TIMEOUT
            call.returns = math.inf
        self.calls = [call for call in self.calls if call.leaves > self.now or not call.counted]
        self.budget = self._new_budget()
        self.budget.restore(
            [Past(started=s, finished=e) for s, e, _ in self.ledger if s > self.now - 300],
            http_timeout=TIMEOUT,
            now=self.now,
        )
        self.budget.restore_day(max(0, left - lost), self.now)

    @invariant()
    def checked(self) -> None:
        """Every arrival is checked as it happens; this keeps the lists short."""
        self.arrivals = [at for at in self.arrivals if at > self.now - 2 * DAY]
        self.at_server = [call for call in self.at_server if call.leaves > self.now]


Budgets.TestCase.settings = settings(max_examples=examples(12), stateful_step_count=30)
TestBudgets: Any = Budgets.TestCase
