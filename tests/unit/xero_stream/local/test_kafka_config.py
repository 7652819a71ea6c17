"""The broker's configuration."""

from xero_stream.local.kafka_config import log_properties, server_properties
from xero_stream.local.ports import Ports


def parsed(text: str) -> dict[str, str]:
    """Properties by name."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_it_listens_on_loopback_only() -> None:
    """Both listeners, and what clients are told, are on 127.0.0.1 and the given ports."""
    settings = parsed(server_properties(Ports(kafka=1, kafka_controller=2, postgres=3)))

    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:2"


def test_one_node_is_enough_for_every_internal_topic() -> None:
    """Offsets and transactions need one replica, come back fast, and take the largest change event."""
    settings = parsed(server_properties(Ports(kafka=1, kafka_controller=2, postgres=3)))

    assert settings["offsets.topic.replication.factor"] == "1"
    assert settings["transaction.state.log.replication.factor"] == settings["transaction.state.log.min.isr"] == "1"
    assert settings["group.initial.rebalance.delay.ms"] == "0"
    assert settings["auto.create.topics.enable"] == "false"
    assert int(settings["message.max.bytes"]) > 8 * 1024 * 1024
    assert (settings["broker.session.timeout.ms"], settings["broker.heartbeat.interval.ms"]) == ("2000", "500")


def test_no_path_is_in_it() -> None:
    """Nothing needs escaping: data lies relative to the working directory, the log goes to standard output."""
    for text in (server_properties(Ports(kafka=1, kafka_controller=2, postgres=3)), log_properties()):
        assert text.isascii()
        assert not any(value.startswith(("/", "~")) or "\\" in value for value in parsed(text).values())
