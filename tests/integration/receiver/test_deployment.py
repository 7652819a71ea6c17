"""A receiver that does not fit its deployment ends with what to do; one that runs goes on, whatever is changed."""

from pathlib import Path

import orjson
import pytest

from tests.support.receivers import RunningReceiver, create_topics, until
from tests.support.stack import PARTITIONS
from tests.support.webhooks import Maker
from xero_stream.kafka.marker import write_marker
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import ENTITIES, KEEP_DELIVERIES, ONE_TOPIC


def settings(kafka: str, prefix: str) -> KafkaSettings:
    """The deployment's."""
    return KafkaSettings.read(bootstrap_servers=kafka, topic_prefix=prefix, partitions=PARTITIONS, replication_factor=1)


async def refused(receiver: RunningReceiver) -> str:
    """All that a receiver says which does not go on."""
    receiver.process.start()
    try:
        assert await receiver.process.wait(30) == 2
    finally:
        receiver.process.kill()
    assert "Traceback" not in receiver.logged()
    return receiver.logged()


async def test_missing_topics_are_said(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Once Kafka answers and has none of them: the step of the set-up, and the prefix."""
    said = await refused(RunningReceiver(bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path))

    assert f"{topic_prefix}.webhook-events, {topic_prefix}.dead-letters do not exist on {kafka}" in said
    assert f"`xero-stream topics apply`, or correct KAFKA_TOPIC_PREFIX (here {topic_prefix})" in said


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"XERO_STREAM_ONE_CHANGES_TOPIC": "true"}, "XERO_STREAM_ONE_CHANGES_TOPIC=false, here it is true"),
        ({"XERO_STREAM_ENTITIES": "invoices"}, "XERO_STREAM_ENTITIES=contacts,invoices, here it is invoices"),
        ({}, "XERO_STREAM_KEEP_DELIVERIES=true, here it is false"),
        ({"XERO_STREAM_KEEP_DELIVERIES": "true", "KAFKA_PARTITIONS": "7"}, "KAFKA_PARTITIONS is 7"),
    ],
)
async def test_another_setting_than_the_deployments(
    kafka: str, topic_prefix: str, tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    """Both values and the command."""
    await create_topics(kafka, topic_prefix)
    await write_marker(
        settings(kafka, topic_prefix),
        {
            ENTITIES: "contacts,invoices",
            ONE_TOPIC: "false",
            KEEP_DELIVERIES: "true",
        },
    )
    receiver = RunningReceiver(
        bootstrap_servers=kafka,
        prefix=topic_prefix,
        folder=tmp_path,
        arguments=("--workers", "2"),
        environment=environment,
    )
    said = await refused(receiver)

    assert told in said


async def test_what_changes_while_it_runs_is_logged(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """It goes on answering 200, and says once what differs."""
    await create_topics(kafka, topic_prefix)
    await write_marker(settings(kafka, topic_prefix), {ONE_TOPIC: "false"})
    maker = Maker(seed=7)
    environment = {"XERO_STREAM_ONE_CHANGES_TOPIC": "false"}
    async with RunningReceiver(
        bootstrap_servers=kafka, prefix=topic_prefix, folder=tmp_path, environment=environment
    ) as receiver:
        await receiver.connected()
        await write_marker(settings(kafka, topic_prefix), {ONE_TOPIC: "true"})

        async def said() -> bool:
            return '"deployment_differs"' in receiver.logged()

        await until(said, "the receiver to notice")
        answer = await receiver.post(maker.body())

    assert answer.status_code == 200
    lines = [orjson.loads(line) for line in receiver.logged().splitlines() if '"deployment_differs"' in line]
    assert len(lines) == 1
    assert "XERO_STREAM_ONE_CHANGES_TOPIC=true, here it is false" in lines[0]["reason"]
