"""What calls to Xero cost: how many there are, how long they take, what is left of a minute and of a day."""

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry

from xero_api.budget.day import DAY_SECONDS
from xero_api.call import CallRecord, Outcome, Priority
from xero_stream.contracts.names import AppName, TenantId
from xero_stream.telemetry.metrics import counter, gauge, histogram

WAITS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

_DAY_FORGOTTEN_SECONDS = 3600.0
_MINUTE_FORGOTTEN_SECONDS = 60.0
"""Calls of an app's minute that were granted longer ago than this no longer count."""


class QuotaMetrics:
    """Calls by priority and outcome, the app's minute, the tenants' days."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls = counter(
            registry,
            "xero_stream_xero_calls_total",
            "Calls to Xero, by priority and outcome.",
            priority=Priority,
            outcome=Outcome,
        )
        self._call_seconds = histogram(
            registry,
            "xero_stream_xero_call_seconds",
            "Time of a call to Xero, from sending to the complete answer.",
            buckets=WAITS,
            priority=Priority,
        )
        self._call_bytes = counter(
            registry,
            "xero_stream_xero_received_bytes_total",
            "Bytes received from Xero (billable), by priority.",
            priority=Priority,
        )
        self._minutes: dict[AppName, tuple[float, int, int]] = {}
        gauge(
            registry, "xero_stream_app_minute_held_calls", "Calls a minute of the apps' 10,000 that this process holds."
        ).set_function(lambda: float(sum(held for held, _ in self._fresh_minutes())))
        gauge(
            registry, "xero_stream_app_minute_used_calls", "Calls of the held share that currently count."
        ).set_function(lambda: float(sum(used for _, used in self._fresh_minutes())))
        self._short = counter(
            registry,
            "xero_stream_app_minute_short_total",
            "Times this process was granted fewer calls of an app's minute than it requested.",
        )
        self._day_lasts: dict[TenantId, tuple[float, float]] = {}
        gauge(
            registry,
            "xero_stream_day_budget_lasts_seconds",
            "How long the day's calls last at the present pace, for the tenant of this process that runs out first; "
            "86400: a day or longer.",
        ).set_function(self._shortest_day)

    def called(self, call: CallRecord) -> None:
        """A call to Xero ended."""
        self._calls.labels(call.priority, call.outcome).inc()
        self._call_seconds.labels(call.priority).observe(call.ms / 1000)
        self._call_bytes.labels(call.priority).inc(call.bytes_in)

    def app_minute(self, app: AppName, *, held: int, used: int, short: bool) -> None:
        """Our part of an app's minute was renewed."""
        self._minutes[app] = (self._clock(), held, used)
        self._short.inc(short)

    def day_lasts(self, tenant_id: TenantId, seconds: float) -> None:
        """Record how long a tenant's daily quota will last."""
        if seconds < DAY_SECONDS:
            self._day_lasts[tenant_id] = (self._clock(), seconds)
        else:
            self._day_lasts.pop(tenant_id, None)

    def tenants_left(self, tenants: Iterable[TenantId]) -> None:
        """These tenants are no longer this process's."""
        for tenant_id in tenants:
            self._day_lasts.pop(tenant_id, None)

    def _fresh_minutes(self) -> list[tuple[int, int]]:
        now = self._clock()
        return [(held, used) for at, held, used in self._minutes.values() if now - at < _MINUTE_FORGOTTEN_SECONDS]

    def _shortest_day(self) -> float:
        now = self._clock()
        # Who made no call for an hour is at rest, or parked.
        self._day_lasts = {t: (at, s) for t, (at, s) in self._day_lasts.items() if now - at < _DAY_FORGOTTEN_SECONDS}
        return min((max(0.0, at + seconds - now) for at, seconds in self._day_lasts.values()), default=DAY_SECONDS)
