"""How long a day's calls last, what a month comes to, and what a tier lifts."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from xero_api.budget.forecast import Outlook, first_day_needed, month, runs_out_at
from xero_api.budget.tenant import PER_MINUTE, Go, Reason, TenantBudget, Wait, app_minute, rapid_sync_seconds
from xero_api.call import Priority
from xero_api.errors import LimitKind
from xero_api.meta import Limits
from xero_stream.settings.xero import AppTier

T0 = 100 * 86_400.0
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
GB = 10**9


def test_runs_out() -> None:
    """At the pace given; never without one."""
    assert runs_out_at(100, 2.0, 1_000.0) == 1_050.0
    assert runs_out_at(0, 2.0, 1_000.0) == 1_000.0
    assert runs_out_at(100, 0.0, 1_000.0) == math.inf


def _called(budget: TenantBudget, start: float, times: int, apart: float) -> float:
    now = start
    for number in range(times):
        budget.started((start, number), now)
        budget.finished((start, number), now)
        now += apart
    return now


def test_the_day_lasts_as_long_as_the_last_hours_say() -> None:
    """Four calls a minute leave 1,000 after two hours with 520: those last two hours and ten minutes more."""
    budget = TenantBudget(day_limit=1_000, app=app_minute())

    now = _called(budget, T0, times=480, apart=15.0)

    assert budget.day_left(now) == 520
    assert budget.day_lasts_until(now) == pytest.approx(now + 520 * 15.0, rel=0.01)


def test_a_days_pace_follows_what_happens() -> None:
    """Half an hour of rest after a busy one stretches the forecast; two hours of rest end it."""
    budget = TenantBudget(day_limit=5_000, app=app_minute())
    busy = _called(budget, T0 + 1, times=1_200, apart=3.0)

    rested = budget.day_lasts_until(busy + 1_800)

    assert rested - (busy + 1_800) == pytest.approx(3_800 * 4.5, rel=0.02)
    assert budget.day_lasts_until(busy + 2 * 3_600) == math.inf


def test_a_burst_is_no_pace() -> None:
    """Sixty calls in a few seconds after hours of rest don't announce the end of the day."""
    budget = TenantBudget(day_limit=5_000, app=app_minute())

    now = _called(budget, T0, times=50, apart=0.1)

    assert budget.day_lasts_until(now) - now > 12 * 3_600


def test_a_month_goes_on_like_its_last_days() -> None:
    """Ten days of a gigabyte, half a day of half a gigabyte, nineteen and a half to come."""
    days = {date(2026, 11, day): GB for day in range(1, 11)} | {date(2026, 11, 11): GB // 2}

    assert month(days, NOW) == Outlook(read=10 * GB + GB // 2, forecast=30 * GB)


def test_a_first_load_is_not_repeated() -> None:
    """One day of a hundred gigabytes counts, and is not expected again."""
    days = {date(2026, 11, day): GB for day in range(1, 11)} | {date(2026, 11, 8): 100 * GB}

    assert month(days, NOW) == Outlook(read=109 * GB, forecast=math.ceil(128.5 * GB))


def test_days_without_anything_count() -> None:
    """Since the first that had something."""
    days = {date(2026, 11, 7): 4 * GB, date(2026, 11, 10): 2 * GB}

    assert month(days, NOW).forecast == 6 * GB + math.ceil(2 / 3 * GB * 19.5)


def test_the_first_day_is_all_there_is_to_go_by() -> None:
    """Half of it is over."""
    assert month({date(2026, 11, 11): GB}, NOW).forecast == GB + 2 * GB * 39 // 2
    assert month({}, NOW) == Outlook(read=0, forecast=0)


def test_at_the_beginning_the_last_months_days_tell() -> None:
    """They count for the pace, not for the month; the last day's forecast is what was read."""
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    days = {date(2026, 11, day): GB for day in range(24, 31)}

    assert first_day_needed(begin) == date(2026, 11, 24)
    assert month(days, begin) == Outlook(read=0, forecast=31 * GB)
    end = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert month({date(2026, 12, 31): GB}, end).forecast == pytest.approx(GB, rel=0.001)
    assert first_day_needed(NOW) == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("tier", "lifted", "gigabytes"),
    [
        (AppTier.STARTER, False, None),
        (AppTier.CORE, False, 10),
        (AppTier.PLUS, True, 50),
        (AppTier.ADVANCED, True, 250),
        (AppTier.ENTERPRISE, True, None),
    ],
)
def test_what_a_tier_has(tier: AppTier, lifted: bool, gigabytes: int | None) -> None:
    """Rapid Sync from plus on; bytes included, where a figure is published."""
    assert (rapid_sync_seconds(tier, NOW, NOW) > 0) is lifted
    assert tier.egress_bytes == (None if gigabytes is None else gigabytes * GB)


def test_rapid_sync_ends_a_little_early() -> None:
    """The first half hour, less a minute; nothing before the connection was made, but for what a ``Date`` leaves out."""
    for minutes, seconds in ((0, 29 * 60), (20, 9 * 60), (29, 0), (40, 0), (-1, 0)):
        assert rapid_sync_seconds(AppTier.PLUS, NOW, NOW + timedelta(minutes=minutes)) == seconds
    assert rapid_sync_seconds(AppTier.PLUS, NOW, NOW - timedelta(seconds=0.9)) > 29 * 60
    assert rapid_sync_seconds(AppTier.PLUS, NOW, NOW - timedelta(seconds=1)) == 0


def _spent() -> TenantBudget:
    """A lifted budget with more calls behind it than a minute has."""
    budget = TenantBudget(day_limit=5_000, app=app_minute(), lifted_until=T0 + 600)
    for number in range(2 * PER_MINUTE):
        budget.started(number, T0 - 1)
        budget.finished(number, T0 - 1, Limits(minute=0, day=0))
    return budget


@pytest.mark.parametrize("kind", [LimitKind.MINUTE, LimitKind.DAY])
def test_a_refusal_ends_what_xero_should_have_lifted(kind: LimitKind) -> None:
    """Whatever the tier in the settings says, and whatever is said of the connection later."""
    budget = _spent()
    assert isinstance(budget.decide(Priority.COMMAND, T0), Go)

    until = budget.limited(kind, T0, 3.0, 0.0)
    budget.lift(T0 + 1_200)

    assert until == T0 + 3
    assert not budget.lifted(T0 + 4)
    limited = budget.decide(Priority.COMMAND, T0 + 4)
    assert isinstance(limited, Wait)
    assert limited.until > T0 + 50


@pytest.mark.parametrize("kind", [LimitKind.CONCURRENT, LimitKind.APP])
def test_a_refusal_for_what_is_never_lifted_ends_nothing(kind: LimitKind) -> None:
    """It was one call too many at a time, or one of the app's: after the wait calls go on as before."""
    budget = _spent()

    until = budget.limited(kind, T0, None, 0.0)

    assert until > T0
    assert budget.lifted(T0 + 599)
    assert isinstance(budget.decide(Priority.COMMAND, T0 + 70), Go)


def test_what_is_lifted_runs_out_at_no_time() -> None:
    """Nobody is warned of a day that doesn't limit; afterwards it is told as ever."""
    budget = _spent()

    assert budget.day_lasts_until(T0 + 1) == math.inf
    assert budget.day_lasts_until(T0 + 601) < math.inf


def test_when_the_lifting_ends_can_be_said_anew() -> None:
    """Earlier or later, as Xero's clock is better known."""
    budget = _spent()

    budget.lift(T0 + 10)
    assert [budget.lifted(T0 + seconds) for seconds in (9, 10)] == [True, False]
    budget.lift(T0 + 900)
    assert [budget.lifted(T0 + seconds) for seconds in (899, 900)] == [True, False]


def test_while_lifted_minute_and_day_do_not_limit() -> None:
    """Five at once and the app's minute do; afterwards all that was called counts."""
    app = app_minute(210)
    budget = TenantBudget(day_limit=150, app=app, lifted_until=T0 + 60)

    for number in range(200):
        assert isinstance(budget.decide(Priority.BACKFILL, T0 + number / 10), Go)
        budget.started(number, T0 + number / 10)
        budget.finished(number, T0 + number / 10 + 0.01)
    for number in range(5):
        budget.started(("slow", number), T0 + 30)
    at_once = budget.decide(Priority.COMMAND, T0 + 30)
    for number in range(5):
        budget.finished(("slow", number), T0 + 31)
        budget.started(("more", number), T0 + 32)
        budget.finished(("more", number), T0 + 32)
    app_limit = budget.decide(Priority.COMMAND, T0 + 40)
    later = budget.decide(Priority.COMMAND, T0 + 60)

    assert isinstance(at_once, Wait)
    assert at_once.reason is Reason.AT_ONCE
    assert isinstance(app_limit, Wait)
    assert app_limit.reason is Reason.APP_MINUTE
    assert isinstance(later, Wait)
    assert later.reason is Reason.DAY
