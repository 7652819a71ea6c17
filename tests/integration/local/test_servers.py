"""The local Kafka and PostgreSQL, used as a program would."""

import asyncio
import contextlib

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.servers import SharedServers
from tests.support.servers_of_run import NOT_DURABLE


async def make_topic(kafka: str, topic: str) -> None:
    """A topic of three partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1)])
    finally:
        await admin.close()


async def test_kafka_keeps_what_it_acknowledged(kafka: str, topic_prefix: str) -> None:
    """A record sent with acks=all is read back by another client, even one of 8 MiB."""
    topic = f"{topic_prefix}.records"
    await make_topic(kafka, topic)
    value = b"x" * (8 * 1024 * 1024)

    async with AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, max_request_size=9_000_000
    ) as producer:
        await producer.send_and_wait(topic, value, key=b"key")
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()

    assert (record.key, record.value) == (b"key", value)


async def test_a_transaction_is_seen_whole_or_not_at_all(kafka: str, topic_prefix: str) -> None:
    """The broker's settings for transactions work on one node: aborted records stay unseen by read_committed."""
    topic = f"{topic_prefix}.records"
    await make_topic(kafka, topic)

    async with AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{topic_prefix}.writer") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed", partition=0)
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", isolation_level="read_committed"
    ) as consumer:
        record = await consumer.getone()

    assert record.value == b"committed"


async def test_no_topic_comes_into_being_by_itself(kafka: str, topic_prefix: str) -> None:
    """Sending to a misspelt topic does not make it."""
    topic = f"{topic_prefix}.mispelt"
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(1):
                await producer.send_and_wait(topic, b"value")

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        topics = await admin.list_topics()
    finally:
        await admin.close()

    assert topic not in topics


async def test_postgres_takes_a_url(empty_database_url: str) -> None:
    """The URL is all that asyncpg needs, and the database is empty, in UTF-8 and UTC. Only the tests' own lacks fsync."""
    connection = await asyncpg.connect(empty_database_url)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        settings = [
            await connection.fetchval(f"SHOW {name}")
            for name in ("server_encoding", "timezone", "fsync", "synchronous_commit", "max_connections")
        ]
        superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()

    assert (tables, settings, superuser) == (
        0,
        ["UTF8", "UTC", NOT_DURABLE["fsync"], "on", NOT_DURABLE["max_connections"]],
        False,
    )


async def test_sqlalchemy_takes_the_same_url(empty_database_url: str) -> None:
    """Alembic and SQLAlchemy need only the driver's name added."""
    engine = create_async_engine(empty_database_url.replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.connect() as connection:
            answer = (await connection.execute(text("SELECT 42"))).scalar_one()
    finally:
        await engine.dispose()

    assert answer == 42


async def test_a_password_is_needed(empty_database_url: str) -> None:
    """Other users of this machine can't become a superuser of the database, and run programs as us, for the asking."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(empty_database_url.replace("xero_stream:", "postgres:wrong"))


def test_databases_are_fresh(shared_servers: SharedServers) -> None:
    """Every test has a database of its own, and it is gone afterwards."""
    names = [shared_servers.create_database(migrated=False) for _ in range(2)]

    assert len(set(names)) == 2
    for name in names:
        shared_servers.drop_database(name)
