"""The local Kafka and PostgreSQL, used as a program would."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def test_kafka_keeps_what_it_acknowledged(kafka: str, topic_prefix: str) -> None:
    """A record sent with acks=all is read back by another client."""
    topic = f"{topic_prefix}.records"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
    finally:
        await admin.close()

    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"value", key=b"key")
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()

    assert (record.key, record.value) == (b"key", b"value")


async def test_postgres_takes_a_url(empty_database_url: str) -> None:
    """The URL is all that asyncpg needs, and the database is empty, in UTF-8 and UTC."""
    connection = await asyncpg.connect(empty_database_url)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        encoding = await connection.fetchval("SHOW server_encoding")
        timezone = await connection.fetchval("SHOW timezone")
        fsync = await connection.fetchval("SHOW fsync")
    finally:
        await connection.close()

    assert (tables, encoding, timezone, fsync) == (0, "UTF8", "UTC", "on")
