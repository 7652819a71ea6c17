"""Fixtures for all tests."""

import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support.costs import pytest_runtest_makereport, pytest_terminal_summary
from tests.support.examples import examples
from tests.support.published import published
from tests.support.schedule import FewSystemsAtATime, place, scheduler
from tests.support.servers import (
    address_of_servers,
    database_url,
    empty_database_url,
    kafka,
    private_servers,
    shared_servers,
    stop_servers,
    topic_prefix,
)
from tests.support.stacks import LONG, NIGHTLY, SOAK

__all__ = [
    "database_url",
    "empty_database_url",
    "kafka",
    "private_servers",
    "published",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "shared_servers",
    "topic_prefix",
]

# How busy the machine is says nothing about the code: no deadline per example, and slow drawing is no failure.
# Every change draws some examples, always the same; a soak a thousand new ones. Explaining a failure would trace every
# line of every example.
settings.register_profile(
    "any-machine",
    deadline=None,
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=examples(25),
    derandomize=not LONG,
    print_blob=True,
)
settings.load_profile("any-machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FewSystemsAtATime:
    """Who runs what, where there are several workers."""
    return scheduler(config, log)


def pytest_configure() -> None:
    """Interrupts reach the processes of the tests also where the run itself was started in the background, which ignores them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A new worker is told where the servers of the run are."""
    node.workerinput["servers"] = address_of_servers(node.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The servers run to the end of the last worker."""
    stop_servers(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest first. Long ones on request; a soak run may take long."""
    items.sort(key=lambda item: place(item.nodeid))
    if SOAK:
        for item in items:
            item.add_marker(pytest.mark.timeout(4 * 3600))
    late = {name for name, wanted in (("long", LONG), ("nightly", NIGHTLY)) if not wanted}
    left_out = [item for item in items if late & {marker.name for marker in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
