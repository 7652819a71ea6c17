"""The broker's configuration as text: one KRaft node that is broker and controller (https://kafka.apache.org/documentation)."""

from collections.abc import Mapping

from xero_stream.local.credentials import USER, KafkaUsers
from xero_stream.local.ports import HOST, Ports

DATA = "data"
"""The log directory, relative to the broker's working directory: no path of the machine needs escaping then."""

MAX_MESSAGE_BYTES = 9 * 1024 * 1024
"""Change events may have 8 MiB; keys, headers and framing come on top."""


MECHANISM = "PLAIN"
"""On loopback nobody but root can listen in, and unlike SCRAM it needs no passwords in arguments of a command."""

_BROKER = "broker"
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def server_properties(ports: Ports, users: KafkaUsers | None, changes: Mapping[str, str] | None = None) -> str:
    """``server.properties`` for one node.

    Args:
        ports: where it listens, on loopback only.
        users: who may use it; None: whoever reaches it.
        changes: settings to add, or to have another value.
    """
    mib = 1024 * 1024
    protocol = "PLAINTEXT" if users is None else "SASL_PLAINTEXT"
    return _properties(
        {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{ports.kafka_controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"CLIENT://{HOST}:{ports.kafka},CONTROLLER://{HOST}:{ports.kafka_controller}",
            "advertised.listeners": f"CLIENT://{HOST}:{ports.kafka}",
            "inter.broker.listener.name": "CLIENT",
            "listener.security.protocol.map": f"CLIENT:{protocol},CONTROLLER:{protocol}",
            **({} if users is None else _sasl(users)),
            "log.dirs": DATA,
            "num.partitions": "1",
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "min.insync.replicas": "1",
            # The internal topics: one replica, and few partitions, or every start opens a hundred files.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "3",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            # A killed broker is taken back after its old session has ended: 4 s to the first send instead of 12.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            # The sweep that ends the transactions of frozen producers; its default of 10 s blocks readers that long.
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
            "message.max.bytes": str(MAX_MESSAGE_BYTES),
            "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
            "socket.request.max.bytes": str(100 * mib),
            # Index files are as large as this allows until they are closed: thousands of partitions, gigabytes.
            "log.index.size.max.bytes": str(mib),
            "log.segment.bytes": str(64 * mib),
            "log.cleaner.dedupe.buffer.size": str(16 * mib),
            "num.network.threads": "2",
            "num.io.threads": "4",
            "num.recovery.threads.per.data.dir": "2",
            "controlled.shutdown.enable": "true",
            **(changes or {}),
        }
    )


def _sasl(users: KafkaUsers) -> dict[str, str]:
    """Both listeners ask for a password: who reaches the controller alone could make topics and change settings too."""
    itself = f'username="{_BROKER}" password="{users.broker_password}" user_{_BROKER}="{users.broker_password}"'
    return {
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": MECHANISM,
        "listener.name.client.plain.sasl.jaas.config": f'{_LOGIN} {itself} user_{USER}="{users.password}";',
        "listener.name.controller.plain.sasl.jaas.config": f"{_LOGIN} {itself};",
    }


def log_properties() -> str:
    """``log4j2.properties``: everything to standard output, which the shim appends to ``kafka.log``."""
    return _properties(
        {
            "status": "error",
            "shutdownHook": "disable",  # Kafka's own hook still has something to say
            "appender.console.type": "Console",
            "appender.console.name": "console",
            "appender.console.layout.type": "PatternLayout",
            "appender.console.layout.pattern": "%d{ISO8601} %-5p %c{1} %m%n",
            "rootLogger.level": "info",
            "rootLogger.appenderRef.console.ref": "console",
            "logger.config.name": "org.apache.kafka.common.config",
            "logger.config.level": "warn",
            "logger.state.name": "state.change.logger",
            "logger.state.level": "warn",
            "logger.appinfo.name": "org.apache.kafka.common.utils.AppInfoParser",
            "logger.appinfo.level": "warn",
        }
    )


def _properties(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())
