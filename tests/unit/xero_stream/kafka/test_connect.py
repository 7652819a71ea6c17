"""Connection arguments: what every client shares, and what is refused before connecting."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from xero_stream.kafka.connect import connection
from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings


def test_plain() -> None:
    """Plain text needs servers and a name, nothing else."""
    settings = KafkaSettings(bootstrap_servers="a:9092, b:9093,")

    assert connection(settings, client_id="me") == {
        "bootstrap_servers": ["a:9092", "b:9093"],
        "client_id": "me",
        "security_protocol": "PLAINTEXT",
    }


def test_sasl() -> None:
    """SASL hands on mechanism, user and password."""
    settings = KafkaSettings(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-256",
        sasl_username="me",
        sasl_password=SecretStr("secret"),
    )

    arguments = connection(settings, client_id="x")

    assert arguments["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (arguments["sasl_plain_username"], arguments["sasl_plain_password"]) == ("me", "secret")
    assert "ssl_context" not in arguments


def test_tls_checks_the_broker() -> None:
    """TLS verifies certificate and host name."""
    context = connection(KafkaSettings(security_protocol="SSL"), client_id="x")["ssl_context"]

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("given", [{}, {"sasl_username": "me"}, {"sasl_password": SecretStr("secret")}])
def test_sasl_without_credentials(protocol: str, given: dict[str, object]) -> None:
    """SASL without user or password is an error that names the variables, not a refusal by the broker later."""
    settings = KafkaSettings.model_validate({"security_protocol": protocol, **given})

    with pytest.raises(SettingsError, match="KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"):
        connection(settings, client_id="x")


def test_unusable_certificates(tmp_path: Path) -> None:
    """A certificate file that is missing or no certificate is an error that names the variables."""
    broken = tmp_path / "ca.pem"
    broken.write_text("not a certificate")

    for given in ({"ssl_cafile": str(broken)}, {"ssl_cafile": str(tmp_path / "none")}, {"ssl_certfile": str(broken)}):
        settings = KafkaSettings.model_validate({"security_protocol": "SSL", **given})
        with pytest.raises(SettingsError, match="KAFKA_SSL_CAFILE"):
            connection(settings, client_id="x")


def test_key_without_certificate(tmp_path: Path) -> None:
    """A client key alone is an error."""
    settings = KafkaSettings(security_protocol="SSL", ssl_keyfile=str(tmp_path / "key.pem"))

    with pytest.raises(SettingsError, match="needs KAFKA_SSL_CERTFILE"):
        connection(settings, client_id="x")


def test_encrypted_key_is_no_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client key under a password is an error; nobody sits at a service's terminal to be asked for it."""
    asked: list[object] = []

    def load(_: ssl.SSLContext, certfile: str, keyfile: str | None = None, password: object = None) -> None:
        assert certfile
        assert keyfile
        asked.append(password)
        raise ssl.SSLError("bad decrypt")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    file = str(tmp_path / "client.pem")
    settings = KafkaSettings(security_protocol="SSL", ssl_certfile=file, ssl_keyfile=file)

    with pytest.raises(SettingsError, match="KAFKA_SSL_KEYFILE"):
        connection(settings, client_id="x")

    assert asked == [""], "without a password OpenSSL asks on the terminal"
