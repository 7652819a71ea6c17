"""A process with another setting than the rest is started beside them: it is refused, or it does no harm."""

from collections.abc import Mapping, Sequence
from functools import partial

from tests.robustness.experiment import Experiment
from tests.robustness.failures.failure import Failure
from tests.support.other_settings import NOT_TRIED, other_value
from tests.support.stack import Process, Stack
from xero_stream.settings.shared import ONLY_RECEIVERS, RULES, SECRETS, Sharing, check_value

ENDS_SECONDS = 30.0
_OF_THE_TESTS = ("XERO_STREAM_PROCESSORS_PRIVATE_", "XERO_STREAM_SIMULATOR_", "XERO_STREAM_RECEIVER_")
"""What processors do not read, or the tests themselves need."""


def refused() -> list[str]:
    """Settings that processors must have as the rest has them."""
    return [
        name
        for name, rule in RULES.items()
        if rule.sharing is not Sharing.FREE and name not in ONLY_RECEIVERS and name not in NOT_TRIED
    ]


def harmless() -> list[str]:
    """Settings that a processor may have for itself."""
    return [
        name
        for name, rule in RULES.items()
        if rule.sharing is Sharing.FREE and name not in NOT_TRIED and not name.startswith(_OF_THE_TESTS)
    ]


def one_more(stack: Stack, environment: Mapping[str, str]) -> Process:
    """A further processor, not started yet, with settings of its own."""
    process = stack.add(f"processors-{len(stack.processors)}", *stack.processors_module)
    process.env = {**process.env, "XERO_STREAM_GROUP_INSTANCE_ID": "", **environment}
    return process


async def is_refused(stack: Stack, name: str) -> None:
    """A processor with another value ends with 78, names both values and the way out, and joins nothing.

    Raises:
        AssertionError: it does something else.
    """
    now = stack.env(stack.processors[0]).get(name)
    value = other_value(name, now)
    process = one_more(stack, {name: value})
    process.start()
    try:
        code = await process.wait(ENDS_SECONDS)
    finally:
        process.kill()
        del stack.processes[process.name]
    said = process.log.read_text(encoding="utf-8")
    process.log.unlink()
    assert code == 78, f"{name}={value}: {code}\n{said[-3000:]}"
    for one in filter(None, (name, shown(name, value), shown(name, now or ""))):
        assert one in said, f"{name}={value} is refused without {one!r}\n{said[-3000:]}"
    assert '"event":"assigned"' not in said, f"{name}={value} took partitions first"


def shown(name: str, value: str) -> str:
    """A value as a message has it."""
    if name in SECRETS:
        return check_value(value) if value else ""
    if name == "XERO_STREAM_FIELD_POLICY":
        return value.replace(" ", "").replace('"', '\\"')
    return ",".join(sorted(value.split(",")))


async def does_no_harm(stack: Stack, name: str) -> None:
    """A processor with another value joins the rest and leaves again.

    Raises:
        AssertionError: it does not.
    """
    process = one_more(stack, {name: other_value(name, stack.env(stack.processors[0]).get(name))})
    process.start()
    try:
        await stack.settled_group()
        assert await process.stop() == 0, process.tail()
    finally:
        process.kill()
        process.log.unlink(missing_ok=True)  # the next process of this name starts with an empty log
        del stack.processes[process.name]


async def a_processor_that_differs(experiment: Experiment, *, names: Sequence[str]) -> None:
    """One is started with another value of a setting that all must share."""
    await is_refused(experiment.stack, experiment.chance.choice(names))


async def a_processor_of_its_own(experiment: Experiment, *, names: Sequence[str]) -> None:
    """One is started with another value of a setting that each may have for itself; later it leaves."""
    await does_no_harm(experiment.stack, experiment.chance.choice(names))


async def a_receiver_that_differs(experiment: Experiment) -> None:
    """A receiver is started for another number of partitions, or another prefix: it never answers 200."""
    stack = experiment.stack
    environment = experiment.chance.choice(
        ({"KAFKA_PARTITIONS": "7"}, {"KAFKA_TOPIC_PREFIX": "another"}, {"XERO_STREAM_ONE_CHANGES_TOPIC": "true"})
    )
    process = stack.add("other-receiver", "receiver")
    # In place of a load balancer, which would send it requests: a port of its own.
    process.env = {
        **process.env,
        **environment,
        "XERO_STREAM_RECEIVER_PORT": str(stack.private_ports["other-receiver"] + 1),
    }
    process.start()
    try:
        code = await process.wait(ENDS_SECONDS)
    finally:
        process.kill()
        del stack.processes["other-receiver"]
    assert code == 2, process.tail()
    assert next(iter(environment)) in process.tail(5), process.tail()


FAILURES = (
    Failure(name="other-setting-refused", inject=partial(a_processor_that_differs, names=refused())),
    Failure(name="other-setting-harmless", inject=partial(a_processor_of_its_own, names=harmless())),
    Failure(name="other-setting-receiver", inject=a_receiver_that_differs),
)
