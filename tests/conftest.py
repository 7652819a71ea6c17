"""Fixtures for all tests."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.servers import (
    database_url,
    empty_database_url,
    kafka,
    private_servers,
    shared_servers,
    topic_prefix,
)
from tests.support.stacks import LONG, SOAK

__all__ = ["database_url", "empty_database_url", "kafka", "private_servers", "shared_servers", "topic_prefix"]

HERE = Path(__file__).parent

# How busy the machine is says nothing about the code: no deadline per example, and slow drawing is no failure.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


WHOLE_SYSTEMS = ("robustness", "e2e")
"""Folders whose tests start five processes and more: never two of them at a time."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Two groups for two workers: whole systems one after the other, everything else beside them."""
    whole = item.path.relative_to(HERE).parts[0] in WHOLE_SYSTEMS
    item.add_marker(pytest.mark.xdist_group("whole systems" if whole else "parts"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long ones on request; a soak run may take long."""
    if SOAK:
        for item in items:
            item.add_marker(pytest.mark.timeout(4 * 3600))
    if not LONG:
        late = [item for item in items if item.get_closest_marker("long")]
        if late:
            config.hook.pytest_deselected(items=late)
            items[:] = [item for item in items if not item.get_closest_marker("long")]
