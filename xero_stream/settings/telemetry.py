"""How logs look."""

from enum import StrEnum

from pydantic import Field

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
