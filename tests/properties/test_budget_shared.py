"""Several processes that share an app's minute, against a server that counts in every way Xero might."""

import math
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.examples import examples
from xero_api.budget.shared import USE_SECONDS, Ask, Grant, Ledger, SharedMinute, exchange

CALL_SECONDS = 12.0
STEP = 0.25


@dataclass
class Call:
    """A call on its way: there, and back."""

    name: int
    started: float
    arrives: float
    returns: float
    counted: bool = False


@dataclass
class Process:
    """One process: its part, its calls, the exchange under way."""

    name: str
    minute: SharedMinute
    wants: int = 0
    calls: list[Call] = field(default_factory=list)
    heard_at: float = math.inf
    answer: Grant | None = None
    cut_off: bool = False


class Shares(RuleBasedStateMachine):
    """The model is a server with sliding and fixed windows at a random phase; calls, answers and exchanges take time."""

    @initialize(
        limit=st.sampled_from([6, 10, 30, 250]),
        phase=st.floats(0, 60),
        fixed=st.booleans(),
        tells=st.booleans(),
        round_trip=st.sampled_from([0.0, 0.3, 2.0]),
        wants=st.lists(st.sampled_from([0, 5, 400]), min_size=1, max_size=4),
    )
    def begin(self, limit: int, phase: float, fixed: bool, tells: bool, round_trip: float, wants: list[int]) -> None:
        """Some processes start at once, perhaps with work."""
        self.now = 100_000.0
        self.limit, self.phase, self.fixed, self.tells, self.round_trip = limit, phase, fixed, tells, round_trip
        self.ledger = Ledger()
        self.processes: list[Process] = []
        self.arrivals: list[float] = []
        self.lost: list[Call] = []
        self.names = 0
        for calls in wants:
            self.begins(calls)

    # -- the server ---------------------------------------------------------------------------------------------------

    def _sliding(self) -> int:
        return sum(1 for at in self.arrivals if at > self.now - 60)

    def _window(self) -> int:
        number = math.floor((self.now + self.phase) / 60)
        return sum(1 for at in self.arrivals if math.floor((at + self.phase) / 60) == number)

    def _arrive(self, calls: list[Call]) -> None:
        for call in calls:
            if not call.counted and call.arrives <= self.now:
                call.counted = True
                self.arrivals.append(self.now)
                assert self._sliding() <= self.limit
                assert self._window() <= self.limit

    # -- the processes ------------------------------------------------------------------------------------------------

    def _exchanged(self, process: Process) -> None:
        """Answers that are due; then an exchange that is due, unless the store is out of reach."""
        minute = process.minute
        if process.heard_at <= self.now:
            process.heard_at = math.inf
            if process.answer is None:
                minute.failed(self.now)
            else:
                minute.granted(process.answer, self.now)
        if process.heard_at == math.inf and minute.next_at <= self.now:
            ask = minute.ask(self.now)
            process.answer = None if process.cut_off else self._exchange(process.name, ask)
            process.heard_at = self.now + self.round_trip

    def _exchange(self, holder: str, ask: Ask) -> Grant:
        self.ledger, grant = exchange(self.ledger, holder, ask, limit=self.limit, now=self.now)
        assert self.ledger.held <= self.limit
        assert self.ledger.foreign == 0, "calls of ours were taken for somebody else's"
        return grant

    def _work(self, process: Process) -> None:
        minute = process.minute
        for call in [call for call in process.calls if call.returns <= self.now]:
            process.calls.remove(call)
            started = minute.end(call.name, self.now, self.now)
            if self.tells:
                left = self.limit - (self._window() if self.fixed else self._sliding())
                minute.correct(left, started, self.now)
        while process.wants and minute.free_at(self.now) <= self.now:
            self.names += 1
            there, back = ((0.0, 0.0), (0.1, 0.2), (3.0, 1.0), (CALL_SECONDS - 1, 1.0))[self.names % 4]
            process.calls.append(Call(self.names, self.now, self.now + there, self.now + there + back))
            minute.start(self.names, self.now)
            process.wants -= 1

    def _step(self) -> None:
        for process in self.processes:
            self._arrive(process.calls)
        self._arrive(self.lost)
        for process in self.processes:
            self._work(process)
            self._exchanged(process)
        self.now += STEP

    # -- what happens -------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.processes) < 5)
    @rule(calls=st.sampled_from([0, 3, 400]))
    def begins(self, calls: int) -> None:
        """A process starts."""
        self.names += 1
        minute = SharedMinute(whole=self.limit, call_seconds=CALL_SECONDS)
        self.processes.append(Process(f"process-{self.names}", minute, wants=calls))

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), calls=st.sampled_from([1, 3, 40, 400]))
    def work_comes(self, data: st.DataObject, calls: int) -> None:
        """A process has calls to make."""
        data.draw(st.sampled_from(self.processes), label="process").wants += calls

    @rule(seconds=st.sampled_from([0.25, 1.0, 5.0, 30.0, 70.0]))
    def time_goes_by(self, seconds: float) -> None:
        """Everybody works."""
        for _ in range(round(seconds / STEP)):
            self._step()

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def dies(self, data: st.DataObject) -> None:
        """A process is killed; its calls that were sent arrive all the same."""
        process = data.draw(st.sampled_from(self.processes), label="process")
        self.processes.remove(process)
        self.lost = [call for call in self.lost + process.calls if not call.counted]

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        """A process waits for its calls and says farewell."""
        process = data.draw(st.sampled_from(self.processes), label="process")
        process.wants = 0
        while process.calls or process.heard_at < math.inf:
            self._step()
        self.processes.remove(process)
        self._exchange(process.name, process.minute.farewell(self.now))

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), cut_off=st.booleans())
    def store_out_of_reach(self, data: st.DataObject, cut_off: bool) -> None:
        """From one process, which goes on with what it has, for a while."""
        data.draw(st.sampled_from(self.processes), label="process").cut_off = cut_off

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def answer_is_lost(self, data: st.DataObject) -> None:
        """The ledger was changed, and the process does not hear of it."""
        data.draw(st.sampled_from(self.processes), label="process").answer = None

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def nobody_starves(self, data: st.DataObject) -> None:
        """However greedy the others are, a process that reaches the store has its turn."""
        process = data.draw(st.sampled_from(self.processes), label="process")
        if process.cut_off:
            return
        for other in self.processes:
            other.wants += 10_000
        made = process.wants
        deadline = self.now + 3 * 60 + USE_SECONDS + CALL_SECONDS
        while process.wants == made and self.now < deadline:
            self._step()
        assert process.wants < made, "it starved"
        for other in self.processes:
            other.wants = 0

    @invariant()
    def checked(self) -> None:
        """Every arrival is checked as it happens; this keeps the list short."""
        self.arrivals = [at for at in self.arrivals if at > self.now - 180]


Shares.TestCase.settings = settings(max_examples=examples(12), stateful_step_count=30)
TestShares: Any = Shares.TestCase
