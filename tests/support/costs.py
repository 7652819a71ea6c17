"""What a run cost: for each folder the seconds its tests took and the processor time, and the ten slowest tests."""

import os
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import pytest

SLOWEST = 10

_last: list[float] = []


def _processor_seconds() -> float:
    """What this process and its children that have ended have used so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:  # noqa: ARG001
    """Write down what a phase of a test has used; a worker of xdist sends it along with the report."""
    report = yield
    now = _processor_seconds()
    report.processor_seconds = now - (_last[0] if _last else now)
    _last[:] = [now]
    return report


def folder_of(nodeid: str) -> str:
    """The folder under ``tests`` that a test belongs to; of the integration tests the one below."""
    parts = nodeid.split("/")
    return "/".join(parts[: 3 if parts[1] == "integration" else 2])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it at the end of the run."""
    reports = [
        report for found in terminalreporter.stats.values() for report in found if hasattr(report, "processor_seconds")
    ]
    if len({report.nodeid for report in reports}) < 2:
        return
    tests: dict[str, set[str]] = defaultdict(set)
    seconds: dict[str, float] = defaultdict(float)
    processor: dict[str, float] = defaultdict(float)
    each: dict[str, float] = defaultdict(float)
    each_processor: dict[str, float] = defaultdict(float)
    for report in reports:
        folder = folder_of(report.nodeid)
        tests[folder].add(report.nodeid)
        seconds[folder] += report.duration
        processor[folder] += report.processor_seconds
        each[report.nodeid] += report.duration
        each_processor[report.nodeid] += report.processor_seconds
    terminalreporter.section("what it cost, in seconds")
    terminalreporter.write_line(f"{'folder':<32}{'tests':>7}{'seconds':>9}{'processor':>11}")
    for folder in sorted(seconds, key=lambda one: -seconds[one]):
        terminalreporter.write_line(
            f"{folder:<32}{len(tests[folder]):>7}{seconds[folder]:>9.1f}{processor[folder]:>11.1f}"
        )
    terminalreporter.write_line(
        f"{'together':<32}{len(each):>7}{sum(seconds.values()):>9.1f}{sum(processor.values()):>11.1f}"
    )
    slowest = max(SLOWEST, terminalreporter.config.option.durations or 0)
    for nodeid in sorted(each, key=lambda one: -each[one])[:slowest]:
        terminalreporter.write_line(f"{each[nodeid]:>9.1f}{each_processor[nodeid]:>9.1f}  {nodeid}")
