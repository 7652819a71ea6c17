"""A partition's queue under any sequence of arrivals, batches, failures and deadlines."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.examples import examples
from xero_stream.kafka.partition_queue import Append, Outcome, PartitionQueue, Record, Waiting, cost


class LaneMachine(RuleBasedStateMachine):
    """The model: every record has a number; each is queued, out, in the log, or given up."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = PartitionQueue("t", 0)
        self.now = 0.0
        self.made = 0
        self.held = 0
        self.out: list[Waiting] = []
        self.log: list[int] = []
        self.resent: set[int] = set()
        self.appends: dict[int, Append] = {}
        self.told: dict[int, Outcome] = {}

    def number(self, waiting: Waiting) -> int:
        """Which record it is."""
        return int(waiting.record.value)

    @rule(patience=st.floats(0.1, 5.0))
    def arrive(self, patience: float) -> None:
        """A record arrives."""
        number, self.made = self.made, self.made + 1

        def settled(outcome: Outcome) -> None:
            assert number not in self.told, "an append ended twice"
            self.told[number] = outcome

        append = Append(records=1, deadline=self.now + patience, settled=settled)
        record = Record("t", 0, None, b"%d" % number, [])
        self.appends[number] = append
        self.held += cost(record)
        self.queue.waiting.append(Waiting(record, append))

    @rule(seconds=st.floats(0.0, 3.0))
    def time_passes(self, seconds: float) -> None:
        """Time passes, and deadlines with it."""
        self.now += seconds
        for append in self.appends.values():
            if append.deadline <= self.now:
                append.settle(Outcome.TIMED_OUT)

    @rule()
    def let_go(self) -> None:
        """What nobody waits for is dropped."""
        self.held -= self.queue.drop_settled()

    @precondition(lambda self: not self.out)
    @rule(room=st.integers(0, 4))
    def send(self, room: int) -> None:
        """The next batch leaves."""
        left = iter([True] * room)
        self.out, dropped = self.queue.take(lambda _: next(left, False), self.now)
        self.held -= dropped

    @precondition(lambda self: self.out)
    @rule()
    def acknowledge(self) -> None:
        """Kafka takes the batch."""
        for waiting in self.out:
            self.log.append(self.number(waiting))
            waiting.append.acknowledged()
            self.held -= cost(waiting.record)
        self.out = []

    @precondition(lambda self: self.out)
    @rule(arrived=st.booleans())
    def fail(self, arrived: bool) -> None:
        """The batch fails; it may be in the log all the same. Each record is tried once more."""
        if arrived:
            self.log.extend(map(self.number, self.out))
            self.resent.update(map(self.number, self.out))
        again = [waiting for waiting in self.out if waiting.attempts == 0]
        for waiting in self.out:
            if waiting.attempts > 0:
                waiting.append.settle(Outcome.REFUSED)
                self.held -= cost(waiting.record)
        self.queue.put_back(again)
        self.out = []

    @invariant()
    def acknowledged_is_in_the_log(self) -> None:
        """Who was told that it is in the log finds it there."""
        for number, outcome in self.told.items():
            if outcome is Outcome.ACKNOWLEDGED:
                assert number in self.log

    @invariant()
    def order(self) -> None:
        """First appearances in the log are in order of arrival, and only a failed batch puts a record there twice."""
        first = list(dict.fromkeys(self.log))
        assert first == sorted(first)
        for number in first:
            assert self.log.count(number) == 1 or number in self.resent

    @invariant()
    def bytes_held(self) -> None:
        """What is held is what is queued or out."""
        assert self.held == sum(cost(waiting.record) for waiting in (*self.queue.waiting, *self.out))


LaneMachine.TestCase.settings = settings(max_examples=examples(25), stateful_step_count=40)
TestLane = LaneMachine.TestCase
