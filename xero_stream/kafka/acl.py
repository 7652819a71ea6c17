"""The least rights on Kafka that each of our processes needs, as ACLs and as commands of ``kafka-acls.sh``. Pure.

What each request needs: https://kafka.apache.org/documentation/#operations_resources_and_protocols. Read and Write imply Describe; an
idempotent producer needs nothing beyond Write on a topic.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from xero_stream.contracts.names import EntityName
from xero_stream.contracts.topics import Topics
from xero_stream.settings.access import Process


class Operation(StrEnum):
    """What is allowed, in the words of ``kafka-acls.sh``."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


class Resource(StrEnum):
    """What it is allowed on, as options of ``kafka-acls.sh``."""

    TOPIC = "--topic"
    GROUP = "--group"
    TRANSACTIONAL_ID = "--transactional-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """What a principal may do with one resource.

    Attributes:
        principal: ``User:name``.
        operations: what it may do.
        resource: of which kind.
        name: of the resource.
        prefixed: whether it stands for every resource whose name begins so.
    """

    principal: str
    operations: tuple[Operation, ...]
    resource: Resource
    name: str
    prefixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """Who reads changes and records.

    Attributes:
        principal: ``User:name``.
        group: its consumer group.
    """

    principal: str
    group: str


_Right = tuple[Resource, str, tuple[Operation, ...]]
_CHECKED = (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
_APPLIED = (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS, Operation.ALTER_CONFIGS)


def acls(
    topics: Topics,
    entities: Iterable[EntityName],
    *,
    deliveries: bool,
    principals: Mapping[Process, str],
    writers: Sequence[str] = (),
    consumers: Sequence[Consumer] = (),
) -> list[Acl]:
    """All of a deployment.

    Args:
        topics: its names.
        deliveries: whether receivers keep deliveries.
        principals: who each process is; those that are left out get nothing.
        writers: who may ask for writes.
        consumers: who reads changes and records.
    """
    published = list(
        dict.fromkeys(name for entity in entities for name in (topics.changes(entity), topics.records(entity)))
    )
    rights = {
        Process.RECEIVER: _receiver(topics, deliveries=deliveries),
        Process.PROCESSORS: _processors(topics, published, commands=bool(writers)),
        Process.SETUP: _setup(topics, published, deliveries=deliveries),
        Process.TOOLS: _tools(topics, published, deliveries=deliveries),
    }
    found = [_acl(principal, right) for process, principal in principals.items() for right in rights.get(process, ())]
    # The one right with a pattern: there is a transactional id per partition.
    if processors := principals.get(Process.PROCESSORS):
        found.append(
            Acl(
                principal=processors,
                operations=(Operation.WRITE,),
                resource=Resource.TRANSACTIONAL_ID,
                name=topics.relay_transactional_ids,
                prefixed=True,
            )
        )
    found += [_acl(writer, (Resource.TOPIC, topics.commands, (Operation.WRITE,))) for writer in writers]
    for consumer in consumers:
        found += [_acl(consumer.principal, (Resource.TOPIC, name, (Operation.READ,))) for name in published]
        found.append(_acl(consumer.principal, (Resource.GROUP, consumer.group, (Operation.READ,))))
    return found


def command(acl: Acl, *, bootstrap_servers: str, config: str | None) -> str:
    """The command that adds an ACL.

    Args:
        config: path of a properties file with which an administrator connects.
    """
    words = ["kafka-acls.sh", "--bootstrap-server", bootstrap_servers]
    words += ["--command-config", config] if config else []
    words += ["--add", "--allow-principal", acl.principal]
    words += [word for operation in acl.operations for word in ("--operation", operation.value)]
    words += [acl.resource.value, acl.name]
    words += ["--resource-pattern-type", "prefixed"] if acl.prefixed else []
    return shlex.join(words)


def _acl(principal: str, right: _Right) -> Acl:
    resource, name, operations = right
    return Acl(principal=principal, operations=operations, resource=resource, name=name)


def _receiver(topics: Topics, *, deliveries: bool) -> Iterator[_Right]:
    for name in (topics.webhook_events, topics.dead_letters, *([topics.webhook_deliveries] if deliveries else [])):
        yield Resource.TOPIC, name, (Operation.WRITE,)
    yield Resource.GROUP, topics.deployment_group, (Operation.DESCRIBE,)  # what the deployment's settings are


def _processors(topics: Topics, published: Sequence[str], *, commands: bool) -> Iterator[_Right]:
    yield Resource.TOPIC, topics.webhook_events, (Operation.READ, Operation.DESCRIBE_CONFIGS)
    yield Resource.TOPIC, topics.dead_letters, (Operation.WRITE, Operation.DESCRIBE_CONFIGS)
    for name in published:  # read again after a store rollback
        yield Resource.TOPIC, name, (Operation.READ, Operation.WRITE, Operation.DESCRIBE_CONFIGS)
    if commands:
        yield Resource.TOPIC, topics.commands, (Operation.READ,)
    for group in (topics.processors_group, topics.relay_group, topics.deployment_group):
        yield Resource.GROUP, group, (Operation.READ,)


def _setup(topics: Topics, published: Sequence[str], *, deliveries: bool) -> Iterator[_Right]:
    for name in _every(topics, published, deliveries=deliveries):
        yield Resource.TOPIC, name, _APPLIED
    yield Resource.GROUP, topics.deployment_group, (Operation.DESCRIBE,)


def _tools(topics: Topics, published: Sequence[str], *, deliveries: bool) -> Iterator[_Right]:
    yield (
        Resource.TOPIC,
        topics.webhook_events,
        (Operation.READ, Operation.WRITE, *_APPLIED),
    )  # `quarantine retry` writes
    for name in _every(topics, published, deliveries=deliveries):
        if name in published:
            yield Resource.TOPIC, name, (Operation.READ, *_APPLIED)  # `tail` reads
        elif name != topics.webhook_events:
            yield Resource.TOPIC, name, _APPLIED
    yield Resource.GROUP, topics.deployment_group, (Operation.READ,)  # `deployment set` tells the others
    for group in (topics.processors_group, topics.relay_group):
        yield Resource.GROUP, group, (Operation.DESCRIBE,)


def _every(topics: Topics, published: Sequence[str], *, deliveries: bool) -> list[str]:
    some = [topics.webhook_events, topics.dead_letters, *([topics.webhook_deliveries] if deliveries else [])]
    return [*some, *published]
