"""Which process is given which settings."""

import ast
from pathlib import Path

import pytest

from xero_stream.settings.access import MAY_HAVE, SECRETS, Process, environment, foreign_secrets, system
from xero_stream.settings.example import SECTIONS, settings_of

ROOT = Path(__file__).parents[4]
SETTINGS = {setting.name: setting for section in SECTIONS for setting in settings_of(section)}
EVERYTHING = {name: f"value of {name}" for name in SETTINGS}
IN_FILES = {f"{name}_FILE": f"/run/secrets/{name}" for name in SETTINGS}
OTHERS = {"AWS_SECRET_ACCESS_KEY": "a", "HTTPS_PROXY": "http://u:p@proxy", "PGPASSWORD": "p", "POSTGRES_PASSWORD": "p"}


def test_every_setting_belongs_to_a_process() -> None:
    """The table knows every setting and every secret, and nothing else."""
    assert frozenset().union(*MAY_HAVE.values()) == set(SETTINGS)
    assert {name for name, setting in SETTINGS.items() if setting.secret} == SECRETS


def test_the_receiver_has_no_secret_but_its_keys_and_kafkas_password() -> None:
    """Who takes it over can neither read the store nor call Xero."""
    assert MAY_HAVE[Process.RECEIVER] & SECRETS == {"XERO_WEBHOOK_KEYS", "KAFKA_SASL_PASSWORD"}


def test_the_console_has_no_secret_but_the_stores_password() -> None:
    """Who takes it over can neither call Xero nor read tokens."""
    assert MAY_HAVE[Process.CONSOLE] & SECRETS == {"DATABASE_URL"}


def test_only_tools_hold_signing_keys_and_encryption_keys_together() -> None:
    """No service can both make up events and read tokens."""
    both = {"XERO_WEBHOOK_KEYS", "XERO_STREAM_ENCRYPTION_KEYS"}

    assert [process for process, names in MAY_HAVE.items() if both <= names] == [Process.TOOLS]


@pytest.mark.parametrize("process", Process)
def test_an_environment_has_what_is_allowed_and_what_the_system_needs(process: Process) -> None:
    """Values and files alike; secrets of other programs are left out."""
    base = {"PATH": "/bin", "SSL_CERT_FILE": "/ca.pem"}

    given = environment(process, {**EVERYTHING, **IN_FILES, **OTHERS, **base})

    assert set(given) == MAY_HAVE[process] | {f"{name}_FILE" for name in MAY_HAVE[process]} | set(base)
    assert system({**EVERYTHING, **OTHERS, **base}) == base


def test_foreign_secrets_are_named() -> None:
    """By value or by file; an empty one is none."""
    found = foreign_secrets(
        Process.RECEIVER,
        {
            "DATABASE_URL": "x",
            "XERO_CLIENT_SECRET_FILE": "/x",
            "XERO_STREAM_ENCRYPTION_KEYS": "",
            "XERO_WEBHOOK_KEYS": "k",
        },
    )

    assert found == ["DATABASE_URL", "XERO_CLIENT_SECRET"]


@pytest.mark.parametrize(
    ("process", "packages"),
    [
        (Process.RECEIVER, ["receiver"]),
        (Process.PROCESSORS, ["processors"]),
        (Process.CONSOLE, ["console"]),
        (Process.SIMULATOR, ["simulator"]),
        (Process.SETUP, ["cli/migrate.py", "cli/topics.py"]),
    ],
)
def test_code_reads_no_secret_that_its_process_may_not_have(process: Process, packages: list[str]) -> None:
    """Not even from a ``.env`` beside it: the classes that a service imports hold no other secrets."""
    files = [
        file for name in packages for file in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    ]
    imported = {
        alias.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xero_stream.settings")
        for alias in node.names
    }
    read = {name for section in SECTIONS if section.__name__ in imported for name in section.secrets()}
    # These two read sections for their callers.
    read |= {"XERO_CLIENT_SECRET"} if "Apps" in imported else set()
    read |= {"XERO_WEBHOOK_KEYS"} if "WebhookApps" in imported else set()

    assert read
    assert read <= MAY_HAVE[process]
