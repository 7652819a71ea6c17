"""The broker's configuration."""

from xero_stream.local.credentials import KafkaUsers
from xero_stream.local.kafka_config import log_properties, server_properties
from xero_stream.local.ports import Ports

PORTS = Ports(kafka=1, kafka_controller=2, postgres=3)
USERS = KafkaUsers(password="ours", broker_password="its")


def parsed(text: str) -> dict[str, str]:
    """Properties by name."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_it_listens_on_loopback_only() -> None:
    """Both listeners, and what clients are told, are on 127.0.0.1 and the given ports."""
    settings = parsed(server_properties(PORTS, USERS))

    assert settings["listeners"] == "CLIENT://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert settings["advertised.listeners"] == "CLIENT://127.0.0.1:1"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:2"


def test_one_node_is_enough_for_every_internal_topic() -> None:
    """Offsets and transactions need one replica, come back fast, and take the largest change event."""
    settings = parsed(server_properties(PORTS, USERS))

    assert settings["offsets.topic.replication.factor"] == "1"
    assert settings["transaction.state.log.replication.factor"] == settings["transaction.state.log.min.isr"] == "1"
    assert settings["group.initial.rebalance.delay.ms"] == "0"
    assert settings["auto.create.topics.enable"] == "false"
    assert int(settings["message.max.bytes"]) > 8 * 1024 * 1024
    assert (settings["broker.session.timeout.ms"], settings["broker.heartbeat.interval.ms"]) == ("2000", "500")


def test_no_path_is_in_it() -> None:
    """Nothing needs escaping: data lies relative to the working directory, the log goes to standard output."""
    for text in (server_properties(PORTS, USERS), log_properties()):
        assert text.isascii()
        assert not any(value.startswith(("/", "~")) or "\\" in value for value in parsed(text).values())


def test_both_listeners_ask_for_a_password() -> None:
    """The clients' one knows our user and the broker, the controller's the broker alone."""
    settings = parsed(server_properties(PORTS, USERS))

    assert settings["listener.security.protocol.map"] == "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    assert 'user_xero_stream="ours"' in settings["listener.name.client.plain.sasl.jaas.config"]
    assert "ours" not in settings["listener.name.controller.plain.sasl.jaas.config"]
    assert "ours" not in repr(USERS)
    assert "its" not in repr(USERS)


def test_none_asks_where_told_so() -> None:
    """For programs that know no SASL."""
    settings = parsed(server_properties(PORTS, None))

    assert settings["listener.security.protocol.map"] == "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    assert not any("sasl" in name for name in settings)
