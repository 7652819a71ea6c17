"""How every aiokafka client of ours connects: bootstrap servers, TLS, SASL. Nothing else decides that."""

import logging
import ssl
from typing import Any

from xero_stream.settings.base import SettingsError
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.strangers import host_of, is_loopback


def connection(settings: KafkaSettings, *, client_id: str) -> dict[str, Any]:
    """The keyword arguments that AIOKafkaProducer, AIOKafkaConsumer and AIOKafkaAdminClient share.

    Args:
        settings: where Kafka is and how it is secured.
        client_id: what the broker's logs and quotas know this client by.

    Raises:
        SettingsError: SASL without user or password, or a certificate file that can't be used.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in settings.bootstrap_servers.split(",") if server.strip()],
        "client_id": client_id,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        arguments["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol in ("SASL_PLAINTEXT", "SASL_SSL"):
        if not settings.sasl_username or settings.sasl_password is None:
            raise SettingsError(
                f"KAFKA_SECURITY_PROTOCOL={settings.security_protocol} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
            )
        arguments["sasl_mechanism"] = settings.sasl_mechanism
        arguments["sasl_plain_username"] = settings.sasl_username
        arguments["sasl_plain_password"] = settings.sasl_password.get_secret_value()
        if all(is_loopback(host_of(f"//{server}") or "") for server in arguments["bootstrap_servers"]):
            logging.getLogger("aiokafka.conn").addFilter(_no_warning_of_clear_text)
    return arguments


def _no_warning_of_clear_text(record: logging.LogRecord) -> bool:
    """Aiokafka warns at every connection that PLAIN sends the password as it is: on loopback nobody but root can see it."""
    return "in the clear" not in str(record.msg)


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    if settings.ssl_keyfile and not settings.ssl_certfile:
        raise SettingsError("KAFKA_SSL_KEYFILE needs KAFKA_SSL_CERTFILE")
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.ssl_cafile)
        if settings.ssl_certfile:
            # The empty password makes an encrypted key an error; without it OpenSSL would ask on the terminal.
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password="")
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE or KAFKA_SSL_KEYFILE can't be used: {error}"
        ) from error
    return context
