"""Which ACLs each process needs, and how they are written."""

import shlex

from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.contracts.topics import Topics
from xero_stream.kafka.acl import Acl, Consumer, Operation, Resource, acls, command
from xero_stream.settings.access import Process

TOPICS = Topics()
SERVICES = {
    process: f"User:{process}" for process in (Process.RECEIVER, Process.PROCESSORS, Process.SETUP, Process.TOOLS)
}


def given(process: Process, *, deliveries: bool = False, writers: tuple[str, ...] = ()) -> set[tuple[str, Operation]]:
    """What a process may do, by name of the resource."""
    found = acls(TOPICS, STREAMED, deliveries=deliveries, principals=SERVICES, writers=writers)
    return {
        (one.name, operation) for one in found if one.principal == SERVICES[process] for operation in one.operations
    }


def test_the_receiver_only_writes_what_it_receives() -> None:
    """Three topics at most, and a look at what the deployment's settings are."""
    kept = given(Process.RECEIVER, deliveries=True)

    assert kept == {
        ("xero.webhook-events", Operation.WRITE),
        ("xero.dead-letters", Operation.WRITE),
        ("xero.webhook-deliveries", Operation.WRITE),
        ("xero.deployment", Operation.DESCRIBE),
    }
    assert given(Process.RECEIVER) == kept - {("xero.webhook-deliveries", Operation.WRITE)}


def test_processors_make_no_events() -> None:
    """They read events and publish; they read commands only where somebody may write them."""
    without = given(Process.PROCESSORS)

    assert ("xero.webhook-events", Operation.READ) in without
    assert ("xero.webhook-events", Operation.WRITE) not in without
    assert {name for name, operation in without if operation is Operation.WRITE} == {
        "xero.dead-letters",
        "xero.relay.",
        *(f"xero.{kind}.{entity}" for kind in ("changes", "records") for entity in STREAMED),
    }
    assert given(Process.PROCESSORS, writers=("User:orders",)) - without == {("xero.commands", Operation.READ)}


def test_nobody_deletes_and_only_setup_and_tools_create() -> None:
    """No right on the cluster, none to delete, none with an open pattern but the relay's transactional ids."""
    found = acls(TOPICS, STREAMED, deliveries=True, principals=SERVICES, writers=["User:o"], consumers=[
        Consumer(principal="User:c", group="g")
    ])  # fmt: skip

    creating = {one.principal for one in found if Operation.CREATE in one.operations}
    assert creating == {SERVICES[Process.SETUP], SERVICES[Process.TOOLS]}
    assert [one.name for one in found if one.prefixed] == ["xero.relay."]
    assert all(one.name not in ("*", "") for one in found)


def test_entities_and_one_topic() -> None:
    """Rights follow what is streamed and where."""
    one = acls(
        Topics(prefix="p", one_changes_topic=True),
        [EntityName.INVOICES, EntityName.CONTACTS],
        deliveries=False,
        principals={},
        consumers=[Consumer(principal="User:c", group="g")],
    )

    assert [(acl.resource, acl.name) for acl in one] == [
        (Resource.TOPIC, "p.changes"),
        (Resource.TOPIC, "p.records.invoices"),
        (Resource.TOPIC, "p.records.contacts"),
        (Resource.GROUP, "g"),
    ]


def test_the_command() -> None:
    """Kafka's options; whatever a shell would take apart is quoted."""
    acl = Acl(
        principal="User:CN=a b,O=$(x)",
        operations=(Operation.READ, Operation.DESCRIBE_CONFIGS),
        resource=Resource.TRANSACTIONAL_ID,
        name="xero.relay.",
        prefixed=True,
    )

    line = command(acl, bootstrap_servers="k:9092", config="admin.properties")

    assert "'User:CN=a b,O=$(x)'" in line
    assert shlex.split(line) == [
        *("kafka-acls.sh", "--bootstrap-server", "k:9092", "--command-config", "admin.properties"),
        *("--add", "--allow-principal", "User:CN=a b,O=$(x)", "--operation", "Read", "--operation", "DescribeConfigs"),
        *("--transactional-id", "xero.relay.", "--resource-pattern-type", "prefixed"),
    ]
