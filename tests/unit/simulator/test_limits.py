"""The four limits, and what is counted."""

from simulator.limits.counts import Counts
from simulator.limits.windows import MINUTE_MS, Allowance, Problem, Refused, TenantLimits, Window
from tests.unit.simulator.builders import NOW

DAY_MS = 86_400_000


def app_window() -> Window:
    """The app's own minute."""
    return Window(length_ms=MINUTE_MS, offset_ms=0)


def call(
    limits: TenantLimits, now_ms: int = NOW, app: Window | None = None, app_allowed: int = 10_000
) -> Refused | None:
    """One whole call."""
    refused = limits.enter(now_ms, app or app_window(), app_allowed)
    if refused is None:
        limits.leave()
    return refused


def test_five_calls_at_once_and_no_more() -> None:
    """The sixth is refused without Retry-After; one that ends makes room."""
    limits, app = TenantLimits("a:1", Allowance()), app_window()

    first = [limits.enter(NOW, app, 10_000) for _ in range(5)]
    sixth = limits.enter(NOW, app, 10_000)
    limits.leave()

    assert first == [None] * 5
    assert sixth == Refused(problem=Problem.CONCURRENT, retry_after=None)
    assert limits.enter(NOW, app, 10_000) is None


def test_sixty_calls_a_minute() -> None:
    """The 61st says when the window ends; then there is room again."""
    limits = TenantLimits("a:1", Allowance())

    answers = [call(limits) for _ in range(61)]

    assert answers[:60] == [None] * 60
    refused = answers[60]
    assert refused is not None
    assert refused.problem is Problem.MINUTE
    assert refused.retry_after is not None
    assert 1 <= refused.retry_after <= 60
    assert call(limits, NOW + refused.retry_after * 1000) is None


def test_windows_are_fixed() -> None:
    """Calls at the end of one window don't count in the next."""
    limits = TenantLimits("a:1", Allowance())
    call(limits)
    end = limits.minute.ends_ms
    for _ in range(59):
        call(limits, end - 1)

    assert call(limits, end - 1) is not None
    assert [call(limits, end) for _ in range(60)] == [None] * 60


def test_windows_end_at_a_different_moment_for_each_tenant() -> None:
    """So that a client can't guess."""
    ends = set()
    for number in range(20):
        limits = TenantLimits(f"a:{number}", Allowance())
        call(limits)
        ends.add(limits.minute.ends_ms)

    assert len(ends) > 10
    assert all(NOW < end <= NOW + MINUTE_MS for end in ends)


def test_the_day_says_in_how_many_seconds_it_ends() -> None:
    """Hours, maybe."""
    limits = TenantLimits("a:1", Allowance(day=2))

    answers = [call(limits) for _ in range(3)]

    refused = answers[2]
    assert refused is not None
    assert refused.problem is Problem.DAY
    assert refused.retry_after is not None
    assert 0 < refused.retry_after <= 86_400
    assert call(limits, NOW + refused.retry_after * 1000) is None


def test_the_apps_minute_is_shared_by_tenants() -> None:
    """Without Retry-After."""
    app = app_window()
    one, other = TenantLimits("a:1", Allowance()), TenantLimits("a:2", Allowance())

    answers = [
        call(one, app=app, app_allowed=3),
        call(other, app=app, app_allowed=3),
        call(one, app=app, app_allowed=3),
    ]
    refused = call(other, app=app, app_allowed=3)

    assert answers == [None] * 3
    assert refused == Refused(problem=Problem.APP_MINUTE, retry_after=None)


def test_a_refused_call_uses_nothing_up() -> None:
    """Neither of the minute nor of the day."""
    limits = TenantLimits("a:1", Allowance(minute=1))
    for _ in range(5):
        call(limits)

    assert (limits.minute.used, limits.day.used, limits.running) == (1, 1, 0)


def test_a_new_connection_has_neither_minute_nor_day() -> None:
    """For as long as is allowed, and what it calls uses nothing up; five at once and the app's minute stay."""
    limits, app = TenantLimits("a:1", Allowance(minute=2, day=2, rapid_sync_seconds=1800)), app_window()
    limits.connected_ms = NOW

    new = [call(limits, NOW + 1_799_999, app) for _ in range(9)]
    used = (limits.minute.used, limits.day.used, app.used)
    of_app = call(limits, NOW + 1, app, 9)
    at_once = [limits.enter(NOW + 2, app, 99) for _ in range(6)][5]
    for _ in range(5):
        limits.leave()
    old = [call(limits, NOW + 1_800_000, app) for _ in range(3)]

    assert (new, used) == ([None] * 9, (0, 0, 9))
    assert of_app == Refused(problem=Problem.APP_MINUTE, retry_after=None)
    assert at_once == Refused(problem=Problem.CONCURRENT, retry_after=None)
    assert old[:2] == [None, None]
    assert old[2] is not None
    assert old[2].problem is Problem.DAY
    assert [limits.rapid_sync_ms(NOW + later) for later in (0, 1_799_000, 1_900_000)] == [1_800_000, 1_000, 0]


def test_what_remains() -> None:
    """As the headers say."""
    limits = TenantLimits("a:1", Allowance(minute=60, day=1000))
    call(limits)

    assert (limits.minute_remaining(), limits.day_remaining()) == (59, 999)


def test_most_of_it_can_be_used_up_to_order() -> None:
    """A day that is over, with the Retry-After seen in the field."""
    limits = TenantLimits("a:1", Allowance())

    limits.use_up(NOW, 10, 0, 66_975)

    assert limits.minute_remaining() == 10
    assert call(limits) == Refused(problem=Problem.DAY, retry_after=66_975)
    assert call(limits, NOW + 66_975_000) is None


def test_counts_per_tenant_and_endpoint() -> None:
    """Calls, refusals by kind and cause, concurrency."""
    counts = Counts()
    tenant = counts.tenant("t")
    first, second = tenant.arrive("Invoices", NOW), tenant.arrive("Contacts", NOW)
    first.earned["minute"] += 1
    second.forced["day"] += 1
    first.statuses[429] += 1
    tenant.leave()
    tenant.leave()
    tenant.arrive("Invoices", NOW)

    report = counts.report()

    assert report["calls"] == 3
    assert (report["refusedEarned"], report["refusedForced"]) == ({"minute": 1}, {"day": 1})
    assert report["mostConcurrent"] == 2
    assert report["tenants"]["t"]["running"] == 1
    assert report["tenants"]["t"]["endpoints"]["Invoices"] == {
        "calls": 2,
        "rapidSync": 0,
        "bytes": 0,
        "refusedEarned": {"minute": 1},
        "refusedForced": {},
        "statuses": {"429": 1},
    }


def test_the_busiest_sliding_minute() -> None:
    """Across the borders of any window."""
    counts = Counts()
    tenant = counts.tenant("t")
    for at_ms in (0, 30_000, 59_999, 60_000, 60_001):
        tenant.arrive("Invoices", NOW + at_ms)

    assert counts.report()["mostInSlidingMinute"] == 4


def test_a_reset_keeps_what_is_under_way() -> None:
    """Calls that began before it still end."""
    counts = Counts()
    tenant = counts.tenant("t")
    tenant.arrive("Invoices", NOW)
    counts.tenantless["token"] += 1

    counts.reset()
    report = counts.report()

    assert (report["calls"], report["mostConcurrent"], report["tenantless"]) == (0, 1, {})
    tenant.leave()
    assert counts.report()["tenants"]["t"]["running"] == 0
