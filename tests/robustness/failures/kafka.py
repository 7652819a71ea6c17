"""Kafka dies, hangs, drags, runs out of disk, or loses, delays and repeats single requests.

Once it is back, the receiver answers 200 within five seconds; that the rest goes on is for :func:`undergo` to see.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from aiokafka.errors import KafkaError

from tests.robustness.experiment import Experiment
from tests.robustness.failures import servers
from tests.robustness.failures.failure import Failure
from tests.robustness.receiver_probe import answered_in_time, answers_again
from tests.support.kafka_wire import Api, Fate
from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin, TopicSpec
from xero_stream.kafka.transactional import OutcomeUnknownError, Outgoing, TransactionalProducer

BACK_SECONDS = 5.0
"""The longest that a producer may take to notice that Kafka is back."""

RECOVERS_SECONDS = 15.0
"""Those five, Xero's next attempt, the read and the change; and a machine that is busy with much else."""

STARTS_SECONDS = 10.0
"""For a killed worker to start and to take its partitions, beside all else, on a machine that is busy with much else."""

GIVEN_UP_SECONDS = 11.0
"""Longer than any request of ours is waited for: delayed by that, it arrives when its sender has gone on without it."""

HAPPENS_SECONDS = 40.0
SLOW_SECONDS = 12.0
TIMES = 2


async def is_back(experiment: Experiment) -> None:
    """Wait until a client that knows nothing of the past gets a transaction through, past the proxy."""
    settings = experiment.stack.kafka
    topic = TopicSpec(name=f"{settings.topic_prefix}.probe", partitions=1, replication_factor=1, configs={})
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, "Kafka itself does not come back"
        try:
            async with TopicAdmin(settings) as admin:
                await admin.apply([topic])
            producer = await TransactionalProducer.start(
                settings, transactional_id=topic.name, partition=0, timeout=5.0
            )
            try:
                record = Outgoing(topic=topic.name, key=None, value=b"probe")
                await producer.publish([record], offsets={}, group="", timeout=5.0)
            finally:
                await producer.discard()
        except (KafkaUnreachableError, OutcomeUnknownError, KafkaError, OSError):
            await asyncio.sleep(0.1)
        else:
            return


async def _serves_again(experiment: Experiment, within: float = BACK_SECONDS) -> None:
    """Kafka is back: from now on it is our doing if a webhook is not acknowledged."""
    await is_back(experiment)
    seconds = await answers_again(experiment, within)
    experiment.stack.note(f"the receiver answered {seconds:.2f} s after Kafka was back")


async def killed(experiment: Experiment) -> None:
    """``kill -9`` of the broker, and a new start on the same data."""
    await servers.die(experiment.servers.kafka, experiment.chance)
    await _serves_again(experiment)


async def frozen(experiment: Experiment) -> None:
    """The broker stands still, its connections open, for longer than anybody waits."""
    async with _held_up(experiment):
        await servers.freeze(experiment.servers.kafka, 10.0 if experiment.scale == 1 else 30.0)


async def slow(experiment: Experiment) -> None:
    """Two seconds for every round trip."""
    async with answered_in_time(experiment) as sent:
        await servers.drag(experiment.kafka, latency=1.0, seconds=SLOW_SECONDS)
    assert sent.slowest >= 2.0, f"the slowest answer took {sent.slowest:.1f} s: nothing was slow"
    await _serves_again(experiment)


async def disk_full(experiment: Experiment) -> None:
    """No file of the broker can be written; it gives up, as brokers do, and starts again when there is room."""
    async with answered_in_time(experiment):
        await servers.run_out_of_room(experiment.servers.kafka)
    await _serves_again(experiment)


async def cut(experiment: Experiment) -> None:
    """All connections are reset, several times."""
    await servers.cut(experiment.kafka, experiment.chance)
    await _serves_again(experiment)


async def refused(experiment: Experiment) -> None:
    """All connections are reset and none is taken for five seconds."""
    async with _held_up(experiment):
        await servers.refuse(experiment.kafka, 5.0)


async def unreachable(experiment: Experiment) -> None:
    """Nothing gets through for ten seconds, no connection is told so, and what was held back arrives afterwards."""
    async with _held_up(experiment):
        await servers.freeze(experiment.kafka, 10.0)


@contextlib.asynccontextmanager
async def _held_up(experiment: Experiment) -> AsyncIterator[None]:
    """What happens in the block lasts so long that the receiver says 503, in time; afterwards it serves again."""
    async with answered_in_time(experiment) as sent:
        yield
    assert sent.statuses[503], f"the receiver was not held up: {sent.statuses}"
    await _serves_again(experiment)


async def request_harmed(
    experiment: Experiment, *, api: Api, fate: Fate, client: str = "", seconds: float = 0.0
) -> None:
    """Something happens to the next requests of one kind.

    Args:
        experiment: the system.
        api: the kind.
        fate: what happens.
        client: whose requests; anybody's by default.
        seconds: how late they arrive.
    """
    proxy = experiment.kafka
    # One silence is a whole connection that hears nothing; a second one in a row would only double the wait.
    times = 1 if fate is Fate.SILENCE else TIMES
    rule = proxy.plan(api, fate, times=times, client=client, seconds=seconds)
    try:
        async with answered_in_time(experiment):
            if api in ONLY_AT_THE_START:
                process = experiment.stack.processes[experiment.chance.choice(experiment.stack.processors)]
                process.kill()
                process.start()
            await _until(experiment, lambda: rule.fired == rule.times, f"{rule} to fire")
            await _until(experiment, lambda: rule.done == rule.times, f"{rule} to be done")
    finally:
        proxy.forget_rules()
    # Whoever was left without an answer finds out by itself, when it has waited long enough.
    await _serves_again(experiment, BACK_SECONDS + (GIVEN_UP_SECONDS if fate is Fate.SILENCE else 0.0))


async def _until(experiment: Experiment, condition: Callable[[], bool], what: str) -> None:
    """Wait for something that live edits bring about."""

    async def happened() -> bool:
        for tenant in experiment.one_tenant_each():
            if not condition():
                await experiment.stack.edit(tenantId=tenant, endpoint="Contacts", kind="change", count=1)
                await asyncio.sleep(0.2)
        return condition()

    await experiment.stack.until(happened, HAPPENS_SECONDS, what)


ONLY_AT_THE_START = frozenset(
    {Api.INIT_PRODUCER_ID, Api.JOIN_GROUP, Api.SYNC_GROUP, Api.FIND_COORDINATOR, Api.LIST_OFFSETS, Api.OFFSET_FETCH}
)
"""Asked by a worker that begins, and seldom again."""

HARMED = (
    Api.END_TXN,
    Api.INIT_PRODUCER_ID,
    Api.ADD_PARTITIONS_TO_TXN,
    Api.ADD_OFFSETS_TO_TXN,
    Api.TXN_OFFSET_COMMIT,
    Api.JOIN_GROUP,
    Api.SYNC_GROUP,
    Api.HEARTBEAT,
    Api.FETCH,
    Api.FIND_COORDINATOR,
    Api.LIST_OFFSETS,
    Api.OFFSET_FETCH,
)


def _harmed(api: Api, fate: Fate, *, client: str = "", who: str = "") -> Failure:
    what = api.name.lower().replace("_", "-")
    return Failure(
        name=f"kafka-{fate}-{who}{what}",
        inject=partial(
            request_harmed, api=api, fate=fate, client=client, seconds=GIVEN_UP_SECONDS if fate is Fate.DELAY else 0.0
        ),
        recovers=RECOVERS_SECONDS
        + (GIVEN_UP_SECONDS if fate is Fate.SILENCE else 0.0)
        + (STARTS_SECONDS if api in ONLY_AT_THE_START else 0.0),
        ends_a_process=api in ONLY_AT_THE_START,
    )


FAILURES = (
    Failure(name="kafka-killed", inject=killed, recovers=RECOVERS_SECONDS),
    Failure(name="kafka-frozen", inject=frozen, recovers=RECOVERS_SECONDS),
    Failure(name="kafka-slow", inject=slow, recovers=RECOVERS_SECONDS),
    Failure(name="kafka-disk-full", inject=disk_full, recovers=RECOVERS_SECONDS),
    Failure(name="kafka-cut", inject=cut, recovers=RECOVERS_SECONDS),
    Failure(name="kafka-refused", inject=refused, recovers=RECOVERS_SECONDS),
    Failure(name="kafka-unreachable", inject=unreachable, recovers=RECOVERS_SECONDS),
    *(_harmed(api, fate) for api in HARMED for fate in Fate),
    *(_harmed(Api.PRODUCE, fate, client="xero-stream-receiver", who="receiver-") for fate in Fate),
    *(_harmed(Api.PRODUCE, fate, client=".relay.", who="relay-") for fate in Fate),
)
