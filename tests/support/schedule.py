"""Which worker of xdist runs what, and when: the longest first, and few whole systems at a time.

Most tests wait: for a session to end, a back-off, a server. So there are more workers than processors. A whole system (five
processes and more, some with servers of their own) uses most of a processor while it starts and is loaded, so only half of the
workers run one at a time.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

WHOLE_SYSTEMS = (
    "tests/robustness/",
    "tests/e2e/",
    "tests/alerts/test_alerts",
    "tests/commands/test_demo.py",
    "tests/commands/test_first_start.py",
    "tests/commands/test_pages_followed.py",
)
"""Tests that start five processes and more."""

ON_THE_QUIET_SYSTEM = tuple(f"tests/e2e/test_{name}.py" for name in ("main_path", "places", "records", "watching"))
"""They share the fixture ``quiet``, so one worker runs them all."""

LONGEST = (
    "tests/robustness/test_exploratory.py",
    "tests/alerts/test_alerts.py",
    "tests/e2e/test_main_path.py",
    "tests/e2e/test_places.py",
    "tests/e2e/test_records.py",
    "tests/e2e/test_watching.py",
    "tests/robustness/test_members.py",
    "tests/commands/test_demo.py",
    "tests/commands/test_pages_followed.py",
    "tests/commands/test_first_start.py",
    "tests/robustness/test_checkers_notice.py",
    "tests/e2e/test_deployment.py",
    "tests/e2e/test_human_acts.py",
    "tests/e2e/test_clocks.py",
    "tests/robustness/test_receiver.py",
    "tests/robustness/test_mixed_settings.py",
    "tests/robustness/",
    "tests/e2e/",
    "tests/integration/local/",
    "tests/integration/receiver/",
    "tests/integration/processors/",
    "tests/commands/",
    "tests/migrations/",
    "tests/integration/",
)
"""The order of the run, by the time that they take; all else follows. The end of a run says what took longest."""


def place(nodeid: str) -> int:
    """Where a test stands in the order of the run.

    Args:
        nodeid: pytest's name of it.
    """
    return next((number for number, start in enumerate(LONGEST) if nodeid.startswith(start)), len(LONGEST))


def unit_of(nodeid: str) -> str:
    """What one worker runs as a whole: a file, or a single test with a whole system of its own.

    Args:
        nodeid: pytest's name of a test.
    """
    file = nodeid.partition("::")[0]
    if file in ON_THE_QUIET_SYSTEM:
        return "on the quiet system"
    return nodeid if nodeid.startswith(WHOLE_SYSTEMS) else file


class FewSystemsAtATime(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out units in the order of collection; about half of the workers have a whole system at most, to the end."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _is_system(self, scope: str) -> bool:
        return next(iter(self._tests(scope))).startswith(WHOLE_SYSTEMS)

    def _tests(self, scope: str) -> dict[str, bool]:
        found: dict[str, bool] = self.workqueue[scope]
        return found

    def _has_system(self, node: Any) -> bool:
        return any(
            nodeid.startswith(WHOLE_SYSTEMS) and not done
            for tests in self.assigned_work[node].values()
            for nodeid, done in tests.items()
        )

    def _choose(self, node: Any) -> str:
        waiting: list[str] = list(self.workqueue)
        others = [scope for scope in waiting if not self._is_system(scope)]
        if not others:
            return waiting[0]
        if self._has_system(node):
            # A worker begins its last test when it knows the next one: what waits here meanwhile is to be little.
            return min(others, key=lambda scope: len(self._tests(scope)))
        return others[0] if self._systems_are_enough() else waiting[0]

    def _systems_are_enough(self) -> bool:
        return sum(map(self._has_system, self.nodes)) >= (len(self.nodes) + 1) // 2

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(self._choose(node), last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: Any) -> None:
        if node.shutting_down:
            return
        only_systems = all(map(self._is_system, self.workqueue))
        if not self.workqueue or (only_systems and not self._has_system(node) and self._systems_are_enough()):
            node.shutdown()
        elif self._pending_of(self.assigned_work[node]) <= 1:
            self._assign_work_unit(node)


def scheduler(config: pytest.Config, log: Any) -> FewSystemsAtATime:
    """The scheduler of a run with several workers."""
    config.option.loadscopereorder = False  # in the order of collection, not by number of tests
    return FewSystemsAtATime(config, log)
