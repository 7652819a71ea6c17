"""The shell that calls: inside the budget, with a permit for each exchange."""

import asyncio
import time

import pytest

from xero_api.budget.tenant import AT_ONCE, PER_MINUTE, Reason, TenantBudget, Wait, app_minute
from xero_api.call import Priority
from xero_api.calling.caller import BudgetedCaller, parked_by
from xero_api.errors import LimitKind, RateLimitedError, TimedOutError
from xero_api.meta import Limits, Meta
from xero_stream.contracts.names import DEFAULT_APP, TenantId
from xero_stream.settings.xero import AppTier

TENANT = TenantId("0b1ad2c4-5d0a-4d7e-a5b2-6e0f4ac2a3b1")


class FakeLedger:
    """A ledger that answers as a test says; what another process would do to it."""

    def __init__(self, *answers: str | Wait | Exception) -> None:
        self.answers = list(answers)
        self.begun: list[int] = []
        self.ended: list[tuple[int, int | None, bool]] = []

    async def permit(self, call_id: int, priority: Priority) -> str | Wait:
        """The next answer."""
        assert priority is Priority.WEBHOOK
        self.begun.append(call_id)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def finished(self, call_id: int, *, day_left: int | None, abandoned: bool) -> None:
        """Note it."""
        self.ended.append((call_id, day_left, abandoned))


class Waits:
    """What a caller waited for."""

    def __init__(self, most: int = 100) -> None:
        self.reasons: list[Reason] = []
        self._most = most

    async def __call__(self, wait: Wait, now: float) -> None:
        """Note the reason; give up after many."""
        assert wait.until > now
        self.reasons.append(wait.reason)
        if len(self.reasons) > self._most:
            raise TimeoutError


def caller(ledger: FakeLedger) -> tuple[BudgetedCaller[str], TenantBudget]:
    """A caller with an unused budget."""
    budget = TenantBudget(day_limit=5_000, app=app_minute())
    made: BudgetedCaller[str] = BudgetedCaller(
        app=DEFAULT_APP, tenant_id=TENANT, budget=budget, ledger=ledger, tier=AppTier.CORE, connected_at=None
    )
    return made, budget


async def test_a_call_gets_a_permit_and_reports_its_end() -> None:
    """The budget and the ledger hear of the same exchange, and of what Xero says is left of the day."""
    ledger = FakeLedger("first")
    made, budget = caller(ledger)

    async with made.turn(Priority.WEBHOOK, Waits()) as turn:
        assert budget.running == 1
        assert turn.permits == ["first"]
        assert (turn.context.app, turn.context.tenant_id, turn.context.priority) == (
            DEFAULT_APP,
            TENANT,
            Priority.WEBHOOK,
        )
        turn.answered(Meta(limits=Limits(day=4_321)))

    assert budget.running == 0
    assert budget.day_left(time.monotonic()) == 4_321
    assert ledger.ended == [(ledger.begun[0], 4_321, False)]


async def test_a_second_exchange_needs_a_permit_of_its_own() -> None:
    """For Xero a 401 and its repetition are two calls."""
    ledger = FakeLedger("first", "second")
    made, budget = caller(ledger)
    permitted: list[str] = []

    async def note(permit: str) -> None:
        permitted.append(permit)

    async with made.turn(Priority.WEBHOOK, Waits(), permitted=note) as turn:
        assert turn.context.again is not None
        assert await turn.context.again()
        assert budget.running == 2

    assert permitted == turn.permits == ["first", "second"]
    assert len(set(ledger.begun)) == 2
    assert [call_id for call_id, _, _ in ledger.ended] == ledger.begun


async def test_a_call_waits_while_the_ledger_refuses() -> None:
    """Calls of other processes: no slot of our own copy is held meanwhile, and the ledger is asked again afterwards."""
    ledger = FakeLedger(Wait(time.monotonic() + 0.05, Reason.MINUTE), "first")
    made, budget = caller(ledger)
    waits = Waits()

    async with asyncio.timeout(5), made.turn(Priority.WEBHOOK, waits):
        assert budget.running == 1

    assert set(waits.reasons) == {Reason.MINUTE}
    assert len(ledger.begun) == 2
    assert [call_id for call_id, _, _ in ledger.ended] == ledger.begun[1:]


async def test_nothing_is_sent_where_the_ledger_fails() -> None:
    """A lost lease, a store that is down: the error is the caller's, and the budget gets its slot back."""
    made, budget = caller(FakeLedger(ConnectionError("the store is down")))

    with pytest.raises(ConnectionError):
        async with made.turn(Priority.WEBHOOK, Waits()):
            pytest.fail("a call was made")

    assert budget.running == 0


async def test_a_caller_that_gives_up_waiting_takes_no_permit() -> None:
    """All slots are taken; `waiting` decides for how long to wait for one."""
    ledger = FakeLedger()
    made, budget = caller(ledger)
    for number in range(AT_ONCE):
        budget.started(number, time.monotonic())

    with pytest.raises(TimeoutError):
        async with made.turn(Priority.WEBHOOK, Waits(most=0)):
            pytest.fail("a call was made")

    assert ledger.begun == []


async def test_a_call_begins_once_another_has_ended() -> None:
    """At once, not at the next look a second later."""
    made, budget = caller(FakeLedger("first", "second"))
    for number in range(AT_ONCE - 1):
        budget.started(number, time.monotonic())
    second_began = asyncio.Event()

    async def second() -> None:
        async with made.turn(Priority.WEBHOOK, Waits()):
            second_began.set()

    async with made.turn(Priority.WEBHOOK, Waits()):
        task = asyncio.create_task(second())
        await asyncio.sleep(0.02)
        assert not second_began.is_set()
    async with asyncio.timeout(0.5):
        await second_began.wait()
    await task


async def test_a_call_given_up_on_is_told_to_the_ledger() -> None:
    """Xero may still be busy with it, so its slot stays taken for some seconds."""
    ledger = FakeLedger("first")
    made, _ = caller(ledger)

    with pytest.raises(TimedOutError):
        async with made.turn(Priority.WEBHOOK, Waits()):
            raise TimedOutError("no answer")

    assert ledger.ended == [(ledger.begun[0], None, True)]


async def test_a_refused_call_says_nothing_of_the_day() -> None:
    """What a 429 says is left is written with the time when the day ends, or not at all."""
    ledger = FakeLedger("first")
    made, budget = caller(ledger)
    refusal = RateLimitedError(
        "429", status=429, limit=LimitKind.MINUTE, meta=Meta(limits=Limits(day=0, minute=0), retry_after=30.0)
    )

    with pytest.raises(RateLimitedError) as raised:
        async with made.turn(Priority.WEBHOOK, Waits()):
            raise refusal
    until = parked_by(budget, raised.value)

    assert ledger.ended == [(ledger.begun[0], None, False)]
    assert budget.minute_left(time.monotonic()) < PER_MINUTE
    assert budget.parked_until == until
    assert 30.0 <= until - time.monotonic() < 31.5
