"""Local servers and the other users of the machine: they can neither list, produce nor read."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.support.servers import run_apart
from xero_stream.kafka.admin import TopicAdmin, TopicSpec
from xero_stream.kafka.connect import connection
from xero_stream.local import ports
from xero_stream.local.kafka import kafka_settings
from xero_stream.local.servers import LocalServers

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def servers() -> Iterator[LocalServers]:
    """Started on a directory that others could read, with a file in it that they could read."""
    # Not pytest's folder: that one keeps others out by itself.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        data = Path(name) / "data"
        for folder in (data, data / "kafka"):
            folder.mkdir()
            folder.chmod(0o755)
        (data / "kafka" / "secret").write_text("a secret")
        (data / "kafka" / "secret").chmod(0o644)
        started = LocalServers(data)
        run_apart(started.start())
        run_apart(_written(started))
        yield started
        run_apart(started.stop())


async def _written(started: LocalServers) -> None:
    settings = kafka_settings(started.environment)
    async with TopicAdmin(settings) as admin:
        await admin.apply([TopicSpec(name="private", partitions=1, replication_factor=1, configs={})])
    async with AIOKafkaProducer(**connection(settings, client_id="test")) as producer:
        await producer.send_and_wait("private", b"of a customer")


def _data(servers: LocalServers) -> Path:
    return servers.kafka.log.parent


async def test_our_clients_find_their_way(servers: LocalServers) -> None:
    """The servers' settings are enough to write and to read."""
    settings = kafka_settings(servers.environment)

    async with AIOKafkaConsumer(
        "private", **connection(settings, client_id="test"), auto_offset_reset="earliest"
    ) as consumer:
        assert (await consumer.getone()).value == b"of a customer"


def test_another_user_can_neither_list_produce_nor_read(servers: LocalServers) -> None:
    """No topic without a password, not by way of the controller either; no file where we are root and can try as ``nobody``."""
    data = _data(servers)
    places = ports.read_or_choose(data / "ports.json")
    command = [sys.executable, "-m", "tests.support.stranger", servers.bootstrap_servers]
    arguments = [str(places.kafka_controller), str(places.postgres), str(data)]

    ended = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)

    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    reads = found.pop("reads")
    user = found.pop("user")
    assert found == {"lists": [], "lists_by_controller": [], "produces": [], "enters": []}
    if os.geteuid() == 0:  # only root can become another user; without it the modes of the files are judged alone
        assert user == "nobody"
        assert reads == []


def test_no_mode_lets_others_in(servers: LocalServers) -> None:
    """Nothing below the directory is for group or others; the directory itself, for root's PostgreSQL, may only be entered."""
    data = _data(servers)

    assert stat.S_IMODE(data.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    # Below a folder that nobody else may enter modes say nothing: what came from others stays as it came.
    for path in data.iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    for path in (data / "kafka" / "data").rglob("*"):
        assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, path


async def test_the_superuser_has_a_password_of_its_own(servers: LocalServers) -> None:
    """The application's opens only the application's role, which is no superuser."""
    url = servers.database_url
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace("//xero_stream:", "//postgres:"))

    connected = await asyncpg.connect(url)
    assert not await connected.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    await connected.close()


def test_passwords_differ_and_stand_in_no_command(servers: LocalServers) -> None:
    """Three, each 192 bits; ``ps`` shows none."""
    files = ("kafka.password", "postgres.password", "postgres.superuser.password")
    passwords = {(_data(servers) / name).read_text().strip() for name in files}

    assert {len(password) for password in passwords} == {48}
    assert len(passwords) == 3
    for pid in (servers.kafka_pid, servers.postgres_pid):
        shown = Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
        assert not [password for password in passwords if password in shown]


async def test_data_with_one_password_for_both_gets_a_second(tmp_path: Path) -> None:
    """Data of an earlier release starts, and what is stored stays."""
    run_apart(_as_before(tmp_path / "data"))
    (tmp_path / "data/postgres.superuser.password").unlink()

    async with LocalServers(tmp_path / "data", plaintext=True) as servers:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(servers.database_url.replace("//xero_stream:", "//postgres:"))
        connected = await asyncpg.connect(servers.database_url)
        assert await connected.fetchval("SELECT x FROM kept") == 7
        await connected.close()


async def _as_before(data: Path) -> None:
    async with LocalServers(data, plaintext=True) as servers:
        connected = await asyncpg.connect(servers.database_url)
        await connected.execute("CREATE TABLE kept (x integer); INSERT INTO kept VALUES (7)")
        await connected.close()
        port = ports.read_or_choose(data / "ports.json").postgres
        owner = (data / "postgres.superuser.password").read_text().strip()
        superuser = await asyncpg.connect(f"postgresql://postgres:{owner}@127.0.0.1:{port}/postgres")
        application = (data / "postgres.password").read_text().strip()
        await superuser.execute(f"ALTER ROLE postgres PASSWORD '{application}'")
        await superuser.close()
