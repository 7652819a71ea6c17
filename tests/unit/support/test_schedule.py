"""Workers of a run: every test once, few whole systems at a time, those that share one in one worker."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.schedule import WHOLE_SYSTEMS, place, scheduler, unit_of

SYSTEMS = [
    *(f"tests/robustness/test_a.py::test_{number}" for number in range(7)),
    "tests/e2e/test_places.py::test_1",
    "tests/e2e/test_records.py::test_1",
    "tests/e2e/test_records.py::test_2",
]
OTHERS = [f"tests/unit/test_{file}.py::test_{number}" for file in range(9) for number in range(file + 1)]


class Worker:
    """What the scheduler knows of one: what it was sent; like xdist's it keeps its last test until more comes."""

    def __init__(self, name: str, tests: list[str]) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.tests = tests
        self.queue: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        """More to run."""
        self.queue += indices

    def shutdown(self) -> None:
        """Nothing more to run."""
        self.shutting_down = True

    @property
    def running(self) -> int | None:
        """The test it runs now."""
        return self.queue[0] if len(self.queue) > 1 or (self.queue and self.shutting_down) else None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 60])
def test_every_test_runs_once_and_few_systems_at_a_time(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of workers."""
    tests = [*SYSTEMS, *OTHERS]
    monkeypatch.setattr("xdist.scheduler.loadscope.parse_tx_spec_config", lambda _: [None] * count)
    config: Any = SimpleNamespace(option=SimpleNamespace(loadscopereorder=True))
    scheduling: Any = scheduler(config, None)
    workers = [Worker(f"gw{number}", tests) for number in range(count)]
    for worker in workers:
        scheduling.add_node(worker)
        scheduling.add_node_collection(worker, tests)
    scheduling.schedule()

    seen: dict[str, str] = {}
    while running := [(worker, worker.running) for worker in workers if worker.running is not None]:
        systems = [tests[one] for _, one in running if tests[one].startswith(WHOLE_SYSTEMS)]
        assert len(systems) <= (count + 1) // 2
        # Systems take longer than anything else.
        ended = [pair for pair in running if tests[pair[1]] not in systems] or running
        for worker, one in ended:
            assert tests[one] not in seen
            seen[tests[one]] = worker.gateway.id
            worker.queue.pop(0)
            scheduling.mark_test_complete(worker, one)

    assert set(seen) == set(tests)
    assert all(worker.shutting_down for worker in workers)
    assert len({seen[test] for test in tests if test.startswith("tests/e2e/")}) == 1


def test_the_longest_come_first() -> None:
    """The order of the run; what is not named comes last, in its own order."""
    assert place(SYSTEMS[0]) < place("tests/integration/store/test_grants_add.py::test_1") < place(OTHERS[0])
    assert unit_of("tests/unit/test_1.py::test_x[a::b]") == "tests/unit/test_1.py"
