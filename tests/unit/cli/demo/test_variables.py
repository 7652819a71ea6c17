"""The settings of the demo's processes."""

from pathlib import Path

from cli.demo import variables
from cli.demo.places import Ports

PORTS = Ports(simulator=1, receiver=2, receiver_private=3, processors_1=4, processors_2=5)


def test_settings_of_a_real_deployment_are_not_passed_on() -> None:
    """Whoever has Xero's and Kafka's settings exported must be able to try the demo."""
    mine = {
        "PATH": "/bin",
        "DATABASE_URL": "postgresql://real",
        "KAFKA_TOPIC_PREFIX": "prod",
        "XERO_STREAM_KEEP_RAW": "true",
        "HTTPS_PROXY": "http://proxy",
    }
    passed = variables.inherited(mine)
    assert passed["PATH"] == "/bin"
    assert not {"DATABASE_URL", "KAFKA_TOPIC_PREFIX", "XERO_STREAM_KEEP_RAW", "HTTPS_PROXY"} & set(passed)


def test_no_secret_stands_in_the_environment() -> None:
    """The environment travels on the shim's command line, which `ps` shows: secrets are named by file only."""
    servers = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "DATABASE_URL": "postgresql://u:secret@h/d",
        "KAFKA_SASL_PASSWORD": "hidden",
    }
    shared = variables.workers(
        servers, PORTS, url_file=Path("/d/url"), kafka_password_file=Path("/d/kafka"), key_file=Path("/d/key")
    )

    assert "secret@" not in " ".join(shared.values())
    assert "hidden" not in shared.values()
    assert shared["KAFKA_SASL_PASSWORD_FILE"] == "/d/kafka"
    assert shared["DATABASE_URL_FILE"] == "/d/url"
    assert shared["XERO_STREAM_ENCRYPTION_KEYS_FILE"] == "/d/key"
    assert "DATABASE_URL" not in shared
    assert "XERO_STREAM_ENCRYPTION_KEYS" not in shared


def test_xero_is_the_simulator_everywhere() -> None:
    """No address of the real Xero is left to a default."""
    shared = variables.workers({}, PORTS, url_file=Path("u"), kafka_password_file=Path("p"), key_file=Path("k"))
    assert {shared[name] for name in ("XERO_API_URL", "XERO_IDENTITY_URL", "XERO_LOGIN_URL")} == {"http://127.0.0.1:1"}


def test_each_process_has_a_port_of_its_own() -> None:
    """Two processors, two private ports, two memberships."""
    one, two = variables.processor(1, PORTS), variables.processor(2, PORTS)
    assert one["XERO_STREAM_PROCESSORS_PRIVATE_PORT"] == "4"
    assert two["XERO_STREAM_PROCESSORS_PRIVATE_PORT"] == "5"
    assert one["XERO_STREAM_GROUP_INSTANCE_ID"] != two["XERO_STREAM_GROUP_INSTANCE_ID"]


def test_webhooks_go_to_the_receiver() -> None:
    """The simulator's settings: where webhooks go, where books are kept, which seed."""
    settings = variables.simulator(PORTS, Path("/d/books"), 7)
    assert settings["XERO_STREAM_SIMULATOR_WEBHOOK_URL"] == "http://127.0.0.1:2/webhooks/xero"
    assert settings["XERO_STREAM_SIMULATOR_DATA_DIR"] == "/d/books"
    assert settings["XERO_STREAM_SIMULATOR_SEED"] == "7"
