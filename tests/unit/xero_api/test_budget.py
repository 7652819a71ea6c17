"""Budgets: the corners that random driving seldom meets."""

import math

import pytest

from xero_api.budget.day import DAY_SECONDS, Day
from xero_api.budget.minute import MARGIN_SECONDS, Minute
from xero_api.budget.tenant import ABANDONED_SECONDS, SHARES, Go, Past, Reason, TenantBudget, Wait, app_minute
from xero_api.call import Priority
from xero_api.errors import LimitKind
from xero_api.meta import Limits

T0 = 1_000_000.0


def _budget(day_limit: int = 5_000, app_share: int = 10_000) -> TenantBudget:
    return TenantBudget(day_limit=day_limit, app=app_minute(app_share))


def _spend(budget: TenantBudget, calls: int, now: float, took: float = 0.0, limits: Limits | None = None) -> None:
    for number in range(calls):
        budget.started((now, number), now)
        budget.finished((now, number), now + took, limits)


def test_a_call_counts_until_a_minute_after_its_end() -> None:
    """The server may have seen it at its very end: counting from the start would allow 61 in a minute."""
    minute = Minute(limit=2)
    minute.start("a", 0.0)
    minute.end("a", 20.0, 20.0)
    minute.start("b", 20.0)

    assert minute.free_at(61.0) == pytest.approx(80.0 + MARGIN_SECONDS, abs=0.1)
    assert minute.free_at(61.0, keep=1) == math.inf  # only the end of a running call can help
    minute.end("b", 61.0, 61.0)
    assert minute.free_at(61.0, keep=1) == pytest.approx(121.0 + MARGIN_SECONDS, abs=0.1)


def test_the_server_is_believed_when_it_counts_more() -> None:
    """Calls of another process count for a minute from when they became known."""
    minute = Minute(limit=60)
    minute.start("a", 0.0)
    minute.end("a", 1.0, 1.0)

    minute.correct(remaining=10, started=0.0, now=1.0)

    assert minute.used(1.0) == 50
    minute.correct(remaining=10, started=0.0, now=1.0)
    assert minute.used(1.0) == 50
    assert minute.used(62.0) == 0


def test_the_server_is_not_believed_when_it_counts_less() -> None:
    """A fixed window that just began says more is left than a sliding one would."""
    minute = Minute(limit=60)
    for call in range(30):
        minute.start(call, 0.0)
        minute.end(call, 1.0, 1.0)

    minute.correct(remaining=59, started=0.0, now=1.0)

    assert minute.used(1.0) == 30


def test_an_old_answer_is_compared_with_its_own_time() -> None:
    """An answer that took a minute says what was left when it was served, not now."""
    minute = Minute(limit=60)
    for call in range(40):
        minute.start(call, 0.0)
        minute.end(call, 0.5, 0.5)
    minute.start("slow", 1.0)
    minute.end("slow", 90.0, 90.0)

    minute.correct(remaining=19, started=1.0, now=90.0)

    assert minute.used(90.0) == 1


def test_lanes_leave_their_share() -> None:
    """The less urgent stop earlier, in the minute, at once and in the day."""
    budget = _budget()
    _spend(budget, 45, T0)

    later = T0 + 1
    assert isinstance(budget.decide(Priority.BACKFILL, later), Wait)
    assert isinstance(budget.decide(Priority.POLL, later), Go)
    _spend(budget, 5, later)
    assert isinstance(budget.decide(Priority.POLL, later + 1), Wait)
    assert isinstance(budget.decide(Priority.WEBHOOK, later + 1), Go)
    _spend(budget, 8, later + 1)
    assert isinstance(budget.decide(Priority.WEBHOOK, later + 2), Wait)
    assert isinstance(budget.decide(Priority.COMMAND, later + 2), Go)


def test_shares_grow_with_urgency() -> None:
    """No priority may use more than a more urgent one."""
    for urgent, less in zip(Priority, list(Priority)[1:], strict=False):
        assert SHARES[urgent].slots <= SHARES[less].slots
        assert SHARES[urgent].minute <= SHARES[less].minute
        assert SHARES[urgent].day <= SHARES[less].day


def test_a_slow_backfill_leaves_slots() -> None:
    """Backfills may hold three of five slots, however slow they are."""
    budget = _budget()
    for call in range(3):
        assert isinstance(budget.decide(Priority.BACKFILL, T0), Go)
        budget.started(call, T0)

    assert budget.decide(Priority.BACKFILL, T0) == Wait(math.inf, Reason.AT_ONCE)
    assert isinstance(budget.decide(Priority.WEBHOOK, T0), Go)


def test_a_call_given_up_on_keeps_its_slot_for_a_while() -> None:
    """The server may still be busy with it."""
    budget = _budget()
    for call in range(5):
        budget.started(call, T0)
        budget.finished(call, T0 + 30, abandoned=True)

    decision = budget.decide(Priority.COMMAND, T0 + 30)

    assert isinstance(decision, Wait)
    assert decision.reason is Reason.AT_ONCE
    assert decision.until == pytest.approx(T0 + 30 + ABANDONED_SECONDS, abs=0.1)
    assert isinstance(budget.decide(Priority.COMMAND, decision.until), Go)


def test_what_is_left_of_the_day_is_what_the_server_says() -> None:
    """Less what started since."""
    budget = _budget(day_limit=1_000)
    _spend(budget, 1, T0, limits=Limits(day=300))

    assert budget.day_left(T0) == 300
    budget.started("x", T0 + 1)
    assert budget.day_left(T0 + 1) == 299


def test_calls_under_way_may_be_unknown_to_the_answer() -> None:
    """An answer that came while four others were under way may not count them."""
    budget = _budget(day_limit=1_000)
    for call in range(5):
        budget.started(call, T0)

    budget.finished(0, T0 + 1, Limits(day=10))

    assert budget.day_left(T0 + 1) == 6


def test_calls_that_ended_meanwhile_may_be_unknown_to_the_answer_too() -> None:
    """A slow answer, written before two quick calls arrived and ended, does not count them."""
    budget = _budget(day_limit=1_000)
    budget.started("slow", T0)
    for call in ("a", "b"):
        budget.started(call, T0 + 1)
        budget.finished(call, T0 + 2)

    budget.finished("slow", T0 + 10, Limits(day=10))

    assert budget.day_left(T0 + 10) == 8


def test_once_at_rest_the_smallest_number_said_is_what_is_left() -> None:
    """Five calls at once end with 14, 13, 12, 11, 10 left: ten, although any one of them might not know the others."""
    budget = _budget(day_limit=1_000)
    for call in range(5):
        budget.started(call, T0)
    for call in range(4):
        budget.finished(call, T0 + 1, Limits(day=14 - call))
    assert budget.day_left(T0 + 1) < 10

    budget.finished(4, T0 + 1, Limits(day=10))

    assert budget.day_left(T0 + 1) == 10


@pytest.mark.parametrize("abandoned", [True, False])
def test_a_call_without_an_answer_leaves_doubt(abandoned: bool) -> None:
    """It may still be counted, now or, if we gave up on it, a little later."""
    budget = _budget(day_limit=1_000)
    for call in range(2):
        budget.started(call, T0)
    budget.finished(0, T0 + 1, None, ok=False, abandoned=abandoned)
    budget.finished(1, T0 + 1, Limits(day=10))
    assert budget.day_left(T0 + 1) == 9

    _spend(budget, 1, T0 + 2, limits=Limits(day=8))

    assert budget.day_left(T0 + 2) == (7 if abandoned else 8)
    _spend(budget, 1, T0 + 30, limits=Limits(day=7))
    assert budget.day_left(T0 + 30) == 7


def test_overlapping_answers_are_taken_at_the_worst() -> None:
    """Which is newer nobody knows; an answer to a later call is believed again."""
    day = Day(limit=1_000)
    day.correct(remaining=50, started=0.0, now=10.0, unknown=0)
    day.correct(remaining=60, started=5.0, now=11.0, unknown=0)

    assert day.left(12.0) == 50
    day.correct(remaining=55, started=10.0, now=12.0, unknown=0)  # at the same moment is not later
    assert day.left(12.0) == 50
    day.correct(remaining=980, started=10.5, now=20.0, unknown=0)
    assert day.left(20.0) == 980


def test_a_steady_flow_notices_the_new_day() -> None:
    """Calls that always overlap must not keep yesterday's number alive."""
    day = Day(limit=1_000)
    now, left = 0.0, 30
    for number in range(10):
        left = left - 1 if number < 5 else 990 - number
        day.correct(remaining=left, started=now - 1.5, now=now, unknown=1)
        now += 1.0

    assert day.left(now) > 900


def test_the_days_share_is_kept_for_webhooks() -> None:
    """Polling stops at a fifth; once an hour it may look whether a new day began."""
    budget = _budget(day_limit=1_000)
    _spend(budget, 1, T0, limits=Limits(day=150))

    blocked = budget.decide(Priority.POLL, T0 + 1)

    assert blocked == Wait(T0 + 3_600, Reason.DAY)
    assert isinstance(budget.decide(Priority.WEBHOOK, T0 + 1), Go)
    assert isinstance(budget.decide(Priority.POLL, T0 + 3_600), Go)
    _spend(budget, 1, T0 + 3_600, limits=Limits(day=149))
    assert isinstance(budget.decide(Priority.POLL, T0 + 3_602), Wait)


def test_an_exhausted_day_is_not_probed() -> None:
    """With nothing left, a call would be a 429 of our own doing: wait until a day has passed for certain."""
    budget = _budget(day_limit=1_000)
    _spend(budget, 1, T0, limits=Limits(day=0))

    decision = budget.decide(Priority.COMMAND, T0 + 7_200)

    assert isinstance(decision, Wait)
    assert decision.reason is Reason.DAY
    assert decision.until > T0 + DAY_SECONDS
    assert isinstance(budget.decide(Priority.COMMAND, decision.until), Go)


def test_without_headers_our_own_count_limits_the_day() -> None:
    """A server (or proxy) that drops the headers still isn't called more than the tier allows."""
    budget = _budget(day_limit=10)
    for number in range(10):
        _spend(budget, 1, T0 + number)

    decision = budget.decide(Priority.COMMAND, T0 + 10)

    assert isinstance(decision, Wait)
    assert decision.reason is Reason.DAY
    assert T0 + DAY_SECONDS < decision.until < T0 + DAY_SECONDS + 2 * 3_600


def test_429_with_a_wait_parks() -> None:
    """As long as Xero says, with a little jitter, and not a call before."""
    budget = _budget()
    budget.started("a", T0)
    budget.finished("a", T0 + 1, Limits(day=0), ok=False)

    until = budget.limited(LimitKind.DAY, T0 + 1, 66_975.0, jitter=0.5)

    assert until == T0 + 1 + 66_975.5
    assert budget.decide(Priority.COMMAND, T0 + 66_000) == Wait(until, Reason.LIMITED)
    assert budget.parked_until == until


def test_a_parked_day_goes_on_when_due() -> None:
    """After the wait Xero named, calls are made again although the last known count was zero."""
    budget = _budget()
    budget.started("a", T0)
    budget.finished("a", T0 + 1, Limits(day=0), ok=False)
    until = budget.limited(LimitKind.DAY, T0 + 1, 66_975.0, jitter=0.0)

    assert isinstance(budget.decide(Priority.POLL, until), Go)
    budget.started("b", until)
    assert budget.decide(Priority.COMMAND, until) == Wait(
        math.inf, Reason.DAY
    )  # one at a time until the answer says more
    budget.finished("b", until + 1, None, ok=False)
    assert isinstance(budget.decide(Priority.COMMAND, until + 2), Go)
    budget.started("c", until + 2)
    budget.finished("c", until + 3, Limits(day=4_990))
    assert budget.day_left(until + 3) == 4_990


def test_a_refused_day_survives_a_restart() -> None:
    """What was persisted of the refusal is waited for, and then one call looks."""
    budget = _budget()
    budget.restore_day(0, T0)
    budget.park(T0 + 100)

    assert isinstance(budget.decide(Priority.COMMAND, T0 + 99), Wait)
    assert isinstance(budget.decide(Priority.COMMAND, T0 + 100), Go)


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        (LimitKind.MINUTE, 60, 120),
        (LimitKind.APP, 60, 120),
        (LimitKind.DAY, 3_600, 7_200),
        (LimitKind.CONCURRENT, 0.5, 1),
    ],
)
def test_429_without_a_wait_has_a_default(kind: LimitKind, least: float, most: float) -> None:
    """Concurrency breaches never say how long; others might not."""
    for jitter in (0.0, 1.0):
        until = _budget().limited(kind, T0, None, jitter)

        assert T0 + least <= until <= T0 + most


def test_backoff_grows_until_a_call_succeeds() -> None:
    """Each refusal doubles the pause; a good answer ends that, a bad one does not."""
    budget = _budget()
    pauses = []
    now = T0
    for number in range(4):
        budget.started(number, now)
        budget.finished(number, now, Limits(minute=50), ok=number == 3)
        until = budget.limited(LimitKind.CONCURRENT, now, None, jitter=0.0)
        pauses.append(round(until - now, 3))
        now = until

    assert pauses == [0.5, 1.0, 2.0, 0.5]


def test_offline_parks_longer_each_time() -> None:
    """503: 15 s, 30 s, … a quarter of an hour at most; Xero's own word counts."""
    budget = _budget()
    pauses = []
    now = T0
    for _ in range(8):
        until = budget.offline(now, None, jitter=0.0)
        pauses.append(until - now)
        now = until

    assert pauses == [15, 30, 60, 120, 240, 480, 900, 900]
    assert budget.offline(now, 3_000.0, jitter=0.0) == now + 3_000
    assert budget.decide(Priority.COMMAND, now) == Wait(now + 3_000, Reason.OFFLINE)


@pytest.mark.parametrize("kind", LimitKind)
@pytest.mark.parametrize("told", [0.0, 1e9])
def test_a_senseless_retry_after_is_not_believed(kind: LimitKind, told: float) -> None:
    """Nobody waits longer than the limit's window lasts, and a zero does not make us hammer."""
    longest = 86_400 if kind is LimitKind.DAY else 60
    budget, now, pauses = _budget(), T0, []
    for _ in range(4):
        until = budget.limited(kind, now, told, jitter=0.0)
        pauses.append(until - now)
        now = until

    assert pauses == ([0.5, 1.0, 2.0, 4.0] if told == 0 else [longest] * 4)


def test_a_senseless_word_about_being_offline_is_not_believed() -> None:
    """An hour is; nothing at all is a moment."""
    assert _budget().offline(T0, 1e9, jitter=0.0) == T0 + 3_600
    assert _budget().offline(T0, 0.0, jitter=0.0) == T0 + 0.5


def test_calls_refused_together_are_one_refusal() -> None:
    """Five in flight when Xero goes offline, or says 429, make nobody wait as after five vain attempts."""
    budget = _budget()

    for _ in range(5):
        until = budget.offline(T0, None, jitter=0.0)
    assert until == T0 + 15
    assert budget.offline(until, None, jitter=0.0) == until + 30

    budget = _budget()
    for _ in range(5):
        until = budget.limited(LimitKind.CONCURRENT, T0, None, jitter=0.0)
    assert until == T0 + 0.5


def test_a_refused_minute_goes_on_when_due() -> None:
    """When Xero says its window ends, not a minute after its refusal, which says that nothing is left."""
    budget = _budget()
    _spend(budget, 3, T0)
    budget.started("a", T0 + 1)
    budget.finished("a", T0 + 1, Limits(minute=0), ok=False)

    until = budget.limited(LimitKind.MINUTE, T0 + 1, 5.0, jitter=0.5)

    assert until == T0 + 6.5
    assert isinstance(budget.decide(Priority.BACKFILL, until), Go)
    assert budget.minute_left(until) == 56  # our own calls still count


def test_an_app_limit_lasts_as_long_as_xero_says() -> None:
    """For all tenants; a minute where it does not say."""
    for told, least in ((10.0, 10), (None, 60)):
        app = app_minute()
        one, other = TenantBudget(day_limit=5_000, app=app), TenantBudget(day_limit=5_000, app=app)

        one.limited(LimitKind.APP, T0, told, jitter=0.0)

        assert isinstance(other.decide(Priority.COMMAND, T0 + least - 1), Wait)
        assert isinstance(other.decide(Priority.COMMAND, T0 + least + 1), Go)


def test_an_app_limit_stops_all_tenants_of_the_app() -> None:
    """They share the minute; another app goes on."""
    app = app_minute()
    one, other = TenantBudget(day_limit=5_000, app=app), TenantBudget(day_limit=5_000, app=app)

    one.limited(LimitKind.APP, T0, 30.0, jitter=0.0)

    assert isinstance(other.decide(Priority.COMMAND, T0), Wait)
    assert isinstance(_budget().decide(Priority.COMMAND, T0), Go)


def test_the_apps_share_is_kept() -> None:
    """A process with a small share waits for its own calls to age."""
    budget = _budget(app_share=3)
    _spend(budget, 3, T0)

    decision = budget.decide(Priority.COMMAND, T0 + 0.1)

    assert isinstance(decision, Wait)
    assert decision.reason is Reason.APP_MINUTE
    assert T0 + 60 <= decision.until <= T0 + 62
    assert isinstance(budget.decide(Priority.COMMAND, decision.until), Go)


def test_after_a_crash_calls_without_an_end_stay_busy_until_their_timeout() -> None:
    """Five calls of a dead process hold five slots until nobody can be working on them any more."""
    budget = _budget()
    budget.restore([Past(started=T0, finished=None)] * 5, http_timeout=30.0, now=T0 + 1)

    decision = budget.decide(Priority.COMMAND, T0 + 1)

    assert isinstance(decision, Wait)
    assert decision.reason is Reason.AT_ONCE
    assert decision.until == pytest.approx(T0 + 30 + ABANDONED_SECONDS, abs=0.1)
    assert isinstance(budget.decide(Priority.COMMAND, decision.until), Go)


def test_after_a_crash_the_minute_is_as_spent_as_it_was() -> None:
    """Calls of the ledger count as our own."""
    budget = _budget()
    budget.restore([Past(started=T0 + i, finished=T0 + i + 0.5) for i in range(60)], http_timeout=30.0, now=T0 + 60)
    budget.restore_day(700, T0 + 60)

    decision = budget.decide(Priority.COMMAND, T0 + 60)

    assert budget.minute_left(T0 + 60) == 0
    assert budget.day_left(T0 + 60) == 700
    assert isinstance(decision, Wait)
    assert decision.reason is Reason.MINUTE
    assert decision.until == pytest.approx(T0 + 60.75, abs=0.1)


def test_a_remembered_park_holds() -> None:
    """What the store remembers of a wait is kept; a shorter one doesn't shorten it."""
    budget = _budget()
    budget.park(T0 + 100)
    budget.park(T0 + 50)

    assert budget.decide(Priority.COMMAND, T0 + 99) == Wait(T0 + 100, Reason.LIMITED)
    assert isinstance(budget.decide(Priority.COMMAND, T0 + 100), Go)


def test_memory_is_bounded() -> None:
    """A day of calls leaves some hundred numbers behind."""
    budget = _budget(day_limit=10**9)
    now = T0
    for number in range(3_000):
        now += 30.0
        budget.started(number, now)
        budget.finished(number, now + 0.1, Limits(day=5_000, minute=40, app_minute=9_000))

    assert len(budget._minute.ended) < 10
    assert len(budget._app.ended) < 10
    assert len(budget._slots) < 10
    assert len(budget._day.hours) < 30
