"""The console's listeners and limits."""

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from xero_stream.settings.base import Section


class ConsoleSettings(Section):
    """Console."""

    host: str = Field(default="127.0.0.1", alias="XERO_STREAM_CONSOLE_HOST")
    """Address of the API. TLS ends in front of it."""
    port: int = Field(default=8081, alias="XERO_STREAM_CONSOLE_PORT", ge=1, le=65535)
    """Port of the API."""
    private_host: str = Field(default="127.0.0.1", alias="XERO_STREAM_CONSOLE_PRIVATE_HOST")
    """Address of ``/livez``, ``/readyz``, ``/metrics``."""
    private_port: int = Field(default=9466, alias="XERO_STREAM_CONSOLE_PRIVATE_PORT", ge=1, le=65535)
    """Port of ``/livez``, ``/readyz``, ``/metrics``."""
    host_names: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="XERO_STREAM_CONSOLE_HOST_NAMES")
    """Host names by which the API may be called, separated by commas, besides ``localhost`` and IP addresses. Requests with another
    ``Host``, or with the ``Origin`` of another web page, are refused."""
    connections: int = Field(default=1_000, alias="XERO_STREAM_CONSOLE_CONNECTIONS", ge=16, le=100_000)
    """Open connections, streams among them; beyond it 503."""

    @field_validator("host_names", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
