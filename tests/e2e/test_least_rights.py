"""Each process with the rights that ``topics acl`` and ``deploy/postgres-roles.sql`` give it, and with none beyond them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.structs import TopicPartition

from tests.support.kafka_users import apply, with_users
from tests.support.servers import run_apart
from tests.support.stack import Stack, free_port
from tests.support.webhooks import sign
from xero_stream.contracts.names import EntityName
from xero_stream.local.data_dir import DataDirectory
from xero_stream.local.ports import HOST, read_or_choose
from xero_stream.local.servers import LocalServers
from xero_stream.store.migrate import upgrade

USERS = ("receiver", "processors", "setup", "tools", "orders", "billing")
ROLES = ("xero_processors", "xero_console", "xero_mirror")
PREFIX = "least"
ROLES_SQL = Path(__file__).parents[2] / "deploy" / "postgres-roles.sql"
REFUSED = (
    ClusterAuthorizationFailedError,
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


def password(user: str) -> str:
    """A user's or role's."""
    return f"password-of-{user}"


@dataclass(slots=True, kw_only=True)
class Rights:
    """Servers on which every process is somebody, and the system on them.

    Attributes:
        stack: its processes, each with its own user and role; looked at as an administrator.
        users: where Kafka wants a user.
        acls: the commands that gave them their rights.
        servers: Kafka and PostgreSQL.
    """

    stack: Stack
    users: str
    acls: str
    servers: LocalServers

    def sasl(self, user: str) -> dict[str, str]:
        """A process's settings for Kafka."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.users,
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": password(user),
        }

    def client(self, user: str) -> dict[str, Any]:
        """The arguments of aiokafka's clients."""
        return {
            "bootstrap_servers": self.users,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": user,
            "sasl_plain_password": password(user),
        }

    def database(self, role: str) -> str:
        """The store's URL for a role."""
        return self.stack.database_url.replace(
            self.stack.database_url.partition("://")[2].partition("@")[0], f"{role}:{password(role)}"
        )

    async def writes(self, user: str, topic: str, *, transactional_id: str | None = None) -> bool:
        """Whether a user can write to a topic."""
        producer = AIOKafkaProducer(**self.client(user), enable_idempotence=True, transactional_id=transactional_id)
        try:
            await producer.start()
            if transactional_id:
                async with producer.transaction():
                    await producer.send_and_wait(topic, b"{}", key=b"k", partition=0)
            else:
                await producer.send_and_wait(topic, b"{}", key=b"k", partition=0)
        except REFUSED:
            return False
        finally:
            await producer.stop()
        return True

    async def reads(self, user: str, topic: str) -> bool:
        """Whether a user can read a topic."""
        consumer = AIOKafkaConsumer(topic, **self.client(user), auto_offset_reset="earliest")
        try:
            await consumer.start()
            await consumer.getmany(timeout_ms=3_000)
        except (*REFUSED, UnknownTopicOrPartitionError):
            return False
        finally:
            await consumer.stop()
        return True

    @contextlib.asynccontextmanager
    async def admin(self, user: str) -> AsyncIterator[AIOKafkaAdminClient]:
        """An admin client of a user."""
        client = AIOKafkaAdminClient(**self.client(user))
        await client.start()
        try:
            yield client
        finally:
            await client.close()

    async def creates(self, user: str, topic: str) -> bool:
        """Whether a user can create a topic."""
        async with self.admin(user) as admin:
            answer = await admin.create_topics([NewTopic(topic, 1, 1)])
        ((_, code, *_),) = answer.topic_errors
        assert code == 0 or issubclass(for_code(code), REFUSED), for_code(code)
        return bool(code == 0)

    async def deletes(self, user: str, topic: str) -> bool:
        """Whether a user can delete a topic."""
        async with self.admin(user) as admin:
            answer = await admin.delete_topics([topic])
        ((_, code, *_),) = answer.topic_error_codes
        assert code == 0 or issubclass(for_code(code), (*REFUSED, UnknownTopicOrPartitionError)), for_code(code)
        return bool(code == 0)

    async def sees_group(self, user: str, group: str) -> bool:
        """Whether a user can look at a group's offsets."""
        async with self.admin(user) as admin:
            try:
                await admin.list_consumer_group_offsets(
                    group, partitions=[TopicPartition(self.stack.topics.webhook_events, 0)]
                )
            except REFUSED:
                return False
        return True


async def _started(folder: Path) -> Rights:
    (folder / "servers").mkdir(mode=0o700)
    places = read_or_choose(DataDirectory(folder / "servers").ports_file)
    port = free_port()
    servers = LocalServers(
        folder / "servers",
        broker=with_users(places, port, {user: password(user) for user in USERS}),
        plaintext=True,
    )
    await servers.start()
    stack = Stack(
        bootstrap_servers=servers.bootstrap_servers,
        database_url=servers.database_url,
        prefix=PREFIX,
        folder=folder / "logs",
        simulator_options=["--tenants=1", "--invoices=20", "--contacts=6", "--credit-notes=2"],
    )
    rights = Rights(stack=stack, users=f"{HOST}:{port}", acls="", servers=servers)
    stack.environments = {
        "receiver": rights.sasl("receiver") | {"DATABASE_URL": ""},
        "processors-0": rights.sasl("processors") | {"DATABASE_URL": rights.database("xero_processors")},
    }
    await _give_roles(rights)
    code, rights.acls = await stack.command(
        *("topics", "acl", "--receiver", "User:receiver", "--processors", "User:processors", "--setup", "User:setup"),
        *("--tools", "User:tools", "--commands-from", "User:orders", "--consumer", "User:billing=billing-service"),
    )
    assert code == 0, rights.acls
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await admin.start()
    await apply(admin, rights.acls)
    await admin.create_topics([NewTopic(stack.topics.commands, 3, 1)])
    await admin.close()
    return rights


async def _give_roles(rights: Rights) -> None:
    """Do what the file says: as the owner, who may create roles; then give each a password."""
    url = rights.stack.database_url
    await upgrade(url)
    administrator = await asyncpg.connect(
        rights.servers.postgres._superuser_url(rights.servers.postgres._superuser_password)
    )
    await administrator.execute("ALTER ROLE xero_stream CREATEROLE")
    await administrator.close()
    owner = await asyncpg.connect(url)
    for _ in range(2):  # it can be run again
        await owner.execute(ROLES_SQL.read_text(encoding="utf-8"))
    for role in ROLES:
        await owner.execute(f"ALTER ROLE {role} PASSWORD '{password(role)}'")
    await owner.close()


@pytest.fixture(scope="module")
def rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rights]:
    """Started once, with every right given and no process running."""
    found = run_apart(_started(tmp_path_factory.mktemp("rights")))
    yield found
    run_apart(found.servers.stop())


async def test_the_whole_system_works(rights: Rights) -> None:
    """Topics by setup, a load, edits, an unreadable delivery, commands of people: everything published equals the truth."""
    code, said = await rights.stack.command("topics", "apply", **rights.sasl("setup"))
    assert code == 0, said
    assert "created least.webhook-events" in said
    async with rights.stack as stack:
        tools = rights.sasl("tools") | {"DATABASE_URL": rights.database("xero_console")}
        grant = await stack.control("POST", "/grants", {"tenants": await stack.tenants()})
        added = await _grants_add(stack, grant["refreshToken"], tools)
        assert added == 0
        tenants = await stack.tenants()
        await stack.drained()
        await stack.edit(count=15)
        await stack.send_unreadable_event(tenants[0])
        answer = await stack.http.post(
            stack.webhook_url, content=b"no webhook", headers={"x-xero-signature": sign(b"no webhook")}
        )
        assert answer.status_code == 200
        await stack.drained()

        assert await stack.findings(tenants) == []
        letters = await stack.read([stack.topics.dead_letters])
        assert len(letters) == 2, "one of the receiver, one of the processors"
        for words in (
            ("grants", "list"),
            ("tenants", "list"),
            ("topics", "check"),
            ("quarantine", "list"),
            ("quarantine", "retry", "--all"),
        ):
            code, said = await stack.command(*words, **tools)
            assert "privilege" not in said.lower(), said
            assert "Authorization" not in said, said
            assert code == (1 if words == ("quarantine", "list") else 0), (words, said)
        logs = "".join(process.log.read_text() for process in stack.processes.values())
        assert "AuthorizationFailed" not in logs
        assert "permission denied" not in logs


async def _grants_add(stack: Stack, token: str, environment: dict[str, str]) -> int:
    """``grants add`` with a token on standard input."""
    command = stack.processes["processors-0"].command
    process = await asyncio.create_subprocess_exec(
        *(command[0], "-m", "cli.main", "grants", "add"),
        env={**stack.env("command"), **environment, "PATH": "/usr/bin:/bin", "PYTHONPATH": "."},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(token.encode())
    assert process.returncode == 0, output.decode()
    return process.returncode


CHANGES, RECORDS = f"{PREFIX}.changes.invoices", f"{PREFIX}.records.invoices"
EVENTS, LETTERS, COMMANDS = f"{PREFIX}.webhook-events", f"{PREFIX}.dead-letters", f"{PREFIX}.commands"
TOPICS = (EVENTS, LETTERS, COMMANDS, CHANGES, RECORDS)
MAY_WRITE: dict[str, set[str]] = {
    "receiver": {EVENTS, LETTERS},
    "processors": {LETTERS, CHANGES, RECORDS},
    "setup": set(),
    "tools": {EVENTS},
    "orders": {COMMANDS},
    "billing": set(),
}
MAY_READ: dict[str, set[str]] = {
    "receiver": set(),
    "processors": {EVENTS, CHANGES, RECORDS, COMMANDS},
    "setup": set(),
    "tools": {EVENTS, CHANGES, RECORDS},
    "orders": set(),
    "billing": {CHANGES, RECORDS},
}
MAY_SEE: dict[str, set[str]] = {
    "receiver": {"deployment"},
    "processors": {"processors", "relay", "deployment"},
    "setup": {"deployment"},
    "tools": {"processors", "relay", "deployment"},
    "orders": set(),
    "billing": set(),
}


@pytest.mark.parametrize("user", USERS)
async def test_topics_and_groups(rights: Rights, user: str) -> None:
    """What a principal may write, read and look at; everything else is refused by the broker."""
    code, said = await rights.stack.command("topics", "apply", **rights.sasl("setup"))
    assert code == 0, said

    written = {topic for topic in TOPICS if await rights.writes(user, topic)}
    read = {topic for topic in TOPICS if await rights.reads(user, topic)}
    groups = ("processors", "relay", "deployment")
    seen = {group for group in groups if await rights.sees_group(user, f"{PREFIX}.{group}")}

    assert (written, read) == (MAY_WRITE[user], MAY_READ[user])
    # To look at a group's offset of a topic both must be allowed.
    assert seen == MAY_SEE[user]


@pytest.mark.parametrize("user", USERS)
async def test_nothing_is_created_or_deleted(rights: Rights, user: str) -> None:
    """Only setup and tools create topics, those of the deployment alone; nobody deletes one."""
    assert not await rights.creates(user, f"{PREFIX}.something-else")
    assert not await rights.deletes(user, EVENTS)


async def test_only_processors_have_the_relays_transactions(rights: Rights) -> None:
    """A transactional id of the relay fences its owner: nobody else may use one, and processors use no other."""
    relay = f"{PREFIX}.relay.0"

    assert await rights.writes("processors", CHANGES, transactional_id=relay)
    assert not await rights.writes("processors", CHANGES, transactional_id="another")
    for user in set(USERS) - {"processors"}:
        assert not await rights.writes(user, CHANGES, transactional_id=relay), user


async def test_a_user_without_acls_and_nobody_at_all(rights: Rights) -> None:
    """Who is not named gets nothing; who has no password does not get in."""
    wrong = {**rights.client("receiver"), "sasl_plain_password": "guessed"}
    producer = AIOKafkaProducer(**wrong)
    with pytest.raises(KafkaError):
        await producer.start()
    await producer.stop()


Statement = Callable[[], str]
STATEMENTS: dict[str, tuple[str, set[str]]] = {
    "read records": ("SELECT count(*) FROM records", {*ROLES}),
    "read changes": ("SELECT count(*) FROM changes", {*ROLES}),
    "read names": ("SELECT tenant_id, name FROM tenants", {*ROLES}),
    "read tokens": ("SELECT refresh_token FROM grants", {"xero_processors", "xero_console"}),
    "read quarantine": ("SELECT count(*) FROM quarantine", {"xero_processors", "xero_console"}),
    "read API keys": ("SELECT count(*) FROM api_keys", {"xero_console"}),
    "revoke API keys": ("UPDATE api_keys SET revoked_at = now()", {"xero_console"}),
    "delete API keys": ("DELETE FROM api_keys", set()),
    "read the audit log": ("SELECT count(*) FROM audit", {"xero_console"}),
    "add to the audit log": (
        "INSERT INTO audit (actor, action, subject) VALUES ('a', 'b', 'c')",
        {"xero_console"},
    ),
    "change the audit log": ("UPDATE audit SET actor = 'somebody else'", set()),
    "empty the audit log": ("DELETE FROM audit", set()),
    "write records": ("DELETE FROM records", {"xero_processors"}),
    "write changes": ("DELETE FROM changes", {"xero_processors"}),
    "write grants": ("UPDATE grants SET version = version", {"xero_processors", "xero_console"}),
    "write the schema's version": ("DELETE FROM alembic_version", set()),
    "make a day": (
        "CREATE TABLE changes_20990101 PARTITION OF changes FOR VALUES FROM ('2099-01-01') TO ('2099-01-02')",
        {"xero_processors"},
    ),
    "drop a table": ("DROP TABLE records", set()),
    "change a table": ("ALTER TABLE records ADD COLUMN x int", set()),
    "make a role": ("CREATE ROLE another", set()),
    "read passwords": ("SELECT rolpassword FROM pg_authid", set()),
    "read a file": ("SELECT pg_read_file('/etc/passwd')", set()),
}


@pytest.mark.parametrize("what", STATEMENTS)
async def test_roles(rights: Rights, what: str) -> None:
    """What each role may do in the store; PostgreSQL refuses everything else."""
    statement, allowed = STATEMENTS[what]

    assert {role for role in ROLES if await _does(rights.database(role), statement)} == allowed


async def _does(url: str, statement: str) -> bool:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError):
        return False
    finally:
        await transaction.rollback()
        await connection.close()
    return True


async def test_the_owner_can_migrate_afterwards(rights: Rights) -> None:
    """The days of changes belong to the processors, and the owner may still change them and everything else."""
    await upgrade(rights.stack.database_url)
    connection = await asyncpg.connect(rights.stack.database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("ALTER TABLE changes ADD COLUMN x int; ALTER TABLE records ADD COLUMN x int")
    await transaction.rollback()
    await connection.close()


async def test_a_role_of_another_database_does_not_get_in(rights: Rights) -> None:
    """CONNECT was taken from everybody."""
    owner = await asyncpg.connect(rights.stack.database_url)
    await owner.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(rights.database("x").replace("x:password-of-x", "stranger:x"))
    finally:
        await owner.execute("DROP ROLE stranger")
        await owner.close()


def test_every_entity_has_its_acls(rights: Rights) -> None:
    """Processors write both topics of each; the receiver none."""
    lines = rights.acls.splitlines()
    for entity in (EntityName.INVOICES, EntityName.PAYMENTS):
        for topic in (f"{PREFIX}.changes.{entity}", f"{PREFIX}.records.{entity}"):
            assert any("User:processors" in line and "Write" in line and line.endswith(topic) for line in lines)
            assert not any("User:receiver" in line and topic in line for line in lines)
