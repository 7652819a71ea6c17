"""Writes ``docs/metrics.md`` from the metric classes, or says that it is stale.

``python -m xero_stream.telemetry.page --write docs/metrics.md receiver.metrics:ReceiverMetrics …`` (``--check`` compares).
The classes are named as arguments because this package knows none of the services. A class fits if it can be built
from ``registry=`` alone.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from xero_stream.telemetry.metrics import MetricDoc, listing

_HEAD = """# Metrics

Written by `make schemas` from the code; don't edit.
Every process shows its own on `/metrics` of its private port. Seconds and bytes throughout; every counter and histogram is there from
the start. Beside these every process shows Prometheus' own `process_…` (resident memory, CPU time, open file descriptors and their
limit; Linux only) and `xero_stream_event_loop_tasks`, the tasks of its event loop: numbers that only grow are a leak.

## What a gauge shows when something has stopped

A gauge that is only set keeps its last value when whoever sets it has stopped. So the gauges here are computed when they are scraped,
or they disappear when they are old and another gauge says so. A counter that stands means that nothing happened.

| gauges | come from | the updater hangs | Kafka is down | PostgreSQL is down | the owner of a partition died |
| --- | --- | --- | --- | --- | --- |
| `dirty_records`, `oldest_unsettled_…`, `quarantine_open`, `parked_…`, `suspended_…`, `unconnected_…`, `lowest_day_…`, `relay_lag_…`, `relay_oldest_…`, `egress_…` | the store, every 5 s, by every process, over all partitions | absent after 30 s; `readings_age_seconds{source="store"}` grows (alert GaugesStale) | right: the relay's grow | as if the updater hangs | right: every other process reads the same |
| `intake_lag_events`, `intake_stuck_seconds` | Kafka and the store, every 5 s, by every process, over all partitions | the lag is absent after 30 s, `stuck` goes on growing, `readings_age_seconds{source="kafka"}` grows (alert GaugesStale) | as if the updater hangs | as if the updater hangs | right: every other process reads the same |
| `relay_silent_seconds` | the time since each relay of the process last worked, when scraped | grows (alert RelayStands) | grows as soon as there is something to publish | grows | gone with the process; the next owner's begins at 0 |
| `partitions_owned` | the workers with a lease, when scraped | right: a worker without a lease does not count | may stay: ownership is for Kafka to end | falls to 0 where a lease can't be taken | the series ends with the process (alert PartitionsWithoutOwner) |
| `partitions` | the settings | | | | |
| `incident_age_seconds`, `receiver_dead_letter_age_seconds` | the time since the last one, when scraped | grows | grows | grows | starts again with the process, the log keeps it |
| `clock_difference_seconds` | this machine's clock against the store's, as last seen and carried on by the monotonic clock, when scraped; Kafka's and Xero's from their last answers | right until the other clock is set | Kafka's as last seen, carried on | the store's as last seen, carried on | gone with the process |
| `app_minute_…` | the last exchange of each app's minute | 0 after a minute | right | 0 after a minute: no calls are granted | gone with the process |
| `day_budget_lasts_seconds` | the last call of each organisation, counted on when scraped | runs down | right | runs down | the organisation is taken out when its partition goes |
| `receiver_silent_seconds` | the last sign of life of every worker, when scraped | grows (alert ReceiverStuck) | right | | |
| `receiver_loop_lag_seconds` | each worker's event loop, four times a second | stays; `receiver_silent_seconds` grows | right | | |
| `receiver_workers`, `receiver_connections`, `receiver_in_flight_bytes`, `receiver_producer_available` | each worker, as it happens | stay; `receiver_silent_seconds` grows; 0 once the worker has ended | right: nothing is appended, requests are counted as unavailable | | |
| `receiver_clock_difference_seconds` | this machine's clock against the broker's at the last acknowledgement, when scraped | right until the broker's clock is set | as last seen, carried on | | |
| `receiver_intent_to_receive_timestamp_seconds` | this machine's clock at the last one | stays (intended) | right | | |
"""


def page(services: Sequence[tuple[str, Sequence[MetricDoc]]]) -> str:
    """The page as Markdown.

    Args:
        services: each service's name and its metrics.
    """
    parts = [_HEAD]
    for service, docs in services:
        parts.append(f"\n## {service}\n\n| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n")
        parts.extend(f"| `{doc.name}` | {doc.kind} | {_labels(doc)} | {doc.meaning} |\n" for doc in docs)
    return "".join(parts)


def _labels(doc: MetricDoc) -> str:
    return "; ".join(f"`{label}`: {', '.join(values)}" for label, values in doc.labels.items())


def documented(name: str) -> tuple[str, list[MetricDoc]]:
    """The service's name and metrics of a class.

    Args:
        name: ``module:Class``; the service is the module's first part.
    """
    module, _, attribute = name.partition(":")
    registry = CollectorRegistry()
    getattr(importlib.import_module(module), attribute)(registry=registry)
    return module.partition(".")[0], listing(registry)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if written or up to date, 1 if stale."""
    parser = argparse.ArgumentParser(prog="python -m xero_stream.telemetry.page", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", type=Path, metavar="FILE")
    action.add_argument("--check", type=Path, metavar="FILE")
    parser.add_argument("classes", nargs="+", metavar="MODULE:CLASS")
    options = parser.parse_args(arguments)
    text = page([documented(name) for name in options.classes])
    if options.write:
        options.write.write_text(text, encoding="utf-8")
        return 0
    if not options.check.exists() or options.check.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{options.check} is stale; write it again with --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
