"""``migrate``, ``topics``: the two steps before the first start, on real servers."""

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.commands.conftest import CommandLine
from tests.support.processes import until
from tests.support.servers import run_apart
from xero_stream.contracts.names import STREAMED
from xero_stream.kafka.admin import TopicAdmin
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store.migrate import newest


def test_migrate_an_empty_store_then_again(xero_stream: CommandLine, empty_database_url: str) -> None:
    """The first time it says what it did, the second time that there was nothing to do."""
    env = {"DATABASE_URL": empty_database_url}

    first, second = xero_stream("migrate", env=env), xero_stream("migrate", env=env)

    assert (first.code, first.out) == (0, f"schema none → {newest()}: done\n")
    assert (second.code, second.out) == (0, f"schema {newest()}: up to date\n")


def test_commands_ask_for_the_migration(xero_stream: CommandLine, empty_database_url: str) -> None:
    """An empty store is a step of the set-up that is missing: 78."""
    ended = xero_stream("grants", "list", env={"DATABASE_URL": empty_database_url})

    assert ended.code == 78
    assert ended.complaint == "the store is empty: run `xero-stream migrate` first."


def test_topics_from_nothing_to_right(deployed: CommandLine, topic_prefix: str) -> None:
    """Check names what is missing, apply creates it, check is content, apply has nothing to do."""
    missing = deployed("topics", "check")
    applied = deployed("topics", "apply")
    right = deployed("topics", "check")
    again = deployed("topics", "apply")

    assert missing.code == 1
    assert f"{topic_prefix}.changes.invoices does not exist" in missing.out
    assert "topics apply" in missing.out
    assert applied.code == 0
    assert f"created {topic_prefix}.webhook-events" in applied.out
    assert right.code == 0
    assert right.out == f"{2 * len(STREAMED) + 2} topics of {topic_prefix} are correct\n"
    assert (again.code, again.out) == (0, "nothing to do\n")


def test_topics_that_differ(deployed: CommandLine, topic_prefix: str, kafka: str) -> None:
    """A setting is put back; a partition count can't be: it stays named, with 1."""
    deployed("topics", "apply")
    spoil = ConfigResource(ConfigResourceType.TOPIC, f"{topic_prefix}.dead-letters", {"retention.ms": "1000"})

    async def change() -> None:
        async with TopicAdmin(KafkaSettings.read(bootstrap_servers=kafka)) as admin:
            await admin._client.alter_configs([spoil])

    run_apart(change())
    until(lambda: "retention.ms" in deployed("topics", "check").out)  # the broker shows it half a second later

    check = deployed("topics", "check")
    apply = deployed("topics", "apply")
    more = deployed("topics", "apply", env={"KAFKA_PARTITIONS": "4"})

    assert check.code == 1
    assert f"{topic_prefix}.dead-letters retention.ms is 1000" in check.out
    assert (apply.code, apply.out) == (0, f"changed {topic_prefix}.dead-letters\n")
    assert more.code == 1
    assert f"{topic_prefix}.webhook-events has 3 partitions, the deployment 4" in more.out
    assert "created" not in more.out


def test_deliveries_have_a_topic_where_they_are_kept(deployed: CommandLine, topic_prefix: str) -> None:
    """A setting adds a topic."""
    applied = deployed("topics", "apply", env={"XERO_STREAM_KEEP_DELIVERIES": "true"})

    assert f"created {topic_prefix}.webhook-deliveries" in applied.out
