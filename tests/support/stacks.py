"""A stack per test, its seed, and how large a run is. What a failed test leaves behind is kept."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack

SOAK = os.environ.get("XERO_STREAM_SOAK") == "1"
LONG = SOAK or os.environ.get("XERO_STREAM_LONG") == "1"
"""Whether tests marked as long run: those of ``make robustness`` and ``make soak``, too long for every change."""
NIGHTLY = os.environ.get("XERO_STREAM_NIGHTLY") == "1"
"""Whether tests marked as nightly run: those with other people's programs (``make sinks``, ``make consumers``, ``make generators``)."""
ALWAYS_THE_SAME = 1122
KEPT = Path(tempfile.gettempdir()) / "xero-stream-e2e"
"""Where logs and histories of failed tests stay; pytest's own folders go after a few runs."""

StartStack = Callable[..., Stack]
"""Makes a stack on the shared servers: simulator options, then fields of :class:`Stack`."""


def new_seed() -> int:
    """``XERO_STREAM_SEED``, which repeats a run; else any number, or always the same one.

    What every change has to pass draws the same each time: a run that fails tells of the change. What runs on request
    or by night draws again.
    """
    given = os.environ.get("XERO_STREAM_SEED")
    if given:
        return int(given)
    return random.SystemRandom().randrange(1, 1_000_000) if LONG else ALWAYS_THE_SAME


def kept_folder(request: pytest.FixtureRequest, name: str) -> Iterator[Path]:
    """A folder that goes unless a test failed while it was in use."""
    folder = KEPT / f"{name}-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    failed = request.session.testsfailed
    yield folder
    if request.session.testsfailed == failed and not os.environ.get("XERO_STREAM_KEEP"):
        shutil.rmtree(folder)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What decides everything random of a test; shown where it fails."""
    chosen = new_seed()
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
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where the logs go; kept if the test fails."""
    yield from kept_folder(request, request.node.name)


@pytest.fixture
def new_stack(kafka: str, database_url: str, topic_prefix: str, folder: Path, seed: int) -> StartStack:
    """A stack of this test's own on the shared servers."""

    def make(*simulator_options: str, **fields: Any) -> Stack:
        given: dict[str, Any] = {
            "bootstrap_servers": kafka,
            "database_url": database_url,
            "prefix": topic_prefix,
            "folder": folder,
            "seed": seed,
            **fields,
        }
        return Stack(simulator_options=simulator_options, **given)

    return make
