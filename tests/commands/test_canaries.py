"""Planted canaries: every secret through every form, every command, some forty provoked errors, and a running system searched.

What may have a secret is told by ``xero_stream.settings.access``; nothing else may: no log, file, topic, table, metric, title of a process
or answer of a command. ``make soak`` runs the demo too.
"""

import asyncio
import itertools
import json
import logging
import traceback
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from tests.commands.conftest import CommandLine, Running, answers
from tests.support.processes import until
from tests.support.stack import free_port
from xero_stream.kafka.connect import connection
from xero_stream.local.kafka import kafka_settings
from xero_stream.settings.access import MAY_HAVE, SECRETS, Process

CANARY = "c4n4ry"
FERNET = "AAAAc4n4ryAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
KEY = "c4n4ry+K3y/with+characters/of+base64/0123456789"
NOWHERE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "XERO_API_URL": "http://127.0.0.1:9",
    "XERO_IDENTITY_URL": "http://127.0.0.1:9",
}
WHOLE = {
    "XERO_CLIENT_ID": "client",
    "XERO_CLIENT_SECRET": "c4n4ry-client-secret",
    "XERO_WEBHOOK_KEYS": KEY,
    "XERO_STREAM_ENCRYPTION_KEYS": FERNET,
    "XERO_STREAM_FIELD_POLICY_KEY": "c4n4ry-of-the-field-policy-0123456789",
    "KAFKA_SASL_USERNAME": "someone",
    "KAFKA_SASL_PASSWORD": "c4n4ry-sasl",
    "DATABASE_URL": "postgresql://someone:c4n4ry@127.0.0.1:9/x",
    **NOWHERE,
}
"""Every secret set to a canary; nobody answers anywhere."""

TYPED = "c4n4ry-refresh-token\n"

COMMANDS: Sequence[Sequence[str]] = (
    ("doctor",),
    ("grants", "list"),
    ("tenants", "list"),
    ("quarantine", "list"),
    ("deployment", "show"),
    ("migrate",),
    ("topics", "check"),
    ("topics", "acl"),
    ("tail",),
)
URLS = (
    "postgresql://someone:c4n4ry/b4se64+=@127.0.0.1:9/x",
    "postgresql://someone:c4n4ry#x@127.0.0.1:9/x",
    "postgresql://someone:c4n4ry?x@127.0.0.1:9/x",
    "postgresql://someone:c4n4ry[x@127.0.0.1:9/x",
    "postgresql://someone:c4n4ry@@127.0.0.1:9/x",
    "postgresql://someone:c4n4ry@127.0.0.1:port/x",
    "mysql://someone:c4n4ry@127.0.0.1:9/x",
    "postgresql://c4n4ry@/x?host=%00",
    "c4n4ry",
)
MISTAKES: Sequence[tuple[Sequence[str], Mapping[str, str]]] = (
    *((("grants", "list"), {"DATABASE_URL": url}) for url in URLS),
    *((("doctor",), {"DATABASE_URL": url}) for url in URLS[:2]),
    *((("quarantine", "list"), {"DATABASE_URL": url}) for url in URLS),
    *((("migrate",), {"DATABASE_URL": url}) for url in URLS[:4]),
    *((command, {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"}) for command in (("topics", "check"), ("doctor",))),
    (("topics", "check"), {"KAFKA_SECURITY_PROTOCOL": "c4n4ry"}),
    (("receiver",), {"XERO_WEBHOOK_KEYS": "c4n4ry"}),
    (("receiver",), {"XERO_WEBHOOK_KEYS": f"{KEY},c4n4ry"}),
    (("up",), {"XERO_STREAM_ENCRYPTION_KEYS": "c4n4ry"}),
    (("grants", "add"), {"XERO_STREAM_ENCRYPTION_KEYS": "c4n4ry"}),
    (("processors",), {"XERO_STREAM_ENCRYPTION_KEYS": "c4n4ry"}),
    (("processors",), {"XERO_STREAM_FIELD_POLICY": '{"contacts": {"email": "hash"}}', "XERO_STREAM_FIELD_POLICY_KEY": "c4n4ry"}),
    (("doctor",), {"XERO_API_URL": "https://someone:c4n4ry@127.0.0.1:9"}),
    (("doctor",), {"XERO_IDENTITY_URL": "https://someone:c4n4ry@127.0.0.1:9"}),
    (("doctor",), {"XERO_API_URL": "https://[c4n4ry"}),
    (("grants", "add"), {}),
    (("grants", "add", "--client-credentials"), {}),
)  # fmt: skip


class Forms:
    """The same settings by another way than the environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = itertools.count()

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """As variables."""
        return dict(given)

    def files(self, given: Mapping[str, str]) -> dict[str, str]:
        """Secrets in files, named by ``NAME_FILE``."""
        found = {}
        for name, value in given.items():
            if name in SECRETS:
                path = self._folder / f"secret-{next(self._number)}"
                path.write_text(f"{value}\n")
                found[f"{name}_FILE"] = str(path)
            else:
                found[name] = value
        return found

    def dotenv(self, given: Mapping[str, str]) -> dict[str, str]:
        """In ``.env`` of the folder that the command runs in."""
        (self._folder / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in given.items()))
        return {}

    def apps(self, given: Mapping[str, str]) -> dict[str, str]:
        """The secrets of an app in the apps file, the others as variables."""
        path = self._folder / "apps.toml"
        path.write_text(
            f"[apps.shop]\nclient_id = 'c'\nclient_secret = '{given['XERO_CLIENT_SECRET']}'\n"
            f"webhook_keys = ['{given['XERO_WEBHOOK_KEYS']}']\n"
        )
        left = {
            name: value
            for name, value in given.items()
            if name not in {"XERO_CLIENT_SECRET", "XERO_WEBHOOK_KEYS", "XERO_CLIENT_ID"}
        }
        return {**left, "XERO_STREAM_APPS_FILE": str(path)}


def _said(command: CommandLine, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """All that a command prints, a traceback if it comes to that."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    try:
        ended = command(*arguments, stdin=TYPED, env=environment)
    except Exception as error:  # noqa: BLE001 - the shell would show it
        return "".join(traceback.format_exception(error))
    finally:
        root.handlers[:] = handlers  # a command that set up logs writes them to a stream of its own
    assert ended.code in {0, 1, 2, 69, 78}, (arguments, ended)
    return ended.out + ended.err


@pytest.mark.parametrize("form", ["environment", "files", "dotenv", "apps"])
def test_no_command_tells_a_secret_while_nothing_answers(xero_stream: CommandLine, form: str) -> None:
    """Each command, each form; what it says is whole all the same."""
    environment = getattr(Forms(xero_stream.folder), form)(WHOLE)

    for arguments in COMMANDS:
        said = _said(xero_stream, arguments, environment)

        assert said, arguments
        assert CANARY not in said, arguments


def test_no_provoked_error_tells_a_secret(xero_stream: CommandLine) -> None:
    """Wrong values, in two forms each: the message names the setting, never its value; none is a traceback."""
    forms = Forms(xero_stream.folder)
    tracebacks = []
    for arguments, mistake in MISTAKES:
        for form in (forms.environment, forms.files)[: 1 if arguments == ("doctor",) else 2]:
            said = _said(xero_stream, arguments, form({**WHOLE, **mistake}))

            assert CANARY not in said, (arguments, list(mistake), said)
            if "Traceback" in said:
                tracebacks.append((arguments, mistake, said.splitlines()[-1]))
    assert tracebacks == []


SIZES = ("--tenants", "2", "--contacts", "3", "--invoices", "4", "--credit-notes", "1")


class System:
    """All of it, started by its commands, with secrets that were drawn or planted."""

    def __init__(self, command: CommandLine, running: Running, simulator: str, planted: Mapping[str, str]) -> None:
        self.command = command
        self.running = running
        self.simulator = simulator
        self.data = command.folder / "data"
        self.planted = dict(planted)
        self.servers: dict[str, str] = {}

    def control(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Use the simulator's control API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.simulator}/_sim{path}", data=data, headers={"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, object] = json.loads(answer.read())
        return found

    def find_servers(self) -> None:
        """How to reach the local servers; their passwords are secrets too."""
        exports = self.command("local", "--env", "--data-dir", str(self.data)).out.splitlines()
        self.servers = dict(line.removeprefix("export ").replace("'", "").split("=", 1) for line in exports)
        self.planted["Kafka's password"] = self.servers["KAFKA_SASL_PASSWORD"]
        self.planted["PostgreSQL's password"] = urlsplit(self.servers["DATABASE_URL"]).password or ""
        self.planted["the superuser's password"] = (self.data / "postgres.superuser.password").read_text().strip()

    def found_in(self, where: str, content: bytes | str) -> list[str]:
        """The secrets that stand in some bytes."""
        text = content.encode() if isinstance(content, str) else content
        return [f"{what} in {where}" for what, secret in self.planted.items() if secret.encode() in text]


@pytest.fixture
def system(xero_stream: CommandLine) -> Iterator[System]:
    """Simulator and ``up --local``, one organisation connected."""
    ports = {name: str(free_port()) for name in ("simulator", "receiver", "receiver_private", "processors_private")}
    simulator = f"http://127.0.0.1:{ports['simulator']}"
    planted = {
        "the client secret": "c4n4ry-client-secret-of-the-app",
        "the webhook key": KEY,
        "the encryption key": "AAAAc4n4ryBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=",
        "the field policy's key": "c4n4ry-of-the-field-policy-0123456789",
    }
    xero_stream.environment |= {
        "XERO_API_URL": simulator,
        "XERO_IDENTITY_URL": simulator,
        "XERO_CLIENT_ID": "canary-client",
        "XERO_STREAM_FIELD_POLICY": '{"contacts": {"email": "hash"}}',
        "XERO_STREAM_FIELD_POLICY_KEY": planted["the field policy's key"],
        "XERO_STREAM_RECEIVER_HOST": "127.0.0.1",
        "XERO_STREAM_RECEIVER_PORT": ports["receiver"],
        "XERO_STREAM_RECEIVER_PRIVATE_PORT": ports["receiver_private"],
        "XERO_STREAM_PROCESSORS_PRIVATE_PORT": ports["processors_private"],
        "XERO_STREAM_CONSOLE_PORT": str(free_port()),
        "XERO_STREAM_CONSOLE_PRIVATE_PORT": str(free_port()),
        "XERO_STREAM_LOG_LEVEL": "debug",
        "KAFKA_PARTITIONS": "3",
    }
    # One secret in each form: environment (above), .env, a file.
    (xero_stream.folder / ".env").write_text(f"XERO_CLIENT_SECRET={planted['the client secret']}\n")
    (xero_stream.folder / "webhook.key").write_text(planted["the webhook key"])
    (xero_stream.folder / "encryption.key").write_text(planted["the encryption key"])
    xero_stream.environment["XERO_WEBHOOK_KEYS_FILE"] = str(xero_stream.folder / "webhook.key")
    xero_stream.environment["XERO_STREAM_ENCRYPTION_KEYS_FILE"] = str(xero_stream.folder / "encryption.key")
    own = {
        "XERO_STREAM_SIMULATOR_CLIENT_ID": "canary-client",
        "XERO_STREAM_SIMULATOR_CLIENT_SECRET": planted["the client secret"],
        "XERO_STREAM_SIMULATOR_WEBHOOK_KEY": planted["the webhook key"],
        "XERO_STREAM_SIMULATOR_WEBHOOK_URL": f"http://127.0.0.1:{ports['receiver']}/webhooks/xero",
    }
    with xero_stream.running("simulator", "--port", ports["simulator"], *SIZES, env=own) as simulated:
        simulated.until_said("simulator ready")
        with xero_stream.running("up", "--local", "--data-dir", str(xero_stream.folder / "data")) as running:
            ready = [f"http://127.0.0.1:{ports[name]}/readyz" for name in ("receiver_private", "processors_private")]
            until(lambda: all(answers(url) == 200 for url in ready) or running.process.poll() is not None, 120)
            assert running.process.poll() is None, running.said
            found = System(xero_stream, running, simulator, planted)
            found.find_servers()
            xero_stream.environment |= found.servers
            yield found


def test_a_running_system_tells_no_secret(system: System) -> None:
    """Logs, data directory, topics, database, metrics, titles and environments of all processes, answers of all commands."""
    grant = system.control("POST", "/grants", {})
    system.planted["the first refresh token"] = str(grant["refreshToken"])
    added = system.command("grants", "add", stdin=f"{grant['refreshToken']}\n")
    assert added.code == 0, added
    until(
        lambda: "loading" not in system.command("grants", "list").out and system.command("grants", "list").code == 0, 90
    )
    system.control("POST", "/edits", {"count": 5})
    until(lambda: asyncio.run(_changes(system)) > 5, 60)
    leaks = system.found_in("grants add", added.out + added.err)

    for arguments in (*COMMANDS, ("deployment", "set", "XERO_STREAM_ENTITIES=c4n4ry"), ("grants", "retry")):
        said = _said(system.command, arguments, {}) if arguments != ("tail",) else ""
        leaks += system.found_in(" ".join(arguments), said)
    leaks += system.found_in("the log", system.running.said)
    for process in ("RECEIVER", "PROCESSORS", "CONSOLE"):
        port = f"XERO_STREAM_{process}_PRIVATE_PORT"
        for page in ("metrics", "readyz", "livez"):
            with urllib.request.urlopen(
                f"http://127.0.0.1:{system.command.environment[port]}/{page}", timeout=10
            ) as answer:
                leaks += system.found_in(f"/{page}", answer.read())
    leaks += _in_processes(system)
    leaks += asyncio.run(_in_topics(system))
    leaks += asyncio.run(_in_tables(system))
    leaks += _in_files(system)

    assert leaks == []


def _in_processes(system: System) -> list[str]:
    """Titles; and environments, but for what the table allows."""
    leaks = []
    children = psutil.Process(system.running.process.pid).children(recursive=True)
    for child in children:
        title = " ".join(child.cmdline())
        leaks += system.found_in(f"the title {title}", title)
        given = child.environ()
        kind = next(
            (one for one in (Process.RECEIVER, Process.PROCESSORS, Process.CONSOLE) if f" {one} " in f"{title} "), None
        )
        allowed = MAY_HAVE[kind] | {f"{name}_FILE" for name in MAY_HAVE[kind]} if kind else frozenset()
        left = {name: value for name, value in given.items() if name not in allowed}
        leaks += system.found_in(f"the environment of {title}", json.dumps(left))
        if kind is Process.RECEIVER:
            leaks += [f"{name} in the receiver" for name in given if name in {"DATABASE_URL", "XERO_CLIENT_SECRET"}]
    assert len(children) >= 4
    return leaks


def _in_files(system: System) -> list[str]:
    """Everything below the data directory, but the files that are there to hold a password."""
    kept = {"kafka.password", "postgres.password", "postgres.superuser.password", "server.properties"}
    leaks = []
    for path in system.data.rglob("*"):
        if path.is_file() and path.name not in kept:
            leaks += system.found_in(str(path.relative_to(system.data)), path.read_bytes())
    return leaks


def _consumer(system: System) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **connection(kafka_settings(system.servers), client_id="canaries"), auto_offset_reset="earliest"
    )


async def _changes(system: System) -> int:
    async with _consumer(system) as consumer:
        places = [TopicPartition("xero.changes.invoices", number) for number in range(3)]
        return sum((await consumer.end_offsets(places)).values())


async def _in_topics(system: System) -> list[str]:
    leaks = []
    admin = AIOKafkaAdminClient(**connection(kafka_settings(system.servers), client_id="canaries"))
    await admin.start()
    places = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in await admin.describe_topics()
        for partition in topic["partitions"]
        if not topic["is_internal"]
    ]
    await admin.close()
    async with _consumer(system) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=1_000)).items():
                for record in records:
                    content = b"|".join(
                        [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
                    )
                    leaks += system.found_in(place.topic, content)
    return leaks


async def _in_tables(system: System) -> list[str]:
    """All rows of all tables, as they are stored."""
    leaks = []
    connected = await asyncpg.connect(system.servers["DATABASE_URL"])
    tables = await connected.fetch("SELECT relid::regclass::text AS name FROM pg_stat_user_tables")
    for table in tables:
        for row in await connected.fetch(f"SELECT * FROM {table['name']}"):  # names of the catalogue
            leaks += [
                found
                for value in row.values()
                for found in system.found_in(table["name"], value if isinstance(value, bytes) else str(value))
            ]
    await connected.close()
    assert len(tables) > 10
    return leaks


@pytest.mark.long
def test_the_demo_tells_no_secret(xero_stream: CommandLine) -> None:
    """What it prints, and its logs: neither the passwords of its servers nor its encryption key."""
    data = xero_stream.folder / "demo"
    ended = xero_stream.process("demo", "--seconds", "12", "--data-dir", str(data), env=WHOLE)
    secrets = {
        name: (data / name).read_text().strip()
        for name in ("kafka.password", "postgres.password", "postgres.superuser.password", "encryption.key")
    }

    assert ended.code == 0, ended
    logs = [
        path.read_text(errors="replace")
        for path in [*(data / "logs").rglob("*"), data / "kafka.log", data / "postgres.log"]
        if path.is_file()
    ]
    for text in (ended.out, ended.err, *logs):
        assert CANARY not in text
        assert not [name for name, secret in secrets.items() if secret in text]
