"""The processors' settings."""

from typing import Literal

from pydantic import Field, SecretStr

from xero_stream.settings.base import Section


class ProcessorSettings(Section):
    """Processors."""

    private_host: str = Field(default="127.0.0.1", alias="XERO_STREAM_PROCESSORS_PRIVATE_HOST")
    """Address of the private port (health and metrics)."""
    private_port: int = Field(default=9465, alias="XERO_STREAM_PROCESSORS_PRIVATE_PORT", ge=1, le=65535)
    """Private port: ``/livez``, ``/readyz``, ``/metrics``."""
    group_instance_id: str | None = Field(default=None, alias="XERO_STREAM_GROUP_INSTANCE_ID")
    """Static membership: a unique name for each replica, so that a quick restart moves no partition."""
    session_timeout_seconds: float = Field(default=10.0, alias="XERO_STREAM_SESSION_TIMEOUT_SECONDS", ge=6, le=300)
    """Seconds without a heartbeat after which Kafka reassigns a processor's partitions."""
    keep_raw: bool = Field(default=False, alias="XERO_STREAM_KEEP_RAW")
    """Publish Xero's own JSON as ``raw`` beside the unified record."""
    amounts: Literal["number", "string"] = Field(default="number", alias="XERO_STREAM_AMOUNTS")
    """Format of amounts: ``number`` (exact in JSON, but some parsers round) or ``string``. The same for every
    process. Changing it publishes each record again as it is read again."""
    field_policy: str | None = Field(default=None, alias="XERO_STREAM_FIELD_POLICY")
    """Fields that must not be passed on, as JSON: entity, path of a field of our record, and ``drop``, ``hash`` or
    ``truncate:N`` (characters), e.g. ``{"contacts": {"email": "hash", "phones": "drop"}}``. Such entities have no
    ``raw``. Changing it publishes each record again as it is read again."""
    field_policy_key: SecretStr | None = Field(default=None, alias="XERO_STREAM_FIELD_POLICY_KEY")
    """What ``hash`` is made with (HMAC-SHA-256, in hex): at least 32 random characters. Another key, other hashes."""
    patience_seconds: float = Field(default=600.0, alias="XERO_STREAM_PATIENCE_SECONDS", ge=1, le=86400)
    """How long after an event an answer that does not show it is taken for a stale read."""
    gap_patience_seconds: float = Field(default=1200.0, alias="XERO_STREAM_GAP_PATIENCE_SECONDS", ge=1, le=86400)
    """How long a number may be missing from Xero's events before what it stood for is looked for. Xero sends a failed
    delivery again after 15 minutes."""
    drain_seconds: float = Field(default=8.0, alias="XERO_STREAM_DRAIN_SECONDS", ge=0, le=120)
    """Seconds that a stopping processor has to finish its work."""
    change_days: int = Field(default=30, alias="XERO_STREAM_CHANGE_DAYS", ge=2, le=3650)
    """Days that the store keeps changes; changes that are not on Kafka yet are always kept."""
    quarantine_days: int = Field(default=90, alias="XERO_STREAM_QUARANTINE_DAYS", ge=1, le=3650)
    """Days that the quarantine keeps bytes, and resolved entries. An open entry about a record stays without its bytes;
    the record can be read again all the same."""
    quarantine_megabytes: int = Field(default=256, alias="XERO_STREAM_QUARANTINE_MEGABYTES", ge=1, le=1_000_000)
    """MiB that the quarantine keeps per app. Beyond it the oldest entries go: resolved ones, then bytes, then open ones.
    They are on the topic ``dead-letters``."""
    unconnected_events_days: int = Field(default=7, alias="XERO_STREAM_UNCONNECTED_EVENTS_DAYS", ge=1, le=365)
    """Days that a record of an organisation that is not connected stays marked as changed. When the organisation is
    connected its first load reads everything, whatever was marked; seven days is as long as Kafka keeps the events."""
    unconnected_records: int = Field(default=10_000, alias="XERO_STREAM_UNCONNECTED_RECORDS", ge=0, le=1_000_000)
    """Records of organisations that are not connected that are kept marked, per partition. Further events of theirs are
    only counted: an app's webhook brings events of any number of organisations."""
