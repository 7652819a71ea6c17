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
from tests.support.stacks import SOAK

__all__ = ["database_url", "empty_database_url", "kafka", "private_servers", "shared_servers", "topic_prefix"]

HERE = Path(__file__).parent

# How busy the machine is says nothing about the code: no deadline per example, and slow drawing is no failure.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


LONGEST_FIRST = ("robustness", "e2e", "commands", "integration")
"""Two workers share the files: what takes minutes must not be begun last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first; a soak run may take long."""
    order = {folder: place for place, folder in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.relative_to(HERE).parts[0], len(order)))
    if SOAK:
        for item in items:
            item.add_marker(pytest.mark.timeout(4 * 3600))
