"""How logs look, and who may ask for health and metrics."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from xero_stream.settings.base import Section


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"  # console on a terminal, JSON elsewhere
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least severe level that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class TelemetrySettings(Section):
    """Logs."""

    log_format: LogFormat = Field(default=LogFormat.AUTO, alias="XERO_STREAM_LOG_FORMAT")
    """``auto`` (console on a terminal, JSON elsewhere), ``console`` or ``json``. Logs go to standard error."""
    log_level: LogLevel = Field(default=LogLevel.INFO, alias="XERO_STREAM_LOG_LEVEL")
    """``debug``, ``info``, ``warning`` or ``error``."""


class PrivatePortSettings(Section):
    """Private ports (health and metrics)."""

    host_names: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="XERO_STREAM_PRIVATE_HOST_NAMES")
    """Host names by which the private ports may be called, separated by commas, besides ``localhost`` and IP addresses: the name
    of a Kubernetes service or a Compose service that a scraper uses. Requests with another ``Host``, or with the ``Origin`` of a
    web page, are refused."""

    @field_validator("host_names", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
