"""How to reach Kafka, and how our topics are laid out."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from xero_stream.contracts.topics import Topics
from xero_stream.settings.addresses import bootstrap_servers
from xero_stream.settings.base import Section


class KafkaSettings(Section):
    """Kafka."""

    bootstrap_servers: str = Field(default="127.0.0.1:9092", alias="KAFKA_BOOTSTRAP_SERVERS")
    """Comma-separated ``host:port`` list of brokers."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", alias="KAFKA_SECURITY_PROTOCOL"
    )
    """How connections are secured: ``SASL_SSL`` (or ``SSL`` with client certificates) where Kafka is on other machines."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", alias="KAFKA_SASL_MECHANISM"
    )
    """SASL mechanism, with SASL_PLAINTEXT or SASL_SSL."""
    sasl_username: str | None = Field(default=None, alias="KAFKA_SASL_USERNAME")
    """SASL user name."""
    sasl_password: SecretStr | None = Field(default=None, alias="KAFKA_SASL_PASSWORD")
    """SASL password."""
    ssl_cafile: str | None = Field(default=None, alias="KAFKA_SSL_CAFILE")
    """CA bundle for SSL; the system's when empty."""
    ssl_certfile: str | None = Field(default=None, alias="KAFKA_SSL_CERTFILE")
    """Client certificate for SSL."""
    ssl_keyfile: str | None = Field(default=None, alias="KAFKA_SSL_KEYFILE")
    """Client key for SSL."""
    topic_prefix: str = Field(default="xero", alias="KAFKA_TOPIC_PREFIX", pattern=r"^[a-zA-Z0-9._-]{1,100}$")
    """Prefix of every topic, group and transactional id."""
    partitions: int = Field(default=6, alias="KAFKA_PARTITIONS", ge=1, le=1000)
    """Partitions of every keyed topic; fixed at first start."""
    replication_factor: int = Field(default=3, alias="KAFKA_REPLICATION_FACTOR", ge=1, le=10)
    """Replicas of every topic; 1 on a single broker."""
    compression: Literal["gzip", "zstd", "lz4", "none"] = Field(default="gzip", alias="KAFKA_COMPRESSION")
    """Codec of every topic. Any client reads ``gzip`` and ``none``; ``zstd`` and ``lz4`` need a codec library in most."""
    dead_letter_days: int = Field(default=30, alias="KAFKA_DEAD_LETTER_DAYS", ge=1, le=3650)
    """Days that the topic ``dead-letters`` keeps what was put into quarantine, with its bytes."""
    one_changes_topic: bool = Field(default=False, alias="XERO_STREAM_ONE_CHANGES_TOPIC")
    """All change events on one topic ``<prefix>.changes`` (order across entities)."""

    @field_validator("bootstrap_servers")
    @classmethod
    def _brokers(cls, value: str) -> str:
        return bootstrap_servers(value)

    @property
    def topics(self) -> Topics:
        """The deployment's topic names."""
        return Topics(prefix=self.topic_prefix, one_changes_topic=self.one_changes_topic)
