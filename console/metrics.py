"""What the console counts: one verb per measurement."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from xero_stream.telemetry.metrics import counter, gauge, histogram

ROUTES = (
    "/v1/api-keys",
    "/v1/api-keys/{key_id}",
    "/v1/audit",
    "/v1/changes",
    "/v1/me",
    "/v1/openapi.json",
    "/v1/tenants",
    "/v1/tenants/{tenant_id}",
)
OTHER = "other"
_WAITS = "/v1/changes"
_CLASSES = ("2xx", "3xx", "4xx", "5xx")


class ConsoleMetrics:
    """The console's metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = counter(
            registry,
            "xero_stream_console_requests_total",
            "Requests answered, by route and class of status; 4xx if the client disconnected before the answer.",
            route=(*ROUTES, OTHER),
            status=_CLASSES,
        )
        self._seconds = histogram(
            registry,
            "xero_stream_console_request_seconds",
            "Duration of requests, without requests for changes, which wait.",
            route=tuple(route for route in (*ROUTES, OTHER) if route != _WAITS),
        )
        self._store_up = gauge(
            registry, "xero_stream_console_store_up", "1 if PostgreSQL answered the last check, else 0."
        )
        self._streams = gauge(
            registry,
            "xero_stream_console_streams",
            "Open streams of changes and requests waiting for changes.",
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered.

        Args:
            route: the template of its path.
            status: of the answer.
            seconds: from its head to the end of the answer.
        """
        known = route if route in ROUTES else OTHER
        self._answers.labels(known, f"{min(max(status // 100, 2), 5)}xx").inc()
        if known != _WAITS:
            self._seconds.labels(known).observe(seconds)

    def look_at(self, store_up: Callable[[], float], streams: Callable[[], float]) -> None:
        """Compute the gauges when they are scraped.

        Args:
            store_up: 1 if the store answers.
            streams: open streams.
        """
        self._store_up.set_function(store_up)
        self._streams.set_function(streams)
