"""Schema and topics of a deployment, made ready at once: for local servers, where nobody else does it."""

from collections.abc import Callable, Mapping

from xero_stream.kafka.admin import TopicAdmin, wanted
from xero_stream.local.kafka import kafka_settings
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.store.deployment import claim
from xero_stream.store.migrate import upgrade
from xero_stream.store.pool import open_pool


async def prepare(environment: Mapping[str, str], *, say: Callable[[str], None] = lambda _: None) -> None:
    """Migrate the store, fix its prefix and partitions, create the topics.

    Args:
        environment: the local servers' settings by environment variable; they win over the environment's own.
        say: told what was made.

    Raises:
        MigrationError, StoreUnreachableError, DeploymentMismatchError: the store can't be used.
        KafkaUnreachableError: Kafka does not answer.
        SettingsError: topics differ in a way that can't be fixed.
    """
    url = environment["DATABASE_URL"]
    await upgrade(url)
    kafka = kafka_settings(environment)
    pool = await open_pool(url, size=1)
    try:
        await claim(pool, topic_prefix=kafka.topic_prefix, partitions=kafka.partitions)
    finally:
        await pool.close()
    async with TopicAdmin(kafka) as admin:
        applied = await admin.apply(
            wanted(kafka, EntitySettings.read().entities, deliveries=ReceiverSettings.read().keep_deliveries)
        )
    if applied.created:
        say(f"created {len(applied.created)} topics")
    if applied.left:
        raise SettingsError("; ".join(f"{problem.topic} {problem.what}" for problem in applied.left))
