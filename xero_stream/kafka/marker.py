"""The settings that all processes share, where a process without a store finds them: beside an offset in Kafka.

The store's ``deployment`` row is the truth; processors copy from it what concerns Kafka. Like the relay's position it is the
metadata of an offset of a group without members, so it needs no topic. Kafka forgets it a week after the last processor
committed it: then nothing can be compared.
"""

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin
from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import RULES, Shared

_COMMIT_SECONDS = 10


def concerning_kafka(shared: Shared) -> dict[str, str]:
    """The part of a deployment's settings that is kept on Kafka."""
    return {name: value for name, value in shared.items() if name in RULES and RULES[name].on_kafka}


async def read_marker(admin: TopicAdmin, settings: KafkaSettings) -> dict[str, str]:
    """What Kafka says of the deployment; empty where it says nothing.

    Args:
        settings: the prefix.
    """
    topics = settings.topics
    found = await admin.committed(topics.deployment_group, topics.webhook_events, 0)
    if found is None:
        return {}
    try:
        document = orjson.loads(found[1])
    except orjson.JSONDecodeError:
        return {}
    return {str(name): str(value) for name, value in document.items()} if isinstance(document, dict) else {}


async def write_marker(settings: KafkaSettings, shared: Shared) -> None:
    """Tell processes without a store what the deployment's settings are.

    Args:
        settings: where Kafka is; the topic of webhook events exists.
        shared: the deployment's row.

    Raises:
        KafkaUnreachableError: Kafka did not take it.
    """
    topics = settings.topics
    text = orjson.dumps(concerning_kafka(shared), option=orjson.OPT_SORT_KEYS).decode()
    consumer = AIOKafkaConsumer(
        **connection(settings, client_id="xero-stream-deployment"),
        group_id=topics.deployment_group,
        enable_auto_commit=False,
    )
    try:
        async with asyncio.timeout(_COMMIT_SECONDS):
            await consumer.start()
            anchor = TopicPartition(topics.webhook_events, 0)
            consumer.assign([anchor])
            await consumer.commit({anchor: OffsetAndMetadata(0, text)})
    except (KafkaError, OSError, TimeoutError) as error:
        raise KafkaUnreachableError(
            f"Kafka at {settings.bootstrap_servers} did not take the deployment's settings ({type(error).__name__}: {error}); "
            "try again, and see the broker's log if it lasts"
        ) from error
    finally:
        await consumer.stop()
