"""The topics a deployment needs: declared once, checked and applied by command. Never auto-created."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, for_code
from aiokafka.structs import TopicPartition

from xero_stream.contracts.names import EntityName
from xero_stream.kafka.compression import topic_compression
from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings

_COORDINATOR_SECONDS = 5
_VISIBLE_SECONDS = 10
_ENDS_SECONDS = 20.0
_STOP_SECONDS = 5.0
_MISSING = "does not exist"
_DAY_MS = 24 * 60 * 60 * 1000
LARGEST_MESSAGE = 8 * 1024 * 1024


class KafkaUnreachableError(Exception):
    """Kafka can't be reached; the message says which address and what to do."""


def kafka_unreachable(error: Exception) -> bool:
    """Whether an error says that Kafka does not answer."""
    return isinstance(error, KafkaUnreachableError | KafkaError)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it should be."""

    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One way in which a topic differs.

    Attributes:
        topic: which.
        what: one sentence.
        fixable: whether ``topics apply`` mends it.
    """

    topic: str
    what: str
    fixable: bool


@dataclass(slots=True, kw_only=True)
class Applied:
    """What ``apply`` did."""

    created: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    left: list[Problem] = field(default_factory=list)


def wanted(settings: KafkaSettings, entities: Iterable[EntityName], *, deliveries: bool = False) -> list[TopicSpec]:
    """The topics of a deployment.

    Args:
        settings: prefix, partitions, replication.
        deliveries: whether whole deliveries are kept.
    """
    topics = settings.topics
    base = {
        "max.message.bytes": str(LARGEST_MESSAGE),
        "compression.type": topic_compression(settings),
        # The broker stamps every record. With a producer's stamp, Kafka refuses records of a machine whose clock is an hour
        # ahead (message.timestamp.after.max.ms), and drops those of one that is a week behind (retention.ms).
        "message.timestamp.type": "LogAppendTime",
    }
    if settings.replication_factor >= 3:
        base |= {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}

    def deleted(days: int) -> dict[str, str]:
        return {**base, "cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}

    # A slow reader of a compacted topic must still see a tombstone that was there when it began.
    compacted = {**base, "cleanup.policy": "compact", "delete.retention.ms": str(7 * _DAY_MS)}
    rows: dict[str, dict[str, str]] = {
        topics.webhook_events: deleted(7),
        topics.dead_letters: deleted(settings.dead_letter_days),
    }
    if deliveries:
        rows[topics.webhook_deliveries] = deleted(7)
    for entity in entities:
        rows[topics.changes(entity)] = deleted(30)
        rows[topics.records(entity)] = compacted
    return [
        TopicSpec(
            name=name, partitions=settings.partitions, replication_factor=settings.replication_factor, configs=configs
        )
        for name, configs in rows.items()
    ]


def compare(spec: TopicSpec, partitions: int | None, configs: dict[str, str]) -> list[Problem]:
    """How a topic differs from its specification. Pure.

    Args:
        spec: as it should be.
        partitions: as it is; None where the topic does not exist.
        configs: as they are.
    """
    if partitions is None:
        return [Problem(topic=spec.name, what=_MISSING, fixable=True)]
    problems = []
    if partitions != spec.partitions:
        what = (
            f"has {partitions} partitions, the deployment {spec.partitions}: tenants would be looked for in the wrong "
            "partition. Use a new KAFKA_TOPIC_PREFIX (and an empty store), then resync"
        )
        problems.append(Problem(topic=spec.name, what=what, fixable=False))
    problems += [
        Problem(topic=spec.name, what=f"{name} is {configs.get(name)}, should be {value}", fixable=True)
        for name, value in spec.configs.items()
        if configs.get(name) != value
    ]
    return problems


class TopicAdmin:
    """Topics over aiokafka's admin client. Whatever Kafka refuses inside the block leaves it as KafkaUnreachableError."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: Any = None

    async def __aenter__(self) -> "TopicAdmin":
        client = AIOKafkaAdminClient(
            **connection(self._settings, client_id="xero-stream-admin"), request_timeout_ms=10_000
        )
        try:
            await client.start()
        except (KafkaError, OSError, AssertionError) as error:
            # AssertionError: a broker that has just come back tells clients of no broker at all, which aiokafka asserts.
            await client.close()
            raise KafkaUnreachableError(
                f"Kafka does not answer at {self._settings.bootstrap_servers} ({type(error).__name__}); check "
                "KAFKA_BOOTSTRAP_SERVERS, or start one with `xero-stream local`"
            ) from error
        self._client = client
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        await self._client.close()
        if isinstance(error, KafkaError):
            raise KafkaUnreachableError(
                f"Kafka at {self._settings.bootstrap_servers} did not do what it was asked for "
                f"({type(error).__name__}: {error}); try again, and see the broker's log if it lasts"
            ) from error

    async def check(self, specs: Sequence[TopicSpec]) -> list[Problem]:
        """Every way in which the topics differ from what they should be."""
        partitions = await self.partitions([spec.name for spec in specs])
        configs = await self._configs(list(partitions))
        return [
            problem
            for spec in specs
            for problem in compare(spec, partitions.get(spec.name), configs.get(spec.name, {}))
        ]

    async def partitions(self, names: Sequence[str]) -> dict[str, int]:
        """How many partitions each topic has; topics that don't exist are left out."""
        existing = set(await self._client.list_topics())
        here = [name for name in names if name in existing]
        described = await self._client.describe_topics(here) if here else []
        return {topic["topic"]: len(topic["partitions"]) for topic in described}

    async def apply(self, specs: Sequence[TopicSpec]) -> Applied:
        """Create what is missing, set what differs; what can't be changed is left and named."""
        problems = await self.check(specs)
        by_name = {spec.name: spec for spec in specs}
        applied = Applied(created=await self.create_missing(specs))
        altered = sorted({p.topic for p in problems if p.fixable and p.what != _MISSING})
        if altered:
            await self._alter([by_name[name] for name in altered])
            applied.altered = altered
        applied.left = [p for p in problems if not p.fixable]
        return applied

    async def create_missing(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create what is missing; answers what that was. Existing topics stay as they are."""
        there = await self.partitions([spec.name for spec in specs])
        missing = [spec for spec in specs if spec.name not in there]
        if missing:
            await self._create(missing)
            await self._until_visible([spec.name for spec in missing])
        return [spec.name for spec in missing]

    async def cluster_id(self) -> str:
        """What the cluster calls itself, whichever of its addresses we use."""
        return str((await self._client.describe_cluster())["cluster_id"])

    async def committed(self, group: str, topic: str, partition: int) -> tuple[int, str] | None:
        """A group's committed offset and its metadata, or None."""
        return (await self.all_committed(group, topic, [partition])).get(partition)

    async def all_committed(self, group: str, topic: str, partitions: Iterable[int]) -> dict[int, tuple[int, str]]:
        """A group's committed offsets and their metadata by partition; those that have none are left out."""
        keys = [TopicPartition(topic, partition) for partition in partitions]
        end = time.monotonic() + _COORDINATOR_SECONDS
        while True:
            try:
                found = await self._client.list_consumer_group_offsets(group, partitions=keys)
                break
            except GroupCoordinatorNotAvailableError:
                # The first question about any group makes a new cluster create the topic of groups.
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)
        return {tp.partition: (row.offset, row.metadata) for tp, row in found.items() if row.offset >= 0}

    async def members(self, group: str) -> int:
        """How many consumers are in a group now; 0 for a group that does not exist."""
        (response,) = await self._client.describe_consumer_groups([group])
        (described,) = response.groups
        code, members = described[0], described[5]
        if code:
            raise for_code(code)
        return len(members)

    async def _until_visible(self, names: Sequence[str]) -> None:
        """Wait until the broker lists topics: it learns of them after the controller has answered that they exist."""
        end = time.monotonic() + _VISIBLE_SECONDS
        while len(await self.partitions(names)) < len(names) and time.monotonic() < end:  # noqa: ASYNC110 - Kafka does not tell
            await asyncio.sleep(0.05)

    async def _create(self, specs: Sequence[TopicSpec]) -> None:
        response = await self._client.create_topics(
            [
                NewTopic(
                    name=spec.name,
                    num_partitions=spec.partitions,
                    replication_factor=spec.replication_factor,
                    topic_configs=spec.configs,
                )
                for spec in specs
            ]
        )
        for name, code, *message in response.topic_errors:
            if code not in (0, 36):  # 36: it exists by now, made by somebody else at the same time
                raise KafkaUnreachableError(f"topic {name} can't be created: {message or for_code(code).__name__}")

    async def _alter(self, specs: Sequence[TopicSpec]) -> None:
        responses = await self._client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, spec.name, spec.configs) for spec in specs]
        )
        for response in responses:
            for code, message, _, name in response.resources:
                if code:
                    raise KafkaUnreachableError(f"topic {name} can't be changed: {message or for_code(code).__name__}")

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        responses = await self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in names])
        return {
            resource[3]: {entry[0]: entry[1] for entry in resource[4]}
            for response in responses
            for resource in response.resources
        }


async def end_offsets(settings: KafkaSettings, topics: Sequence[str], partition: int) -> dict[str, int]:
    """Where one partition of each topic ends.

    Args:
        topics: existing ones.
        partition: which partition of them.

    Raises:
        KafkaError, OSError: Kafka does not answer, or a topic does not exist.
        KafkaUnreachableError: it does not answer in time.
    """
    consumer = AIOKafkaConsumer(**connection(settings, client_id="xero-stream-ends"), request_timeout_ms=10_000)
    try:
        # aiokafka bounds each request, and none of the loops around them: a broker that changes its mind keeps it waiting.
        async with asyncio.timeout(_ENDS_SECONDS):
            await consumer.start()
            ends = await consumer.end_offsets([TopicPartition(topic, partition) for topic in topics])
    except TimeoutError as error:
        raise KafkaUnreachableError(
            f"Kafka at {settings.bootstrap_servers} did not return the end offsets of topics within {_ENDS_SECONDS:g} s"
        ) from error
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await consumer.stop()
    return {tp.topic: offset for tp, offset in ends.items()}
