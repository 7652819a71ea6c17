"""A stack per test, its seed, and how large a run is."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack

SOAK = os.environ.get("XERO_STREAM_SOAK") == "1"

StartStack = Callable[..., Stack]
"""Makes a stack on the shared servers: simulator options, then fields of :class:`Stack`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A soak run may take long."""
    if SOAK:
        for item in items:
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What decides everything random of a test, shown where it fails; ``XERO_STREAM_SEED`` repeats a run."""
    given = os.environ.get("XERO_STREAM_SEED")
    chosen = int(given) if given else random.SystemRandom().randrange(1, 1_000_000)
    request.node.add_report_section("setup", "seed", f"XERO_STREAM_SEED={chosen}")
    return chosen


@pytest.fixture
def chance(seed: int) -> random.Random:
    """The test's own randomness."""
    return random.Random(seed)


@pytest.fixture
def scale() -> int:
    """How many times larger a run is than the one in the suite: 1, or 10 for a soak."""
    return 10 if SOAK else 1


@pytest.fixture
def new_stack(kafka: str, database_url: str, topic_prefix: str, tmp_path: Path, seed: int) -> StartStack:
    """A stack of this test's own on the shared servers; its folder is kept with the logs."""

    def make(*simulator_options: str, **fields: Any) -> Stack:
        given: dict[str, Any] = {
            "bootstrap_servers": kafka,
            "database_url": database_url,
            "prefix": topic_prefix,
            "folder": tmp_path / "stack",
            "seed": seed,
            **fields,
        }
        return Stack(simulator_options=simulator_options, **given)

    return make
