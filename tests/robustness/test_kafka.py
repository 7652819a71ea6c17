"""What Kafka and PostgreSQL can do to a worker that begins, or that wants to join and may not."""

from functools import partial

import pytest

from tests.robustness.conftest import NewExperiment
from tests.robustness.experiment import SESSION_SECONDS, Experiment
from tests.support.kafka_wire import Api, Fate

READY_SECONDS = 30.0


async def readiness(experiment: Experiment, name: str) -> tuple[int, dict[str, str]]:
    """What a process says on its health page."""
    stack = experiment.stack
    answer = await stack.http.get(f"http://127.0.0.1:{stack.private_ports[name]}/readyz")
    return answer.status_code, answer.json()["reasons"]


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_workers_started_before_their_servers_wait_for_them(new_experiment: NewExperiment) -> None:
    """They say for whom, end at once when told to, and work as soon as both servers are there: nobody restarts them."""
    async with new_experiment() as experiment:
        stack, servers = experiment.stack, experiment.servers
        waiting, told = stack.processors
        for name in stack.processors:
            await stack.processes[name].stop()
        await servers.kafka.kill()
        await servers.postgres.kill()
        for name in stack.processors:
            stack.processes[name].start()

        async def waits_for(server: str, name: str = waiting) -> bool:
            if await stack.health(name, "livez") != 200:
                return False
            return await readiness(experiment, name) == (503, {"waiting_for": server})

        for name in stack.processors:
            await stack.until(partial(waits_for, "PostgreSQL", name), 20, "a worker to wait for PostgreSQL")
        assert await stack.processes[told].stop(within=3) == 0
        await servers.postgres.start()
        await stack.until(lambda: waits_for("Kafka"), 20, "a worker to wait for Kafka")
        await servers.kafka.start()
        await stack.settled_group(waiting, within=READY_SECONDS)
        assert stack.processes[waiting].starts == 2
        stack.processes[told].start()
        await experiment.working(READY_SECONDS)
        await experiment.judged()


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_worker_that_never_gets_into_the_group_is_noticed(new_experiment: NewExperiment) -> None:
    """It lives, polls and has no partition: not ready; it tries again with a new consumer, and then gets in."""
    async with new_experiment() as experiment:
        stack, name = experiment.stack, experiment.stack.processors[0]
        process = stack.processes[name]
        await process.stop()
        log = process.log.stat().st_size
        # Each answer is lost, and with it the member id it gave: the worker asks indefinitely.
        rule = experiment.kafka.plan(Api.JOIN_GROUP, Fate.LOSE_ANSWER, times=10_000)
        process.start()

        async def gave_up() -> bool:
            with process.log.open(encoding="utf-8") as file:
                file.seek(log)
                return "no assignment for" in file.read()

        try:
            await stack.until(gave_up, 2 * SESSION_SECONDS + 25, "the worker to take a new consumer")
            status, reasons = await readiness(experiment, name)
        finally:
            experiment.kafka.forget_rules()

        assert rule.fired > 1
        assert status == 503
        assert reasons["group"].startswith("joining for ")
        assert await stack.health(name, "livez") == 200
        await stack.settled_group(within=READY_SECONDS + SESSION_SECONDS)
        await experiment.working(READY_SECONDS)
        await experiment.judged()
