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

Written by `python -m xero_stream.telemetry.page` from the code; don't edit.
Every process shows its own on `/metrics` of its private port. Seconds and bytes throughout; every series is there from the start.
Beside these every process shows Prometheus' own `process_…` (resident memory, CPU time, open file descriptors and their limit; Linux
only) and `xero_stream_event_loop_tasks`, the tasks of its event loop: numbers that only grow are a leak.
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
        sys.stderr.write(f"{options.check} is stale; write it anew with --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
