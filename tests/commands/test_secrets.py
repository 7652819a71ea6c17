"""What must never reach a log line: every secret in the settings, wherever it stands."""

import sys

import pytest

from cli.service import configured_secrets
from tests.commands.conftest import CommandLine

SECRETS = {
    "XERO_CLIENT_SECRET": "canary-client-secret",
    "XERO_WEBHOOK_KEYS": "canary-key-one,canary-key-two",
    "XERO_STREAM_ENCRYPTION_KEYS": "canary-fernet-one, canary-fernet-two",
    "KAFKA_SASL_PASSWORD": "canary-sasl",
    "DATABASE_URL": "postgresql://someone:canary%2Fdatabase@127.0.0.1/x",
}
CANARIES = {
    "canary-client-secret",
    "canary-key-one",
    "canary-key-two",
    "canary-fernet-one",
    "canary-fernet-two",
    "canary-sasl",
    "canary%2Fdatabase",
    "canary/database",
}


@pytest.fixture
def planted(xero_stream: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """An environment full of secrets, some of them in the apps file."""
    apps = xero_stream.folder / "apps.toml"
    apps.write_text("[apps.uk]\nclient_secret = 'canary-uk-secret'\nwebhook_keys = ['canary-uk-key']\n")
    xero_stream.environment |= {**SECRETS, "XERO_STREAM_APPS_FILE": str(apps)}
    monkeypatch.chdir(xero_stream.folder)
    for name, value in xero_stream.environment.items():
        monkeypatch.setenv(name, value)
    return xero_stream


@pytest.mark.usefixtures("planted")
def test_every_secret_is_known() -> None:
    """Single keys of a list, a password inside a URL in both its forms, those of the apps file."""
    assert set(configured_secrets()) >= CANARIES | {"canary-uk-secret", "canary-uk-key"}


@pytest.mark.usefixtures("planted")
def test_a_section_that_can_not_be_read_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in one setting must not open the log to all secrets."""
    monkeypatch.setenv("KAFKA_PARTITIONS", "many")
    monkeypatch.setenv("XERO_STREAM_APPS_FILE", "/no/such")

    assert set(configured_secrets()) >= CANARIES - {"canary-sasl"}


def test_they_do_not_get_into_a_line(planted: CommandLine) -> None:
    """Logs as the services set them up, and a line with every secret in it: none comes out, the rest does."""
    code = (
        "import os, structlog; from cli.service import log_to_stderr; log_to_stderr('test');"
        "structlog.get_logger('x').info('said', note=os.environ['NOTE'])"
    )
    script = planted.folder / "say.py"
    script.write_text(code)

    ended = planted.run([sys.executable, str(script)], env={"NOTE": " ".join(["harmless", *sorted(CANARIES)])})

    assert "harmless" in ended.err
    assert "canary" not in ended.err
