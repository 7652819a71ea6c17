"""The receiver's listeners and limits."""

from pydantic import Field

from xero_stream.settings.base import Section


class ReceiverSettings(Section):
    """Receiver."""

    host: str = Field(default="0.0.0.0", alias="XERO_STREAM_RECEIVER_HOST")  # noqa: S104 - Xero calls from outside
    """Address of the public listener."""
    port: int = Field(default=8080, alias="XERO_STREAM_RECEIVER_PORT", ge=1, le=65535)
    """Port of the public listener. TLS ends in front of it."""
    private_host: str = Field(default="127.0.0.1", alias="XERO_STREAM_RECEIVER_PRIVATE_HOST")
    """Address of ``/livez``, ``/readyz``, ``/metrics``."""
    private_port: int = Field(default=9464, alias="XERO_STREAM_RECEIVER_PRIVATE_PORT", ge=1, le=65535)
    """Port of ``/livez``, ``/readyz``, ``/metrics``."""
    workers: int = Field(default=1, alias="XERO_STREAM_RECEIVER_WORKERS", ge=1, le=64)
    """Processes that share the public port."""
    connections: int = Field(default=1_000, alias="XERO_STREAM_RECEIVER_CONNECTIONS", ge=16, le=100_000)
    """Open connections per worker; beyond it unfinished requests are closed first, then who never had a 200, then the one idle for longest."""
    body_bytes: int = Field(default=4 * 1024 * 1024, alias="XERO_STREAM_RECEIVER_BODY_BYTES", ge=65_536, le=7_340_032)
    """Largest body; beyond it 413. Below Kafka's ``max.message.bytes`` (8 MiB), or a dead letter would not fit."""
    in_flight_bytes: int = Field(
        default=64 * 1024 * 1024, alias="XERO_STREAM_RECEIVER_IN_FLIGHT_BYTES", ge=8 * 1024 * 1024, le=64 * 1024**3
    )
    """Bytes a worker holds while Kafka has not acknowledged them, or to work on a large body; beyond it 503. Half as many may be held
    of bodies that are still arriving."""
    keep_deliveries: bool = Field(default=False, alias="XERO_STREAM_KEEP_DELIVERIES")
    """Also append each delivery's exact bytes and signature to ``<prefix>.webhook-deliveries``."""
