"""What was counted: calls, refusals, the busiest moment. Pure; ``now_ms`` is an argument."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

WINDOW_MS = 60_000

FREE = "Organisation"
"""The endpoint whose bytes Xero doesn't bill (https://developer.xero.com/faq/pricing-and-policy-updates)."""


@dataclass(slots=True)
class EndpointCounts:
    """Counts of one endpoint of one tenant.

    Attributes:
        rapid: calls of a new connection, which neither minute nor day limited.
        sent: bytes of the answers' bodies, before faults.
    """

    calls: int = 0
    rapid: int = 0
    sent: int = 0
    earned: Counter[str] = field(default_factory=Counter)
    forced: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class TenantCounts:
    """Counts of one tenant.

    Attributes:
        endpoints: by endpoint.
        running: calls under way.
        most_running: the most ever under way.
        most_in_minute: the most that arrived in any sliding 60 seconds, refused ones included.
    """

    endpoints: dict[str, EndpointCounts] = field(default_factory=dict)
    running: int = 0
    most_running: int = 0
    most_in_minute: int = 0
    arrivals: deque[int] = field(default_factory=deque)

    def arrive(self, endpoint: str, now_ms: int) -> EndpointCounts:
        """A call arrived; :meth:`leave` must follow."""
        counts = self.endpoints.get(endpoint)
        if counts is None:
            counts = self.endpoints[endpoint] = EndpointCounts()
        counts.calls += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        arrivals = self.arrivals
        arrivals.append(now_ms)
        while arrivals[0] <= now_ms - WINDOW_MS:
            arrivals.popleft()
        self.most_in_minute = max(self.most_in_minute, len(arrivals))
        return counts

    def leave(self) -> None:
        """A call was answered."""
        self.running -= 1


class Counts:
    """All counts since the start or the last reset."""

    def __init__(self) -> None:
        self._tenants: dict[str, TenantCounts] = {}
        self.tenantless: Counter[str] = Counter()

    def tenant(self, tenant_id: str) -> TenantCounts:
        """A tenant's counts."""
        counts = self._tenants.get(tenant_id)
        if counts is None:
            counts = self._tenants[tenant_id] = TenantCounts()
        return counts

    def reset(self) -> None:
        """Forget all but what is under way."""
        self.tenantless.clear()
        for counts in self._tenants.values():
            counts.endpoints.clear()
            counts.arrivals.clear()
            counts.most_in_minute = 0
            counts.most_running = counts.running

    def report(self) -> dict[str, Any]:
        """As ``GET /_sim/calls`` answers it."""
        tenants = {tenant_id: _tenant_report(counts) for tenant_id, counts in self._tenants.items()}
        return {
            "calls": sum(tenant["calls"] for tenant in tenants.values()),
            "rapidSync": sum(tenant["rapidSync"] for tenant in tenants.values()),
            "egressBytes": sum(tenant["egressBytes"] for tenant in tenants.values()),
            "refusedEarned": _sum(tenants, "refusedEarned"),
            "refusedForced": _sum(tenants, "refusedForced"),
            "mostConcurrent": max((tenant["mostConcurrent"] for tenant in tenants.values()), default=0),
            "mostInSlidingMinute": max((tenant["mostInSlidingMinute"] for tenant in tenants.values()), default=0),
            "tenantless": dict(self.tenantless),
            "tenants": tenants,
        }


def _tenant_report(counts: TenantCounts) -> dict[str, Any]:
    endpoints = {
        name: {
            "calls": one.calls,
            "rapidSync": one.rapid,
            "bytes": one.sent,
            "refusedEarned": dict(one.earned),
            "refusedForced": dict(one.forced),
            "statuses": {str(status): number for status, number in sorted(one.statuses.items())},
        }
        for name, one in counts.endpoints.items()
    }
    return {
        "calls": sum(one.calls for one in counts.endpoints.values()),
        "rapidSync": sum(one.rapid for one in counts.endpoints.values()),
        "egressBytes": sum(one.sent for name, one in counts.endpoints.items() if name != FREE),
        "refusedEarned": _sum(endpoints, "refusedEarned"),
        "refusedForced": _sum(endpoints, "refusedForced"),
        "running": counts.running,
        "mostConcurrent": counts.most_running,
        "mostInSlidingMinute": counts.most_in_minute,
        "endpoints": endpoints,
    }


def _sum(parts: dict[str, dict[str, Any]], name: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts.values():
        total.update(part[name])
    return dict(total)
