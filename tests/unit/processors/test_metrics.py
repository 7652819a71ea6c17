"""The processors' gauges say what is, also when nobody updates them."""

from typing import Any

from prometheus_client import CollectorRegistry

from processors.incidents import Incident
from processors.maintenance.metrics import Clock, Source, Standing
from processors.metrics import ProcessorMetrics
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.telemetry.computed import FRESH_SECONDS


class Page:
    """Metrics on a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.registry = CollectorRegistry()
        self.metrics = ProcessorMetrics(self.registry, clock=lambda: self.now)

    def __call__(self, name: str, **labels: Any) -> float | None:
        """A series; None where it is absent."""
        return self.registry.get_sample_value(f"xero_stream_{name}", labels)


def test_a_relay_that_stops_working_grows_silent() -> None:
    """Rebuilding is no work; a partition that went to somebody else is not missed."""
    page = Page()
    page.metrics.relay.relay_works(0)
    page.now += 50
    page.metrics.relay.relayed(1, 5, 0.1)
    page.metrics.relay.relay_rebuilt(0)
    page.now += 10
    assert page("relay_silent_seconds") == 60.0
    page.metrics.relay.relay_forgotten(0)
    assert page("relay_silent_seconds") == 10.0
    page.metrics.relay.relay_forgotten(1)
    assert page("relay_silent_seconds") is None


def test_what_the_store_said_is_forgotten_with_time() -> None:
    """A hanging updater or a dead store leaves no number that looks like a good one."""
    page = Page()
    page.metrics.maintenance.stands(Source.STORE, {Standing.RELAY_LAG: 3.0, Standing.LOWEST_DAY: None})
    assert page("relay_lag_changes") == 3.0
    assert page("lowest_day_calls_left") is None
    page.now += FRESH_SECONDS + 1
    assert page("relay_lag_changes") is None
    assert page("readings_age_seconds", source="store") == FRESH_SECONDS + 1


def test_calls_of_a_minute_that_is_over_are_not_held() -> None:
    """When the store can't be asked for more, what was granted a minute ago no longer counts."""
    page = Page()
    page.metrics.quotas.app_minute(AppName("a"), held=100, used=40, short=False)
    assert page("app_minute_held_calls") == 100.0
    page.now += 61
    assert (page("app_minute_held_calls"), page("app_minute_used_calls")) == (0.0, 0.0)


def test_a_tenant_that_left_does_not_run_out_of_calls_here() -> None:
    """Its partition went to another process."""
    page = Page()
    page.metrics.quotas.day_lasts(TenantId("t"), 600.0)
    page.now += 100
    assert page("day_budget_lasts_seconds") == 500.0
    page.metrics.quotas.tenants_left([TenantId("t")])
    assert page("day_budget_lasts_seconds") == 86_400.0


def test_partitions_are_counted_when_asked() -> None:
    """What is assigned and has no lease is not worked on."""
    page, owned = Page(), [2]
    assert page("partitions_owned") == 0.0
    page.metrics.partitions.count_owned(lambda: owned[0])
    assert page("partitions_owned") == 2.0
    owned[0] = 0
    assert page("partitions_owned") == 0.0


def test_incidents_have_an_age() -> None:
    """A counter that was above zero at the first scrape would never show an increase."""
    page = Page()
    assert page("incident_age_seconds", incident="store_rolled_back") is None
    page.metrics.relay.store_rolled_back(0)
    page.metrics.intake.events_lost()
    page.now += 5
    ages = {incident: page("incident_age_seconds", incident=incident) for incident in Incident}
    assert ages == {
        Incident.STORE_ROLLED_BACK: 5.0,
        Incident.EVENTS_LOST: 5.0,
        Incident.EVENTS_MISSED: None,
        Incident.TOPICS_EMPTIED: None,
    }


def test_clocks_are_compared_when_shown() -> None:
    """Each clock that was seen; the broker's goes on between two transactions."""
    page = Page()
    page.metrics.relay.broker_time(5_000.0)
    page.metrics.maintenance.compare_clocks({Clock.KAFKA: page.metrics.relay.broker_now, Clock.XERO: lambda: None})
    page.now += 3
    assert page("clock_difference_seconds", clock="kafka") == 5_003.0
    assert page("clock_difference_seconds", clock="xero") is None
