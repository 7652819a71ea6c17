"""Where the local servers keep their data, and what they download."""

from pathlib import Path

from pydantic import Field

from xero_stream.settings.base import Section


class LocalSettings(Section):
    """Local servers."""

    data_dir: Path = Field(default=Path(".xero-stream"), alias="XERO_STREAM_DATA_DIR")
    """Data of the local Kafka and PostgreSQL, their logs and ports, and the simulator's books."""
    cache_dir: Path = Field(default=Path("~/.cache/xero-stream"), alias="XERO_STREAM_CACHE_DIR")
    """Kafka's jars, downloaded once for all data directories."""
