"""Every error people can cause: one line that says what to do, the documented exit code, no traceback."""

import json
import shlex

import pytest

from tests.commands.conftest import CommandLine, Ended, answers
from tests.support.servers import SharedServers
from tests.support.stack import free_port

NOBODY = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "DATABASE_URL": "postgresql://someone:hidden-word@127.0.0.1:9/x",
    "XERO_API_URL": "http://127.0.0.1:9",
    "XERO_IDENTITY_URL": "http://127.0.0.1:9",
    "XERO_STREAM_ENCRYPTION_KEYS": "bm9ib2R5IGtub3dzIHRoaXMga2V5IG9mIG91cnMhISE=",
    "XERO_CLIENT_ID": "id",
    "XERO_CLIENT_SECRET": "hidden-word",
    "XERO_WEBHOOK_KEYS": "hidden-word-0123456789abcdefghijklmnop",
}
KAFKA_COMMANDS = [["topics", "check"], ["topics", "apply"], ["tail"]]
STORE_COMMANDS = [
    ["migrate"],
    ["grants", "list"],
    ["quarantine", "list"],
    ["quarantine", "retry", "--all"],
]


@pytest.mark.parametrize("arguments", KAFKA_COMMANDS, ids=" ".join)
def test_kafka_is_not_there(xero_stream: CommandLine, arguments: list[str]) -> None:
    """69, the address, the setting, and how to get one."""
    ended = xero_stream(*arguments, env=NOBODY)

    assert ended.code == 69
    assert "Kafka does not answer at 127.0.0.1:9" in ended.complaint
    assert "KAFKA_BOOTSTRAP_SERVERS" in ended.complaint
    assert "xero-stream local" in ended.complaint


@pytest.mark.parametrize("arguments", STORE_COMMANDS, ids=" ".join)
def test_postgresql_is_not_there(xero_stream: CommandLine, arguments: list[str]) -> None:
    """69, the setting, how to get one; never the password."""
    ended = xero_stream(*arguments, env=NOBODY)

    assert ended.code == 69
    assert "PostgreSQL does not answer" in ended.complaint
    assert "DATABASE_URL" in ended.complaint
    assert "hidden-word" not in ended.err


def test_a_process_shows_no_traceback(xero_stream: CommandLine) -> None:
    """The installed command: one line, also where libraries would log."""
    ended = xero_stream.process("topics", "check", env=NOBODY)

    assert ended.code == 69
    assert "Kafka does not answer" in ended.complaint


def test_processors_without_postgresql(xero_stream: CommandLine) -> None:
    """A service waits, says for what, and ends when it is told to."""
    port = str(free_port())
    with xero_stream.running("processors", env={**NOBODY, "XERO_STREAM_PROCESSORS_PRIVATE_PORT": port}) as running:
        running.until_said("waiting_for_server")
        said = running.said
        assert answers(f"http://127.0.0.1:{port}/livez") == 200
        assert answers(f"http://127.0.0.1:{port}/readyz") == 503
        assert running.end() == 0
    assert "PostgreSQL does not answer" in said
    assert "hidden-word" not in said


def test_processors_that_postgresql_turns_away(xero_stream: CommandLine, shared_servers: SharedServers) -> None:
    """A wrong password is a wrong password however long one waits."""
    url = shared_servers.url("postgres").replace("://xero_stream:", "://xero_stream:not-")

    ended = xero_stream.process("processors", env={**NOBODY, "DATABASE_URL": url})

    assert ended.code == 69
    assert "password authentication failed" in ended.err.splitlines()[-1]
    assert "DATABASE_URL" in ended.err.splitlines()[-1]


def test_the_token_is_not_used_up_when_the_store_is_not_there(xero_stream: CommandLine) -> None:
    """`grants add` looks at the store before it asks Xero."""
    ended = xero_stream("grants", "add", stdin="a-refresh-token\n", env=NOBODY)

    assert ended.code == 69
    assert "PostgreSQL does not answer" in ended.complaint


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        (
            ["migrate"],
            {"DATABASE_URL": "mysql://x"},
            "DATABASE_URL (from the environment): must start with postgres://",
        ),
        (["migrate"], {"DATABASE_URL_FILE": "/no/such/file"}, "DATABASE_URL_FILE=/no/such/file can't be read"),
        (["topics", "check"], {"KAFKA_PARTITIONS": "many"}, "KAFKA_PARTITIONS (from the environment): "),
        (
            ["topics", "check"],
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
            "needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
        ),
        (["topics", "check"], {"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL (from the environment): "),
        (["processors"], {}, "XERO_STREAM_ENCRYPTION_KEYS is not set: Fernet keys"),
        (["up"], {}, "XERO_STREAM_ENCRYPTION_KEYS is not set"),
        (["up"], {"XERO_STREAM_ENCRYPTION_KEYS": "x"}, "key 1 of 1 is no Fernet key"),
        (
            ["up"],
            {"XERO_STREAM_ENCRYPTION_KEYS": NOBODY["XERO_STREAM_ENCRYPTION_KEYS"]},
            "XERO_CLIENT_ID is not set",
        ),
        (
            ["up"],
            {"XERO_STREAM_ENCRYPTION_KEYS": NOBODY["XERO_STREAM_ENCRYPTION_KEYS"], "XERO_CLIENT_ID": "id"},
            "XERO_WEBHOOK_KEYS is not set",
        ),
        (["receiver"], {}, "XERO_WEBHOOK_KEYS"),
        (["receiver"], {"XERO_WEBHOOK_KEYS": "x"}, "XERO_WEBHOOK_KEYS: webhook signing key 1 of 1 has 1 characters"),
        (["grants", "add", "--client-credentials"], {}, "app default: set XERO_CLIENT_ID and XERO_CLIENT_SECRET"),
        (["grants", "add", "--client-credentials", "--app", "shop"], {}, "there is no app 'shop'; there is default"),
        (
            ["tail"],
            {"XERO_STREAM_APPS_FILE": "x", "KAFKA_TOPIC_PREFIX": "a b"},
            "KAFKA_TOPIC_PREFIX (from the environment): ",
        ),
        (["up"], {"XERO_STREAM_APPS_FILE": "/no/such", **NOBODY}, "XERO_STREAM_APPS_FILE=/no/such can't be read"),
    ],
)
def test_a_setting_is_wrong(xero_stream: CommandLine, arguments: list[str], env: dict[str, str], told: str) -> None:
    """78, and the variable's name."""
    ended = xero_stream(*arguments, env=env)

    assert ended.code == 78
    assert told in ended.complaint


def test_local_servers_that_do_not_run(xero_stream: CommandLine) -> None:
    """`local --env` starts nothing, and says what would."""
    ended = xero_stream("local", "--env")

    assert ended.code == 69
    assert "`xero-stream local` starts them" in ended.complaint
    assert list(xero_stream.folder.iterdir()) == []


def test_local_servers_that_ran_once(xero_stream: CommandLine) -> None:
    """Kept ports that nobody listens on lead nowhere: that is said."""
    ports = {"kafka": free_port(), "kafka_controller": free_port(), "postgres": free_port()}
    (xero_stream.folder / "ports.json").write_text(json.dumps(ports))

    ended = xero_stream("local", "--env", "--data-dir", ".")

    assert ended.code == 69
    assert "no servers run on ." in ended.complaint


def test_local_servers_that_run(xero_stream: CommandLine, shared_servers: SharedServers) -> None:
    """What is printed leads a shell to them, whoever started them."""
    folder = shared_servers.data_dir
    ended = xero_stream("local", "--env", "--data-dir", str(folder))

    exports = [line.removeprefix("export ").partition("=") for line in ended.out.splitlines()]
    assert {name: shlex.split(value)[0] for name, _, value in exports} == shared_servers.environment


def test_local_servers_that_run_are_found(xero_stream: CommandLine, shared_servers: SharedServers) -> None:
    """By any command that is told of no others; whoever names one server names both."""
    folder = shared_servers.data_dir
    here = {"XERO_STREAM_DATA_DIR": str(folder), "KAFKA_TOPIC_PREFIX": "nobodys"}

    found = xero_stream("topics", "check", env=here)
    named = xero_stream("topics", "check", env={**here, "DATABASE_URL": "postgresql://127.0.0.1:9/x"})
    helped = xero_stream("topics", "check", "--help", env=here)

    assert (found.code, found.err) == (1, f"xero-stream: using the local servers of {folder}\n")
    assert "nobodys.webhook-events does not exist" in found.out
    assert named.code == 69
    assert "using the local servers" not in named.err + helped.err


def test_a_data_directory_that_can_not_be(xero_stream: CommandLine) -> None:
    """One line also from the local servers."""
    (xero_stream.folder / "file").write_text("")

    ended: Ended = xero_stream("local", "--data-dir", str(xero_stream.folder / "file" / "x"))

    assert ended.code == 69
    assert "choose another directory" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err
