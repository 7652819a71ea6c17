"""The settings of the demo's processes, as environment variables. Secrets only as names of files that hold them."""

from collections.abc import Mapping
from pathlib import Path

from cli.demo.places import Ports
from xero_stream.settings.access import system
from xero_stream.settings.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_WEBHOOK_KEY

HOST = "127.0.0.1"
PARTITIONS = 3
EDITS_PER_SECOND = 1.5
API_LATENCY_MS = 50
RETRY_SECONDS = 2
"""Xero's pause between retries is 15 minutes; too long for a demo."""
SESSION_SECONDS = 6
"""The shortest the broker takes: a killed processor's place is kept for so long."""


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What our processes need of our own environment: no setting, which could be a real deployment's."""
    return system(environ) | {"PYTHONUNBUFFERED": "1", "XERO_STREAM_LOG_FORMAT": "json"}


def simulator_url(ports: Ports) -> str:
    """Where the simulated Xero is."""
    return f"http://{HOST}:{ports.simulator}"


def simulator(ports: Ports, books: Path, seed: int) -> dict[str, str]:
    """The simulator's settings: three organisations, live edits off until everything is connected."""
    return {
        "XERO_STREAM_SIMULATOR_HOST": HOST,
        "XERO_STREAM_SIMULATOR_PORT": str(ports.simulator),
        "XERO_STREAM_SIMULATOR_SEED": str(seed),
        "XERO_STREAM_SIMULATOR_TENANTS": "3",
        "XERO_STREAM_SIMULATOR_DATA_DIR": str(books),
        "XERO_STREAM_SIMULATOR_WEBHOOK_URL": f"http://{HOST}:{ports.receiver}/webhooks/xero",
        "XERO_STREAM_SIMULATOR_WEBHOOK_RETRY_SECONDS": str(RETRY_SECONDS),
        "XERO_STREAM_SIMULATOR_API_LATENCY_MS": str(API_LATENCY_MS),
    }


def workers(
    servers: Mapping[str, str], ports: Ports, *, url_file: Path, kafka_password_file: Path, key_file: Path
) -> dict[str, str]:
    """What receiver and processors share.

    Args:
        servers: settings that lead to Kafka and PostgreSQL.
        ports: the demo's ports.
        url_file: file with the database's URL, which holds a password.
        kafka_password_file: file with Kafka's password.
        key_file: file with the encryption key.
    """
    xero = simulator_url(ports)
    return {
        **{name: value for name, value in servers.items() if name not in {"DATABASE_URL", "KAFKA_SASL_PASSWORD"}},
        "DATABASE_URL_FILE": str(url_file),
        "KAFKA_SASL_PASSWORD_FILE": str(kafka_password_file),
        "XERO_STREAM_ENCRYPTION_KEYS_FILE": str(key_file),
        "XERO_API_URL": xero,
        "XERO_IDENTITY_URL": xero,
        "XERO_LOGIN_URL": xero,
        # Public on purpose: they open nothing but a simulator.
        "XERO_CLIENT_ID": DEMO_CLIENT_ID,
        "XERO_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        "XERO_WEBHOOK_KEYS": DEMO_WEBHOOK_KEY,
        "XERO_APP_TIER": "core",
        "XERO_STREAM_RECEIVER_HOST": HOST,
        "XERO_STREAM_RECEIVER_PORT": str(ports.receiver),
        "XERO_STREAM_RECEIVER_PRIVATE_PORT": str(ports.receiver_private),
        "XERO_STREAM_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
        "XERO_STREAM_DRAIN_SECONDS": "3",
    }


def processor(number: int, ports: Ports) -> dict[str, str]:
    """What one processor has for itself: a static membership, so that its restart moves no partition."""
    return {
        "XERO_STREAM_PROCESSORS_PRIVATE_PORT": str((ports.processors_1, ports.processors_2)[number - 1]),
        "XERO_STREAM_GROUP_INSTANCE_ID": f"demo-{number}",
    }
