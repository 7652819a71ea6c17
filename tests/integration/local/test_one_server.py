"""Killing, freezing, stopping and restarting one local server while the other goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.processes import processes_of
from tests.support.servers import SharedServers, run_apart
from xero_stream.local.errors import DataDirectoryInUseError
from xero_stream.local.servers import LocalServers

TOPIC = "records"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """Servers for the tests of this module, each of which leaves both running."""
    started = LocalServers(tmp_path_factory.mktemp("own"), plaintext=True)
    run_apart(started.start())
    run_apart(make_topic(started))
    yield started
    run_apart(started.stop())


async def make_topic(servers: LocalServers) -> None:
    """The one topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def send(servers: LocalServers, value: bytes) -> None:
    """One record, acknowledged."""
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def last(servers: LocalServers) -> bytes | None:
    """The last record."""
    partition = TopicPartition(TOPIC, 0)
    async with AIOKafkaConsumer(bootstrap_servers=servers.bootstrap_servers) as consumer:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, end - 1)
        value: bytes | None = (await consumer.getone()).value
        return value


@contextlib.asynccontextmanager
async def connected(servers: LocalServers) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to PostgreSQL."""
    connection = await asyncpg.connect(servers.database_url, timeout=5)
    try:
        yield connection
    finally:
        connection.terminate()


async def test_a_killed_kafka_comes_back_with_its_data(servers: LocalServers) -> None:
    """After kill -9 and start: the same address, what was acknowledged is there, and more can be sent."""
    address, pid = servers.bootstrap_servers, servers.kafka_pid
    await send(servers, b"before the kill")

    await servers.kafka.kill()
    down = not servers.kafka.running
    await servers.kafka.start()

    assert down
    assert (servers.bootstrap_servers, servers.kafka_pid != pid) == (address, True)
    assert await last(servers) == b"before the kill"
    await send(servers, b"after the kill")
    assert await last(servers) == b"after the kill"


async def test_a_frozen_kafka_answers_nothing_until_it_is_thawed(servers: LocalServers) -> None:
    """What is sent to a frozen broker is acknowledged only after the thaw."""
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(TOPIC, b"warm")
        await servers.kafka.freeze()

        sent = await producer.send(TOPIC, b"into the ice")
        done, _ = await asyncio.wait([sent], timeout=0.5)
        await servers.kafka.thaw()
        async with asyncio.timeout(20):
            await sent

    assert not done
    assert await last(servers) == b"into the ice"


async def test_a_killed_postgres_takes_its_backends_along_and_comes_back(servers: LocalServers) -> None:
    """After kill -9 of everything and start, what was committed is there."""
    async with connected(servers) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        await servers.postgres.kill()
    left = list(processes_of(servers.kafka.log.parent / "postgres").values())

    await servers.postgres.start()

    assert left == []
    async with connected(servers) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 1
        durable = [await connection.fetchval(f"SHOW {name}") for name in ("fsync", "full_page_writes")]
    assert durable == ["on", "on"], "also a crash of the machine loses nothing that was committed"


async def test_a_pid_file_that_names_another_process_is_no_obstacle(
    servers: LocalServers, shared_servers: SharedServers
) -> None:
    """After a restart of a container the id in PostgreSQL's pid file may be anybody's: another PostgreSQL's, here."""
    pid_file = servers.kafka.log.parent / "postgres" / "postmaster.pid"
    text = pid_file.read_text(encoding="utf-8")
    await servers.postgres.stop()
    pid_file.write_text(f"{shared_servers.postgres_pid}\n{text.partition(chr(10))[2]}", encoding="utf-8")

    await servers.postgres.start()

    assert servers.postgres.running


async def test_a_frozen_postgres_answers_nothing_until_it_is_thawed(servers: LocalServers) -> None:
    """The postmaster and its backends are frozen: neither old connections nor new ones get an answer."""
    async with connected(servers) as connection:
        await servers.postgres.freeze()

        query = asyncio.ensure_future(connection.fetchval("SELECT 1"))
        new = asyncio.ensure_future(asyncpg.connect(servers.database_url))
        done, _ = await asyncio.wait([query, new], timeout=0.5)
        await servers.postgres.thaw()
        async with asyncio.timeout(10):
            answer = await query
            (await new).terminate()

    assert (done, answer) == (set(), 1)


async def test_a_stopped_server_leaves_the_other_one_alone(servers: LocalServers) -> None:
    """Stopping Kafka for a while does not touch PostgreSQL; starting what runs, or stopping what doesn't, is no error."""
    postgres = servers.postgres_pid
    await servers.kafka.stop()
    await servers.kafka.stop()

    async with connected(servers) as connection:
        answer = await connection.fetchval("SELECT 1")
    await servers.kafka.start()
    await servers.kafka.start()

    assert (answer, servers.postgres_pid, servers.kafka.running) == (1, postgres, True)


async def test_a_data_directory_has_one_user(servers: LocalServers) -> None:
    """A second start on the same directory is refused at once, and says who has it."""
    folder = servers.kafka.log.parent

    with pytest.raises(DataDirectoryInUseError, match=r"is in use by process \d+: stop it, or choose another"):
        await LocalServers(folder).start()


async def test_everything_comes_back_after_an_orderly_stop(servers: LocalServers) -> None:
    """Stop both, start both: ports and data are the same, and Kafka's log tells of an orderly end."""
    await send(servers, b"before the stop")
    async with connected(servers) as connection:
        await connection.execute("CREATE TABLE stopped (n int)")
    before = (servers.bootstrap_servers, servers.database_url)
    log = servers.kafka.log

    await servers.stop()
    said = await asyncio.to_thread(log.read_text, encoding="utf-8")
    left = processes_of(log.parent)
    await servers.start()

    assert "shut down completed" in said
    assert left == {}
    assert (servers.bootstrap_servers, servers.database_url) == before
    assert await last(servers) == b"before the stop"
    async with connected(servers) as connection:
        assert await connection.fetchval("SELECT count(*) FROM stopped") == 0
